"""How allauth meets our members."""

import logging
import smtplib
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.signup import prevent_enumeration
from allauth.account.internal.templatekit import get_entrance_context_data
from allauth.account.models import EmailAddress, Login
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse, ReauthenticationRequired
from allauth.core.internal.httpkit import is_headless_request
from allauth.core.internal.ratelimit import respond_429
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from accounts import contacts, notices, second_factor
from accounts.models import User
from accounts.phones import NotAPhone, PhoneField, to_e164
from notify.channels import Refused, TryLater, sms

logger = logging.getLogger(__name__)

# Of the news allauth has about passwords; one message tells them all.
_PASSWORD_NEWS = {"password_set", "password_changed", "password_reset"}
_WAYS_TO_SHOW = {
    "reauthenticate": _("Use your password"),
    "mfa_reauthenticate": _("Use a code from your app"),
    "mfa_reauthenticate:webauthn": _("Use a passkey"),
    "sign_in_again": _("Sign in once more"),
}
_MISMATCH = _("The e-mail or phone and the password do not belong together.")
_TAKEN = _("This contact is on another record; our staff can join the two.")


class AccountAdapter(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _MISMATCH,
        "phone_password_mismatch": _MISMATCH,
        "username_password_mismatch": _MISMATCH,
        "incorrect_code": _("This is not the code we sent. Look again at the newest message."),
        "too_many_login_attempts": _("Too many tries. Please wait a little and try again."),
        "no_sms": _("We cannot send codes by SMS. Please use an e-mail."),
        "not_sent": _("We could not send the code. Please try again in a few minutes, or try the other contact."),
        "one_contact": _("Please give a phone or an e-mail, one of the two."),
        # Said to nobody but who has entered the code that went there.
        "email_taken": _TAKEN,
        "phone_taken": _TAKEN,
    }

    # ------------------------------------------------------------ joining and signing in
    def get_login_stages(self) -> list[str]:
        ours = {
            "allauth.account.stages.LoginByCodeStage": "accounts.stages.JoinByCodeStage",
            "allauth.account.stages.EmailVerificationStage": "accounts.stages.ContactStage",
            "allauth.mfa.stages.AuthenticateStage": "accounts.second_factor.SecondStep",
        }
        # A phone is proved by the code one signs in with; the one an import brought along is not asked about.
        kept = [stage for stage in super().get_login_stages() if not stage.endswith(".PhoneVerificationStage")]
        return [ours.get(stage, stage) for stage in kept]

    def is_login_by_code_required(self, login: Login) -> bool:
        # Who joins through a provider has shown who it is there.
        joins_here = login.signup and "sociallogin" not in (login.signal_kwargs or {})
        return joins_here or super().is_login_by_code_required(login)

    def save_user(self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True) -> User:
        user.language = translation.get_language() or user.language
        try:
            with transaction.atomic():
                return super().save_user(request, user, form, commit)
        except IntegrityError:
            # Two taps at once: the second is answered as everybody is whose contact is known.
            data = form.cleaned_data
            response = prevent_enumeration(request, email=data.get("email"), phone=data.get("phone"))
            raise ImmediateHttpResponse(self._as_asked(request, response)) from None

    def _as_asked(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """A page's redirect, or for an app what it has to do next."""
        if not is_headless_request(request):
            return response
        from allauth.headless.base.response import AuthenticationResponse

        return AuthenticationResponse.from_response(request, response)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("accounts:me")

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        # allauth counts failures by e-mail and forgets the phone: all phones together would share one small allowance.
        if phone := credentials.get("phone"):
            credentials["email"] = to_e164(phone)
        super().pre_authenticate(request, **credentials)

    def validation_error(self, code: str, *args: Any) -> ValidationError:
        # A limit is no mistake in a form: pages and apps get the 429, which tells when to come back.
        if code == "too_many_login_attempts":
            raise ImmediateHttpResponse(respond_429(self.request))
        return super().validation_error(code, *args)

    # ------------------------------------------------------------ is it still the same person?
    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        if not super().is_reauthentication_required(app=app, **kwargs):
            return False
        if second_factor.is_fresh(context.request, at=timezone.now()):
            return False
        # Raised here: allauth would let anybody pass who has neither password nor passkey, however long ago they came.
        raise ReauthenticationRequired

    def get_reauthentication_methods(self, user: Any) -> list[dict]:
        """allauth's own, and last of all what everybody can: sign in once more, with a code."""
        methods = [
            {**method, "description": _WAYS_TO_SHOW[method["id"]]}
            for method in super().get_reauthentication_methods(user)
            # Recovery codes alone are no way to show anything: they only stand in for an app's.
            if method["id"] != "mfa_reauthenticate" or second_factor.has_app(user)
        ]
        if user.is_authenticated:
            url = reverse("accounts:sign_in_again")
            methods.append({"id": "sign_in_again", "description": _WAYS_TO_SHOW["sign_in_again"], "url": url})
        return methods

    # ------------------------------------------------------------ another contact
    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """A code has proved the address: the member's own one at signing in, or the one to be used from now on."""
        member = email_address.user
        if member.email == email_address.email:
            return super().confirm_email(request, email_address)
        try:
            contacts.change_email(member=member, email=email_address.email, at=timezone.now())
        except contacts.ContactTaken:
            raise self._contact_taken() from None
        words = {"email": email_address.email}
        self.add_message(request, messages.SUCCESS, "account/messages/email_changed.txt", words)
        return True

    def get_email_verification_redirect_url(self, email_address: EmailAddress) -> str:
        return reverse("accounts:me")

    def can_delete_email(self, email_address: EmailAddress) -> bool:
        # A contact is replaced, never taken away: the last one would leave nobody to sign in.
        return not email_address.pk

    def send_confirmation_mail(self, request: HttpRequest, emailconfirmation: Any, signup: bool) -> None:
        address = emailconfirmation.email_address
        if owner := contacts.claimed_by_another(address.user, email=address.email):
            with translation.override(owner.language):
                self.send_mail("account/email/contact_tried", address.email, {})
        else:
            super().send_confirmation_mail(request, emailconfirmation, signup)

    def _contact_taken(self) -> ImmediateHttpResponse:
        if is_headless_request(self.request):
            from allauth.headless.internal.restkit.response import ErrorResponse

            error = ValidationError([self.validation_error("email_taken")])
            return ImmediateHttpResponse(ErrorResponse(self.request, exception=error))
        messages.error(self.request, _TAKEN)
        return ImmediateHttpResponse(redirect("accounts:me"))

    # ------------------------------------------------------------ mail
    def send_notification_mail(self, template_prefix: str, user: User, *args: Any, **kwargs: Any) -> None:
        # What allauth has to tell about passwords, passkeys and codes goes out as our own notices do.
        folder, _email, name = template_prefix.split("/")
        if name in _PASSWORD_NEWS:
            name = "password_changed"
        if folder == "mfa" or name == "password_changed":
            at = timezone.now()
            notices.tell(member=user, template=name, key=f"{name}-{user.pk}-{at.timestamp()}", at=at)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        # Links in mails are built from our own settings: the request's Host header is the sender's word.
        site = {"site_name": settings.SITE_NAME, "site_url": settings.SITE_URL}
        try:
            super().send_mail(template_prefix, email, {**context, **site})
        except (smtplib.SMTPException, OSError) as error:
            logger.warning("a mail about signing in was not taken: %s", type(error).__name__)
            raise self._not_sent() from error

    def _not_sent(self) -> ImmediateHttpResponse:
        """The answer 503, the same for members and strangers, when a mail or SMS was not taken."""
        response: HttpResponse
        if is_headless_request(self.request):
            from allauth.headless.internal.restkit.response import ErrorResponse

            error = ValidationError([self.validation_error("not_sent")])
            response = ErrorResponse(self.request, exception=error, status=HTTPStatus.SERVICE_UNAVAILABLE)
        else:
            doors = get_entrance_context_data(self.request)
            response = render(self.request, "account/code_not_sent.html", doors, status=HTTPStatus.SERVICE_UNAVAILABLE)
        response.headers["Retry-After"] = "60"  # seconds
        return ImmediateHttpResponse(response)

    # ------------------------------------------------------------ phones
    def phone_form_field(self, **kwargs: Any) -> PhoneField:
        return PhoneField(**kwargs)

    def set_phone(self, user: User, phone: str, verified: bool) -> None:
        user.phone = to_e164(phone)
        user.phone_verified_at = timezone.now() if verified else None
        user.save(update_fields=["phone", "phone_verified_at"])

    def get_phone(self, user: User) -> tuple[str, bool] | None:
        return (user.phone, user.phone_verified_at is not None) if user.phone else None

    def set_phone_verified(self, user: User, phone: str) -> None:
        # After a code to sign in members.claim has already written it down.
        if user.phone != phone or user.phone_verified_at is None:
            try:
                contacts.change_phone(member=user, phone=phone, at=timezone.now())
            except contacts.ContactTaken:
                raise self._contact_taken() from None

    def get_user_by_phone(self, phone: str) -> User | None:
        try:
            return User.objects.filter(phone=to_e164(phone)).first()
        except NotAPhone:
            return None

    # ------------------------------------------------------------ SMS
    def send_verification_code_sms(self, user: User, phone: str, code: str, **kwargs: Any) -> None:
        if not user.is_active:
            return self.send_unknown_account_sms(phone)
        if owner := contacts.claimed_by_another(user, phone=phone):
            with translation.override(owner.language):
                return self._send_sms("contact_tried", phone)
        # The domain in the last line lets phones offer the code where it belongs, and nowhere else.
        with translation.override(user.language):
            return self._send_sms("login_code", phone, code=code, domain=urlsplit(settings.SITE_URL).hostname)

    def send_unknown_account_sms(self, phone: str, **kwargs: Any) -> None:
        self._send_sms("unknown_account", phone)

    def send_account_already_exists_sms(self, phone: str) -> None:
        self._send_sms("account_already_exists", phone)

    def _send_sms(self, template: str, phone: str, **words: Any) -> None:
        words |= {"site_name": settings.SITE_NAME, "site_url": settings.SITE_URL}
        text = render_to_string(f"account/sms/{template}.txt", words).strip()
        try:
            sms.send_text(recipient=phone, text=text, key=f"sign-in-{uuid4()}")
        except (Refused, TryLater) as error:
            logger.warning("an SMS about signing in was not taken: %s", error)
            raise self._not_sent() from error
