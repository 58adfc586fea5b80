"""Where somebody is signed in: told in words, noted cheaply, ended for good."""

from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts import devices
from accounts.models import User
from tests.accounts.conftest import PASSWORD
from tests.factories import MemberFactory

pytestmark = pytest.mark.django_db
ANDROID = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)
WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 "
    "Safari/537.36 Edg/142.0.0.0"
)


@pytest.fixture
def member() -> User:
    member = MemberFactory(email="mei@example.com")
    member.set_password(PASSWORD)
    member.save()
    EmailAddress.objects.create(user=member, email=member.email, verified=True, primary=True)
    return member


def browser(member: User, agent: str = ANDROID) -> Client:
    client = Client(headers={"user-agent": agent})
    client.post("/accounts/login/", {"login": member.email, "password": PASSWORD})
    return client


def app(member: User) -> Client:
    client = Client(headers={"user-agent": "MyListApp/1.4 (iPhone; iOS 18.5)"})
    token = client.post(
        "/_allauth/app/v1/auth/login", {"email": member.email, "password": PASSWORD}, "application/json"
    ).json()["meta"]["session_token"]
    return Client(headers={"user-agent": "MyListApp/1.4 (iPhone; iOS 18.5)", "x-session-token": token})


def is_in(client: Client) -> bool:
    return client.get("/api/v1/me/").status_code == 200


def shown(client: Client) -> list[devices.Device]:
    return client.get("/members/devices/").context["devices"]


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (ANDROID, "Chrome on Android"),
        (IPHONE, "Safari on iPhone"),
        (WINDOWS, "Edge on Windows"),
        (ANDROID.replace("Chrome/", "SamsungBrowser/28.0 Chrome/"), "Samsung Internet on Android"),
        (IPHONE.replace("Version/18.5", "CriOS/142.0.1"), "Chrome on iPhone"),
        (IPHONE + " Line/15.10.0", "LINE on iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Linux"),
        ("MyListApp/1.4 (iPhone; iOS 18.5)", "App on iPhone"),
        ("okhttp/5.1.0", "App or unknown browser"),
        ("", "App or unknown browser"),
    ],
)
def test_a_device_is_told_in_words(agent, words):
    assert devices.describe(agent) == words


def test_the_page_shows_every_device_and_which_one_this_is(member):
    browser(member, WINDOWS)
    app(member)
    page = (phone := browser(member)).get("/accounts/sessions/", follow=True)
    assert [(device.name, device.is_this) for device in page.context["devices"]] == [
        ("Chrome on Android", True),
        ("App on iPhone", False),
        ("Edge on Windows", False),
    ]
    assert page.text.count("This one") == 1
    assert "127.0.0.1" not in page.text
    assert is_in(phone)


def test_a_device_that_signed_in_before_devices_were_noted_is_shown_too(member):
    here = browser(member)
    UserSession.objects.all().delete()
    assert [device.name for device in shown(here)] == ["Chrome on Android"]


def test_a_device_that_is_ended_is_out_and_the_others_stay(member):
    here, there, phone_app = browser(member), browser(member, WINDOWS), app(member)
    assert is_in(there)
    gone = next(device for device in shown(here) if device.name == "Edge on Windows")
    page = here.post(f"/members/devices/{gone.pk}/end/", follow=True)
    assert "Signed out on Edge on Windows." in page.text
    assert not is_in(there)
    assert is_in(phone_app)
    assert is_in(here)


def test_the_token_of_an_app_that_is_ended_is_dead(member):
    here, phone_app = browser(member), app(member)
    assert is_in(phone_app)
    gone = next(device for device in shown(here) if device.name == "App on iPhone")
    here.post(f"/members/devices/{gone.pk}/end/")
    assert phone_app.get("/api/v1/me/").status_code == 401
    assert phone_app.get("/_allauth/app/v1/auth/session").status_code == 410


def test_all_others_are_ended_at_once(member):
    here, there, phone_app = browser(member), browser(member, WINDOWS), app(member)
    page = here.post("/members/devices/end-others/", follow=True)
    assert [device.is_this for device in page.context["devices"]] == [True]
    assert (is_in(here), is_in(there), is_in(phone_app)) == (True, False, False)


def test_ending_this_one_signs_out(member):
    here = browser(member)
    here.post(f"/members/devices/{shown(here)[0].pk}/end/")
    assert not is_in(here)
    assert not UserSession.objects.exists()


def test_nobody_ends_anothers_device(member):
    there = browser(member)
    stranger = Client()
    stranger.force_login(MemberFactory())
    device = UserSession.objects.get(user=member)
    assert stranger.post(f"/members/devices/{device.pk}/end/").status_code == 404
    assert is_in(there)


def test_apps_list_and_end_devices_too(member):
    there, phone_app = browser(member, WINDOWS), app(member)
    listed = phone_app.get("/_allauth/app/v1/auth/sessions").json()["data"]
    assert {row["is_current"] for row in listed} == {True, False}
    other = next(row["id"] for row in listed if not row["is_current"])
    left = phone_app.delete("/_allauth/app/v1/auth/sessions", {"sessions": [other]}, "application/json")
    assert [row["is_current"] for row in left.json()["data"]] == [True]
    assert not is_in(there)
    assert is_in(phone_app)


def test_what_has_expired_or_been_locked_out_is_not_shown(member):
    browser(member, WINDOWS)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    browser(member, IPHONE)
    member.set_password("another-long-phrase")
    member.save()
    here = Client(headers={"user-agent": ANDROID})
    here.post("/accounts/login/", {"login": member.email, "password": "another-long-phrase"})
    assert [device.name for device in shown(here)] == ["Chrome on Android"]


def test_the_page_asks_as_many_questions_of_ten_devices_as_of_two(member, django_assert_num_queries):
    here, _ = browser(member), browser(member, WINDOWS)
    here.get("/members/devices/")
    with django_assert_num_queries(4):  # session, member, devices, their sessions
        here.get("/members/devices/")
    for _ in range(8):
        browser(member, WINDOWS)
    with django_assert_num_queries(4):
        assert len(shown(here)) == 10


@pytest.mark.parametrize("sign_in", [browser, app])
def test_a_visit_is_noted_once_an_hour_and_costs_nothing_in_between(member, sign_in, django_assert_num_queries):
    began = timezone.now()
    with time_machine.travel(began, tick=False):
        client = sign_in(member)
    device = UserSession.objects.get(user=member)
    with time_machine.travel(began + timedelta(minutes=59), tick=False), django_assert_num_queries(2):
        is_in(client)
    device.refresh_from_db()
    assert device.last_seen_at == began
    later = began + timedelta(minutes=61)
    with time_machine.travel(later, tick=False):
        is_in(client)
        device.refresh_from_db()
        assert device.last_seen_at == later
        with django_assert_num_queries(2):
            is_in(client)


def test_devices_and_sessions_that_are_over_are_forgotten(member):
    stays, goes = browser(member), browser(member)
    over = goes.session.session_key
    Session.objects.filter(session_key=over).update(expire_date=timezone.now() - timedelta(minutes=1))
    assert devices.forget_gone(at=timezone.now()) == 1
    assert not Session.objects.filter(session_key=over).exists()
    assert [device.session_key for device in UserSession.objects.all()] == [stays.session.session_key]
    assert is_in(stays)
