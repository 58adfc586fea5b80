"""What allauth announces: somebody proved an e-mail, and so claims the member who has it."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import authentication_step_completed, email_confirmed
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from accounts import members
from accounts.forms import take_joining_phone
from accounts.models import User


@receiver(authentication_step_completed, dispatch_uid="accounts.claim_by_code")
def claim_by_code(*, request: HttpRequest, method: str, user: User, email: str | None = None, **_kwargs: Any) -> None:
    """A code sent to the e-mail was entered. Runs before allauth asks whether the e-mail is verified."""
    if method == "code" and email:
        _claim(request, user, email)


@receiver(email_confirmed, dispatch_uid="accounts.claim_by_confirmation")
def claim_by_confirmation(*, request: HttpRequest, email_address: EmailAddress, **_kwargs: Any) -> None:
    """A member who signed in by password confirmed the e-mail with a code."""
    _claim(request, email_address.user, email_address.email)


def _claim(request: HttpRequest, member: User, email: str) -> None:
    phone = take_joining_phone(request, member)
    # A second address of a member is not the one the member was imported with; a closed member stays closed.
    if member.is_active and member.email == email.lower():
        members.claim(member=member, email=email, at=timezone.now(), phone=phone)
