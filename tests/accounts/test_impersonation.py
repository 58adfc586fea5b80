"""Staff look at the shop as a member sees it; they change nothing, and the member is told."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import impersonation
from accounts.models import Address, Impersonation, User
from mylist.models import ListItem
from shop.models import Basket, Errand
from tests.admin_contract import assert_read_only, sign_in
from tests.factories import AddressFactory, ListItemFactory, MemberFactory, OrderFactory, PaymentMethodFactory

pytestmark = pytest.mark.django_db

LOOKING = ("view_user", "view_contacts", "look_as_member", "view_impersonation")


@pytest.fixture
def member():
    return MemberFactory(name="Lin Mei", language="en")


@pytest.fixture
def staff(client) -> User:
    return sign_in(client, *LOOKING)


def look_url(member: User) -> str:
    return reverse("admin:accounts_user_look", args=[member.pk])


@pytest.fixture
def looking(client, staff, member) -> Client:
    response = client.post(look_url(member), {"reason": "Asked by phone where the soap is"})
    assert response.status_code == 302
    assert response["Location"] == reverse("mylist:list")
    return client


def test_staff_see_the_members_list_with_a_bar_on_it(looking, member):
    item = ListItemFactory(member=member, around=timezone.now())
    page = looking.get(reverse("mylist:list"))
    assert page.status_code == 200
    assert str(item.product) in page.text
    assert "You look as Lin Mei" in page.text
    assert reverse("accounts:look_end") in page.text
    assert "style=" not in page.text


def test_the_way_there_asks_for_a_reason(client, staff, member):
    page = client.get(look_url(member))
    assert "The member can read this" in page.text
    assert client.post(look_url(member), {"reason": " "}).status_code == 200
    assert not Impersonation.objects.exists()
    assert look_url(member) in client.get(reverse("admin:accounts_user_change", args=[member.pk])).text


PAGES = ["mylist:list", "mylist:hidden", "accounts:me", "shop:home", "shop:orders"]


@pytest.mark.parametrize("page", PAGES)
def test_what_may_be_seen_opens_and_writes_nothing(looking, member, page):
    ListItemFactory(member=member, around=timezone.now())
    OrderFactory(errand__member=member)
    answer = looking.get(reverse(page))
    assert answer.status_code == 200
    assert "You look as Lin Mei" in answer.text


def test_orders_and_shelves_open_too(looking, member):
    order = OrderFactory(errand__member=member)
    item = ListItemFactory(member=member)
    store = item.offer.store
    for url in [
        reverse("shop:order", args=[order.number]),
        reverse("shop:store", args=[store.code]),
        reverse("shop:product", args=[store.code, item.product.sku]),
        reverse("shop:basket", args=[store.code]),
    ]:
        assert looking.get(url).status_code == 200, url


CLOSED = [
    "/accounts/email/",
    "/accounts/2fa/",
    "/accounts/2fa/recovery-codes/",
    "/accounts/logout/",
    "/accounts/password/change/",
    "/accounts/3rdparty/",
    "/members/addresses/new/",
    "/members/exports/",
    "/members/closing/",
    "/members/devices/",
    "/admin/",
    "/admin/accounts/user/",
    "/api/v1/me/",
    "/api/v1/my-list/",
    "/_allauth/app/v1/auth/session",
    "/delivery/",
    "/nowhere/",
]


@pytest.mark.parametrize("url", CLOSED)
def test_everything_else_is_closed_meanwhile(looking, url):
    answer = looking.get(url)
    assert answer.status_code == 403
    if url.startswith(("/api/", "/_allauth/")):
        assert answer.json()["type"] == "/problems/looking"
    else:
        assert "nothing can be changed" in answer.text


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_every_way_to_change_something_is_refused(looking, member, method):
    item = ListItemFactory(member=member, due=True, around=timezone.now())
    address = AddressFactory(member=member)
    PaymentMethodFactory(member=member)
    for url in [
        reverse("mylist:reorder"),
        reverse("mylist:pin", args=[item.pk]),
        reverse("mylist:list"),
        reverse("accounts:me"),
        reverse("accounts:address_delete", args=[address.pk]),
        reverse("accounts:language"),
        reverse("shop:basket_add", args=[item.offer.store.code, item.offer_id]),
        "/accounts/logout/",
        "/accounts/email/",
        f"/api/v1/my-list/{item.pk}/",
        "/api/v1/my-list/reorder-due/",
        "/_allauth/app/v1/auth/session",
        "/i18n/setlang/",
    ]:
        assert getattr(looking, method)(url).status_code == 403, url
    assert not Errand.objects.exists()
    assert not Basket.objects.exists()
    assert Address.objects.get() == address
    assert ListItem.objects.get().pinned_at is None


def test_the_database_refuses_what_a_page_would_like_to_note(member):
    item = ListItemFactory(member=member)
    with connection.execute_wrapper(impersonation.refuse_writes):
        assert ListItem.objects.count() == 1
        for write in [
            lambda: ListItem.objects.update(hidden_at=timezone.now()),
            lambda: item.delete(),
            lambda: AddressFactory(member=member),
            lambda: connection.cursor().execute("with x as (select 1) delete from accounts_address"),
            lambda: connection.cursor().execute("DROP TABLE accounts_address"),
        ]:
            with pytest.raises(impersonation.LookOnly):
                write()


def test_a_page_that_writes_all_the_same_says_that_it_is_only_to_look_at(looking, member, monkeypatch):
    note = "UPDATE accounts_user SET name = 'changed'"
    monkeypatch.setattr("mylist.views.lists.lists.build", lambda **_: connection.cursor().execute(note))
    answer = looking.get(reverse("mylist:list"))
    assert answer.status_code == 403
    assert "nothing can be changed" in answer.text
    assert User.objects.get(pk=member.pk).name == "Lin Mei"


def test_the_look_is_kept_with_its_reason_even_if_the_browser_is_closed(looking, staff, member):
    look = Impersonation.objects.get()
    assert (look.staff, look.member, look.reason) == (staff, member, "Asked by phone where the soap is")
    assert look.ends_at - look.began_at == timedelta(minutes=15)
    assert look.ended_at is None


def test_the_member_sees_every_look_with_its_reason(looking, member):
    own = Client()
    own.force_login(member)
    page = own.get(reverse("accounts:me")).text
    assert "Who looked at my pages" in page
    assert "Asked by phone where the soap is" in page
    other = Client()
    other.force_login(MemberFactory())
    assert "Who looked at my pages" not in other.get(reverse("accounts:me")).text


def test_ended_by_hand_staff_are_themselves_again(looking, staff, member):
    answer = looking.post(reverse("accounts:look_end"))
    assert answer["Location"] == reverse("admin:accounts_user_change", args=[member.pk])
    assert looking.get(answer["Location"]).status_code == 200
    assert Impersonation.objects.get().ended_at is not None
    assert looking.session["_auth_user_id"] == str(staff.pk)
    assert "You look as" not in looking.get(reverse("mylist:list")).text


def test_after_a_quarter_of_an_hour_it_ends_by_itself(looking, member):
    Impersonation.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    answer = looking.get(reverse("mylist:list"))
    assert answer["Location"] == reverse("admin:accounts_user_change", args=[member.pk])
    look = Impersonation.objects.get()
    assert look.ended_at == look.ends_at
    assert looking.get(answer["Location"]).status_code == 200


def test_what_was_meant_for_the_member_is_not_done_as_the_staff(looking, staff):
    item = ListItemFactory(member=staff)
    Impersonation.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    assert looking.post(reverse("mylist:pin", args=[item.pk])).status_code == 403
    item.refresh_from_db()
    assert item.pinned_at is None


@pytest.mark.parametrize(
    "change",
    [
        lambda staff, member: User.objects.filter(pk=staff.pk).update(is_active=False),
        lambda staff, member: User.objects.filter(pk=staff.pk).update(is_staff=False),
        lambda staff, member: staff.user_permissions.clear(),
        lambda staff, member: User.objects.filter(pk=member.pk).update(is_active=False),
        lambda staff, member: User.objects.filter(pk=member.pk).update(is_staff=True),
        lambda staff, member: Impersonation.objects.update(ended_at=timezone.now()),
    ],
)
def test_it_ends_when_one_of_the_two_may_no_longer(looking, staff, member, change):
    change(staff, member)
    answer = looking.get(reverse("mylist:list"))
    assert answer.status_code in {302, 403}
    assert "Lin Mei" not in answer.text
    assert Impersonation.objects.get().ended_at is not None
    assert impersonation.SESSION_KEY not in looking.session


def test_nobody_looks_as_a_colleague(client, staff):
    for colleague in (MemberFactory(is_staff=True), MemberFactory(is_superuser=True), MemberFactory(is_active=False)):
        assert client.get(look_url(colleague)).status_code == 403
        assert client.post(look_url(colleague), {"reason": "Curious"}).status_code == 403
    assert not Impersonation.objects.exists()


def test_nobody_looks_without_the_permission(client, member):
    sign_in(client, "view_user", "change_user")
    assert client.post(look_url(member), {"reason": "Curious"}).status_code == 403
    assert "/look/" not in client.get(reverse("admin:accounts_user_change", args=[member.pk])).text


def test_members_do_not_look_as_others(client, member):
    thief = MemberFactory()
    thief.user_permissions.set(Permission.objects.filter(codename="look_as_member"))
    client.force_login(thief)
    assert client.post(look_url(member), {"reason": "Curious"}).status_code in {302, 403}
    session = client.session
    session[impersonation.SESSION_KEY] = 1
    session.save()
    assert "You look as" not in client.get(reverse("mylist:list"), follow=True).text


def test_a_look_serves_only_the_session_of_its_staff(looking, staff):
    other = Client()
    colleague = sign_in(other, *LOOKING)
    session = other.session
    session[impersonation.SESSION_KEY] = Impersonation.objects.get().pk
    session.save()
    assert other.get(reverse("mylist:list")).status_code == 302
    assert other.session["_auth_user_id"] == str(colleague.pk)


def test_an_apps_token_never_leads_to_another_member(looking, staff):
    token = looking.session.session_key
    app = Client()
    answer = app.get("/api/v1/me/", headers={"X-Session-Token": token})
    assert answer.status_code == 200
    assert answer.json()["member_no"] == staff.member_no


def test_looking_leaves_no_device_of_the_member(looking, member):
    looking.get(reverse("mylist:list"))
    assert not UserSession.objects.filter(user=member).exists()


def test_a_second_look_ends_the_first(looking, staff):
    session = looking.session
    first = Impersonation.objects.get()
    second = impersonation.begin(
        staff=staff, member=MemberFactory(), reason="Again", session=session, at=first.began_at + timedelta(minutes=1)
    )
    first.refresh_from_db()
    assert first.ended_at == second.began_at
    assert session[impersonation.SESSION_KEY] == second.pk


def test_looks_are_listed_for_staff_and_stay_as_they_are(client, looking):
    looking.post(reverse("accounts:look_end"))
    sign_in(client, superuser=True)
    assert_read_only(client, Impersonation.objects.get())


def test_pages_are_shown_in_the_members_language_the_bar_in_that_of_the_staff(client):
    member = MemberFactory(language="zh-hant")
    sign_in(client, *LOOKING, language="en")
    client.post(look_url(member), {"reason": "Asked by phone"})
    page = client.get(reverse("mylist:list")).text
    assert '<html lang="zh-Hant">' in page
    assert "nothing can be changed" in page


def test_nobody_without_a_look_pays_for_it(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/livez").status_code == 200
