"""What members type, or choose, about their accounts elsewhere: on the page, and in an app."""

from typing import Any, NamedTuple

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from allauth.headless.internal.restkit import inputs
from allauth.socialaccount import signals
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.forms import DisconnectForm as AllauthDisconnectForm
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django import forms
from django.contrib import messages
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.providers import entering


class NameForm(forms.Form):
    """The one thing asked of a newcomer whose provider does not tell a name."""

    name = forms.CharField(
        label=_("Name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name", "autofocus": True})
    )

    def __init__(self, *args: Any, sociallogin: SocialLogin, **kwargs: Any) -> None:
        self.sociallogin = sociallogin
        super().__init__(*args, **kwargs)

    def try_save(self, request: HttpRequest) -> tuple[User, None]:
        """allauth's name for saving; its second answer would be a page instead of the sign-in."""
        return get_adapter().save_user(request, self.sociallogin, form=self), None


class NameInput(NameForm, inputs.Input):
    """The same, from an app."""


class Connected(NamedTuple):
    account: SocialAccount
    name: str
    """The provider's."""
    shown: str
    """The e-mail or name the member has there."""


class DisconnectForm(AllauthDisconnectForm):
    """Which account elsewhere shall no longer open this one."""

    def clean(self) -> dict[str, Any]:
        # Not allauth's own clean: it asks for a password before it lets go of the last one; here a code is enough.
        cleaned_data = forms.Form.clean(self) or {}
        if account := cleaned_data.get("account"):
            get_adapter().validate_disconnect(account, self.accounts)
        return cleaned_data

    def save(self) -> None:
        disconnect(self.request, self.cleaned_data["account"])

    def connected(self) -> list[Connected]:
        """The member's accounts, those of providers no longer offered included."""
        names = entering.configured()
        return [
            Connected(
                account,
                names.get(account.provider, account.provider),
                account.extra_data.get("email") or account.extra_data.get("name") or "",
            )
            for account in self.accounts.order_by("pk")
        ]


class DisconnectInput(inputs.Input):
    """The same, from an app, which names the provider and the member's id there."""

    provider = inputs.CharField()
    account = inputs.CharField()

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        self.accounts = SocialAccount.objects.filter(user=user)
        super().__init__(*args, **kwargs)

    def clean(self) -> dict[str, Any]:
        cleaned_data = super().clean() or {}
        wanted = {"provider": cleaned_data.get("provider"), "uid": cleaned_data.get("account")}
        account = self.accounts.filter(**wanted).first()
        if account is None:
            raise forms.ValidationError(_("There is no such account."), code="account_not_found")
        get_adapter().validate_disconnect(account, self.accounts)
        return {**cleaned_data, "account": account}


def disconnect(request: HttpRequest, account: SocialAccount) -> None:
    """Raises ReauthenticationRequired, as connecting does, when the member signed in too long ago."""
    raise_if_reauthentication_required(request, app="allauth.socialaccount")
    try:
        entering.disconnect(account=account, at=timezone.now())
    except entering.LastWayIn:
        # Another tab was quicker with another account: this one has become the last.
        words = get_adapter().error_messages["disconnect_last"]
        get_account_adapter().add_message(request, messages.ERROR, message=words)
        return
    signals.social_account_removed.send(sender=SocialAccount, request=request, socialaccount=account)
    get_account_adapter().add_message(request, messages.SUCCESS, "socialaccount/messages/account_disconnected.txt")
