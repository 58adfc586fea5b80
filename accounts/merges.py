"""Two imported records of one person, made one by staff: looked at before, taken back for thirty days.

Every table that leads to a member is moved, found by accounts.belongings, so that a new one is not forgotten; the ones
that stay are named here with their reason. The record that is merged becomes inactive and keeps its number, by which
imports go on to know the person: what they bring goes to the one that was kept (shop.importing.merging).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet, TextChoices, UniqueConstraint
from django.utils.translation import gettext_lazy as _

from accounts import belongings
from accounts.belongings import Reference
from accounts.models import ConsentEntry, DataExport, Impersonation, Merge, User
from accounts.signals import members_merged

WAY_BACK = timedelta(days=30)
_CHUNK = 1000

_STAYING: set[type[Model]] = {
    # What a record agreed to, was shown as and was part of is true of that record only.
    ConsentEntry,
    Impersonation,
    Merge,
    DataExport,
    # Proofs and ways to sign in lead to whom they were shown for; staff do not hand them on.
    EmailAddress,
    Authenticator,
    SocialAccount,
    UserSession,
    # Records of staff are not merged.
    User.groups.through,
    User.user_permissions.through,
}

# What goes together; taken over where the first of them is empty.
_FILLED = [
    ("name",),
    ("email",),
    ("phone", "phone_verified_at"),
    ("birthday", "birthday_source", "birthday_doubts", "birthday_confirmed_at"),
    ("home_channel",),
]
_CONTACTS = {"email", "phone"}
# Of a record that was merged and of one that was kept, shown side by side.
COMPARED = ["member_no", "name", "email", "phone", "birthday", "home_channel", "joined_at", "claimed_at"]


class Hindrance(TextChoices):
    """Why two records cannot be made one, or a merge not be taken back; the labels are told to staff."""

    SAME = "same", _("This is the same record twice.")
    STAFF = "staff", _("Records of staff are not merged.")
    CLOSED = "closed", _("One of the two is inactive, or is being closed.")
    BOTH_CLAIMED = (
        "both_claimed",
        _("Both have been claimed: somebody signs in to each. Ask the member which to keep, and to close the other."),
    )
    CLAIMED = "claimed", _("The other one has been claimed, so that is the one to keep. Exchange the two.")
    OVER = "over", _("A merge can be taken back for 30 days; they are over.")
    UNDONE = "undone", _("This was taken back before.")
    FURTHER = "further", _("The kept record was merged with a third one since. Take that back first.")
    ERASED = "erased", _("One of the two has been erased; there is nothing to bring back.")


class Refused(Exception):
    """Nothing was changed; `hindrance` says why."""

    def __init__(self, hindrance: Hindrance) -> None:
        super().__init__(hindrance.value)
        self.hindrance = hindrance


@dataclass(frozen=True, slots=True)
class Moving:
    """How many rows of a table would go to the kept record, and how many stay as it has their like."""

    table: str
    moves: int
    stays: int


@dataclass(frozen=True, slots=True)
class Value:
    """A field of both records side by side; `taken` if the kept one would take it over, `lost` if it would stay."""

    label: str
    kept: Any
    merged: Any
    taken: bool
    lost: bool


@dataclass(frozen=True, slots=True)
class Preview:
    hindrance: Hindrance | None
    values: list[Value]
    tables: list[Moving]


def preview(*, kept: User, merged: User) -> Preview:
    """What `merge` would do."""
    taken = _to_fill(kept, merged)
    values = []
    for name in COMPARED:
        ours, theirs = getattr(kept, name), getattr(merged, name)
        lost = name not in {"member_no", "joined_at", "claimed_at"} and bool(ours and theirs) and ours != theirs
        label = str(User._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
        values.append(Value(label, ours, theirs, name in taken, lost))
    tables = []
    for reference in _moving():
        rows = _rows(reference, merged)
        total = rows.count()
        stays = rows.filter(_collides(reference, kept)).count() if total else 0
        if total:
            tables.append(Moving(str(reference.model._meta.verbose_name_plural), total - stays, stays))
    return Preview(hindrance(kept, merged), values, tables)


def hindrance(kept: User, merged: User) -> Hindrance | None:
    """Why the two cannot be made one; None if they can."""
    both = (kept, merged)
    if kept.pk == merged.pk:
        return Hindrance.SAME
    if any(member.is_staff or member.is_superuser for member in both):
        return Hindrance.STAFF
    if any(not member.is_active or member.closing_at or member.erased_at for member in both):
        return Hindrance.CLOSED
    if merged.claimed_at:
        return Hindrance.BOTH_CLAIMED if kept.claimed_at else Hindrance.CLAIMED
    return None


def hindrance_to_undo(merge: Merge, at: datetime) -> Hindrance | None:
    """Why the merge cannot be taken back at `at`; None if it can."""
    if merge.undone_at:
        return Hindrance.UNDONE
    if merge.kept.erased_at or merge.merged.erased_at:
        return Hindrance.ERASED
    if at >= merge.undo_until:
        return Hindrance.OVER
    if Merge.objects.filter(merged=merge.kept, undone_at=None).exists():
        return Hindrance.FURTHER
    return None


@transaction.atomic
def merge(*, kept: User, merged: User, by: User, at: datetime) -> Merge:
    """Make the two one: `kept` goes on with the rows of both and with what only `merged` knew of the person.

    What both know stays as `kept` has it; `merged` becomes inactive. Raises Refused.
    """
    kept, merged = _locked(kept.pk, merged.pk)
    if why := hindrance(kept, merged):
        raise Refused(why)
    filled = _to_fill(kept, merged)
    for name in _CONTACTS & filled.keys():
        setattr(merged, name, "")
    merged.is_active = False
    _save(merged, by, ["is_active", *_CONTACTS])
    for name, (_before, taken) in filled.items():
        setattr(kept, name, taken)
    _save(kept, by, list(filled))
    done = Merge.objects.create(
        kept=kept,
        merged=merged,
        by=by,
        at=at,
        undo_until=at + WAY_BACK,
        moved=_move_all(kept, merged),
        filled={name: [_plain(value) for value in pair] for name, pair in filled.items()},
    )
    _announce(kept)
    return done


@transaction.atomic
def undo(*, merge: Merge, by: User, at: datetime) -> Merge:
    """Give back exactly what was moved and filled in, as far as it is still there and nobody changed it since.

    What the kept record did in the meantime stays with it, and so does a contact that was proved there. Raises Refused.
    """
    kept, merged = _locked(merge.kept_id, merge.merged_id)
    merge = Merge.objects.select_for_update().get(pk=merge.pk)
    merge.kept, merge.merged = kept, merged
    if why := hindrance_to_undo(merge, at):
        raise Refused(why)
    _unfill(merge, by)
    for reference in _moving():
        _move_back(merge, reference, kept, merged)
    merge.undone_at = at
    merge.save(update_fields=["undone_at"])
    _announce(kept, merged)
    return merge


def release(*, member: User, email: str = "", phone: str = "") -> None:
    """`member` has proved a contact: where it was left on a record that was merged into this one, it is let go."""
    merged = User.objects.filter(pk__in=belongings.people(member), is_active=False).exclude(pk=member.pk)
    if email:
        merged.filter(email=email).update(email="")
    if phone:
        merged.filter(phone=phone).update(phone="", phone_verified_at=None)


def _locked(kept_id: int, merged_id: int) -> tuple[User, User]:
    """Both rows, locked in the order of their ids: two who merge at once do not wait for each other in a circle."""
    ids = {kept_id, merged_id}
    rows = {row.pk: row for row in User.objects.select_for_update().filter(pk__in=ids).order_by("pk")}
    return rows[kept_id], rows[merged_id]


def _save(member: User, by: User, fields: Iterable[str]) -> None:
    member._history_user = by  # type: ignore[attr-defined]
    member.save(update_fields=list(fields))


# ------------------------------------------------------------ values


def _to_fill(kept: User, merged: User) -> dict[str, tuple[Any, Any]]:
    """{field: (value of kept, value of merged that it takes over)}"""
    names = [name for together in _FILLED for name in together if _is_missing(kept, merged, together[0])]
    if merged.joined_at < kept.joined_at:
        names.append("joined_at")
    return {name: (getattr(kept, name), getattr(merged, name)) for name in names}


def _is_missing(kept: User, merged: User, name: str) -> bool:
    return not getattr(kept, name) and bool(getattr(merged, name))


def _unfill(merge: Merge, by: User) -> None:
    kept, merged = merge.kept, merge.merged
    changed = []
    for together in [*_FILLED, ("joined_at",)]:
        if together[0] not in merge.filled or not _is_as_filled(merge, together):
            continue
        for name in together:
            before, taken = (_typed(name, value) for value in merge.filled[name])
            setattr(kept, name, before)
            changed.append(name)
            if name in _CONTACTS:
                setattr(merged, name, taken)
    # First out of the one, then into the other: no two have the same contact.
    _save(kept, by, changed)
    merged.is_active = True
    _save(merged, by, ["is_active", *_CONTACTS])


def _is_as_filled(merge: Merge, together: tuple[str, ...]) -> bool:
    """Whether the kept record still has what it took over; a contact proved there since is its own."""
    kept = merge.kept
    if together[0] == "email" and EmailAddress.objects.filter(user=kept, email=kept.email, verified=True).exists():
        return False
    return all(getattr(kept, name) == _typed(name, merge.filled[name][1]) for name in together)


def _plain(value: Any) -> Any:
    """As JSON keeps it."""
    return value.isoformat() if hasattr(value, "isoformat") else value


def _typed(name: str, value: Any) -> Any:
    return None if value is None else User._meta.get_field(name).to_python(value)  # type: ignore[union-attr]


# ------------------------------------------------------------ rows


def _moving() -> Iterator[Reference]:
    """Every key by which a row is a member's, but those of tables that stay."""
    histories = {history for history, _tracked in belongings.histories()}
    for reference in belongings.direct():
        if reference not in belongings.acts() and reference.model not in _STAYING | histories:
            yield reference


def _rows(reference: Reference, member: User) -> QuerySet[Any]:
    return reference.model._base_manager.filter(**{reference.path: member})


def _rules(reference: Reference) -> Iterator[tuple[set[str], Q]]:
    """What must be unique a member: the fields besides the member, and of which rows."""
    model, path = reference
    for constraint in model._meta.constraints:
        if isinstance(constraint, UniqueConstraint):
            named = {str(column.name) for column in constraint.expressions if isinstance(column, F)}  # type: ignore[attr-defined]
            fields = {*constraint.fields, *named}
            if path in fields:
                yield fields - {path}, constraint.condition or Q()
    for together in model._meta.unique_together:
        if path in together:
            yield {*together} - {path}, Q()
    if model._meta.get_field(path).unique:  # type: ignore[union-attr]
        yield set(), Q()


_DEFAULT = Q(is_default=True)


def _collides(reference: Reference, member: User) -> Q:
    """Of somebody's rows those that cannot be the member's, who has their like: the same item, a basket in the store.

    A second default is none of them: it goes, as one among others.
    """
    found = Q(pk__in=[])
    for fields, condition in _rules(reference):
        if condition != _DEFAULT:
            like = _rows(reference, member).filter(condition, **{name: OuterRef(name) for name in fields})
            found |= condition & Q(Exists(like))
    return found


def _move_all(kept: User, merged: User) -> dict[str, list[Any]]:
    """Every row of `merged` that can be, made `kept`'s: {"app.model.field": keys}."""
    moved: dict[str, list[Any]] = {}
    for reference in _moving():
        rows = _rows(reference, merged).exclude(_collides(reference, kept))
        keys = sorted(rows.values_list("pk", flat=True))
        label = reference.model._meta.label_lower
        if _has_default(reference) and keys:
            defaults = list(rows.filter(_DEFAULT).values_list("pk", flat=True))
            if _rows(reference, kept).filter(_DEFAULT).exists():
                _update(reference.model, defaults, is_default=False)
            moved[f"{label}.is_default"] = defaults
        if keys:
            _update(reference.model, keys, **{reference.path: kept})
            moved[f"{label}.{reference.path}"] = keys
    return moved


def _move_back(merge: Merge, reference: Reference, kept: User, merged: User) -> None:
    label = reference.model._meta.label_lower
    keys = merge.moved.get(f"{label}.{reference.path}", [])
    back: list[Any] = []
    for start in range(0, len(keys), _CHUNK):
        rows = _rows(reference, kept).filter(pk__in=keys[start : start + _CHUNK])
        back += rows.exclude(_collides(reference, merged)).values_list("pk", flat=True)
    if _has_default(reference):
        _update(reference.model, back, is_default=False)
    _update(reference.model, back, **{reference.path: merged})
    if _has_default(reference):
        _give_default(reference, merged, merge.moved.get(f"{label}.is_default", []))
        _give_default(reference, kept, [])


def _has_default(reference: Reference) -> bool:
    return any(condition == _DEFAULT for _fields, condition in _rules(reference))


def _give_default(reference: Reference, member: User, earlier: list[Any]) -> None:
    """Unless the member has one: the default of earlier, else the newest."""
    rows = _rows(reference, member)
    if rows.filter(_DEFAULT).exists():
        return
    chosen = rows.filter(pk__in=earlier).first() or rows.order_by("-pk").first()
    if chosen is not None:
        _update(reference.model, [chosen.pk], is_default=True)


def _update(model: type[Model], keys: list[Any], **values: Any) -> None:
    for start in range(0, len(keys), _CHUNK):
        model._base_manager.filter(pk__in=keys[start : start + _CHUNK]).update(**values)


def _announce(*members: User) -> None:
    """Once committed; a listener that fails (a broker that is down) must not undo what was done."""
    ids = [member.pk for member in members]
    transaction.on_commit(lambda: members_merged.send_robust(sender=None, member_ids=ids), robust=True)
