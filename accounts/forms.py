"""What people type about themselves."""

import re
from typing import Any

import phonenumbers
from babel import Locale
from django import forms
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext_lazy as _

from accounts.models import Address
from accounts.phones import HOME_REGION, NotAPhone, to_e164


class SignupForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=150)

    def signup(self, request, user):
        user.name = self.cleaned_data["name"]
        user.save(update_fields=["name"])


def country_choices() -> list[tuple[str, str]]:
    """Every country with telephones, named in the language of the moment: Taiwan first, the others by name."""
    names = Locale.parse(to_locale(get_language() or "en")).territories
    others = sorted(phonenumbers.SUPPORTED_REGIONS - {HOME_REGION}, key=lambda code: names.get(code, code))
    return [(code, names.get(code, code)) for code in [HOME_REGION, *others]]


class AddressForm(forms.ModelForm):
    """An address in Taiwan or elsewhere; `cleaned_data` fits accounts.members.save_address as it is."""

    make_default = forms.BooleanField(label=_("Deliver here from now on"), required=False)

    class Meta:
        model = Address
        fields = ["recipient", "phone", "country", "postal_code", "city", "street"]
        labels = {
            "recipient": _("Recipient"),
            "phone": _("Phone"),
            "country": _("Country or region"),
            "postal_code": _("Postal code"),
            "city": _("City and district"),
            "street": _("Street and number"),
        }
        help_texts = {"country": "", "phone": _("For the courier only.")}
        widgets = {
            "recipient": forms.TextInput(attrs={"autocomplete": "shipping name"}),
            "phone": forms.TextInput(attrs={"type": "tel", "autocomplete": "shipping tel", "inputmode": "tel"}),
            "country": forms.Select(attrs={"autocomplete": "shipping country"}),
            "postal_code": forms.TextInput(attrs={"autocomplete": "shipping postal-code"}),
            "city": forms.TextInput(attrs={"autocomplete": "shipping address-level2"}),
            "street": forms.TextInput(attrs={"autocomplete": "shipping street-address"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"] = forms.ChoiceField(
            label=self.fields["country"].label,
            choices=country_choices,
            initial=HOME_REGION,
            widget=forms.Select(attrs={"autocomplete": "shipping country"}),
        )
        if self.instance.pk:
            # The one default is given away by choosing another, never by taking the tick off.
            self.fields["make_default"].initial = self.instance.is_default
            self.fields["make_default"].disabled = self.instance.is_default

    def clean_postal_code(self) -> str:
        return self.cleaned_data["postal_code"].replace(" ", "").upper()

    def clean(self) -> dict[str, Any]:
        super().clean()
        country = self.cleaned_data.get("country", HOME_REGION)
        postal_code = self.cleaned_data.get("postal_code", "")
        if country == HOME_REGION and not re.fullmatch(r"\d{3}(\d{2,3})?", postal_code):
            self.add_error("postal_code", _("A postal code in Taiwan has 3, 5 or 6 digits, such as 106."))
        if phone := self.cleaned_data.get("phone"):
            try:
                self.cleaned_data["phone"] = to_e164(phone, country)
            except NotAPhone:
                self.add_error("phone", _("This is not a phone number. Try it like 0912 345 678 or +886 912 345 678."))
        return self.cleaned_data
