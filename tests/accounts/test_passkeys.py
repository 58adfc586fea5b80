"""Passkeys: a way in for everybody, a second step only for staff."""

import json
import re

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client, override_settings
from django.urls import reverse

from accounts import second_factor
from accounts.models import User
from notify.models import Message
from tests.accounts.conftest import PASSWORD
from tests.accounts.second_factors import SoftPasskey, with_app, with_password
from tests.admin_contract import show_second_factor
from tests.factories import MemberFactory

pytestmark = pytest.mark.django_db
ADD = "/accounts/2fa/webauthn/add/"
LOGIN = "/accounts/2fa/webauthn/login/"
APP = "/_allauth/app/v1"


def signed_in(member: User) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": member.email, "password": PASSWORD})
    return client


def options_on(page) -> dict:
    """What the page hands to the browser's script, as the script reads it."""
    return json.loads(re.search(r'<script id="js_data" type="application/json">(.*?)</script>', page.text).group(1))


def register(client: Client, name: str = "My phone"):
    passkey = SoftPasskey()
    options = options_on(client.get(ADD))["creation_options"]
    answer = {"name": name, "passwordless": "on", "credential": json.dumps(passkey.create(options))}
    return passkey, client.post(ADD, answer, follow=True)


def by_passkey(client: Client, passkey: SoftPasskey, next_page: str = ""):
    options = client.get(LOGIN, headers={"accept": "application/json"}).json()["request_options"]
    answer = {"credential": json.dumps(passkey.get(options)), "next": next_page}
    return client.post(LOGIN, answer, follow=True)


@pytest.fixture
def member() -> User:
    return with_password()


# ---------------------------------------------------------------- in the browser
def test_a_member_adds_a_passkey_and_signs_in_with_nothing_else(member):
    passkey, page = register(signed_in(member))
    assert page.redirect_chain[-1][0] == "/accounts/2fa/"
    assert "My phone" in page.text
    assert "The passkey is added." in page.text
    other = Client()
    back = by_passkey(other, passkey, "/members/")
    assert back.redirect_chain[-1][0] == "/members/"
    assert member.name in back.text


def test_a_second_passkey_of_the_same_kind_has_another_name(member):
    client = Client(headers={"user-agent": "Mozilla/5.0 (Linux; Android 10; K) Chrome/142.0.0.0 Safari/537.36"})
    client.post("/accounts/login/", {"login": member.email, "password": PASSWORD})
    register(client, "")
    register(client, "")
    names = [row.wrap().name for row in Authenticator.objects.filter(type="webauthn").order_by("pk")]
    assert names == ["Chrome on Android", "Chrome on Android (2)"]


def test_the_owner_is_told_of_a_new_passkey(member):
    register(signed_in(member))
    assert "A passkey was added" in Message.objects.get(recipient=member.email).subject


def test_a_shoppers_passkey_is_no_second_step(member, newest_code):
    register(signed_in(member))
    client = signed_in(member)
    assert client.get("/members/").status_code == 200
    by_code = Client()
    by_code.post("/accounts/login/code/", {"contact": member.email})
    by_code.post("/accounts/login/code/confirm/", {"code": newest_code()})
    assert by_code.get("/members/").status_code == 200


def test_a_shopper_who_wants_codes_from_an_app_is_asked_for_them(member):
    with_app(member)
    client = signed_in(member)
    assert client.get("/members/").status_code == 302
    assert "the code your app shows" in client.get("/accounts/2fa/authenticate/").text


def test_of_staff_the_passkey_is_demanded_and_opens_the_admin():
    staff = with_password(is_staff=True, is_superuser=True)
    client = signed_in(staff)
    passkey, _ = register(client)
    assert client.get("/admin/").status_code == 200
    second = signed_in(staff)
    asked = second.get("/accounts/2fa/authenticate/")
    assert second.get("/admin/").status_code == 302
    credential = passkey.get(options_on(asked)["request_options"])
    second.post("/accounts/2fa/authenticate/", {"credential": json.dumps(credential)})
    assert second.get("/admin/").status_code == 200
    third = Client()
    by_passkey(third, passkey)
    assert third.get("/admin/").status_code == 200


def test_staff_signed_in_without_their_passkey_are_asked_for_it():
    staff = with_password(is_staff=True, is_superuser=True)
    passkey, _ = register(signed_in(staff))
    client = Client()
    client.force_login(staff)
    asked = client.get("/admin/", follow=True)
    assert asked.redirect_chain[-1][0] == "/accounts/2fa/webauthn/reauthenticate/?next=%2Fadmin%2F"
    credential = json.dumps(passkey.get(options_on(asked)["request_options"]))
    client.post("/accounts/2fa/webauthn/reauthenticate/", {"credential": credential, "next": "/admin/"})
    assert client.get("/admin/").status_code == 200


def test_staff_keep_their_last_passkey(transactional_db):
    staff = with_password(is_staff=True)
    client = signed_in(staff)
    register(client)
    only = Authenticator.objects.get(type="webauthn")
    page = client.post(reverse("mfa_remove_webauthn", args=[only.pk]), follow=True)
    assert "Staff need a second step" in page.text
    register(client, "The other one")
    client.post(reverse("mfa_remove_webauthn", args=[only.pk]))
    assert second_factor.has_one(staff)
    assert not Authenticator.objects.filter(pk=only.pk).exists()


def test_a_passkey_is_renamed_and_removed_and_then_opens_nothing(member):
    client = signed_in(member)
    passkey, _ = register(client)
    row = Authenticator.objects.get(type="webauthn")
    client.post(reverse("mfa_edit_webauthn", args=[row.pk]), {"name": "Old phone"})
    assert "Old phone" in client.get("/accounts/2fa/").text
    page = client.post(reverse("mfa_remove_webauthn", args=[row.pk]), follow=True)
    assert "None yet." in page.text
    refused = by_passkey(Client(), passkey)
    assert refused.redirect_chain[-1][0] == "/accounts/login/"
    assert "That did not work" in refused.text


def test_nobody_touches_anothers_passkey(member):
    register(signed_in(member))
    row = Authenticator.objects.get(type="webauthn")
    stranger = signed_in(with_password())
    assert stranger.post(reverse("mfa_remove_webauthn", args=[row.pk])).status_code == 404
    assert stranger.post(reverse("mfa_edit_webauthn", args=[row.pk]), {"name": "Mine"}).status_code == 404


def test_an_answer_to_another_question_opens_nothing(member):
    passkey, _ = register(signed_in(member))
    client = Client()
    old = client.get(LOGIN, headers={"accept": "application/json"}).json()["request_options"]
    client.get(LOGIN, headers={"accept": "application/json"})
    client.post(LOGIN, {"credential": json.dumps(passkey.get(old))})
    assert client.get("/members/").status_code == 302


def test_a_passkey_made_for_another_site_opens_nothing(member):
    passkey, _ = register(signed_in(member))
    passkey.site = "testserver.evil.example"
    client = Client()
    by_passkey(client, passkey)
    assert client.get("/members/").status_code == 302


@override_settings(MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN=False)
def test_with_https_only_the_shops_own_pages_may_ask(member):
    passkey, _ = register(signed_in(member))
    client = Client()
    options = client.get(LOGIN, headers={"accept": "application/json"}).json()["request_options"]
    answer = passkey.get(options)
    passkey.site = "other.example"
    answer["response"]["clientDataJSON"] = passkey.get(options)["response"]["clientDataJSON"]
    client.post(LOGIN, {"credential": json.dumps(answer)})
    assert client.get("/members/").status_code == 302
    by_passkey(client, SoftPasskey("testserver", passkey.key, passkey.id, passkey.owner))
    assert client.get("/members/").status_code == 200


def test_a_closed_member_does_not_come_in_by_passkey(member):
    passkey, _ = register(signed_in(member))
    User.objects.filter(pk=member.pk).update(is_active=False)
    client = Client()
    by_passkey(client, passkey)
    assert client.get("/members/").status_code == 302


def test_a_member_known_by_phone_alone_uses_a_passkey_too(transactional_db):
    member = MemberFactory(email="", phone="+886912345678")
    client = Client()
    client.force_login(member)
    show_second_factor(client, member)  # signed in a moment ago, however that was
    passkey, _ = register(client)
    other = Client()
    by_passkey(other, passkey)
    assert other.get("/members/").status_code == 200


def test_the_passkey_is_offered_with_the_name_of_the_shop_and_the_member(settings, member):
    settings.SITE_NAME = "Daybell"
    options = options_on(signed_in(member).get(ADD))["creation_options"]["publicKey"]
    assert options["rp"] == {"id": "testserver", "name": "Daybell"}
    assert (options["user"]["name"], options["user"]["displayName"]) == (member.email, member.name)


def test_the_pages_run_no_script_of_their_own(member):
    client = signed_in(member)
    for address in (ADD, "/accounts/2fa/", "/accounts/2fa/totp/activate/", "/members/devices/"):
        page = client.get(address)
        scripts = re.findall(r"<script(.*?)>", page.text)
        assert all('src="/static/' in script or 'type="application/json"' in script for script in scripts), address
        assert not re.search(r"\son\w+=|\sstyle=", page.text), address
    assert 'id="passkey_login"' in Client().get("/accounts/login/").text


# ---------------------------------------------------------------- in an app
def test_an_app_adds_a_passkey_and_signs_in_with_it(member):
    app = Client()
    first = app.post(f"{APP}/auth/login", {"email": member.email, "password": PASSWORD}, "application/json").json()
    headers = {"x-session-token": first["meta"]["session_token"]}
    options = app.get(f"{APP}/account/authenticators/webauthn?passwordless", headers=headers).json()["data"]
    passkey = SoftPasskey()
    body = {"name": "App", "credential": passkey.create(options["creation_options"])}
    added = app.post(f"{APP}/account/authenticators/webauthn", body, "application/json", headers=headers)
    assert added.status_code == 200
    fresh = app.get(f"{APP}/auth/webauthn/login").json()
    token = fresh["meta"]["session_token"] if "meta" in fresh else None
    body = {"credential": passkey.get(fresh["data"]["request_options"])}
    answer = app.post(
        f"{APP}/auth/webauthn/login", body, "application/json", headers={"x-session-token": token} if token else {}
    )
    assert answer.status_code == 200
    token = answer.json()["meta"].get("session_token", token)
    assert app.get("/api/v1/me/", headers={"x-session-token": token}).json()["member_no"] == member.member_no
