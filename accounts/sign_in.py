"""allauth's forms for signing in, in our words.

Apart from accounts.forms, because allauth's own forms are built on the JoinForm there.
"""

from typing import Any

from allauth.account import forms as allauth_forms
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

_EMAIL = {"type": "email", "autocomplete": "email", "inputmode": "email", "autocapitalize": "none"}


class JoinPageForm(allauth_forms.SignupForm):
    """accounts.forms.JoinForm as allauth completes it for the page."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail")
        self.fields["email"].widget.attrs = dict(_EMAIL)


class SignInForm(allauth_forms.LoginForm):
    """By e-mail or phone and a password, for those who have one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("E-mail or phone")
        self.fields["login"].widget.attrs = {"autocomplete": "username", "autocapitalize": "none"}
        self.fields["password"].widget.attrs.pop("placeholder", None)

    def _setup_password_field(self) -> None:
        # allauth drops the password wherever joining does not ask for one; ours is set later, by those who want it.
        self.fields["password"].help_text = ""

    @cached_property
    def code_form(self) -> "RequestCodeForm":
        """The other way in, on the same page."""
        return RequestCodeForm()


class RequestCodeForm(allauth_forms.RequestLoginCodeForm):
    """A code by e-mail. No phone: there is no SMS channel to send one by."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["phone"]
        self.fields["email"].required = True
        self.fields["email"].label = _("E-mail")
        self.fields["email"].widget.attrs = dict(_EMAIL)


class _CodeMixin:
    """Six digits: the phone shows its number pad and offers the code from the mail."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = _("Six-digit code")  # type: ignore[attr-defined]
        self.fields["code"].widget.attrs = {  # type: ignore[attr-defined]
            "autocomplete": "one-time-code",
            "inputmode": "numeric",
            "maxlength": "8",
            "autofocus": True,
        }


class ConfirmLoginCodeForm(_CodeMixin, allauth_forms.ConfirmLoginCodeForm):
    pass


class ConfirmEmailCodeForm(_CodeMixin, allauth_forms.ConfirmEmailVerificationCodeForm):
    pass


class ConfirmPasswordResetCodeForm(_CodeMixin, allauth_forms.ConfirmPasswordResetCodeForm):
    pass
