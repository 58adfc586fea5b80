"""What a browser is asked to guard us from, and what nobody may plant, forge, frame or lead astray."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from rest_framework.views import APIView

from accounts import members
from accounts.models import User
from notify.channels import sms
from tests.accounts.conftest import PASSWORD, ask_for_code, enter_code, join, signed_in_as
from tests.accounts.test_apps import APP, App
from tests.factories import MemberFactory

pytestmark = pytest.mark.django_db
PHONE = "+886912345678"
ELSEWHERE = ["https://evil.example/", "//evil.example/x", "///evil.example", "javascript:alert(1)", "/\\evil.example"]


@pytest.fixture
def member() -> User:
    member = MemberFactory(email="member@example.com", phone=PHONE, phone_verified_at=timezone.now())
    member.set_password(PASSWORD)
    member.save()
    return members.claim(member=member, email=member.email, at=timezone.now())


def every_address(resolver: URLResolver | None = None, before: str = "/") -> Iterator[tuple[str, URLPattern]]:
    """Every address of the site with something in the place of its keys, but what catches all the rest."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from every_address(pattern, route)
        elif "(" not in route:
            yield re.sub(r"<[^>]+>", "1", route), pattern


def view_class(pattern: URLPattern) -> type | None:
    return getattr(pattern.callback, "cls", None) or getattr(pattern.callback, "view_class", None)


PAGES = sorted(
    {
        route
        for route, pattern in every_address()
        if not route.startswith(("/_allauth/", "/api/")) and not getattr(pattern.callback, "csrf_exempt", False)
    }
)
REST = sorted({route for route, pattern in every_address() if issubclass(view_class(pattern) or object, APIView)})


def test_walk_over_all_addresses_finds_them():
    assert {"/accounts/login/", "/members/", "/members/addresses/1/", "/my-list/reorder/"} < set(PAGES)
    assert "/api/v1/orders/" in REST
    assert any(page.startswith("/admin/") for page in PAGES)


# ---------------------------------------------------------------- session fixation


def by_code(client: Client, member: User, code) -> None:
    ask_for_code(client, member.email)
    enter_code(client, code())


def by_sms(client: Client, member: User, code) -> None:
    ask_for_code(client, member.phone)
    enter_code(client, re.search(r"#(\d{6})", sms.outbox[-1].text).group(1))


def by_password(client: Client, member: User, code) -> None:
    client.post("/accounts/login/", {"login": member.email, "password": PASSWORD})


def by_joining(client: Client, member: User, code) -> None:
    join(client, member.email)
    enter_code(client, code())


ways_in = pytest.mark.parametrize("sign_in", [by_code, by_sms, by_password, by_joining])


@ways_in
def test_session_that_was_made_up_is_not_taken(client, member, newest_code, sign_in):
    client.cookies["sessionid"] = planted = "a" * 32
    sign_in(client, member, newest_code)
    assert signed_in_as(client) == str(member.pk)
    assert client.cookies["sessionid"].value != planted
    assert not Session.objects.filter(pk=planted).exists()


@ways_in
def test_session_that_somebody_else_began_is_left_behind(client, member, newest_code, sign_in):
    """The thief's own session, put into the member's browser, is worth nothing to the thief afterwards."""
    thief = Client()
    ask_for_code(thief, "thief@example.com")
    planted = thief.cookies["sessionid"].value
    client.cookies["sessionid"] = planted
    client.post("/accounts/logout/")
    client.cookies["sessionid"] = planted
    sign_in(client, member, newest_code)
    if signed_in_as(client) is None:  # the code asked for in the planted session comes first; the member tries again
        client.cookies.pop("sessionid", None)
        sign_in(client, member, newest_code)
    assert signed_in_as(client) == str(member.pk)
    assert client.cookies["sessionid"].value != planted
    assert signed_in_as(thief) is None
    assert thief.get("/members/").status_code == 302


def test_token_of_an_app_changes_as_it_signs_in(member, newest_code):
    app = App()
    app.send("POST", f"{APP}/auth/code/request", {"email": member.email})
    before = app.token
    app.send("POST", f"{APP}/auth/code/confirm", {"code": newest_code()})
    assert app.send("GET", "/api/v1/me/").status_code == 200
    assert app.token != before
    app.token = before
    assert app.send("GET", "/api/v1/me/").status_code == 401


def test_session_is_gone_after_signing_out(client, member, newest_code):
    by_code(client, member, newest_code)
    taken_along = client.cookies["sessionid"].value
    client.post("/accounts/logout/")
    thief = Client()
    thief.cookies["sessionid"] = taken_along
    assert thief.get("/members/").status_code == 302
    assert not Session.objects.filter(pk=taken_along).exists()


def test_key_in_the_address_opens_nothing(client, member):
    """Keys of sessions are taken from the cookie and the header, never from the address, where logs would keep them."""
    client.force_login(member)
    key = client.cookies["sessionid"].value
    for path in (f"/members/?sessionid={key}", f"/api/v1/me/?session_token={key}", f"/members/;sessionid={key}"):
        assert Client().get(path).status_code in (302, 401, 404)


# ---------------------------------------------------------------- CSRF


@pytest.fixture
def unprotected(member) -> Client:
    """A member's browser whose next request comes from somebody else's page."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(member)
    return client


def test_every_page_refuses_what_another_site_sends(unprotected):
    sent = {(method, page): unprotected.generic(method, page) for page in PAGES for method in ("POST", "DELETE")}
    assert {request for request, answer in sent.items() if answer.status_code != 403} == set()


def test_rest_refuses_what_another_site_sends_with_the_cookie(unprotected):
    key = {"HTTP_IDEMPOTENCY_KEY": "k-1"}
    sent = {
        (method, path): unprotected.generic(method, path, "{}", content_type="application/json", **key)
        for path in REST
        for method in ("POST", "PUT", "PATCH", "DELETE")
    }
    assert {request for request, answer in sent.items() if answer.status_code not in (403, 405)} == set()


def test_no_more_views_go_without_the_token_than_have_a_reason():
    """Apps bring a token and no cookie, REST asks for both with a cookie, a mail program unsubscribes by POST."""
    exempt = {
        route
        for route, pattern in every_address()
        if getattr(pattern.callback, "csrf_exempt", False)
        and not route.startswith("/_allauth/app/v1/")
        and not issubclass(view_class(pattern) or object, APIView)
    }
    assert exempt <= {"/my-list/r/1/unsubscribe/"}


def test_app_doors_take_no_cookie(member):
    """Without CSRF tokens there, a browser's session must not count."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(member)
    assert client.get(f"{APP}/auth/session").status_code == 401
    assert client.delete(f"{APP}/auth/session").status_code == 401
    assert signed_in_as(client) == str(member.pk)


# ---------------------------------------------------------------- open redirect


def leads_away(response) -> bool:
    return response.status_code in range(300, 400) and urlsplit(response.url).netloc not in ("", "testserver")


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
@pytest.mark.parametrize("signed_in", [False, True])
def test_no_page_leads_away(member, elsewhere, signed_in):
    client = Client()
    if signed_in:
        client.force_login(member)
    for page in PAGES:
        if page.startswith("/accounts/logout"):
            continue
        assert not leads_away(client.get(page, {"next": elsewhere, "redirect_to": elsewhere})), page


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
@ways_in
def test_no_way_in_leads_away(client, member, newest_code, elsewhere, sign_in):
    real = client.post
    client.post = lambda path, data=None, **more: real(path, {**(data or {}), "next": elsewhere}, **more)
    sign_in(client, member, newest_code)
    assert signed_in_as(client) == str(member.pk)
    again = real("/accounts/logout/", {"next": elsewhere})
    assert not leads_away(again)


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
@pytest.mark.parametrize(
    ("page", "data"),
    [
        ("/accounts/login/", {"login": "member@example.com", "password": PASSWORD}),
        ("/accounts/login/code/", {"contact": "member@example.com"}),
        ("/accounts/signup/", {"contact": "new@example.com", "name": "N"}),
        ("/accounts/password/reset/", {"email": "member@example.com"}),
        ("/accounts/logout/", {}),
        ("/members/language/", {"language": "en"}),
        ("/i18n/setlang/", {"language": "en"}),
    ],
)
def test_no_form_leads_away(client, member, page, data, elsewhere):
    assert not leads_away(client.post(page, {**data, "next": elsewhere}))
    assert not leads_away(client.post(f"{page}?next={elsewhere}", data, headers={"referer": "https://evil.example/"}))


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_no_form_of_a_member_leads_away(client, member, elsewhere):
    client.force_login(member)
    where = {"country": "TW", "postal_code": "106", "city": "Taipei", "street": "1"}
    for page, data in [
        ("/members/addresses/new/", {"recipient": "M", "phone": "0912345678", **where}),
        ("/members/language/", {"language": "en"}),
        ("/accounts/reauthenticate/", {"password": PASSWORD}),
    ]:
        assert not leads_away(client.post(page, {**data, "next": elsewhere})), page


# ---------------------------------------------------------------- Host header


@pytest.mark.parametrize("forged", [{"host": "evil.example"}, {"x-forwarded-host": "evil.example"}])
def test_no_message_carries_the_host_of_the_request(member, mailoutbox, settings, forged):
    settings.SITE_URL = "https://shop.example.com"
    for page, data in [
        ("/accounts/login/code/", {"contact": member.email}),
        ("/accounts/login/code/", {"contact": "stranger@example.com"}),
        ("/accounts/login/code/", {"contact": member.phone}),
        ("/accounts/login/code/", {"contact": "0987654321"}),
        ("/accounts/signup/", {"contact": "new@example.com", "name": "N"}),
        ("/accounts/signup/", {"contact": "0955555555", "name": "N"}),
        ("/accounts/password/reset/", {"email": member.email}),
        ("/accounts/password/reset/", {"email": "nobody@example.com"}),
    ]:
        assert Client().post(page, data, headers=forged).status_code == 302
    assert len(mailoutbox) + len(sms.outbox) == 8
    sent = "".join(f"{mail.subject}{mail.body}{mail.alternatives}" for mail in mailoutbox)
    sent += "".join(text.text for text in sms.outbox)
    assert "evil.example" not in sent
    assert set(re.findall(r"https?://([\w.:-]+)", sent)) == {"shop.example.com"}
    assert "@shop.example.com #" in sent


@pytest.mark.parametrize("host", ["evil.example", "shop.example.com.evil.example", "evil.example:443"])
def test_host_that_is_not_ours_is_turned_away(client, settings, host):
    settings.ALLOWED_HOSTS = ["shop.example.com"]
    assert client.get("/accounts/login/", headers={"host": host}).status_code == 400
    assert client.get("/accounts/login/", headers={"host": "shop.example.com"}).status_code == 200


# ---------------------------------------------------------------- headers


def check_headers(response) -> None:
    assert response.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize("signed_in", [False, True])
def test_every_page_may_not_be_framed_sniffed_or_told_about(member, signed_in):
    client = Client()
    if signed_in:
        client.force_login(member)
    for page in PAGES:
        check_headers(client.get(page))


def test_refusals_and_missing_pages_may_not_be_framed_either(client, member):
    for _ in range(4):
        response = ask_for_code(Client(), member.email)
    assert response.status_code == 429
    check_headers(response)
    check_headers(client.get("/no-such-page/"))
    check_headers(Client(enforce_csrf_checks=True).post("/accounts/login/"))
    check_headers(client.get(f"{APP}/auth/session"))
    check_headers(client.get("/api/v1/me/"))


def test_pages_of_a_member_are_kept_by_no_cache_between(client, member):
    client.force_login(member)
    for page in ("/members/", "/members/devices/", "/orders/"):
        control = client.get(page).headers.get("Cache-Control", "")
        vary = client.get(page).headers.get("Vary", "")
        assert "Cookie" in vary or "private" in control or "no-store" in control, page


def test_browsers_are_told_to_insist_on_https(settings):
    settings.SECURE_HSTS_SECONDS = 31536000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True
    answer = Client().get("/accounts/login/", secure=True)
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"


def test_http_is_sent_on_to_https(settings):
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get("/accounts/login/").url == "https://testserver/accounts/login/"
    assert Client().get("/accounts/login/", secure=True).status_code == 200
    assert Client().get("/livez").status_code == 200


# ---------------------------------------------------------------- cookies


@pytest.fixture
def over_https(settings) -> None:
    for name in ("SESSION", "CSRF", "LANGUAGE"):
        setattr(settings, f"{name}_COOKIE_SECURE", True)
    settings.HTTPS = True


def test_cookies_are_for_https_and_for_nobody_but_us(over_https, member, newest_code):
    client = Client(headers={"x-forwarded-proto": "https"})
    client.defaults |= {"wsgi.url_scheme": "https"}
    client.get("/accounts/login/")
    ask_for_code(client, member.email)
    met = dict(client.cookies.items())
    enter_code(client, newest_code())
    client.post("/members/language/", {"language": "en"})
    client.post("/i18n/setlang/", {"language": "en"})
    client.post("/members/devices/end-others/")  # says something on the next page
    met |= client.cookies
    assert {"sessionid", "csrftoken", "django_language", "device", "messages"} <= set(met)
    for name, cookie in met.items():
        if not cookie.value:
            continue
        assert cookie["secure"] is True, name
        assert cookie["httponly"] is True, name
        assert cookie["samesite"] in ("Lax", "Strict"), name
        assert cookie["domain"] == "", name
        assert cookie["path"] == "/", name


def test_cookie_of_the_device_tells_nothing(client, member):
    ask_for_code(client, member.email)
    value = client.cookies["device"].value
    assert re.fullmatch(r"[\w-]{22}:[\w-]{6}:[\w-]{43}", value)
