"""The accounts elsewhere with which members may sign in, as the environment names them."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from environ import Env

_SERVICES = "accounts.providers.services"
# Kind: its name, our class, the two variables of its keys, and the origins its sign-in leads over.
_KINDS = {
    "google": (
        "Google",
        f"{_SERVICES}.GoogleProvider",
        ("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"),
        ["https://accounts.google.com"],
    ),
    "facebook": (
        "Facebook",
        f"{_SERVICES}.FacebookProvider",
        ("FACEBOOK_APP_ID", "FACEBOOK_APP_SECRET"),
        ["https://www.facebook.com", "https://web.facebook.com", "https://m.facebook.com"],
    ),
    "line": (
        "LINE",
        f"{_SERVICES}.LineProvider",
        ("LINE_CHANNEL_ID", "LINE_CHANNEL_SECRET"),
        ["https://access.line.me"],
    ),
}
_EXAMPLE = (
    '[{"id": "acme", "name": "Acme", "server_url": "https://id.acme.example", "client_id": "my-list", "secret": "..."}]'
)
_NEEDED = {"id", "name", "server_url", "client_id", "secret"}
_POSSIBLE = _NEEDED | {"trust_email", "origins"}


def providers(env: Env) -> dict[str, Any]:
    """SOCIALACCOUNT_PROVIDERS: every kind with our class, and an app for each whose keys are set."""
    found: dict[str, Any] = {}
    for kind, (name, provider_class, (id_name, secret_name), origins) in _KINDS.items():
        client_id, secret = env.str(id_name, default=""), env.str(secret_name, default="")
        if bool(client_id) != bool(secret):
            missing, given = (secret_name, id_name) if client_id else (id_name, secret_name)
            raise ImproperlyConfigured(f"{given} is set, but {missing} is missing. Set both, or neither.")
        # Google says of each e-mail whether it is proved. LINE and Facebook do not: theirs lets nobody in.
        options = {"email_authentication": kind == "google", "origins": origins}
        app = {"name": name, "client_id": client_id, "secret": secret, "settings": options}
        found[kind] = {"provider_class": provider_class, "APPS": [app] if client_id else []}
    found["openid_connect"] = {
        "provider_class": f"{_SERVICES}.OpenIDConnectProvider",
        "APPS": _openid_connect(env.str("OIDC_PROVIDERS", default="")),
    }
    return found


def origins(providers: dict[str, Any]) -> list[str]:
    """Where our sign-in form leads to: browsers that keep to form-action follow its redirects nowhere else."""
    return sorted(
        {origin for provider in providers.values() for app in provider["APPS"] for origin in app["settings"]["origins"]}
    )


def _openid_connect(text: str) -> list[dict[str, Any]]:
    if not text:
        return []
    try:
        entries = json.loads(text)
    except ValueError as error:
        raise _refusal(f"is no JSON ({error})") from error
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise _refusal("is no list of objects")
    apps = [_openid_connect_app(entry) for entry in entries]
    ids = [app["provider_id"] for app in apps]
    if len(ids) != len(set(ids)):
        raise _refusal("names an id twice; give each provider its own")
    return apps


def _openid_connect_app(entry: dict[str, Any]) -> dict[str, Any]:
    name = entry.get("id") or "an entry"
    if missing := sorted(key for key in _NEEDED if not (isinstance(entry.get(key), str) and entry[key])):
        raise _refusal(f"lacks {', '.join(missing)} at {name}; each is a text")
    if unknown := sorted(entry.keys() - _POSSIBLE):
        raise _refusal(f"has {', '.join(unknown)} at {name}; possible are {', '.join(sorted(_POSSIBLE))}")
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", entry["id"]) or entry["id"] in _KINDS:
        raise _refusal(f"has the id {name}; use small letters, digits and hyphens, and not {', '.join(_KINDS)}")
    trust_email, more = entry.get("trust_email", False), entry.get("origins", [])
    if not isinstance(trust_email, bool):
        raise _refusal(f"has a trust_email at {name} that is neither true nor false")
    if not isinstance(more, list):
        raise _refusal(f"has origins at {name} that are no list")
    return {
        "provider_id": entry["id"],
        "name": entry["name"],
        "client_id": entry["client_id"],
        "secret": entry["secret"],
        "settings": {
            "server_url": entry["server_url"].rstrip("/"),
            "email_authentication": trust_email,
            "origins": [_origin(url, str(name)) for url in [entry["server_url"], *more]],
        },
    }


def _origin(url: Any, name: str) -> str:
    """https://id.acme.example of any address there. Without https only on this very machine."""
    parts = urlsplit(url if isinstance(url, str) else "")
    here = parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost"}
    # What ends a directive of the policy must not get into it.
    if not (parts.scheme == "https" or here) or not re.fullmatch(r"[A-Za-z0-9.:\[\]-]+", parts.netloc):
        raise _refusal(f"has {url} at {name}; an address begins with https://")
    return f"{parts.scheme}://{parts.netloc}"


def _refusal(what: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"OIDC_PROVIDERS {what}. Set it to a list such as {_EXAMPLE}")
