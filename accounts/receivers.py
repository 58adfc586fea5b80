"""What allauth announces: somebody proved a contact, and so claims the member who has it; somebody got a passkey."""

from http import HTTPStatus
from typing import Any

from allauth.account.internal.stagekit import clear_login, unstash_login
from allauth.account.models import EmailAddress
from allauth.account.signals import authentication_step_completed, email_confirmed
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal.httpkit import is_headless_request
from allauth.headless.base.response import AuthenticationResponse
from allauth.headless.internal.restkit.response import ErrorResponse
from allauth.mfa.adapter import get_adapter as get_mfa_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_used
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from accounts import contacts, devices, members, second_factor
from accounts.models import User


@receiver(authentication_step_completed, dispatch_uid="accounts.claim_by_code")
def claim_by_code(
    *, request: HttpRequest, method: str, user: User, email: str | None = None, phone: str | None = None, **_kwargs: Any
) -> None:
    """A code sent to the e-mail or phone was entered. Runs before allauth goes on to sign the member in."""
    if method != "code":
        return
    email, phone = (email or "").lower(), phone or ""
    if not contacts.is_own(user, email=email, phone=phone):
        # Changed after the code was sent: who has the old one has nothing to do with this member any more.
        raise ImmediateHttpResponse(_begin_again(request))
    login = unstash_login(request, peek=True)
    _claim(user, email=email, phone=phone, name=login.state.get("name", "") if login else "")


def _begin_again(request: HttpRequest) -> HttpResponse:
    clear_login(request)
    return AuthenticationResponse(request) if is_headless_request(request) else redirect("account_login")


@receiver(email_confirmed, dispatch_uid="accounts.claim_by_confirmation")
def claim_by_confirmation(*, email_address: EmailAddress, **_kwargs: Any) -> None:
    """A member who signed in by password confirmed the e-mail with a code."""
    _claim(email_address.user, email=email_address.email)


def _claim(member: User, *, email: str = "", phone: str = "", name: str = "") -> None:
    # A second address of a member is not the one the member was imported with; a closed member stays closed.
    if member.is_active and (phone or member.email == email.lower()):
        members.claim(member=member, email=email, phone=phone, name=name, at=timezone.now())


@receiver(authenticator_added, dispatch_uid="accounts.record_shown")
def record_shown(*, request: HttpRequest, authenticator: Authenticator, **_kwargs: Any) -> None:
    if authenticator.type in second_factor.FACTORS:
        second_factor.record_shown(request, authenticator)


@receiver(authenticator_used, dispatch_uid="accounts.renew_secrets")
def renew_secrets(*, user: User, **_kwargs: Any) -> None:
    if settings.SECRET_KEY_FALLBACKS:
        second_factor.renew_secrets(user)


@receiver(pre_delete, sender=Authenticator, dispatch_uid="accounts.keep_the_last_factor")
def keep_the_last_factor(*, instance: Authenticator, origin: object, **_kwargs: Any) -> None:
    """Staff cannot do without: asked here, as an app's way to delete one asks nobody. A colleague may, in the admin."""
    request = context.request
    own = request is not None and request.user == instance.user and origin is instance
    if own and second_factor.is_the_last_of_staff(instance):
        raise ImmediateHttpResponse(_refusal_to_delete(request))


def _refusal_to_delete(request: HttpRequest) -> HttpResponse:
    refusal = get_mfa_adapter().validation_error("cannot_delete_authenticator")
    if is_headless_request(request):
        return ErrorResponse(request, exception=refusal, status=HTTPStatus.CONFLICT)
    messages.error(request, refusal.messages[0])
    return redirect("mfa_index")


@receiver(user_logged_in, dispatch_uid="accounts.device_begins")
def device_begins(*, request: HttpRequest, **_kwargs: Any) -> None:
    devices.begin(request.session, at=timezone.now())
