"""Passkeys and one-time codes from an app: who needs them, and whether this session has shown one.

Staff need one before the admin opens. For everybody else a passkey is a way in, and only the app's codes, for those who
want them, are a second step. A recovery code counts as what it stands in for: with it staff get in to set up anew.
"""

import base64
from datetime import datetime, timedelta
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.stages import AuthenticateStage
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts import devices
from accounts.models import User

_MFA = "mfa"  # what allauth calls, in its records, a factor that was shown
FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
FRESH_FOR = timedelta(minutes=15)


# ---------------------------------------------------------------- questions about a member and a session
def has_one(member: User) -> bool:
    return Authenticator.objects.filter(user=member, type__in=FACTORS).exists()


def has_app(member: User) -> bool:
    """Whether an app tells the member codes."""
    return Authenticator.objects.filter(user=member, type=Authenticator.Type.TOTP).exists()


def is_demanded(member: User) -> bool:
    """Whether signing in takes a second step."""
    types = FACTORS if member.is_staff else [Authenticator.Type.TOTP]
    return Authenticator.objects.filter(user=member, type__in=types).exists()


def is_shown(request: HttpRequest) -> bool:
    """Whether this session has shown a passkey, an app's code or a recovery code. Asks nothing of the database."""
    return any(record["method"] == _MFA for record in _records(request))


def is_fresh(request: HttpRequest, *, at: datetime) -> bool:
    """Whether who signed in did so (or showed a factor) within FRESH_FOR: asked before a way to sign in changes.

    Of staff who have a factor, only the factor counts.
    """
    records = _records(request)
    if isinstance(request.user, User) and request.user.is_staff and has_one(request.user):
        records = [record for record in records if record["method"] == _MFA]
    return any(0 <= at.timestamp() - record["at"] < FRESH_FOR.total_seconds() for record in records)


def where_to_show(member: User) -> str:
    """The page that asks a signed-in member, who has one, for it: for the app's code rather than the passkey."""
    return reverse("mfa_reauthenticate" if has_app(member) else "mfa_reauthenticate_webauthn")


def record_shown(request: HttpRequest, authenticator: Authenticator) -> None:
    """Who has just set one up holds it: nobody has to show it once more."""
    record_authentication(request, authenticator.user, _MFA, id=authenticator.pk, type=authenticator.type)


def is_the_last_of_staff(authenticator: Authenticator) -> bool:
    """Whether a member of the staff would be left without any."""
    member = authenticator.user
    others = Authenticator.objects.filter(user=member, type__in=FACTORS).exclude(pk=authenticator.pk)
    return authenticator.type in FACTORS and member.is_staff and not others.exists()


def _records(request: HttpRequest) -> list[dict[str, Any]]:
    return get_authentication_records(request, request.user)


def renew_secrets(member: User) -> None:
    """Write with today's SECRET_KEY what was written with one of SECRET_KEY_FALLBACKS."""
    for row in Authenticator.objects.filter(user=member):
        kept = {name: row.data[name] for name in ("secret", "seed") if name in row.data}
        if kept:
            row.data |= {name: _cipher().rotate(token).decode() for name, token in kept.items()}
            row.save(update_fields=["data"])


# ---------------------------------------------------------------- allauth's hooks
class SecondStep(AuthenticateStage):
    """allauth asks everybody who has a passkey for it; here only those of whom it is demanded."""

    def handle(self) -> tuple:
        if self.login.user is not None and not is_demanded(self.login.user):
            return None, True
        return super().handle()


class MFAAdapter(DefaultMFAAdapter):
    """How allauth's second factor meets our members."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "cannot_delete_authenticator": _("Staff need a second step. Set up another one first."),
        "cannot_generate_recovery_codes": _(
            "Recovery codes stand in for a passkey or an app: set up one of these first."
        ),
        "incorrect_code": _("That did not work. Please try again."),
        "unverified_email": _("Please confirm your e-mail first."),
    }

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _cipher().decrypt(encrypted_text.encode()).decode()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return not is_the_last_of_staff(authenticator)

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        # The passkey lives where it is made: "Chrome on Android" is told apart from "Safari on iPhone" at a glance.
        name = devices.describe(context.request.headers.get("User-Agent", ""))
        before = Authenticator.objects.filter(user=user, type=type).count()
        return f"{name} ({before + 1})" if before else name

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, Any]:
        # What the phone shows when it asks which passkey to use.
        known_as = user.email or user.phone or user.member_no
        entity = super().get_public_key_credential_user_entity(user)
        return {**entity, "name": known_as, "display_name": user.name or known_as}

    def _get_site_name(self) -> str:
        return settings.SITE_NAME


def _cipher() -> MultiFernet:
    """Keys drawn from SECRET_KEY and, to read what was written before it was changed, SECRET_KEY_FALLBACKS."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = [salted_hmac("accounts.second_factor", "", secret=key, algorithm="sha256").digest() for key in keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
