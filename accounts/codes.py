"""Codes are kept hashed: what allauth leaves in a session would sign in whoever reads the session's row.

A process of allauth (a login, a verification, a reset by code) keeps its code in the session. It is sealed as the
session is written, with a key that is not in the database: a million codes are tried in a second, a key is not. Who
asked in the name of nobody we know gets a seal that no code fits: both sessions look alike, and a try costs the same.
"""

import hmac
import secrets
import unicodedata
from typing import Any

from allauth.core import context
from allauth.core.internal.cryptokit import normalize_user_code
from django.conf import settings
from django.contrib.sessions.serializers import JSONSerializer
from django.core.exceptions import ImproperlyConfigured
from django.utils.crypto import salted_hmac

from accounts import limits

_MARK = "sealed"


class SealingSerializer(JSONSerializer):
    """Django's own for sessions (settings.SESSION_SERIALIZER), with the codes sealed."""

    def dumps(self, obj: Any) -> bytes:
        return super().dumps(_sealed(obj))


def seal(code: str, *, contact: str) -> str:
    """What is kept of a code sent to `contact`: `sealed:salt:whose:digest`."""
    salt = secrets.token_hex(8)
    return ":".join((_MARK, salt, limits.fingerprint(contact), _digest(code, salt, settings.SECRET_KEY)))


def check(*, actual: str, expected: str) -> bool:
    """Whether the typed code is the one that was sealed; a wrong one counts as a try for its contact, a right one not.

    Takes the place of allauth's compare_user_code. Codes that were not sealed are refused, so that a release of allauth
    which keeps them elsewhere cannot pass unseen. Answers 429 when there were too many tries.
    """
    mark, _, rest = (expected or "").partition(":")
    if mark != _MARK:
        return False
    salt, whose, digest = rest.split(":")
    tries = limits.take_try(context.request, whose)
    # Telephone keyboards for Chinese offer digits of full width.
    typed = normalize_user_code(unicodedata.normalize("NFKC", actual))
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    right = any(hmac.compare_digest(_digest(typed, salt, key), digest) for key in keys)
    if right:
        for usage in tries:
            usage.rollback()
    return right


def install() -> None:
    """Let allauth's forms, of pages and apps, ask `check`; called once, at start-up."""
    from allauth.account import forms
    from allauth.headless.account import inputs

    for module in (forms, inputs):
        if not hasattr(module, "compare_user_code"):
            raise ImproperlyConfigured(f"{module.__name__} compares codes in another way now; see accounts/codes.py")
        module.compare_user_code = check


def _digest(code: str, salt: str, key: str) -> str:
    return salted_hmac(f"accounts.codes.{salt}", code, secret=key, algorithm="sha256").hexdigest()


def _sealed(kept: Any) -> Any:
    """The same data with the code of every process in it sealed; processes are known by counting their failures."""
    if isinstance(kept, list | tuple):
        return [_sealed(item) for item in kept]
    if not isinstance(kept, dict):
        return kept
    found = {key: _sealed(value) for key, value in kept.items()}
    code = found.get("code") or ""
    if "failed_attempts" in found and not code.startswith(f"{_MARK}:"):
        known = bool(code and found.get("user_id"))
        found["code"] = seal(
            normalize_user_code(code) if known else secrets.token_hex(),
            contact=found.get("email") or found.get("phone") or "",
        )
    return found
