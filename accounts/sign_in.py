"""allauth's forms for joining and signing in, in our words: one field takes a phone or an e-mail.

Apart from accounts.forms, because allauth's own forms are built on the JoinForm there.
"""

import unicodedata
from typing import Any

from allauth.account import forms as allauth_forms
from allauth.core import context
from allauth.headless.account.inputs import RequestLoginCodeInput, SignupInput
from django import forms
from django.core.validators import EmailValidator
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts import second_factor
from accounts.forms import check_contact
from accounts.phones import NotAPhone, to_e164
from notify.channels import sms

_is_email = EmailValidator(_("This e-mail is not complete. Try it like mei@example.com."), code="invalid_contact")
EMAIL_INPUT = {"type": "email", "autocomplete": "email", "inputmode": "email", "autocapitalize": "none"}


class ContactField(forms.CharField):
    """A phone or an e-mail, as people type it; cleaned to {"phone": E.164} or {"email": in lower case}."""

    default_error_messages = {
        "required": _("Please give a phone or an e-mail."),
        "invalid_contact": _("This is neither a phone nor an e-mail. Try it like 0912 345 678 or mei@example.com."),
    }

    def __init__(self, *, autocomplete: str = "tel", **kwargs: Any) -> None:
        # This keyboard of phones has digits beside the letters and the @.
        attrs = {"autocomplete": autocomplete, "inputmode": "email", "autocapitalize": "none", "spellcheck": "false"}
        super().__init__(max_length=254, widget=forms.TextInput(attrs=attrs), **kwargs)

    def clean(self, value: Any) -> Any:
        # Keyboards for Chinese offer letters, digits and the @ in full width, too.
        typed = unicodedata.normalize("NFKC", super().clean(value))
        if "@" in typed:
            _is_email(typed)
            return {"email": typed.lower()}
        try:
            return {"phone": to_e164(typed)}
        except NotAPhone as error:
            raise forms.ValidationError(self.error_messages["invalid_contact"], code="invalid_contact") from error


class NameWaits:
    """The name is written down when the contact is proved: until then it is a stranger's word about its owner.

    It waits with the login that this begins (accounts.stages), new member or not.
    """

    def try_save(self, request: HttpRequest) -> Any:
        request.joining_name = self.cleaned_data["name"]  # type: ignore[attr-defined]
        return super().try_save(request)  # type: ignore[misc]


class JoinInput(NameWaits, SignupInput):
    """accounts.forms.JoinForm as allauth completes it for apps."""


class JoinPageForm(NameWaits, allauth_forms.SignupForm):
    """accounts.forms.JoinForm as allauth completes it for the page."""

    contact = ContactField()
    field_order = ["name", "contact"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _ask_for_one(self)
        self.fields["name"].widget.attrs["autofocus"] = True

    def clean_contact(self) -> dict[str, str]:
        contact = self.cleaned_data["contact"]
        # allauth goes on as if its own two fields had been filled in.
        self.cleaned_data |= contact
        if "email" in contact:
            self.cleaned_data["email"] = self.clean_email()
        return contact


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
    """A code by e-mail or SMS."""

    contact = ContactField(autocomplete="username")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _ask_for_one(self)
        self.fields["contact"].widget.attrs["autofocus"] = True

    def clean_contact(self) -> dict[str, str]:
        contact = self.cleaned_data["contact"]
        check_contact(contact)
        self.cleaned_data |= contact
        # Both of allauth's own look for the member and count the request.
        self.clean_email() if "email" in contact else self.clean_phone()
        return contact


def _ask_for_one(form: forms.Form) -> None:
    """Leave out allauth's own fields for e-mail and phone, and ask for a phone only where there are SMS."""
    del form.fields["email"], form.fields["phone"]
    form.fields["contact"].label = _("Phone or e-mail") if sms.is_available() else _("E-mail")


class RequestCodeInput(RequestLoginCodeInput):
    """The same for apps, which say whether it is an e-mail or a phone. allauth's own breaks when it is neither."""

    def clean(self) -> dict[str, Any]:
        if not self.errors:
            check_contact(self.cleaned_data)
        return super().clean()


class ResetPasswordForm(allauth_forms.ResetPasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail")
        self.fields["email"].widget.attrs = dict(EMAIL_INPUT)


class ChangePasswordForm(allauth_forms.ChangePasswordForm):
    """The old one is not asked of who has just come in: by a code, perhaps, because it is forgotten."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if second_factor.is_fresh(context.request, at=timezone.now()):
            del self.fields["oldpassword"]


class _CodeMixin:
    """Six digits: the phone shows its number pad and offers the code from the message."""

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


class ConfirmPhoneCodeForm(_CodeMixin, allauth_forms.VerifyPhoneForm):
    pass


class ConfirmPasswordResetCodeForm(_CodeMixin, allauth_forms.ConfirmPasswordResetCodeForm):
    pass
