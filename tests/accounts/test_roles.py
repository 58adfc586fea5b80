"""What each role of the staff opens in the admin, what it does not, and that nobody gives more than they have."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from accounts import roles
from accounts.models import DoubtfulBirthday, Impersonation, Merge, Role, User
from mylist.models import ChanceScore, FittedModel, ListItem, Reminder
from notify.models import Message
from shop.models import Offer, Order, Product, Purchase
from tests.admin_contract import change, changelist, sign_in_staff
from tests.factories import (
    AddressFactory,
    FittedModelFactory,
    MemberFactory,
    OfferFactory,
    OrderFactory,
    ReminderFactory,
)

pytestmark = pytest.mark.django_db

ALL = ("support", "marketing", "warehouse", "manager", "owner")
# Which lists each role opens; every other role gets 403.
LISTS = {
    User: {"support", "marketing", "manager", "owner"},
    DoubtfulBirthday: {"marketing", "manager", "owner"},
    Merge: {"support", "manager", "owner"},
    Impersonation: {"support", "manager", "owner"},
    ListItem: {"support", "manager", "owner"},
    Purchase: {"support", "manager", "owner"},
    Reminder: {"support", "marketing", "manager", "owner"},
    Order: {"support", "warehouse", "manager", "owner"},
    Offer: {*ALL},
    Product: {*ALL},
    ChanceScore: {"marketing", "manager", "owner"},
    FittedModel: {"manager", "owner"},
    Message: {"support", "manager", "owner"},
    Group: {"owner"},
}


def with_role(name: str) -> User:
    staff = MemberFactory(is_staff=True)
    staff.groups.add(Group.objects.get(name=name))
    return staff


@pytest.fixture
def browser(client):
    def sign_in(name: str) -> Client:
        sign_in_staff(client, with_role(name))
        return client

    return sign_in


@pytest.mark.parametrize("role", ALL)
def test_a_role_opens_its_lists_and_no_other(browser, role):
    client = browser(role)
    opened = {model for model in LISTS if client.get(changelist(model)).status_code == 200}
    refused = {model for model in LISTS if client.get(changelist(model)).status_code == 403}
    assert opened == {model for model, may in LISTS.items() if role in may}
    assert refused == LISTS.keys() - opened


# What each role can change when it sends a form; every other role gets 403.
FORMS = {
    "member": {"support", "manager", "owner"},
    "address": {"support", "manager", "owner"},
    "offer": {"warehouse", "manager", "owner"},
    "product": {"manager", "owner"},
    "merge": {"support", "manager", "owner"},
    "look": {"support", "manager", "owner"},
    "colleague": {"owner"},
    "switch model": {"manager", "owner"},
    "group": {"owner"},
}


def _urls() -> dict[str, str]:
    member = MemberFactory(claimed_at=None)
    return {
        "member": change(member),
        "address": change(AddressFactory()),
        "offer": change(offer := OfferFactory()),
        "product": change(offer.product),
        "merge": reverse("admin:accounts_user_compare", args=[MemberFactory().pk, member.pk]),
        "look": reverse("admin:accounts_user_look", args=[MemberFactory().pk]),
        "colleague": change(with_role("marketing")),
        "switch model": reverse("admin:mylist_fittedmodel_switch_on", args=[FittedModelFactory().pk]),
        "group": change(Group.objects.get(name="marketing")),
    }


@pytest.mark.parametrize("role", ALL)
def test_a_role_changes_what_is_its_own_and_nothing_else(browser, role):
    urls = _urls()
    client = browser(role)
    let_in = {what for what, url in urls.items() if client.post(url, {}).status_code != 403}
    assert let_in == {what for what, may in FORMS.items() if role in may}


@pytest.mark.parametrize("role", ALL)
def test_no_role_but_the_owners_makes_staff(browser, role):
    member = MemberFactory(claimed_at=None)
    client = browser(role)
    group = Group.objects.get(name="support")
    client.post(change(member), {**_profile(member), "is_staff": "on", "is_superuser": "on", "groups": [group.pk]})
    member.refresh_from_db()
    assert member.is_staff == (role == "owner")
    assert list(member.groups.all()) == ([group] if role == "owner" else [])
    assert not member.is_superuser


def _profile(member: User) -> dict:
    plain = ("name", "email", "phone", "language", "time_zone", "order_channel", "reminder_channel")
    counts = {"addresses-TOTAL_FORMS": 0, "addresses-INITIAL_FORMS": 0}
    return {**{name: getattr(member, name) for name in plain}, "is_active": "on", **counts}


def test_an_owner_gives_no_group_that_can_more(browser):
    client = browser("owner")
    strong = Group.objects.create(name="machines")
    strong.permissions.add(Permission.objects.get(codename="delete_session"))
    member = MemberFactory()
    page = client.get(change(member)).context["adminform"].form.fields["groups"].queryset
    assert strong not in page
    client.post(change(member), {**_profile(member), "is_staff": "on", "groups": [strong.pk]})
    assert not member.groups.exists()
    assert client.post(change(strong), {"name": "mine"}).status_code == 403
    offered = client.get(change(Group.objects.get(name="support"))).context["adminform"].form.fields["permissions"]
    assert "delete_session" not in offered.queryset.values_list("codename", flat=True)


def test_an_owner_does_not_touch_whoever_can_more(browser):
    client = browser("owner")
    strong = MemberFactory(is_staff=True, is_active=False, claimed_at=None)
    strong.user_permissions.add(Permission.objects.get(codename="delete_session"))
    root = MemberFactory(is_superuser=True, claimed_at=None)
    for colleague in (strong, root):
        assert client.post(change(colleague), {"email": "mine@example.com"}).status_code == 403


def test_staff_do_not_raise_themselves(client):
    staff = with_role("support")
    sign_in_staff(client, staff)
    owner = Group.objects.get(name="owner")
    client.post(change(staff), {**_profile(staff), "is_staff": "on", "is_superuser": "on", "groups": [owner.pk]})
    staff = User.objects.get(pk=staff.pk)
    assert [group.name for group in staff.groups.all()] == ["support"]
    assert not staff.is_superuser


# ------------------------------------------------------------ contacts


@pytest.fixture
def mei():
    return MemberFactory(name="Lin Mei", email="mei@example.org", phone="+886955555555")


def test_marketing_sees_no_contacts_and_finds_nobody_by_them(browser, mei):
    client = browser("marketing")
    AddressFactory(member=mei, street="Heping E. Rd. 77")
    ReminderFactory(member=mei)
    for url in [changelist(User), change(mei), f"{change(mei)[: -len('change/')]}history/", changelist(Reminder)]:
        page = client.get(url)
        assert page.status_code == 200
        assert "Lin Mei" in page.text
        assert not {"mei@example.org", "955555555", "Heping"} & {
            word for word in ("mei@example.org", "955555555", "Heping") if word in page.text
        }
    for model in (User, Reminder):
        assert client.get(changelist(model), {"q": "mei@example"}).context["cl"].result_count == 0
        assert client.get(changelist(model), {"q": "Lin Mei"}).context["cl"].result_count == 1


def test_support_sees_contacts(browser, mei):
    client = browser("support")
    assert "mei@example.org" in client.get(change(mei)).text
    assert client.get(changelist(User), {"q": "mei@example"}).context["cl"].result_count == 1


def test_the_warehouse_sees_the_parcels_address_but_no_members(browser, mei):
    client = browser("warehouse")
    order = OrderFactory(errand__member=mei)
    page = client.get(change(order)).text
    assert order.address in page.replace("&#x27;", "'")
    assert "mei@example.org" not in page
    assert client.get(change(mei)).status_code == 403


def test_the_warehouse_counts_stock_and_leaves_the_price(browser):
    client = browser("warehouse")
    offer = OfferFactory(stock=50)
    data = {"price": "1", "stock": "60", "initial-stock": "50", "currency": "TWD"}
    assert client.post(change(offer), data).status_code == 302
    offer.refresh_from_db()
    assert (offer.stock, offer.price, offer.is_active) == (60, 300, True)
    client.post(changelist(Offer), {"action": "take_off_sale", "_selected_action": [offer.pk]})
    offer.refresh_from_db()
    assert offer.is_active


# ------------------------------------------------------------ the groups


def test_every_permission_of_the_table_exists():
    there = roles.spelled(Permission.objects.all())
    for name, may in roles.ROLES.items():
        assert may <= there, name
        assert roles.spelled(Group.objects.get(name=name).permissions.all()) == may


def test_only_the_owner_appoints():
    assert [name for name, may in roles.ROLES.items() if roles.APPOINT in may] == ["owner"]
    assert all(may < roles.ROLES["owner"] for name, may in roles.ROLES.items() if name != "owner")


def _migrate() -> None:
    for config in apps.get_app_configs():
        roles.sync(app_config=config, using="default")


def test_what_staff_changed_by_hand_stays_after_a_migrate():
    support = Group.objects.get(name="support")
    taken = support.permissions.get(codename="change_user")
    given = Permission.objects.get(codename="view_store", content_type__app_label="shop")
    added = Permission.objects.get(codename="delete_session")
    support.permissions.remove(taken)
    support.permissions.add(given, added)
    support.name = "Helpers"
    support.save()
    _migrate()
    now = set(support.permissions.all())
    assert taken not in now
    assert {given, added} <= now
    assert not Group.objects.filter(name="support").exists()


def test_what_the_table_says_newly_is_given_and_what_it_no_longer_says_is_taken(monkeypatch):
    support = Group.objects.get(name="support")
    more = (roles.ROLES["support"] - {"accounts.change_user"}) | {"shop.change_stock"}
    monkeypatch.setitem(roles.ROLES, "support", frozenset(more))
    _migrate()
    assert roles.spelled(support.permissions.all()) == more
    assert set(Role.objects.get(name="support").given) == more


def test_a_deleted_group_is_not_made_again():
    Group.objects.get(name="marketing").delete()
    _migrate()
    assert not Group.objects.filter(name="marketing").exists()
    assert Role.objects.get(name="marketing").group is None
