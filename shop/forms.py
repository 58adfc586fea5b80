"""What people type and tap in the shop."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.forms import AddressForm
from accounts.models import Address, User
from shop.models import PaymentMethod
from shop.orders import MAX_QUANTITY, Wanted

NEW_ADDRESS = "new"
MAX_LINES = 500


class AddForm(forms.Form):
    """So many packs of an offer; no number at all is one."""

    quantity = forms.IntegerField(min_value=1, max_value=MAX_QUANTITY, required=False)

    def clean_quantity(self) -> int:
        return self.cleaned_data["quantity"] or 1


class SetForm(forms.Form):
    """So many packs of an offer from now on; 0 is none."""

    quantity = forms.IntegerField(min_value=0, max_value=MAX_QUANTITY)


class WantedField(forms.CharField):
    """The lines a page showed: "offer:quantity:price" each, joined by commas, back as a list of Wanted."""

    widget = forms.HiddenInput

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return ",".join(f"{line.offer_id}:{line.quantity}:{line.unit_price}" for line in value)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        try:
            lines = [_wanted(line) for line in text.split(",")] if text else []
        except (ValueError, InvalidOperation):
            lines = None
        if lines is None or len({line.offer_id for line in lines}) < len(lines) or len(lines) > MAX_LINES:
            raise ValidationError(_("This page is out of date. Please look at it again."))
        return lines


def _wanted(text: str) -> Wanted:
    offer_id, quantity, price = text.split(":")
    line = Wanted(int(offer_id), int(quantity), Decimal(price))
    if not (0 < line.offer_id < 2**63 and 1 <= line.quantity <= MAX_QUANTITY and Decimal(price).is_finite()):
        raise ValueError(text)
    return line


class PaymentForm(forms.Form):
    payment = forms.ChoiceField(label=_("Payment"), choices=PaymentMethod.Kind.choices, widget=forms.RadioSelect)


class NewPaymentForm(forms.Form):
    """One of the ways to pay that the member does not have yet."""

    kind = forms.ChoiceField(label=_("Another way to pay"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, kept: list[PaymentMethod], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = {method.kind for method in kept}
        choices = [choice for choice in PaymentMethod.Kind.choices if choice[0] not in known]
        self.fields["kind"].choices = choices  # type: ignore[attr-defined]
        self.fields["kind"].initial = choices[0][0] if choices else None


class CheckoutForm(PaymentForm):
    """What was shown, under which key, where to and how paid; a new address comes in a form of its own."""

    address = forms.ChoiceField(label=_("Deliver to"), widget=forms.RadioSelect)
    wanted = WantedField()
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)
    field_order = ("address", "payment", "wanted", "key")

    def __init__(self, *args: Any, addresses: list[Address], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [(str(address.pk), f"{address.recipient}, {address}") for address in addresses]
        self.fields["address"].choices = [*known, (NEW_ADDRESS, _("Another address"))]  # type: ignore[attr-defined]
        if not known:
            self.fields["address"].widget = forms.HiddenInput()

    @property
    def address_id(self) -> int | None:
        """The chosen one of the address book; None for a new one."""
        chosen = self.cleaned_data["address"]
        return None if chosen == NEW_ADDRESS else int(chosen)


class NewAddressForm(AddressForm):
    """An address given while buying; whether it is the default goes without asking: the first one is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.pop("make_default", None)


def first_address(member: User) -> dict[str, str]:
    """What is known for the first address of a member who has none."""
    return {"recipient": member.name, "phone": member.phone}
