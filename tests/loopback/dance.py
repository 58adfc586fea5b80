"""The way to a provider and back, as a browser goes it."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
from allauth.socialaccount.providers.facebook import flows as facebook_flows
from allauth.socialaccount.providers.google import views as google_views
from django.http import HttpResponse
from django.test import Client

from accounts.providers import services
from tests.loopback.provider import Loopback

LOGIN = {
    "google": "/accounts/google/login/",
    "facebook": "/accounts/facebook/login/",
    "line": "/accounts/line/login/",
    "acme": "/accounts/oidc/acme/login/",
}
KINDS = list(LOGIN)


def app_of(name: str, *, trust_email: bool = False, **more) -> dict:
    options = {"email_authentication": trust_email, "origins": []}
    keys = {"client_id": "my-list", "secret": "a-secret-of-32-characters-or-more"}
    return {"name": name, **keys, "settings": options, **more}


def configure(settings, monkeypatch: pytest.MonkeyPatch, loopback: Loopback) -> None:
    """All four kinds at the loopback: Google and Acme are trusted with e-mails."""
    acme = app_of("Acme", trust_email=True, provider_id="acme")
    acme["settings"]["server_url"] = f"{loopback.url}/oidc"
    settings.SOCIALACCOUNT_PROVIDERS = {
        "google": {"APPS": [app_of("Google", trust_email=True)]},
        "facebook": {"APPS": [app_of("Facebook")]},
        "line": {"APPS": [app_of("LINE")]},
        "openid_connect": {"APPS": [acme]},
    }
    settings.SOCIALACCOUNT_REQUESTS_TIMEOUT = 2
    addresses = {
        services.GoogleAdapter: {"authorize_url": "google/authorize", "access_token_url": "google/token"},
        services.FacebookAdapter: {
            "authorize_url": "facebook/authorize",
            "access_token_url": "facebook/oauth/access_token",
        },
        services.LineAdapter: {
            "authorize_url": "line/authorize",
            "access_token_url": "line/token",
            "id_token_url": "line/verify",
            "profile_url": "line/profile",
        },
    }
    for adapter, urls in addresses.items():
        for name, path in urls.items():
            monkeypatch.setattr(adapter, name, f"{loopback.url}/{path}")
    monkeypatch.setattr(google_views, "CERTS_URL", f"{loopback.url}/google/certs")
    monkeypatch.setattr(google_views, "ID_TOKEN_ISSUER", f"{loopback.url}/google")
    monkeypatch.setattr(facebook_flows, "GRAPH_API_URL", f"{loopback.url}/facebook")


def leave(client: Client, kind: str, **query: str) -> str:
    """Press the button on our page; the address at the provider."""
    answer = client.post(f"{LOGIN[kind]}?{urlencode(query)}")
    assert answer.status_code == 302, answer.content
    return answer.headers["Location"]


def approve(location: str) -> str:
    """Say yes at the provider; the address back, without our host."""
    answer = requests.get(location, allow_redirects=False, timeout=5)
    back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"


def dance(client: Client, kind: str, **query: str) -> HttpResponse:
    """There and back."""
    return client.get(approve(leave(client, kind, **query)))


def parameters(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query))


def with_changed(address: str, **changes: str) -> str:
    parts = urlsplit(address)
    return f"{parts.path}?{urlencode({**parameters(address), **changes})}"
