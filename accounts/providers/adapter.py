"""How accounts elsewhere meet our members, in allauth's hooks."""

import logging
import secrets
from typing import Any

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, _build_apps_from_settings
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from allauth.socialaccount.providers.base.constants import AuthProcess
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.providers import entering

logger = logging.getLogger(__name__)


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    error_messages = {
        **DefaultSocialAccountAdapter.error_messages,
        "invalid_token": _("This sign-in is not valid, or no longer. Please try again."),
        "connected_other": _("This account, or its e-mail, belongs to another member."),
        "disconnect_last": _("This is your only way to sign in. Add an e-mail or a phone first."),
    }

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """Those of the environment. allauth would look into the database as well, several times a request."""
        apps = _build_apps_from_settings(provider=provider, client_id=client_id)
        return [app for apps_of_kind in apps.values() for app in apps_of_kind]

    # ------------------------------------------------------------ who the provider says it is
    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        """The member to be, should there be none yet: with the name, and with the e-mail only if it is proved."""
        name = _plain(data.get("name"))[: User._meta.get_field("name").max_length]
        proved = [
            address.email
            for address in sociallogin.email_addresses
            if address.verified and self.can_authenticate_by_email(sociallogin, address.email)
        ]
        # allauth would ask about each of these and keep them; the proved one goes with the member.
        sociallogin.email_addresses = []
        # Of all that providers tell, no more than what tells one account from another on the member's page.
        sociallogin.account.extra_data = {"name": name, "email": _plain(data.get("email"))}
        user: User = sociallogin.user
        user.name, user.email = name, proved[0] if proved else ""
        return user

    def authenticate_by_email(self, sociallogin: SocialLogin) -> tuple[User, str] | None:
        email = sociallogin.user.email
        member = entering.owner(email) if email else None
        return (member, email) if member else None

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Called with whom allauth has found: the member tied to the account, else the one with its proved e-mail."""
        nonce = sociallogin.state.get("nonce")
        if nonce and not secrets.compare_digest(nonce.encode(), str(sociallogin.nonce).encode()):
            raise PermissionDenied("The answer is to another question.")
        sociallogin.token = None  # nothing is ever asked of the provider afterwards; kept nowhere, it cannot leak
        by_email, sociallogin._did_authenticate_by_email = sociallogin._did_authenticate_by_email, None
        if by_email and sociallogin.state.get("process") == AuthProcess.LOGIN and sociallogin.user.is_active:
            self._enter(sociallogin, sociallogin.account.extra_data["name"], by_email)

    # ------------------------------------------------------------ joining
    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return bool(sociallogin.user.name)  # else it is asked, and nothing else

    def get_signup_form_initial_data(self, sociallogin: SocialLogin) -> dict[str, str]:
        return {}

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Form | None = None) -> User:
        name = form.cleaned_data["name"] if form else sociallogin.user.name
        return self._enter(sociallogin, name, sociallogin.user.email)

    def _enter(self, sociallogin: SocialLogin, name: str, email: str) -> User:
        account: SocialAccount = sociallogin.account
        sociallogin.account = entering.enter(
            newcomer=entering.Newcomer(account.provider, account.uid, name, email, account.extra_data),
            language=_language(),
            at=timezone.now(),
        )
        sociallogin.user = sociallogin.account.user
        return sociallogin.user

    # ------------------------------------------------------------ connecting
    def validate_disconnect(self, account: SocialAccount, accounts: Any) -> None:
        if entering.is_last_way_in(account):
            raise self.validation_error("disconnect_last")

    def send_notification_mail(self, template_prefix: str, user: User, context: dict[str, Any], **kwargs: Any) -> None:
        """allauth's word that the member has connected an account elsewhere."""
        entering.tell_of_connection(account=context["account"], at=timezone.now())

    # ------------------------------------------------------------ failures
    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        # The exception's name and no more: its words may hold a token, or the address of somebody.
        logger.warning(
            "Signing in with %s failed: %s, %s", getattr(provider, "sub_id", "?"), error, type(exception).__name__
        )


def _plain(text: Any) -> str:
    """A line as a person would write it; PostgreSQL refuses some of what is left out."""
    return "".join(letter for letter in text if letter.isprintable()).strip() if isinstance(text, str) else ""


def _language() -> str:
    language = (get_language() or "").lower()
    return language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
