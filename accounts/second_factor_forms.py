"""allauth's forms for passkeys and an app's codes, in our words."""

from typing import Any

from allauth.mfa.base import forms as base_forms
from allauth.mfa.totp import forms as totp_forms
from allauth.mfa.webauthn import forms as webauthn_forms
from django import forms
from django.utils.translation import gettext_lazy as _

_CODE = {"autocomplete": "one-time-code", "autofocus": True}


class _AppCodeMixin:
    """Six digits of an app, or the eight of a recovery code."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = _("Code from your app")  # type: ignore[attr-defined]
        self.fields["code"].widget.attrs = {**_CODE, "inputmode": "numeric", "maxlength": "9"}  # type: ignore[attr-defined]


class AuthenticateForm(_AppCodeMixin, base_forms.AuthenticateForm):
    pass


class ReauthenticateForm(_AppCodeMixin, base_forms.ReauthenticateForm):
    pass


class ActivateAppForm(_AppCodeMixin, totp_forms.ActivateTOTPForm):
    pass


class AddPasskeyForm(webauthn_forms.AddWebAuthnForm):
    """A name to tell it apart by. Every passkey here signs in by itself: kept on the device, it asks who it is."""

    name = forms.CharField(label=_("Name of the device"), max_length=60, required=False)
    passwordless = forms.BooleanField(initial=True, widget=forms.CheckboxInput(attrs={"hidden": True}))


class RenamePasskeyForm(webauthn_forms.EditWebAuthnForm):
    name = forms.CharField(label=_("Name of the device"), max_length=60)
