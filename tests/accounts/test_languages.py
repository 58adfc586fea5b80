"""Every page and message about the account in both languages, with not a word left in the other one.

Nothing is listed that could be found: pages come from the addresses, messages from the folders, and a template that no
page here has shown makes the test fail.
"""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import Permission
from django.template.loader import render_to_string
from django.test import Client
from django.test.signals import template_rendered
from django.urls import URLResolver, get_resolver
from django.utils import timezone, translation

from accounts import consents
from accounts.models import ConsentEntry, DataExport, Impersonation, User
from notify.channels import sms
from tests.accounts.conftest import PASSWORD
from tests.accounts.second_factors import code_of, with_app
from tests.accounts.test_passkeys import register
from tests.admin_contract import show_second_factor
from tests.factories import AddressFactory, MemberFactory, PaymentMethodFactory
from tests.loopback.dance import configure, dance
from tests.loopback.provider import serve

pytestmark = pytest.mark.django_db
LANGUAGES = ["zh-hant", "en"]
FOLDERS = ["account", "accounts", "mfa", "socialaccount", "usersessions", "emails/account"]
AT = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)
# What is called the same in both.
NAMES = {
    *{"my", "list", "id", "no", "app", "sms", "url", "pin", "qr", "english"},
    *{"google", "facebook", "line", "acme", "chrome", "edge", "firefox", "safari", "javascript"},
    *{"android", "iphone", "ipad", "linux", "mac", "windows", "excel"},
    *{"csv", "json", "txt", "zip", "readme", "utf"},
}
NOT_WORDS = re.compile(
    r"https?://\S+|@\S+ #\d+|\S+@\S+"  # addresses
    r"|\b[A-Z2-7]{32}\b"  # an app's secret
    r"|\b[\w-]+\.(?:com|json|csv|txt)\b"
)
# Whoever sends these is no longer there to read on.
LEAVES = re.compile(r"logout|/end|closing|remove")
CHINESE = re.compile(r"[㐀-鿿]+")
LATIN = re.compile(r"[A-Za-z][A-Za-z'’]+")


def templates(ending: str) -> list[str]:
    found = (path for folder in FOLDERS for path in Path("templates", folder).rglob(f"*{ending}"))
    return sorted(str(path.relative_to("templates")) for path in found)


class Said(HTMLParser):
    """What a page says: its text and the words in attributes that are shown or read out."""

    SILENT = {"script", "style"}
    SHOWN = {"aria-label", "placeholder", "title", "alt"}
    VOID = {"input", "meta", "link", "img", "br", "hr", "use", "path"}

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.silent: list[bool] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # A button to the other language is in the other language, and says so.
        silent = tag in self.SILENT or (tag != "html" and "lang" in dict(attrs))
        if not silent and not any(self.silent):
            self.words += [value for name, value in attrs if name in self.SHOWN and value]
        if tag not in self.VOID:
            self.silent.append(silent)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID and self.silent:
            self.silent.pop()

    def handle_data(self, data: str) -> None:
        if not any(self.silent):
            self.words.append(data)


def foreign(text: str, language: str) -> list[str]:
    """The words of a text that are not of this language."""
    text = NOT_WORDS.sub(" ", text)
    if language == "en":
        return CHINESE.findall(text.replace("繁體中文", ""))  # how the language calls itself
    return [word for word in LATIN.findall(text) if word.lower() not in NAMES]


def routes(patterns: list, start: str = "") -> Iterator[str]:
    """The routes of the account, without those a provider calls."""
    for pattern in patterns:
        route = start + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        elif route.startswith(("accounts/", "members/")):
            yield "/" + route


class Reader:
    """Opens pages in a language, and keeps what was not in it."""

    def __init__(self, language: str) -> None:
        self.client = Client(headers={"accept-language": language, "user-agent": "Mozilla/5.0 (Linux; Android 14)"})
        self.language = language
        self.wrong: dict[str, list[str]] = {}

    def become(self, member: User, method: str = "code") -> None:
        """As somebody is remembered who has just signed in."""
        User.objects.filter(pk=member.pk).update(language=self.language)
        self.client.force_login(User.objects.get(pk=member.pk))
        session = self.client.session
        session["account_authentication_methods"] = [{"method": method, "at": time.time()}]
        session["account_authentication_methods_user"] = str(member.pk)
        session.save()

    def open(self, address: str) -> None:
        self.read(address, self.client.get(address, follow=True))

    def send(self, address: str, data: dict | None = None) -> None:
        self.read(f"POST {address}", self.client.post(address, data or {}, follow=True))

    def read(self, what: str, response) -> None:
        is_page = "text/html" in response.headers.get("Content-Type", "")
        # A page there is none of is Django's own.
        if is_page and response.status_code != 404:
            words = " ".join(Said(response.content.decode()).words)
            if found := foreign(words, self.language):
                self.wrong[what] = found


def newest_code(mailoutbox: list) -> str:
    return re.search(r"^\d{6}$", mailoutbox[-1].body, re.MULTILINE).group()


@pytest.fixture
def member() -> User:
    """Somebody of whom there is something of every kind, named so that no language shows."""
    member = MemberFactory(name="1234", email="member@example.com", phone="+886912345678", birthday=AT.date())
    member.set_password(PASSWORD)
    member.save()
    EmailAddress.objects.create(user=member, email=member.email, verified=True, primary=True)
    consents.choose(member=member, at=AT, source=ConsentEntry.Source.JOIN, email_consent=True)
    AddressFactory(member=member, recipient="1", city="2", street="3")
    PaymentMethodFactory(member=member)
    SocialAccount.objects.create(user=member, provider="google", uid="1")
    Impersonation.objects.create(member=member, reason="12", began_at=AT, ends_at=AT + timedelta(minutes=15))
    DataExport.objects.create(member=member, status="ready", asked_at=AT, ready_at=AT, expires_at=AT, file="1.zip")
    return member


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_in_the_language_asked_for(member, language, settings, monkeypatch, mailoutbox):
    shown: set[str] = set()
    note = lambda template, **_: shown.add(template.name)  # noqa: E731
    template_rendered.connect(note)
    readers = [Reader(language) for _ in range(7)]
    by_address, stranger, forgetful, changing, careful, staff, leaving = readers
    with serve() as provider:
        configure(settings, monkeypatch, provider)
        by_address.become(member)
        register(by_address.client, "1")
        _open_every_address(member, by_address, stranger)
        provider.person = {"sub": "2"}  # no name, which then is asked for
        stranger.read("socialaccount_signup", dance(stranger.client, "google"))
        stranger.open("/accounts/3rdparty/signup/")
    _ask_for_codes(stranger, settings)
    _choose_another_password(forgetful, member, mailoutbox)
    _change_contacts(changing)
    _show_a_second_factor(careful)
    _look_as(staff, member)
    leaving.become(member)
    leaving.send("/members/closing/", {"confirm": "on"})
    leaving.become(member)
    leaving.open("/members/")
    template_rendered.disconnect(note)
    assert {what: words for reader in readers for what, words in reader.wrong.items()} == {}
    assert set(templates(".html")) - shown == set()


def _open_every_address(member: User, reader: Reader, stranger: Reader) -> None:
    ids = {"pk": Authenticator.objects.get(type="webauthn").pk, "address_id": member.addresses.get().pk}
    for route in routes(get_resolver().url_patterns):
        address = re.sub(r"<\w+:(\w+)>", lambda part: str(ids.get(part[1], "acme")), route)
        for who in (stranger, reader):
            who.open(address)
            if not LEAVES.search(address):
                who.send(address)


def _ask_for_codes(reader: Reader, settings) -> None:
    for address in ("/accounts/login/code/", "/accounts/signup/"):
        reader.send(address, {"name": "1", "contact": "0987 654 321"})
        reader.open("/accounts/login/code/confirm/")
        reader.send("/accounts/login/code/confirm/", {"code": "000000"})
    settings.SMS_URL = "http://127.0.0.1:9/"  # nobody is there
    Reader.send(fresh := Reader(reader.language), "/accounts/login/code/", {"contact": "0987 654 320"})
    settings.SMS_URL = "locmem://"
    reader.wrong |= fresh.wrong


def _choose_another_password(reader: Reader, member: User, mailoutbox: list) -> None:
    reader.send("/accounts/password/reset/", {"email": member.email})
    reader.send("/accounts/password/reset/confirm/", {"code": "000000"})
    reader.send("/accounts/password/reset/confirm/", {"code": newest_code(mailoutbox)})
    reader.send("/accounts/password/reset/complete/", {"password1": "1", "password2": "2"})


def _change_contacts(reader: Reader) -> None:
    reader.become(MemberFactory(name="1", email="", phone="+886987654322"))
    reader.open("/accounts/password/set/")
    reader.send("/accounts/email/", {"email": "new@example.com", "action_add": ""})
    reader.send("/accounts/confirm-email/", {"code": "000000"})
    reader.send("/accounts/phone/change/", {"phone": "0987 654 323"})
    reader.send("/accounts/phone/verify/", {"code": "000000"})
    assert sms.outbox


def _show_a_second_factor(reader: Reader) -> None:
    member = MemberFactory(name="1", is_staff=True)
    reader.become(member)
    reader.open("/accounts/2fa/")
    secret = with_app(member)
    reader.open("/accounts/2fa/reauthenticate/")
    show_second_factor(reader.client, member)
    reader.open("/accounts/2fa/totp/deactivate/")
    reader.send("/accounts/2fa/totp/deactivate/")
    fresh = Reader(reader.language)
    member.set_password(PASSWORD)
    member.save(update_fields=["password"])
    EmailAddress.objects.create(user=member, email=member.email, verified=True, primary=True)
    fresh.send("/accounts/login/", {"login": member.email, "password": PASSWORD})
    fresh.send("/accounts/2fa/authenticate/", {"code": "000000"})
    fresh.send("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    reader.wrong |= fresh.wrong


def _look_as(reader: Reader, member: User) -> None:
    colleague = MemberFactory(name="1", is_staff=True)
    colleague.user_permissions.set(Permission.objects.filter(codename="look_as_member"))
    reader.become(colleague)
    look = Impersonation.objects.create(
        staff=colleague, member=member, reason="1", began_at=timezone.now(), ends_at=timezone.now() + timedelta(hours=1)
    )
    session = reader.client.session
    session["looking"] = look.pk
    session.save()
    reader.open("/members/")
    reader.send("/members/profile/")


def _contexts() -> Iterator[dict]:
    common = {"code": "123456", "email": "a@example.com", "phone": "+886912345678", "site_name": "1"}
    common |= {"site_url": "https://example.com", "at": AT, "until": AT, "closing_at": AT, "expires_at": AT}
    for what in ("email", "phone"):
        for replaced in (True, False):
            yield {**common, "what": what, "replaced": replaced, "member": MemberFactory.build(name="1")}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", templates(".txt"))
def test_every_message_is_in_the_language_of_the_member(name, language, rf):
    with translation.override(language):
        for context in _contexts():
            assert foreign(render_to_string(name, context, rf.get("/")), language) == []
