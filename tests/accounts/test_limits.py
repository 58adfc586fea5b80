"""How many codes may be asked for and guessed at: by contact, IP and device, on pages and in apps."""

import logging
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from allauth.account import app_settings
from allauth.core.internal import ratelimit
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts import limits, members
from accounts.models import User
from notify.channels import sms
from tests.accounts.conftest import PASSWORD, ask_for_code, enter_code, join, other_code, signed_in_as
from tests.accounts.test_apps import APP
from tests.factories import NOW, MemberFactory

pytestmark = pytest.mark.django_db
PHONE = "+886912345678"
AFTER = "/accounts/login/code/confirm/"


@pytest.fixture
def clock():
    """Time stands still unless a test moves it, so that a limit lets go at a known moment."""
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def member() -> User:
    member = MemberFactory(email="member@example.com", phone=PHONE, phone_verified_at=timezone.now())
    member.set_password(PASSWORD)
    member.save()
    return members.claim(member=member, email=member.email, at=timezone.now())


def ip(number: int) -> str:
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


class Page:
    """A browser at an IP of its own; `device` keeps its cookies for the next visit."""

    def __init__(self, number: int = 1) -> None:
        self.client = Client(REMOTE_ADDR=ip(number))

    def ask(self, contact: str):
        return ask_for_code(self.client, contact)

    def join(self, contact: str):
        return join(self.client, contact)

    def reset(self, email: str):
        return self.client.post("/accounts/password/reset/", {"email": email})

    def resend(self):
        return self.client.post(AFTER, {"action": "resend"})

    def enter(self, code: str):
        return enter_code(self.client, code)

    def password(self, login: str, password: str = "wrong"):
        return self.client.post("/accounts/login/", {"login": login, "password": password})


class App:
    """The same as an app does it."""

    def __init__(self, number: int = 1) -> None:
        self.client = Client(REMOTE_ADDR=ip(number))
        self.token = ""

    def _post(self, path: str, body: dict | None = None):
        headers = {"X-Session-Token": self.token} if self.token else {}
        response = self.client.post(f"{APP}/auth/{path}", body or {}, content_type="application/json", headers=headers)
        if response.content:
            self.token = response.json().get("meta", {}).get("session_token", self.token)
        return response

    def _contact(self, contact: str) -> dict[str, str]:
        return {"email": contact} if "@" in contact else {"phone": contact}

    def ask(self, contact: str):
        return self._post("code/request", self._contact(contact))

    def join(self, contact: str):
        return self._post("signup", {"name": "N", **self._contact(contact)})

    def reset(self, email: str):
        return self._post("password/request", {"email": email})

    def resend(self):
        return self._post("code/resend")

    def enter(self, code: str):
        return self._post("code/confirm", {"code": code})

    def password(self, login: str, password: str = "wrong"):
        return self._post("login", {**self._contact(login), "password": password})


doors = pytest.mark.parametrize("door", [Page, App], ids=["page", "app"])


def refused(response) -> int:
    """The seconds a refusal names; fails when it is none."""
    assert response.status_code == 429
    return int(response.headers["Retry-After"])


# ---------------------------------------------------------------- codes asked for


@doors
@pytest.mark.parametrize("contact", ["member@example.com", "stranger@example.com", PHONE, "+886987654321"])
def test_codes_for_one_contact_are_limited_whoever_asks(door, member, mailoutbox, clock, contact):
    for number in range(3):
        assert door(number).ask(contact).status_code != 429
    assert refused(door(9).ask(contact)) == 60
    assert len(mailoutbox) + len(sms.outbox) == 3


@doors
def test_limit_lets_go_exactly_when_it_said(door, member, clock):
    for number in range(3):
        door(number).ask(member.email)
        clock.shift(timedelta(seconds=7))
    seconds = refused(door(8).ask(member.email))
    assert seconds == 60 - 3 * 7
    clock.shift(timedelta(seconds=seconds - 1))
    assert refused(door(9).ask(member.email)) == 1
    clock.shift(timedelta(seconds=1))
    assert door(10).ask(member.email).status_code != 429


@doors
def test_longest_of_the_limits_is_named(door, member, clock):
    """Ten an hour: who waits for the minute alone would come in vain."""
    for number in range(10):
        door(number).ask(member.email)
        clock.shift(timedelta(seconds=30))
    assert refused(door(90).ask(member.email)) == 3600 - 10 * 30
    clock.shift(timedelta(seconds=3600 - 10 * 30))
    assert door(91).ask(member.email).status_code != 429


@doors
def test_every_way_to_a_code_counts_together(door, member, clock):
    one, two, three = door(1), door(2), door(3)
    one.ask(member.email)
    two.join(member.email)
    three.reset(member.email)
    for response in (door(4).ask(member.email), door(5).join(member.email), door(6).reset(member.email)):
        assert refused(response) == 60


@doors
@pytest.mark.parametrize("contact", ["member@example.com", "stranger@example.com", "+886987654321"])
def test_another_code_counts_as_well_and_a_refused_one_leaves_the_last_good(door, member, mailoutbox, contact):
    known = contact == member.email
    visitor = door(1)
    visitor.ask(contact)
    assert visitor.resend().status_code != 429
    door(2).ask(contact)
    assert refused(visitor.resend())
    visitor.enter(re.search(r"^\d{6}$", mailoutbox[1].body, re.MULTILINE).group() if known else "123456")
    signed_in = [s for s in Session.objects.all() if s.get_decoded().get("_auth_user_id")]
    assert bool(signed_in) is known


@doors
def test_one_ip_cannot_ask_for_everybody(door, clock):
    for number in range(20):
        assert door(1).ask(f"m{number}@example.com").status_code != 429
    assert refused(door(1).ask("another@example.com")) == 60
    assert door(2).ask("another@example.com").status_code != 429


def test_one_browser_is_known_whatever_ip_and_contact_it_shows(clock):
    """Not even a new session helps: the device's cookie stays when the others go."""
    browser = Page(0)
    for number in range(6):
        assert browser.ask(f"m{number}@example.com").status_code == 302
        device, browser = browser.client.cookies["device"].value, Page(number + 1)
        browser.client.cookies["device"] = device
    assert refused(browser.ask("another@example.com")) == 60
    assert Page(100).ask("another@example.com").status_code == 302


def test_one_app_is_known_by_its_token(clock):
    app = App(0)
    for number in range(7):
        app.client.defaults["REMOTE_ADDR"] = ip(number)
        assert app.ask(f"m{number}@example.com").status_code != 429
    assert refused(app.ask("another@example.com")) == 60


def test_device_that_was_made_up_is_no_device(clock):
    """Else somebody could choose one for every request, or use up another's."""
    page = Page(1)
    page.client.cookies["device"] = "made-up"
    page.ask("a@example.com")
    assert page.client.cookies["device"].value != "made-up"


def test_who_only_looks_gets_no_device_cookie(client, member):
    client.get("/")
    client.get("/accounts/login/")
    assert "device" not in client.cookies
    client.force_login(member)
    client.get("/members/")
    assert "device" not in client.cookies


@doors
def test_refusals_cost_nothing(door, member, clock):
    """Somebody impatient waits no longer than somebody patient."""
    for number in range(3):
        door(number).ask(member.email)
    for _ in range(30):
        door(50).ask(member.email)
    clock.shift(timedelta(seconds=60))
    assert door(50).ask(member.email).status_code != 429
    for number in range(19):
        assert door(50).ask(f"m{number}@example.com").status_code != 429


# ---------------------------------------------------------------- SMS


@doors
def test_sms_to_one_phone_are_dearer(door, clock):
    for number in range(5):
        assert door(number).ask(PHONE).status_code != 429
        clock.shift(timedelta(minutes=1))
    assert refused(door(9).ask(PHONE)) == 3600 - 5 * 60
    for number in range(10, 15):
        clock.shift(timedelta(hours=1))
        assert door(number).ask(PHONE).status_code != 429
    clock.shift(timedelta(hours=1))
    assert refused(door(20).ask(PHONE)) == 24 * 3600 - 6 * 3600 - 5 * 60
    assert len(sms.outbox) == 10


@doors
def test_sms_from_one_ip_are_limited_by_the_day(door, clock):
    for number in range(20):
        assert door(1).ask(f"+8869123456{number:02}").status_code != 429
        clock.shift(timedelta(minutes=1))
    assert refused(door(1).ask("+886912345699")) == (24 * 60 - 20) * 60
    assert door(1).ask("a@example.com").status_code != 429


@doors
@pytest.mark.parametrize("phone", [PHONE, "+886987654321"])
def test_sms_of_a_day_have_a_ceiling(door, member, clock, settings, caplog, phone):
    settings.SMS_CODES_PER_DAY = 2
    door(1).ask("+886911111111")
    door(2).join("+886922222222")
    with caplog.at_level(logging.ERROR, logger="accounts.limits"):
        assert refused(door(3).ask(phone)) == 12 * 3600  # noon in Taipei
        door(4).ask(phone)
    assert [record.levelname for record in caplog.records if record.name == "accounts.limits"] == ["ERROR"]
    assert "SMS_CODES_PER_DAY (2) is used up" in caplog.text
    assert len(sms.outbox) == 2
    assert door(5).ask("a@example.com").status_code != 429
    clock.shift(timedelta(hours=12))
    assert door(6).ask(phone).status_code != 429


# ---------------------------------------------------------------- guesses


def _guess(door, number: int, contact: str, newest):
    """A session of its own, with a code of its own, and one wrong guess at it."""
    visitor = door(number)
    asked = visitor.ask(contact)
    return asked if asked.status_code == 429 else visitor.enter(other_code(newest()))


@doors
def test_guessing_is_stopped_on_one_ip(door, clock, newest_code):
    """Somebody goes through the members, one or two guesses each, from one place."""
    for number in range(60):
        MemberFactory(email=f"m{number}@example.com")
    guesses, answers = 0, []
    for number in range(60):
        clock.shift(timedelta(seconds=10))
        answers.append(_guess(door, 1, f"m{number}@example.com", newest_code).status_code)
        guesses += answers[-1] != 429
    assert guesses == 20
    assert set(answers[20:]) == {429}


@doors
@pytest.mark.parametrize("contact", ["member@example.com", "0912345678"])
def test_guessing_is_stopped_across_many_ips(door, member, clock, newest_code, newest_sms_code, contact):
    """A thousand machines, each with sessions of its own, for one member: 20 codes a day, 30 guesses a day, in all."""
    guesses = 0
    newest = newest_code if "@" in contact else newest_sms_code
    contact = contact if "@" in contact else PHONE
    for number in range(400):
        clock.shift(timedelta(seconds=100))
        visitor = door(number)
        if visitor.ask(contact).status_code == 429:
            continue
        wrong = other_code(newest())
        guesses += sum(visitor.enter(wrong).status_code != 429 for _ in range(3))
    assert 10 <= guesses <= 30


@doors
@pytest.mark.parametrize("contact", ["member@example.com", "stranger@example.com"])
def test_guesses_at_a_contact_are_counted_over_all_sessions(door, member, clock, contact):
    visitors = []
    for number in range(6):
        visitors.append(door(number))
        visitors[-1].ask(contact)
        clock.shift(timedelta(seconds=60))
    answers = [visitor.enter("12345x").status_code for visitor in visitors for _ in range(2)]
    assert 429 not in answers[:10]
    assert answers[10:] == [429, 429]


def test_right_code_is_refused_as_well_once_there_were_too_many(member, clock, newest_code):
    visitors = [Page(number) for number in range(6)]
    for visitor in visitors:
        visitor.ask(member.email)
        clock.shift(timedelta(seconds=60))
    code = newest_code()
    for visitor in visitors[:5]:
        visitor.enter("12345x"), visitor.enter("12345x")
    seconds = refused(visitors[5].enter(code))
    assert signed_in_as(visitors[5].client) is None
    assert seconds == 3600
    clock.shift(timedelta(seconds=seconds))
    assert Page(7).ask(member.email).status_code != 429
    owner = Page(8)
    owner.ask(member.email)
    owner.enter(newest_code())
    assert signed_in_as(owner.client) == str(member.pk)


def test_many_at_once_cannot_use_one_sessions_three_tries_again_and_again(client, member, newest_code, clock):
    """Requests in flight at the same time all find no failure in the session yet; here it is put back after each."""
    page = Page(1)
    page.ask(member.email)
    before = Session.objects.get().session_data
    wrong, answers = other_code(newest_code()), []
    for number in range(40):
        Session.objects.update(session_data=before)
        page.client.defaults["REMOTE_ADDR"] = ip(number)
        answers.append(page.enter(wrong).status_code)
    assert answers.count(429) == 30


def test_right_codes_are_no_guesses(member, clock, newest_code):
    for number in range(12):
        page = Page(1)
        page.ask(member.email)
        page.enter(newest_code())
        assert signed_in_as(page.client) == str(member.pk), number
        clock.shift(timedelta(minutes=7))


@doors
def test_guesses_at_the_code_of_a_password_reset_count_as_well(door, member, clock, newest_code):
    for number in range(5):
        visitor = door(number)
        visitor.ask(member.email)
        visitor.enter("12345x"), visitor.enter("12345x")
        clock.shift(timedelta(seconds=60))
    visitor = door(9)
    visitor.reset(member.email)
    if door is Page:
        answer = visitor.client.post("/accounts/password/reset/confirm/", {"code": newest_code()})
    else:
        answer = visitor.client.post(
            f"{APP}/auth/password/reset",
            {"key": newest_code(), "password": "a-new-long-phrase"},
            content_type="application/json",
            headers={"X-Session-Token": visitor.token},
        )
    assert refused(answer) > 3000


def test_member_under_attack_gets_in_by_password(member, clock, newest_code):
    for number in range(3):
        page = Page(number)
        page.ask(member.email)
        [page.enter("12345x") for _ in range(3)]
    assert refused(Page(50).ask(member.email))
    owner = Page(60)
    owner.password(member.email, PASSWORD)
    assert signed_in_as(owner.client) == str(member.pk)


# ---------------------------------------------------------------- passwords


@doors
@pytest.mark.parametrize("login", ["member@example.com", "stranger@example.com", PHONE])
def test_wrong_passwords_are_limited_across_many_ips(door, member, clock, login):
    for number in range(5):
        assert door(number).password(login).status_code != 429
        clock.shift(timedelta(seconds=10))
    assert refused(door(9).password(login, PASSWORD)) == 300 - 50
    clock.shift(timedelta(seconds=250))
    assert door(9).password(login, PASSWORD).status_code != 429


@doors
def test_wrong_passwords_are_limited_on_one_ip(door, clock):
    for number in range(10):
        assert door(1).password(f"m{number}@example.com").status_code != 429
    assert refused(door(1).password("another@example.com")) == 60


@doors
def test_joining_is_limited_on_one_ip(door, clock):
    answers = [door(1).join(f"n{number}@example.com") for number in range(21)]
    assert 429 not in {answer.status_code for answer in answers[:20]}
    assert refused(answers[20]) == 60


# ---------------------------------------------------------------- what people see


@pytest.mark.parametrize(("language", "words"), [("en", "In 1 minute it goes on."), ("zh-hant", "</html>")])
def test_page_of_a_limit_says_when_it_goes_on(member, clock, language, words):
    for number in range(3):
        Page(number).ask(member.email)
    page = Page(9)
    page.client.cookies["django_language"] = language
    response = page.ask(member.email)
    assert words in response.text
    assert 'href="/accounts/login/"' in response.text
    assert member.email not in response.text


def test_page_of_a_limit_counts_minutes_upwards(member, clock):
    for number in range(10):
        Page(number).ask(member.email)
        clock.shift(timedelta(seconds=31))
    response = Page(99).ask(member.email)
    assert f"In {-(-refused(response) // 60)} minutes it goes on." in response.text


def test_limit_of_an_app_is_json(member, clock):
    for number in range(3):
        App(number).ask(member.email)
    response = App(9).ask(member.email)
    assert response.json()["status"] == 429


# ---------------------------------------------------------------- whose IP


@pytest.mark.parametrize("forged", ["1.1.1.{0}", "1.1.1.{0}, 10.0.0.1", "::{0}", "unknown-{0}"])
def test_made_up_forwarding_evades_nothing(clock, forged):
    page = Page(1)
    for number in range(20):
        ask_for_code(Client(REMOTE_ADDR=ip(1), headers={"X-Forwarded-For": forged.format(number)}), f"{number}@x.tw")
    page.client.defaults["HTTP_X_FORWARDED_FOR"] = forged.format(99)
    assert refused(page.ask("another@example.com"))


def test_behind_a_proxy_the_last_entry_counts(clock, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1

    def ask(visitor: str, contact: str):
        forwarded = f"1.1.1.{abs(hash(contact)) % 255}, {visitor}"
        return ask_for_code(Client(REMOTE_ADDR="10.0.0.1", headers={"X-Forwarded-For": forwarded}), contact)

    for number in range(20):
        assert ask("203.0.113.5", f"m{number}@example.com").status_code != 429
    assert refused(ask("203.0.113.5", "another@example.com"))
    assert ask("203.0.113.6", "another@example.com").status_code != 429


def test_addresses_of_one_ipv6_network_are_one_ip(clock):
    for number in range(20):
        ask_for_code(Client(REMOTE_ADDR=f"2001:db8::{number:x}"), f"m{number}@example.com")
    assert refused(ask_for_code(Client(REMOTE_ADDR="2001:db8::ffff"), "another@example.com"))
    assert ask_for_code(Client(REMOTE_ADDR="2001:db8:0:1::1"), "another@example.com").status_code != 429


# ---------------------------------------------------------------- the counting itself


def test_nothing_in_the_cache_tells_whom_it_is_about(member, clock, monkeypatch):
    keys: list[str] = []
    real = cache.set
    monkeypatch.setattr(cache, "set", lambda key, *args, **kwargs: (keys.append(key), real(key, *args, **kwargs))[1])
    Page(1).ask(member.email)
    Page(1).ask(PHONE)
    assert keys
    assert not [key for key in keys if re.search("member|912345678", key)]


def test_at_once_no_more_get_through_than_may(clock):
    """Twenty at the same moment, three may: what is asked first and taken after is taken in turn."""
    request = RequestFactory().post("/")
    whose = limits.fingerprint("a@example.com")
    rate = limits.Counter("code_contact", whose)
    with ThreadPoolExecutor(20) as pool:
        taken = list(pool.map(lambda _: rate.take(request), range(20)))
    assert len([usage for usage in taken if usage]) == 3


def test_every_limit_is_one_the_engine_understands():
    for action, rates in app_settings.RATE_LIMITS.items():
        assert all(rate.amount > 0 for rate in ratelimit.parse_rates(rates)), action
    ours = {f"{kind}_{scope}" for kind in ("code", "sms", "try") for scope in ("ip", "device", "contact")}
    assert all(ratelimit.parse_rates(app_settings.RATE_LIMITS[action]) for action in ours)


@doors
def test_doors_stay_shut_while_nobody_can_count(door, member, settings, tmp_path, mailoutbox, caplog):
    """Redis is away: no code, no password, until it is back; who is signed in goes on."""
    inside = Client()
    inside.force_login(member)
    location = f"unix://{tmp_path}/nobody-here.sock"
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": location}}
    for answer in (door(1).ask(member.email), door(1).password(member.email, PASSWORD), door(1).join("n@example.com")):
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "60"
    assert not mailoutbox
    assert "The cache is away" in caplog.text
    assert inside.get("/members/").status_code == 200
