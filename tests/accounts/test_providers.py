"""Accounts elsewhere: the whole way to a provider on this machine and back, and what can go wrong on it."""

import json
import logging
import time

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import consents, members
from accounts.models import ConsentEntry, User
from accounts.providers import entering
from notify.models import Message
from tests.accounts.conftest import signed_in_as
from tests.accounts.test_apps import APP, App
from tests.factories import MemberFactory
from tests.loopback.dance import KINDS, LOGIN, approve, configure, dance, leave, parameters, with_changed
from tests.loopback.provider import STRANGERS_KEY, Loopback, serve

pytestmark = pytest.mark.django_db
CONNECTIONS = "/accounts/3rdparty/"
TRUSTED = ["google", "acme"]


@pytest.fixture
def provider(settings, monkeypatch):
    with serve() as loopback:
        configure(settings, monkeypatch, loopback)
        yield loopback


@pytest.fixture
def member() -> User:
    member = MemberFactory(email="member@example.com")
    return members.claim(member=member, email=member.email, at=timezone.now())


def tied(member: User, provider: str = "google", uid: str = "person-1") -> SocialAccount:
    return SocialAccount.objects.create(user=member, provider=provider, uid=uid, extra_data={"email": "at@elsewhere"})


def sign_in(client: Client, member: User, ago: float = 0) -> None:
    """As by a code, some seconds ago."""
    client.force_login(member)
    session = client.session
    session["account_authentication_methods"] = [{"method": "code", "at": time.time() - ago}]
    session["account_authentication_methods_user"] = str(member.pk)
    session.save()


def assert_failed(answer, client: Client) -> None:
    """Our page with a way back; nobody signed in, nobody joined."""
    assert answer.status_code == 401
    assert "That did not work" in answer.text
    assert reverse("account_login") in answer.text
    assert signed_in_as(client) is None
    assert not User.objects.exists()
    assert not SocialAccount.objects.exists()


# ---------------------------------------------------------------- joining and signing in
@pytest.mark.parametrize("kind", KINDS)
def test_a_newcomer_joins_with_the_name_from_elsewhere_and_is_signed_in(client, provider, kind):
    answer = dance(client, kind, next="/members/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/members/")
    member = User.objects.get()
    assert signed_in_as(client) == str(member.pk)
    assert (member.name, member.email, member.has_usable_password()) == ("Mei Lin", "", False)
    assert member.claimed_at is not None
    account = SocialAccount.objects.get()
    assert (account.user, account.provider, account.uid) == (member, kind, "person-1")
    assert provider.refusals == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_second_time_it_is_the_same_member(provider, kind):
    for client in (Client(), Client()):
        dance(client, kind)
    assert signed_in_as(client) == str(User.objects.get().pk)


@pytest.mark.parametrize("kind", KINDS)
def test_the_provider_gets_state_and_pkce_and_only_the_code_comes_by_the_browser(client, provider, kind):
    asked = parameters(leave(client, kind))
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["state"]) >= 16
    assert asked["response_type"] == "code"
    assert asked["redirect_uri"] == f"http://testserver{LOGIN[kind]}callback/"
    assert ("nonce" in asked) == (kind != "facebook")
    wanted = {"email", "public_profile"} if kind == "facebook" else {"openid", "profile", "email"}
    assert set(asked["scope"].replace(",", " ").split()) == wanted


@pytest.mark.parametrize("kind", KINDS)
def test_no_address_changes_what_is_asked_of_the_provider(client, provider, kind):
    plain = parameters(leave(client, kind))
    bent = parameters(leave(client, kind, scope="contacts", auth_params="prompt=none&nonce=known", action="rerequest"))
    assert bent.keys() == plain.keys()
    assert set(bent["scope"].replace(",", " ").split()) == set(plain["scope"].replace(",", " ").split())
    assert bent.get("nonce") != "known"


@pytest.mark.parametrize("kind", KINDS)
def test_no_token_is_kept_anywhere(client, provider, kind):
    provider.person = {"sub": "person-1"}  # without a name the sign-in waits in the session
    dance(client, kind)
    kept = json.dumps([session.get_decoded() for session in Session.objects.all()])
    assert "person-1" in kept
    for token in [*provider.access_tokens, "refresh-me", "eyJ"]:
        assert token not in kept
    client.post(reverse("socialaccount_signup"), {"name": "Mei"})
    assert SocialAccount.objects.get().extra_data == {"name": "", "email": ""}
    assert not SocialToken.objects.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_who_comes_without_a_name_is_asked_for_it_and_for_nothing_else(client, provider, kind):
    provider.person = {"sub": "person-1"}
    page = client.get(dance(client, kind, next="/members/").headers["Location"])
    assert list(page.context["form"].fields) == ["name"]
    assert not User.objects.exists()
    refused = client.post(reverse("socialaccount_signup"), {"name": " "})
    assert refused.status_code == 200
    answer = client.post(reverse("socialaccount_signup"), {"name": "Mei"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/members/")
    assert User.objects.get().name == "Mei"
    assert signed_in_as(client) == str(User.objects.get().pk)


def test_names_are_cut_and_freed_of_what_a_database_refuses(client, provider):
    provider.person["name"] = "Mei\x00\n" + "林" * 300
    dance(client, "acme")
    assert User.objects.get().name == "Mei" + "林" * 147


def test_a_newcomer_speaks_the_language_of_the_page(provider):
    dance(Client(headers={"Accept-Language": "zh-Hant"}), "line")
    assert User.objects.get().language == "zh-hant"


# ---------------------------------------------------------------- e-mails and claiming
@pytest.mark.parametrize("kind", TRUSTED)
def test_a_proved_email_claims_the_imported_member(client, provider, imported, kind):
    provider.person |= {"email": "Mei.Lin@Example.com", "email_verified": True}
    dance(client, kind)
    member = User.objects.get()
    assert signed_in_as(client) == str(imported.pk)
    assert (member.member_no, member.name) == ("M-0001", "林美")
    assert member.claimed_at is not None
    assert EmailAddress.objects.get(user=member, verified=True, primary=True).email == "mei.lin@example.com"
    assert SocialAccount.objects.get().user == member


@pytest.mark.parametrize("kind", TRUSTED)
@pytest.mark.parametrize("word", [False, "true", "false", 1, None])
def test_an_email_that_is_not_proved_claims_nobody(client, provider, imported, kind, word):
    provider.person |= {"email": imported.email, "email_verified": word}
    dance(client, kind)
    imported.refresh_from_db()
    assert imported.claimed_at is None
    newcomer = User.objects.exclude(pk=imported.pk).get()
    assert signed_in_as(client) == str(newcomer.pk)
    assert newcomer.email == ""
    assert not EmailAddress.objects.exists()


@pytest.mark.parametrize("kind", ["line", "facebook"])
def test_line_and_facebook_prove_no_email_whatever_they_say(client, provider, imported, kind):
    provider.person |= {"email": imported.email, "email_verified": True}
    dance(client, kind)
    imported.refresh_from_db()
    assert imported.claimed_at is None
    assert User.objects.exclude(pk=imported.pk).get().email == ""


def test_a_provider_that_is_not_trusted_with_emails_claims_nobody(client, provider, imported, settings):
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"]["email_authentication"] = False
    provider.person |= {"email": imported.email, "email_verified": True}
    dance(client, "acme")
    imported.refresh_from_db()
    assert imported.claimed_at is None
    assert User.objects.exclude(pk=imported.pk).get().email == ""


@pytest.mark.parametrize("kind", TRUSTED)
def test_a_newcomer_keeps_a_proved_email(client, provider, kind):
    provider.person |= {"email": "new@example.com", "email_verified": True}
    dance(client, kind)
    member = User.objects.get()
    assert member.email == "new@example.com"
    assert EmailAddress.objects.get(user=member, verified=True, primary=True).email == member.email
    assert member.reminder_channel == User.ReminderChannel.EMAIL
    assert consents.recorded(member) == consents.granted(member)
    assert set(ConsentEntry.objects.values_list("source", flat=True)) == {ConsentEntry.Source.JOIN}


def test_without_a_contact_there_are_no_reminders(client, provider):
    dance(client, "line")
    member = User.objects.get()
    assert member.reminder_channel == User.ReminderChannel.NONE
    assert consents.recorded(member) == consents.granted(member)


def test_a_member_is_told_of_a_new_way_into_the_account(client, provider, member):
    provider.person |= {"email": member.email, "email_verified": True}
    dance(client, "google")
    assert signed_in_as(client) == str(member.pk)
    told = Message.objects.get()
    assert (told.recipient, told.subject) == (member.email, "Google now opens your account at My List")


def test_the_email_of_a_member_who_proved_another_address_too(client, provider, member):
    EmailAddress.objects.create(user=member, email="second@example.com", verified=True)
    provider.person |= {"email": "second@example.com", "email_verified": True}
    dance(client, "google")
    assert signed_in_as(client) == str(member.pk)
    member.refresh_from_db()
    assert member.email == "member@example.com"


def test_an_address_somebody_only_typed_leads_nobody_to_that_account(client, provider, member):
    EmailAddress.objects.create(user=member, email="typed@example.com", verified=False)
    provider.person |= {"email": "typed@example.com", "email_verified": True}
    dance(client, "google")
    assert signed_in_as(client) not in {None, str(member.pk)}


@pytest.mark.parametrize("known_by", ["account", "email"])
def test_a_closed_member_is_told_so_and_stays_out(client, provider, known_by):
    closed = MemberFactory(email="closed@example.com", is_active=False, claimed_at=None)
    if known_by == "account":
        tied(closed)
    provider.person |= {"email": closed.email, "email_verified": True}
    answer = dance(client, "google")
    assert answer.headers["Location"] == reverse("account_inactive")
    assert signed_in_as(client) is None
    closed.refresh_from_db()
    assert closed.claimed_at is None
    assert SocialAccount.objects.count() == (known_by == "account")


def test_two_answers_at_once_make_one_member(provider):
    first, second = Client(), Client()
    ways_back = [approve(leave(client, "google")) for client in (first, second)]
    for client, back in zip((first, second), ways_back, strict=True):
        client.get(back)
    assert signed_in_as(first) == signed_in_as(second) == str(User.objects.get().pk)


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("email", ["", "new@example.com"])
def test_twenty_answers_at_the_very_same_time_make_one_member(now, email):
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connection

    def enter(number: int) -> int:
        uid = "person-1" if not email else f"person-{number}"
        newcomer = entering.Newcomer("google", uid, "Mei", email, {})
        try:
            return entering.enter(newcomer=newcomer, language="en", at=now).user_id
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        assert len(set(pool.map(enter, range(20)))) == 1
    assert User.objects.count() == 1


# ---------------------------------------------------------------- what can go wrong
@pytest.mark.parametrize("kind", KINDS)
def test_the_state_of_another_browser_opens_nothing(client, provider, kind):
    back = approve(leave(Client(), kind))
    assert_failed(client.get(back), client)
    assert provider.asked("oidc/token") == provider.asked("line/token") == provider.asked("google/token") == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_made_up_state_or_none(client, provider, kind):
    back = approve(leave(client, kind))
    assert_failed(client.get(with_changed(back, state="made-up")), client)
    assert_failed(client.get(back.partition("?")[0]), client)


@pytest.mark.parametrize("kind", KINDS)
def test_the_state_for_one_provider_is_no_state_for_another(client, provider, kind):
    other = KINDS[KINDS.index(kind) - 1]
    back = approve(leave(client, kind))
    assert_failed(client.get(f"{LOGIN[other]}callback/?{back.partition('?')[2]}"), client)


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_is_good_once(client, provider, kind):
    back = approve(leave(client, kind))
    assert client.get(back).status_code == 302
    client.logout()
    again = client.get(back)
    assert again.status_code == 401
    assert signed_in_as(client) is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_code_is_good_once(client, provider, kind):
    used = parameters(approve(leave(client, kind)))["code"]
    provider.codes.clear()
    assert_failed(client.get(with_changed(approve(leave(client, kind)), code=used)), client)
    assert provider.refusals == ["the code is unknown or used"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_code_stolen_from_another_browser_lacks_the_verifier(client, provider, kind):
    stolen = parameters(approve(leave(Client(), kind)))["code"]
    assert_failed(client.get(with_changed(approve(leave(client, kind)), code=stolen)), client)
    assert provider.refusals == ["wrong PKCE verifier"]


@pytest.mark.parametrize("kind", ["google", "line", "acme"])
@pytest.mark.parametrize("nonce", ["another", None, 5])
def test_an_id_token_with_another_nonce_is_refused(client, provider, kind, nonce):
    provider.claims = {"nonce": nonce}
    assert_failed(dance(client, kind), client)


@pytest.mark.parametrize("kind", ["google", "line", "acme"])
@pytest.mark.parametrize("wrong", [{"aud": "another-client"}, {"exp": 1}, {"iss": "https://elsewhere.example"}])
def test_an_id_token_for_others_or_over_is_refused(client, provider, kind, wrong):
    provider.claims = wrong
    assert_failed(dance(client, kind), client)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("uid", [None, "", 7, "x" * 200])
def test_a_provider_that_does_not_say_who_it_is(client, provider, kind, uid):
    provider.person["sub"] = uid
    assert_failed(dance(client, kind), client)


def test_userinfo_about_another_person_is_refused(client, provider):
    provider.userinfo = {"sub": "person-2"}
    assert_failed(dance(client, "acme"), client)


LAST_STEPS = [
    ("google", "token"),
    ("facebook", "access_token"),
    ("facebook", "me"),
    ("line", "token"),
    ("line", "verify"),
    ("acme", "token"),
    ("acme", "userinfo"),
]


@pytest.mark.parametrize(("kind", "step"), LAST_STEPS)
def test_a_provider_that_fails_on_the_way_back(client, provider, kind, step):
    provider.broken[step] = 500
    assert_failed(dance(client, kind), client)


@pytest.mark.parametrize(("kind", "step"), LAST_STEPS)
def test_a_provider_that_takes_too_long(client, provider, settings, kind, step):
    settings.SOCIALACCOUNT_REQUESTS_TIMEOUT = 0.1
    back = approve(leave(client, kind))
    provider.slow[step] = 0.5
    assert_failed(client.get(back), client)


@pytest.mark.parametrize(("kind", "step"), LAST_STEPS)
@pytest.mark.parametrize("answer", [[], "words", None, {"access_token": 1, "id_token": 2}, {"sub": {}, "id": []}])
def test_a_provider_that_answers_nonsense(client, provider, kind, step, answer):
    back = approve(leave(client, kind))
    provider.garbled[step] = answer
    assert_failed(client.get(back), client)


@pytest.mark.parametrize("trouble", [{"broken": 500}, {"slow": 0.5}, {"garbled": []}, {"garbled": {}}])
def test_a_provider_that_is_down_before_one_gets_there(client, provider, settings, trouble):
    settings.SOCIALACCOUNT_REQUESTS_TIMEOUT = 0.1
    for kind, what in trouble.items():
        getattr(provider, kind)["openid-configuration"] = what
    assert_failed(client.post(LOGIN["acme"]), client)


@pytest.mark.parametrize("kind", KINDS)
def test_who_turns_back_at_the_provider_finds_a_way_on(client, provider, kind):
    state = parameters(leave(client, kind))["state"]
    answer = client.get(f"{LOGIN[kind]}callback/", {"error": "access_denied", "state": state}, follow=True)
    assert answer.status_code == 200
    assert "Nothing has happened" in answer.text
    assert reverse("account_login") in answer.text
    assert signed_in_as(client) is None


@pytest.mark.parametrize("kind", KINDS)
def test_logs_tell_of_a_failure_without_token_or_person(client, provider, kind, caplog):
    caplog.set_level(logging.DEBUG)
    provider.person |= {"email": "mei.lin@example.com", "name": "Somebody Special"}
    back = approve(leave(client, kind))
    provider.garbled["me" if kind == "facebook" else "verify" if kind == "line" else "token"] = {
        "error": "secret-answer",
        "id": None,
    }
    assert_failed(client.get(back), client)
    written = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("urllib3"))
    assert f"Signing in with {kind} failed" in written
    secrets = [
        "secret-answer",
        "a-secret-of-32-characters-or-more",
        "mei.lin",
        "Special",
        *provider.access_tokens,
        *parameters(back).values(),
    ]
    assert [secret for secret in secrets if secret in written] == []


def test_http_of_providers_is_never_logged_in_detail(settings):
    assert settings.LOGGING["loggers"]["urllib3"]["level"] == "INFO"


def test_an_address_of_another_site_is_not_where_one_ends(client, provider):
    answer = dance(client, "google", next="https://evil.example/")
    assert "evil.example" not in answer.headers["Location"]


# ---------------------------------------------------------------- pages
def test_pages_offer_what_is_configured(client, provider, settings):
    page = client.get(reverse("account_login")).text
    for name in ("Google", "Facebook", "LINE", "Acme"):
        assert f"Continue with {name}" in page
    settings.SOCIALACCOUNT_PROVIDERS = {
        **settings.SOCIALACCOUNT_PROVIDERS,
        "google": {"APPS": []},
        "openid_connect": {"APPS": []},
    }
    page = client.get(reverse("account_login")).text
    assert "Continue with LINE" in page
    assert "Google" not in page
    assert "Acme" not in page


@pytest.mark.parametrize("page", ["account_login", "account_signup"])
def test_both_doors_offer_them_and_lead_on_to_what_was_asked_for(client, provider, page):
    text = client.get(reverse(page), {"next": "/members/"}).text
    assert 'action="/accounts/oidc/acme/login/?process=login&amp;next=%2Fmembers%2F"' in text


def test_the_page_of_connections_where_none_is_offered(client, member):
    sign_in(client, member)
    assert "This shop offers none at present" in client.get(CONNECTIONS).text


def test_offering_them_asks_nothing_of_the_database(client, provider, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert "Continue with Google" in client.get(reverse("account_login")).text


def test_a_row_in_the_database_is_no_provider(client, settings):
    settings.SOCIALACCOUNT_PROVIDERS = {name: {"APPS": []} for name in ("google", "facebook", "line", "openid_connect")}
    SocialApp.objects.create(provider="google", name="Google", client_id="x", secret="y")
    assert "Google" not in client.get(reverse("account_login")).text
    assert client.post(LOGIN["google"]).status_code == 404


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_provider_without_keys_is_nowhere(client, settings, kind, method):
    settings.SOCIALACCOUNT_PROVIDERS = {name: {"APPS": []} for name in ("google", "facebook", "line", "openid_connect")}
    assert getattr(client, method)(LOGIN[kind]).status_code == 404
    assert client.get(f"{LOGIN[kind]}callback/").status_code == 404


@pytest.mark.parametrize("kind", KINDS)
def test_a_link_alone_leads_no_further_than_to_our_question(client, provider, kind):
    page = client.get(LOGIN[kind])
    assert page.status_code == 200
    assert "Continue" in page.text
    assert provider.requests == []
    assert client.head(LOGIN[kind]).status_code == 405


@pytest.mark.parametrize("kind", KINDS)
def test_another_site_cannot_send_people_to_a_provider(provider, kind):
    assert Client(enforce_csrf_checks=True).post(LOGIN[kind]).status_code == 403


# ---------------------------------------------------------------- connecting
@pytest.mark.parametrize("kind", KINDS)
def test_a_member_connects_an_account_and_disconnects_it(client, provider, member, kind):
    provider.person["email"] = "at@elsewhere.example"
    sign_in(client, member)
    assert "None yet" in client.get(CONNECTIONS).text
    assert dance(client, kind, process="connect").headers["Location"] == CONNECTIONS
    page = client.get(CONNECTIONS).text
    assert "Connected." in page
    assert "at@elsewhere.example" in page
    account = SocialAccount.objects.get(user=member)
    assert client.post(CONNECTIONS, {"account": account.pk}).status_code == 302
    assert not SocialAccount.objects.exists()
    subjects = [message.subject for message in Message.objects.order_by("pk")]
    name = {"acme": "Acme", "line": "LINE"}.get(kind, kind.title())
    assert subjects == [f"{name} now opens your account at My List", f"{name} no longer opens your account at My List"]


def test_connecting_takes_over_neither_name_nor_email(client, provider, member):
    provider.person |= {"name": "Another", "email": "another@example.com", "email_verified": True}
    sign_in(client, member)
    dance(client, "google", process="connect")
    member.refresh_from_db()
    assert (member.email, member.name == "Another") == ("member@example.com", False)


@pytest.mark.parametrize("known_by", ["account", "email"])
def test_an_account_of_another_member_is_refused(client, provider, member, known_by):
    other = MemberFactory(email="other@example.com", claimed_at=None)
    if known_by == "account":
        tied(other)
    provider.person |= {"email": other.email, "email_verified": True}
    sign_in(client, member)
    answer = dance(client, "google", process="connect")
    assert "belongs to another member" in client.get(answer.headers["Location"]).text
    assert not SocialAccount.objects.filter(user=member).exists()
    assert signed_in_as(client) == str(member.pk)
    other.refresh_from_db()
    assert other.claimed_at is None


def test_connecting_twice_changes_nothing(client, provider, member):
    sign_in(client, member)
    for _ in range(2):
        answer = dance(client, "google", process="connect")
    assert "It is connected already" in client.get(answer.headers["Location"]).text
    assert SocialAccount.objects.count() == 1


def test_nobody_connects_while_signed_out(client, provider):
    assert client.post(f"{LOGIN['google']}?process=connect").headers["Location"].startswith("/accounts/")
    assert provider.requests == []


def test_who_signed_in_long_ago_does_so_once_more_before_a_way_in_changes(client, provider, member):
    account = tied(member)
    sign_in(client, member, ago=3600)
    for answer in (
        client.post(f"{LOGIN['line']}?process=connect"),
        client.post(CONNECTIONS, {"account": account.pk}),
    ):
        assert answer.headers["Location"].startswith(reverse("accounts:sign_in_again"))
    assert list(SocialAccount.objects.all()) == [account]
    assert provider.requests == []


def test_signing_out_on_the_way_connects_nothing(client, provider, member):
    sign_in(client, member)
    back = approve(leave(client, "google", process="connect"))
    session = client.session
    del session["_auth_user_id"]
    session.save()
    client.get(back)
    assert not SocialAccount.objects.exists()
    assert User.objects.get() == member


def test_the_last_way_in_is_not_disconnected(client, provider):
    dance(client, "line")
    account = SocialAccount.objects.get()
    refused = client.post(CONNECTIONS, {"account": account.pk})
    assert "This is your only way to sign in" in refused.text
    assert SocialAccount.objects.filter(pk=account.pk).exists()


@pytest.mark.parametrize("other", ["email", "phone", "passkey", "account"])
def test_with_another_way_in_it_is(client, provider, other):
    dance(client, "line")
    member, account = User.objects.get(), SocialAccount.objects.get()
    if other == "passkey":
        Authenticator.objects.create(user=member, type=Authenticator.Type.WEBAUTHN, data={})
    elif other == "account":
        tied(member)
    else:
        User.objects.update(**{other: {"email": "new@example.com", "phone": "+886912345678"}[other]})
    client.post(CONNECTIONS, {"account": account.pk})
    assert not SocialAccount.objects.filter(pk=account.pk).exists()


def test_an_account_at_a_provider_no_longer_offered_is_no_way_in_but_can_be_seen(client, provider, member):
    gone, here = tied(member, "gone"), tied(member, "line", "person-2")
    User.objects.update(email="")
    sign_in(client, member)
    assert "gone" in client.get(CONNECTIONS).text
    assert "only way" in client.post(CONNECTIONS, {"account": here.pk}).text
    client.post(CONNECTIONS, {"account": gone.pk})
    assert list(SocialAccount.objects.all()) == [here]


def test_two_tabs_cannot_disconnect_the_last_two(client, provider, now):
    dance(client, "line")
    first = SocialAccount.objects.get()
    second = tied(User.objects.get())
    assert not entering.is_last_way_in(second)
    entering.disconnect(account=first, at=now)
    with pytest.raises(entering.LastWayIn):
        entering.disconnect(account=second, at=now)


def test_nobody_disconnects_what_is_anothers(client, provider, member):
    account = tied(MemberFactory())
    sign_in(client, member)
    client.post(CONNECTIONS, {"account": account.pk})
    assert SocialAccount.objects.filter(pk=account.pk).exists()


def test_strangers_see_no_connections(client):
    answer = client.get(CONNECTIONS)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(reverse("account_login"))


# ---------------------------------------------------------------- apps
def token_of(provider: Loopback, kind: str, client_id: str = "my-list", **changes) -> dict[str, str]:
    """What the provider's own kit hands to an app."""
    if kind == "facebook":
        return {"access_token": provider.access_token(client_id)}
    issuer = {"google": f"{provider.url}/google", "acme": f"{provider.url}/oidc", "line": provider.LINE_ISSUER}[kind]
    key = {"key": provider.clients[client_id]} if kind == "line" else {}
    return {"id_token": provider.id_token(issuer, client_id, **{**key, **changes})}


def send_token(app: App, kind: str, token: dict, process: str = "login"):
    body = {"provider": kind, "process": process, "token": {"client_id": "my-list", **token}}
    return app.send("POST", f"{APP}/auth/provider/token", body)


@pytest.fixture
def app() -> App:
    return App()


@pytest.mark.parametrize("kind", KINDS)
def test_an_app_signs_in_by_the_providers_token(app, provider, kind):
    assert send_token(app, kind, token_of(provider, kind)).status_code == 200
    assert app.send("GET", "/api/v1/me/").json()["name"] == "Mei Lin"
    assert SocialAccount.objects.get().uid == "person-1"


def test_an_app_signs_in_by_lines_access_token(app, provider):
    assert send_token(app, "line", {"access_token": provider.access_token()}).status_code == 200
    assert User.objects.get().name == "Mei Lin"


@pytest.mark.parametrize("kind", TRUSTED)
def test_an_app_claims_by_a_proved_email(app, provider, imported, kind):
    provider.person |= {"email": imported.email, "email_verified": True}
    send_token(app, kind, token_of(provider, kind))
    assert app.send("GET", "/api/v1/me/").json()["member_no"] == "M-0001"


def test_an_app_is_asked_for_the_name(app, provider):
    provider.person = {"sub": "person-1"}
    waiting = send_token(app, "line", token_of(provider, "line"))
    assert waiting.status_code == 401
    assert [flow["id"] for flow in waiting.json()["data"]["flows"] if flow.get("is_pending")] == ["provider_signup"]
    assert app.send("POST", f"{APP}/auth/provider/signup", {"name": ""}).status_code == 400
    assert app.send("POST", f"{APP}/auth/provider/signup", {"name": "Mei"}).status_code == 200
    assert app.send("GET", "/api/v1/me/").json()["name"] == "Mei"


def assert_no_entry(app: App, answer) -> None:
    assert answer.status_code == 400
    assert [error["code"] for error in answer.json()["errors"]] == ["invalid_token"]
    assert app.send("GET", "/api/v1/me/").status_code == 401
    assert not User.objects.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_made_for_another_client_is_refused(app, provider, kind):
    provider.clients["game"] = "the-games-secret-of-32-characters"
    assert_no_entry(app, send_token(app, kind, token_of(provider, kind, "game")))


def test_lines_access_token_of_another_channel_or_over_is_refused(app, provider):
    assert_no_entry(app, send_token(app, "line", {"access_token": provider.access_token("game")}))
    assert_no_entry(app, send_token(app, "line", {"access_token": provider.access_token(expires_in=0)}))
    assert_no_entry(app, send_token(app, "line", {"access_token": "made-up"}))
    assert provider.asked("line/profile") == []


def test_lines_word_about_another_channels_token_is_not_enough(app, provider):
    provider.garbled["verify"] = {"sub": "person-1", "name": "Mei", "aud": "game"}
    assert_no_entry(app, send_token(app, "line", token_of(provider, "line")))


@pytest.mark.parametrize("kind", ["google", "acme", "line"])
@pytest.mark.parametrize("wrong", [{"exp": 1}, {"iss": "https://elsewhere.example"}, {"key": STRANGERS_KEY}])
def test_an_id_token_that_is_over_or_forged_is_refused(app, provider, kind, wrong):
    assert_no_entry(app, send_token(app, kind, token_of(provider, kind, **wrong)))


@pytest.mark.parametrize("kind", ["google", "acme"])
def test_a_token_signed_with_another_kind_of_key_is_refused(app, provider, kind):
    """HS256 with what everybody can read, or with the client's secret: neither is the provider's signature."""
    for key in ("public", "a-secret-of-32-characters-or-more"):
        assert_no_entry(app, send_token(app, kind, token_of(provider, kind, key=key * 8)))


@pytest.mark.parametrize("kind", ["google", "acme", "line"])
@pytest.mark.parametrize(
    "rubbish", ["x", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJwZXJzb24tMSJ9.", "eyJhbGciOiJSUzI1NiJ9.e30.x"]
)
def test_rubbish_is_no_token(app, provider, kind, rubbish):
    assert_no_entry(app, send_token(app, kind, {"id_token": rubbish}))


@pytest.mark.parametrize(
    ("kind", "step"), [("google", "certs"), ("facebook", "debug_token"), ("line", "verify"), ("acme", "jwks")]
)
@pytest.mark.parametrize("trouble", [("broken", 500), ("garbled", [])])
def test_a_provider_in_trouble_lets_no_app_in(app, provider, kind, step, trouble):
    what, value = trouble
    token = token_of(provider, kind)
    getattr(provider, what)[step] = value
    assert_no_entry(app, send_token(app, kind, token))


@pytest.mark.parametrize("token", [{"client_id": "game"}, {"client_id": None}])
def test_an_app_names_our_client(app, provider, token):
    answer = send_token(app, "google", {**token_of(provider, "google"), **token})
    assert answer.status_code == 400
    assert not User.objects.exists()


def test_an_app_of_a_closed_member_stays_out(app, provider):
    tied(MemberFactory(is_active=False))
    answer = send_token(app, "google", token_of(provider, "google"))
    assert answer.status_code == 401
    assert app.send("GET", "/api/v1/me/").status_code == 401


def test_an_app_connects_lists_and_disconnects(app, provider, member):
    tied(member)
    assert send_token(app, "google", token_of(provider, "google")).status_code == 200
    assert send_token(app, "line", token_of(provider, "line"), process="connect").status_code == 200
    listed = app.send("GET", f"{APP}/account/providers").json()["data"]
    assert {entry["provider"]["id"] for entry in listed} == {"google", "line"}
    body = {"provider": "line", "account": "person-1"}
    assert app.send("DELETE", f"{APP}/account/providers", body).status_code == 200
    assert app.send("DELETE", f"{APP}/account/providers", body).status_code == 400
    User.objects.update(email="")
    last = app.send("DELETE", f"{APP}/account/providers", {"provider": "google", "account": "person-1"})
    assert [error["code"] for error in last.json()["errors"]] == ["disconnect_last"]


def test_an_app_sees_nothing_of_accounts_at_providers_no_longer_offered(app, provider, member):
    tied(member)
    tied(member, "gone")
    send_token(app, "google", token_of(provider, "google"))
    listed = app.send("GET", f"{APP}/account/providers")
    assert [entry["provider"]["id"] for entry in listed.json()["data"]] == ["google"]


def test_an_app_is_offered_what_is_configured(app, provider, settings):
    def offered() -> set[str]:
        config = app.send("GET", f"{APP}/config").json()["data"]
        return {entry["id"] for entry in config["socialaccount"]["providers"]}

    assert offered() == set(KINDS)
    settings.SOCIALACCOUNT_PROVIDERS = {**settings.SOCIALACCOUNT_PROVIDERS, "line": {"APPS": []}}
    assert offered() == set(KINDS) - {"line"}


# ---------------------------------------------------------------- staff
@pytest.mark.parametrize("model", [SocialAccount, SocialApp, SocialToken])
def test_staff_cannot_read_or_change_accounts_elsewhere(model):
    assert not admin.site.is_registered(model)
