"""What staff may write into the catalogue, and how a slip is told to them instead of to the database."""

from decimal import Decimal
from typing import Any, cast

from babel.core import Locale
from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from shop.admin.pictures import check_picture
from shop.money import round_money

_CLDR = Locale.parse("en")


class NamedForm(forms.ModelForm):
    """Anything with a name in two languages."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("name_zh") == "" and cleaned.get("name_en") == "":
            self.add_error("name_zh", _("Give it a name in at least one language."))
        return cleaned


class StoreForm(NamedForm):
    class Meta:
        widgets = {
            "accent_light": forms.TextInput(attrs={"type": "color"}),
            "accent_dark": forms.TextInput(attrs={"type": "color"}),
        }

    def clean_currency(self) -> str:
        currency = self.cleaned_data["currency"].upper()
        if currency not in _CLDR.currencies:
            raise forms.ValidationError(_("A currency code of ISO 4217, such as TWD."))
        return currency

    def clean_country(self) -> str:
        country = self.cleaned_data["country"].upper()
        if len(country) != 2 or country not in _CLDR.territories:
            raise forms.ValidationError(_("A country code of ISO 3166, such as TW."))
        return country


class ProductForm(NamedForm):
    package_size = forms.DecimalField(
        label=_("Package size"), min_value=Decimal("0.001"), max_digits=12, decimal_places=3, required=False
    )

    def clean_picture(self) -> Any:
        picture = self.cleaned_data["picture"]
        if isinstance(picture, UploadedFile):
            check_picture(picture)
        return picture


class OfferForm(forms.ModelForm):
    """One product in one store: what it costs, how many there are, whether it is on sale."""

    price = forms.DecimalField(label=_("Price"), min_value=Decimal(0), max_digits=12, decimal_places=2)
    currency = forms.CharField(
        label=_("Currency"), max_length=3, required=False, help_text=_("Empty: the currency of the store.")
    )
    # Also sent back as it was shown, because shoppers change it while staff look at it.
    stock = forms.IntegerField(
        label=_("Pieces in stock"),
        min_value=0,
        max_value=2**31 - 1,
        required=False,
        show_hidden_initial=True,
        help_text=_("Empty: not counted, so never sold out."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # An offer stays in its store, because orders point to it. One choice also spares a query a row.
        if self.instance.pk and (store := cast(forms.ModelChoiceField | None, self.fields.get("store"))):
            store.disabled = True
            store.choices = [(self.instance.store_id, str(self.instance.store))]

    def clean_stock(self) -> int | None:
        """An untouched number keeps what was sold meanwhile; a new one has to be meant for the number there is."""
        if self.instance.pk is None:
            return self.cleaned_data["stock"]
        if "stock" not in self.changed_data:
            return self.instance.stock
        stock = self["stock"]
        if stock.field.to_python(self.data.get(stock.html_initial_name)) != self.instance.stock:
            raise forms.ValidationError(
                _("The stock changed while this page was open. Open the page again and look at the new number.")
            )
        return self.cleaned_data["stock"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        store = self.instance.store if self.instance.pk else cleaned.get("store")
        if store is None:
            return cleaned
        product = cleaned.get("product")
        # Django skips this constraint in an inline.
        if not self.instance.pk and product and product.pk and store.offers.filter(product=product).exists():
            self.add_error("store", _("This store offers the product already: change that offer."))
        currency = (cleaned.get("currency") or store.currency).upper()
        if currency != store.currency:
            self.add_error("currency", _("This store sells in %(currency)s.") % {"currency": store.currency})
            return cleaned
        cleaned["currency"] = currency
        price = cleaned.get("price")
        if price is not None and price != (rounded := round_money(price, currency)):
            self.add_error(
                "price",
                _("Prices in %(currency)s have fewer decimals, such as %(example)s.")
                % {"currency": currency, "example": rounded},
            )
        return cleaned
