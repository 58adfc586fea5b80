"""How much is in a package, and what a handful of it costs, in words."""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from shop.models import Offer, Product
from shop.money import digits, round_money

# Units a catalogue may name; any other is shown as the catalogue writes it.
_COUNTED = {
    "piece": ngettext_lazy("%(n)s piece", "%(n)s pieces", "many"),
    "sheet": ngettext_lazy("%(n)s sheet", "%(n)s sheets", "many"),
    "roll": ngettext_lazy("%(n)s roll", "%(n)s rolls", "many"),
    "capsule": ngettext_lazy("%(n)s capsule", "%(n)s capsules", "many"),
    "pair": ngettext_lazy("%(n)s pair", "%(n)s pairs", "many"),
    "pod": ngettext_lazy("%(n)s pod", "%(n)s pods", "many"),
    "wipe": ngettext_lazy("%(n)s wipe", "%(n)s wipes", "many"),
}
_MEASURED = {"ml": _("%(n)s ml"), "g": _("%(n)s g")}


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """`amount` buys `size` units; a power of ten, large enough for the amount to tell packages apart."""

    amount: Decimal
    size: int


def package_words(product: Product) -> str:
    """Such as "84 pieces" or "500 ml"; empty for a product of unknown size."""
    return "" if product.package_size is None else count_words(product.package_size, product.package_unit)


def count_words(size: Decimal | int, unit: str) -> str:
    """`size` of `unit` in the language of the moment."""
    number = f"{Decimal(size).normalize():,f}"
    if unit in _MEASURED:
        return str(_MEASURED[unit] % {"n": number})
    if unit in _COUNTED:
        return str(_COUNTED[unit] % {"n": number, "many": 1 if size == 1 else 2})
    return f"{number} {unit}".strip()


def unit_price(offer: Offer) -> UnitPrice | None:
    """What 1, 10, 100 ... units cost: the fewest whose price has two figures in the currency's coins."""
    size = offer.product.package_size
    if size is None or size <= 1 or not offer.price:
        return None
    coin = Decimal(1).scaleb(-digits(offer.currency))
    each = offer.price / size
    units = 1
    while each * units < 10 * coin:
        units *= 10
    return UnitPrice(round_money(each * units, offer.currency), units)
