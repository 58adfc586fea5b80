"""What each role of the staff may do, and the groups of Django that stand for them.

`sync` runs after every migrate. A role gets what the table below says newly and loses what it no longer says; what the
shop's owner gave to a group besides, or took away from it, stays as it is.
"""

from itertools import product
from typing import Any

from django.apps import AppConfig
from django.apps import apps as global_apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet

from accounts.models import User

APPOINT = "accounts.appoint_staff"


def _each(app: str, verbs: str, *models: str) -> frozenset[str]:
    return frozenset(f"{app}.{verb}_{model}" for verb, model in product(verbs.split(), models))


_CATALOGUE = ("store", "channel", "category", "need", "product", "offer")
_SEES_CATALOGUE = _each("shop", "view", *_CATALOGUE)
_SEES_ORDERS = _each("shop", "view", "errand", "order", "orderline")
_SEES_LISTS = _each("mylist", "view", "listitem", "prediction", "reminder", "reminderline")

# The least each needs. No role but the owner's can change what somebody may do.
_SUPPORT = (
    _each("accounts", "view change", "user")
    | _each("accounts", "view add change delete", "address")
    | _each("accounts", "view", "consententry", "merge", "impersonation")
    | {"accounts.view_contacts", "accounts.merge_members", "accounts.look_as_member", "accounts.close_member"}
    | _SEES_CATALOGUE
    | _SEES_ORDERS
    | _each("shop", "view", "purchase")
    | _SEES_LISTS
    | {"notify.view_message"}
)
# Members by name and number, without e-mail, phone and address.
_MARKETING = (
    _each("accounts", "view", "user", "consententry")
    | {"accounts.mend_birthdays"}
    | _SEES_CATALOGUE
    | _each("mylist", "view", "reminder", "reminderline", "chancescore", "datescore")
)
# The address on a parcel stands in the order; the members' own pages stay closed.
_WAREHOUSE = _SEES_CATALOGUE | _SEES_ORDERS | {"shop.change_stock"}
_MANAGER = (
    _SUPPORT
    | _MARKETING
    | _WAREHOUSE
    | {"accounts.add_user"}
    | _each("shop", "add change delete", *_CATALOGUE)
    | _each("mylist", "view change", "fittedmodel")
    | _each("mylist", "view", "modelswitch")
)
_OWNER = (
    _MANAGER
    | {APPOINT}
    | _each("auth", "view add change delete", "group")
    # To take one from a colleague who has lost it.
    | _each("mfa", "view delete", "authenticator")
)

ROLES: dict[str, frozenset[str]] = {
    "support": _SUPPORT,
    "marketing": _MARKETING,
    "warehouse": _WAREHOUSE,
    "manager": _MANAGER,
    "owner": _OWNER,
}


def sync(*, app_config: AppConfig, using: str, apps: Any = global_apps, **_signal: Any) -> None:
    """Bring each role's permissions of one app up to the table; the groups are made when they are missing.

    `apps` is the state of the models that migrate has arrived at: one that is older than Role is left alone.
    """
    wanted = {name: {one for one in may if one.startswith(f"{app_config.label}.")} for name, may in ROLES.items()}
    if not any(wanted.values()):
        return
    try:
        role_model = apps.get_model("accounts", "Role")
    except LookupError:
        return
    # Django makes them on the same signal, perhaps after us.
    create_permissions(app_config, verbosity=0, using=using, apps=apps)
    permissions = {
        f"{app_config.label}.{permission.codename}": permission
        for permission in apps.get_model("auth", "Permission")
        .objects.using(using)
        .filter(content_type__app_label=app_config.label)
    }
    for name, may in wanted.items():
        _sync_one(_role(role_model, apps, using, name), app_config.label, may & permissions.keys(), permissions)


def _role(role_model: Any, apps: Any, using: str, name: str) -> Any:
    role = role_model.objects.using(using).filter(name=name).first()
    if role is None:
        group, _made = apps.get_model("auth", "Group").objects.using(using).get_or_create(name=name)
        role = role_model.objects.using(using).create(name=name, group=group)
    return role


def _sync_one(role: Any, label: str, wanted: set[str], permissions: dict[str, Any]) -> None:
    given = {one for one in role.given if one.startswith(f"{label}.")}
    if wanted == given or role.group is None:
        return
    role.group.permissions.add(*(permissions[one] for one in wanted - given))
    role.group.permissions.remove(*(permissions[one] for one in given - wanted if one in permissions))
    role.given = sorted({*role.given} - given | wanted)
    role.save(update_fields=["given"])


def spelled(permissions: QuerySet[Permission]) -> set[str]:
    """Permissions as has_perm asks for them: "shop.view_order"."""
    return {f"{app}.{name}" for app, name in permissions.values_list("content_type__app_label", "codename")}


def has_all(staff: User, permissions: QuerySet[Permission]) -> bool:
    """Whether `staff` has all of these: nobody gives, or takes in hand, more than they have themselves."""
    return staff.is_superuser or staff.has_perms(spelled(permissions))


def permissions_of(member: User) -> QuerySet[Permission]:
    """What was given to the member, also while the member is inactive."""
    return Permission.objects.filter(Q(user=member) | Q(group__user=member)).distinct()


def may_appoint(staff: User, member: User | None = None) -> bool:
    """Whether `staff` may make `member` (or anybody) staff and choose the roles: superusers are made by superusers."""
    if not staff.has_perm(APPOINT) or member is None:
        return staff.has_perm(APPOINT)
    return (staff.is_superuser or not member.is_superuser) and has_all(staff, permissions_of(member))
