"""The steps between showing who one is and being signed in, where ours differ from allauth's."""

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows import login_by_code
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.userkit import filter_users_by_email
from allauth.account.stages import EmailVerificationStage, LoginByCodeStage
from allauth.account.utils import get_next_redirect_url
from allauth.core.internal.httpkit import headed_redirect_response

from accounts.models import User

_BY_PASSWORD = {"password", "password_reset"}


class JoinByCodeStage(LoginByCodeStage):
    """Joining ends with a code to the contact that was typed, the same for everybody.

    allauth hands over a sign-up with a known contact without a member. Here its member is put back in, so that the code
    claims (or simply signs in) that member: nobody becomes a second member, and the pages do not tell who is one.
    """

    def handle(self):
        login = self.login
        if self.state or not login.signup or not get_adapter().is_login_by_code_required(login):
            return super().handle()
        email, phone = login.email, login.phone
        if login.user:  # new a moment ago, with nothing but what was typed
            email, phone = login.user.email, login.user.phone
        else:
            login.user = _member_with(email, phone)
            login.redirect_url = get_next_redirect_url(self.request)
        login.state["name"] = getattr(self.request, "joining_name", "")
        login_by_code.LoginCodeVerificationProcess.initiate(
            request=self.request, user=login.user, email=email or None, phone=phone or None, stage=self
        )
        self.state["login_by_code_required"] = True
        return headed_redirect_response("account_confirm_login_code"), True


class ContactStage(EmailVerificationStage):
    """Nobody gets in by a password alone who has never proved a contact; all other ways in are a proof themselves."""

    def handle(self):
        member = self.login.user
        records = get_authentication_records(self.request, member)
        by_password = bool(records) and records[-1]["method"] in _BY_PASSWORD
        if member is None or (by_password and member.claimed_at is None):
            return super().handle()
        return None, True


class LoginProcess(login_by_code.LoginCodeVerificationProcess):
    """Strangers may ask for another code by phone like everybody; allauth's own breaks off where there is no member."""

    def generate_code(self) -> str:
        return super().generate_code() if self.user else ""


def install() -> None:
    """Let allauth's views, of pages and apps, work with LoginProcess; called once, at start-up."""
    login_by_code.LoginCodeVerificationProcess = LoginProcess


def _member_with(email: str | None, phone: str | None) -> User | None:
    if email:
        found = filter_users_by_email(email, is_active=True, prefer_verified=True, for_login=True)
        return found[0] if found else None
    member = get_adapter().get_user_by_phone(phone)
    return member if member and member.is_active else None
