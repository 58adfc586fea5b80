"""How allauth meets our members."""

from typing import Any, NoReturn

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.userkit import filter_users_by_email
from allauth.account.models import Login
from allauth.account.stages import LoginByCodeStage
from allauth.account.utils import get_next_redirect_url
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse, ReauthenticationRequired
from allauth.core.internal.httpkit import is_headless_request
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import notices, second_factor
from accounts.models import User
from accounts.phones import NotAPhone, PhoneField, to_e164

_MISMATCH = _("The e-mail or phone and the password do not belong together.")
# When the shortest limit lets go: codes are counted by the minute (and by the hour), wrong passwords by five minutes.
_RETRY_AFTER_SECONDS = {"request_login_code": 60, "login": 300}


class JoinByCodeStage(LoginByCodeStage):
    """Joining ends with a code to the e-mail, the same for everybody.

    allauth hands over a sign-up with a known e-mail without a member. Here its member is put back in, so that the code
    claims (or simply signs in) that member: nobody becomes a second member, and the pages do not tell who is one.
    """

    def handle(self):
        login = self.login
        if login.signup and login.user is None and login.email:
            known = filter_users_by_email(login.email, is_active=True, prefer_verified=True, for_login=True)
            login.user = known[0] if known else None
            login.redirect_url = get_next_redirect_url(self.request)
        return super().handle()


class AccountAdapter(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _MISMATCH,
        "phone_password_mismatch": _MISMATCH,
        "username_password_mismatch": _MISMATCH,
        "incorrect_code": _("This is not the code we sent. Look again at the newest mail."),
        "too_many_login_attempts": _("Too many tries. Please wait a little and try again."),
        "no_sms": _("We cannot send codes by SMS. Use an e-mail, or a password."),
    }

    # ------------------------------------------------------------ joining and signing in
    def get_login_stages(self) -> list[str]:
        own = f"{JoinByCodeStage.__module__}.{JoinByCodeStage.__qualname__}"
        theirs = f"{LoginByCodeStage.__module__}.{LoginByCodeStage.__qualname__}"
        # A phone is proved by the code one signs in with; the one an import brought along is not asked about.
        stages = [stage for stage in super().get_login_stages() if not stage.endswith(".PhoneVerificationStage")]
        replaced = {theirs: own, "allauth.mfa.stages.AuthenticateStage": "accounts.second_factor.SecondStep"}
        return [replaced.get(stage, stage) for stage in stages]

    def is_login_by_code_required(self, login: Login) -> bool:
        return login.signup or super().is_login_by_code_required(login)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("accounts:me")

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        # allauth counts failures by e-mail and forgets the phone: all phones together would share one small allowance.
        if phone := credentials.get("phone"):
            credentials["email"] = to_e164(phone)
        super().pre_authenticate(request, **credentials)

    def validation_error(self, code: str, *args: Any) -> ValidationError:
        # An app is told by the status what a page says in words.
        if code == "too_many_login_attempts" and is_headless_request(self.request):
            from allauth.headless.base.response import RateLimitResponse

            response = RateLimitResponse(self.request)
            response.headers["Retry-After"] = str(_RETRY_AFTER_SECONDS.get(self.request.resolver_match.url_name, 60))
            raise ImmediateHttpResponse(response)
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
            method
            for method in super().get_reauthentication_methods(user)
            # Recovery codes alone are no way to show anything: they only stand in for an app's.
            if method["id"] != "mfa_reauthenticate" or second_factor.has_app(user)
        ]
        if user.is_authenticated:
            url = reverse("accounts:sign_in_again")
            methods.append({"id": "sign_in_again", "description": _("Sign in once more"), "url": url})
        return methods

    # ------------------------------------------------------------ mail
    def send_notification_mail(self, template_prefix: str, user: User, *args: Any, **kwargs: Any) -> None:
        # What allauth has to tell about passkeys and codes goes out as our own notices do.
        if template_prefix.startswith("mfa/"):
            at = timezone.now()
            name = template_prefix.rpartition("/")[2]
            notices.tell(member=user, template=name, key=f"{name}-{user.pk}-{at.timestamp()}", at=at)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        # Links in mails are built from our own settings: the request's Host header is the sender's word.
        site = {"site_name": settings.SITE_NAME, "site_url": settings.SITE_URL}
        super().send_mail(template_prefix, email, {**context, **site})

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
        self.set_phone(user, phone, verified=True)

    def get_user_by_phone(self, phone: str) -> User | None:
        try:
            return User.objects.filter(phone=to_e164(phone)).first()
        except NotAPhone:
            return None

    # No SMS channel yet: pages do not offer it, and who asks for it all the same gets one answer, member or not.
    def send_verification_code_sms(self, user: User, phone: str, code: str, **kwargs: Any) -> NoReturn:
        self._refuse_sms()

    def send_unknown_account_sms(self, phone: str, **kwargs: Any) -> NoReturn:
        self._refuse_sms()

    def send_account_already_exists_sms(self, phone: str) -> NoReturn:
        self._refuse_sms()

    def _refuse_sms(self) -> NoReturn:
        if not is_headless_request(self.request):
            raise ImmediateHttpResponse(HttpResponseRedirect(reverse(settings.LOGIN_URL)))
        from allauth.headless.internal.restkit.response import ErrorResponse

        refusal = ValidationError([self.validation_error("no_sms")])
        raise ImmediateHttpResponse(ErrorResponse(self.request, exception=refusal))
