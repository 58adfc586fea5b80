"""Staff get into the admin with a second factor shown in this session, and with nothing less."""

from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.contrib import admin
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse
from django.utils import timezone

from accounts import second_factor
from accounts.models import User
from notify.models import Message
from tests.accounts.conftest import PASSWORD
from tests.accounts.second_factors import code_of, with_app, with_password
from tests.admin_contract import show_second_factor

pytestmark = pytest.mark.django_db
ADMIN = "/admin/"


@pytest.fixture
def staff() -> User:
    return with_password(is_staff=True, is_superuser=True)


def by_password(client: Client, member: User, next_page: str = ADMIN):
    return client.post(f"/accounts/login/?next={next_page}", {"login": member.email, "password": PASSWORD}, follow=True)


# ---------------------------------------------------------------- the gate
def admin_addresses() -> list[str]:
    """An address for every page of the admin that has a name."""
    found = []

    def walk(patterns: list, prefix: str) -> None:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns, prefix + str(pattern.pattern))
            elif isinstance(pattern, URLPattern) and pattern.name not in {"login", None}:
                words = ["shop" if pattern.name == "app_list" else "1"] * pattern.pattern.regex.groups
                found.append(reverse(f"admin:{pattern.name}", args=words))

    walk(admin.site.get_urls(), "")
    return found


def test_no_page_of_the_admin_opens_to_staff_who_have_shown_nothing(client, staff):
    client.force_login(staff)
    addresses = admin_addresses()
    assert len(addresses) > 60
    # Each leads to the sign-in, which leads to what is missing; signing out leads to the start page, which does, too.
    elsewhere = {address: client.get(address) for address in addresses}
    opened = [address for address, answer in elsewhere.items() if answer.status_code != 302]
    assert opened == []
    target = {answer["Location"].partition("?")[0] for answer in elsewhere.values()}
    assert target <= {"/admin/login/", "/admin/"}
    assert {client.post(address).status_code for address in addresses if "logout" not in address} == {302}


@pytest.mark.django_db(transaction=True)
def test_staff_without_a_factor_are_led_to_set_one_up_and_back_to_where_they_wanted(client, staff):
    page = by_password(client, staff, "/admin/shop/order/?status=placed")
    assert page.redirect_chain[-1][0] == "/accounts/2fa/"
    assert "They open with a second step" in page.text
    setup = client.get("/accounts/2fa/totp/activate/")
    secret = setup.context["form"].secret
    assert secret in setup.text
    assert 'src="data:image/svg+xml;base64,' in setup.text
    codes = client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)}, follow=True)
    assert codes.redirect_chain[-1][0] == "/accounts/2fa/recovery-codes/"
    assert len(codes.context["unused_codes"]) == 10
    assert "recovery-codes.txt" in client.get("/accounts/2fa/recovery-codes/download/")["Content-Disposition"]
    on = client.get("/accounts/2fa/")
    assert 'href="/admin/shop/order/?status=placed"' in on.text
    # Who has just set it up has it at hand: it is not asked for once more.
    assert client.get("/admin/shop/order/?status=placed").status_code == 200


def test_signing_in_asks_staff_for_the_code_and_then_opens_the_admin(client, staff):
    secret = with_app(staff)
    asked = by_password(client, staff)
    assert asked.redirect_chain[-1][0] == "/accounts/2fa/authenticate/"
    assert client.get(ADMIN).status_code == 302
    wrong = client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert "That did not work" in wrong.text
    right = client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)}, follow=True)
    assert right.redirect_chain[-1][0] == ADMIN
    assert right.status_code == 200


def test_a_code_is_good_for_one_sign_in(client, staff):
    secret = with_app(staff)
    by_password(client, staff)
    client.post("/accounts/2fa/authenticate/", {"code": (code := code_of(secret))})
    second = Client()
    by_password(second, staff)
    assert "That did not work" in second.post("/accounts/2fa/authenticate/", {"code": code}).text


def test_guessing_codes_is_stopped_for_the_member_whoever_guesses(client, staff):
    secret = with_app(staff)
    answers = []
    for _ in range(7):  # each guess with a sign-in of its own, as limits on one browser would be of no use
        guesser = Client(REMOTE_ADDR=f"203.0.113.{len(answers)}")
        by_password(guesser, staff)
        answers.append(guesser.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code)
    assert answers[0] == 200
    assert answers[-1] == 429
    by_password(client, staff)
    assert client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)}).status_code == 429


def test_a_recovery_code_opens_the_admin_once(client, staff):
    with_app(staff)
    code = RecoveryCodes.activate(staff).get_unused_codes()[0]
    by_password(client, staff)
    client.post("/accounts/2fa/authenticate/", {"code": code})
    assert client.get(ADMIN).status_code == 200
    second = Client()
    by_password(second, staff)
    assert "That did not work" in second.post("/accounts/2fa/authenticate/", {"code": code}).text


def test_staff_who_came_in_without_showing_theirs_are_asked_for_it_and_go_on(client, staff):
    secret = with_app(staff)
    client.force_login(staff)
    asked = client.get("/admin/shop/store/", follow=True)
    assert asked.redirect_chain[-1][0] == "/accounts/2fa/reauthenticate/?next=%2Fadmin%2Fshop%2Fstore%2F"
    action = {"code": code_of(secret), "next": "/admin/shop/store/"}
    assert client.post("/accounts/2fa/reauthenticate/", action, follow=True).redirect_chain[-1][0] == action["next"]
    assert client.get("/admin/shop/store/").status_code == 200


def test_a_member_made_staff_in_the_middle_of_a_visit_is_asked_as_well(client):
    member = with_password()
    by_password(client, member, "/members/")
    User.objects.filter(pk=member.pk).update(is_staff=True)
    assert client.get(ADMIN, follow=True).redirect_chain[-1][0] == "/accounts/2fa/"


def test_what_another_member_has_shown_in_this_browser_does_not_count(client, staff):
    client.force_login(staff)
    show_second_factor(client, with_password(is_staff=True))
    assert client.get(ADMIN).status_code == 302


def test_the_way_back_leads_nowhere_else(client, staff):
    client.force_login(staff)
    show_second_factor(client, staff)
    assert client.get("/admin/login/?next=https://evil.example/")["Location"] == ADMIN


# ---------------------------------------------------------------- setting up and taking away
def test_staff_keep_their_last_factor(client, staff):
    secret = with_app(staff)
    by_password(client, staff)
    client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    page = client.post("/accounts/2fa/totp/deactivate/")
    assert "Staff need a second step" in page.text
    assert second_factor.has_one(staff)


@pytest.mark.django_db(transaction=True)
def test_staff_keep_their_last_factor_in_an_app_too(staff):
    secret = with_app(staff)
    app = Client()
    first = app.post("/_allauth/app/v1/auth/login", {"email": staff.email, "password": PASSWORD}, "application/json")
    headers = {"x-session-token": first.json()["meta"]["session_token"]}
    code = {"code": code_of(secret)}
    shown = app.post("/_allauth/app/v1/auth/2fa/authenticate", code, "application/json", headers=headers)
    headers = {"x-session-token": shown.json()["meta"]["session_token"]}
    refused = app.delete("/_allauth/app/v1/account/authenticators/totp", headers=headers)
    assert refused.status_code == 409
    assert refused.json()["errors"][0]["code"] == "cannot_delete_authenticator"
    assert second_factor.has_one(staff)


def test_a_colleague_takes_away_what_somebody_has_lost(client, staff):
    colleague = with_password(is_staff=True)
    with_app(colleague)
    client.force_login(staff)
    show_second_factor(client, staff)
    lost = Authenticator.objects.get(user=colleague)
    client.post(reverse("admin:mfa_authenticator_delete", args=[lost.pk]), {"post": "yes"})
    assert not second_factor.has_one(colleague)


def test_a_member_may_switch_it_off(client):
    member = with_password()
    secret = with_app(member)
    by_password(client, member, "/members/")
    client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    client.post("/accounts/2fa/totp/deactivate/")
    assert not Authenticator.objects.filter(user=member).exists()


def test_who_signed_in_long_ago_shows_once_more_who_it_is(client):
    member = with_password()
    by_password(client, member, "/members/")
    assert client.get("/accounts/2fa/totp/activate/").status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        asked = client.get("/accounts/2fa/totp/activate/")
        assert asked["Location"].startswith("/accounts/reauthenticate/?next=")
        client.post(asked["Location"], {"password": PASSWORD})
        assert client.get("/accounts/2fa/totp/activate/").status_code == 200


def test_who_has_no_password_signs_in_once_more_with_a_code(client, newest_code):
    member = with_password()
    member.set_unusable_password()
    member.save()
    client.force_login(member)  # long ago, as nothing is known of how
    asked = client.get("/accounts/2fa/totp/activate/")
    assert asked["Location"] == "/members/sign-in-again/?next=%2Faccounts%2F2fa%2Ftotp%2Factivate%2F"
    page = client.get(asked["Location"])
    gone = client.post("/accounts/logout/", {"next": page.context["login_again_url"]})
    assert gone["Location"] == "/accounts/login/?next=%2Faccounts%2F2fa%2Ftotp%2Factivate%2F"
    client.post("/accounts/login/code/", {"contact": member.email, "next": "/accounts/2fa/totp/activate/"})
    back = client.post(
        "/accounts/login/code/confirm/", {"code": newest_code(), "next": "/accounts/2fa/totp/activate/"}, follow=True
    )
    assert back.redirect_chain[-1][0] == "/accounts/2fa/totp/activate/"
    assert back.status_code == 200


def test_a_fresh_code_by_mail_is_not_enough_for_staff_who_have_a_factor(rf, staff):
    with_app(staff)
    request = rf.get("/")
    request.user = staff
    now = timezone.now()
    request.session = {
        "account_authentication_methods_user": str(staff.pk),
        "account_authentication_methods": [{"method": "code", "at": now.timestamp()}],
    }
    assert not second_factor.is_fresh(request, at=now)
    request.session["account_authentication_methods"].append({"method": "mfa", "at": now.timestamp()})
    assert second_factor.is_fresh(request, at=now)
    assert not second_factor.is_fresh(request, at=now + second_factor.FRESH_FOR)


def test_whose_account_it_is_hears_of_every_change(client, django_capture_on_commit_callbacks):
    member = with_password(language="zh-hant")
    by_password(client, member, "/members/")
    secret = client.get("/accounts/2fa/totp/activate/").context["form"].secret
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
    told = Message.objects.get(recipient=member.email)
    assert told.purpose == "account"
    assert "/accounts/2fa/" in told.text
    assert secret not in told.text


# ---------------------------------------------------------------- what the database knows
def test_the_database_does_not_know_the_apps_key(client, staff):
    by_password(client, staff)
    secret = client.get("/accounts/2fa/totp/activate/").context["form"].secret
    client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
    with connection.cursor() as cursor:
        cursor.execute("SELECT data FROM mfa_authenticator")
        kept = str(cursor.fetchall())
    assert "secret" in kept
    assert secret not in kept
    assert secret not in str(dict(client.session))


def test_a_key_from_before_the_secret_key_changed_is_read_and_at_the_next_use_written_anew(client, staff, settings):
    secret = with_app(staff)
    recovery = RecoveryCodes.activate(staff).get_unused_codes()
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another" * 10
    by_password(client, staff)
    client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert client.get(ADMIN).status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    cache.clear()  # the code was used a moment ago
    assert Authenticator.objects.get(type="totp").wrap().validate_code(code_of(secret))
    assert Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes() == recovery
