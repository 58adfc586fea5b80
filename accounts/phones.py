"""Phone numbers as people write them, kept as E.164."""

from typing import Any

import phonenumbers
from django import forms
from django.utils.translation import gettext_lazy as _

HOME_REGION = "TW"
NOT_A_PHONE = _("This is not a phone number. Try it like 0912 345 678 or +886 912 345 678.")


class NotAPhone(ValueError):
    """What was typed cannot be the number of a phone."""


def to_e164(typed: str, region: str = HOME_REGION) -> str:
    """`0912-345 678` -> `+886912345678`; a number without a country code is read as one of `region` (ISO 3166).

    Raises NotAPhone for what no phone in the world can have.
    """
    try:
        number = phonenumbers.parse(typed, region)
    except phonenumbers.NumberParseException as error:
        raise NotAPhone(typed) from error
    if not phonenumbers.is_valid_number(number):
        raise NotAPhone(typed)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def for_people(e164: str) -> str:
    """`+886912345678` -> `0912 345 678` at home, with the country code for numbers from elsewhere."""
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    home = phonenumbers.region_code_for_number(number) == HOME_REGION
    style = phonenumbers.PhoneNumberFormat.NATIONAL if home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, style)


class PhoneField(forms.CharField):
    """A phone number as people write it; cleaned to E.164."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Phone"))
        kwargs.setdefault("max_length", 32)
        widget = forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"})
        super().__init__(**{"widget": widget, **kwargs})

    def clean(self, value: Any) -> str:
        typed = super().clean(value)
        if not typed:
            return ""
        try:
            return to_e164(typed)
        except NotAPhone as error:
            raise forms.ValidationError(NOT_A_PHONE, code="invalid_phone") from error
