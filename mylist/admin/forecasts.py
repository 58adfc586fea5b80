"""What was forecast of each list item."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from mylist import lists
from mylist.models import Prediction
from mylist.words import staff_reason
from notify.admin import ReadOnly
from shop.admin.search import MEMBER, PRODUCT, RelatedSearch


class ChanceFilter(admin.SimpleListFilter):
    title = _("chance in 7 days")
    parameter_name = "chance"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("high", _("likely: half or more")),
            ("some", _("perhaps: a fifth to a half")),
            ("low", _("unlikely: below a fifth")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Prediction]) -> QuerySet[Prediction]:
        match self.value():
            case "high":
                return queryset.filter(p7__gte=0.5)
            case "some":
                return queryset.filter(p7__gte=0.2, p7__lt=0.5)
            case "low":
                return queryset.filter(p7__lt=0.2)
            case _:
                return queryset


# The words above the numbers they come from.
FORECAST = ["in_words", *(field.name for field in Prediction._meta.concrete_fields if not field.primary_key)]


class InWords:
    @admin.display(description=_("in words"))
    def in_words(self, prediction: Prediction) -> str:
        """What the list says of the item today, and why."""
        entry = lists.get(member=prediction.item.member, item_id=prediction.item_id, at=timezone.now())
        return staff_reason(entry.facts)


@admin.register(Prediction)
class PredictionAdmin(InWords, ReadOnly, RelatedSearch):
    list_display = [
        "item__product",
        "item__product__sku",
        "item__member",
        "item__member__member_no",
        "chance_7",
        "chance_28",
        "expected_on",
        "supply",
        "suggested_quantity",
        "model_version",
        "as_of",
    ]
    list_filter = [ChanceFilter, "expected_on", "as_of"]
    list_select_related = ["item__product", "item__member"]
    search_fields = ["model_version"]
    search_related = {"item__member": MEMBER, "item__product": PRODUCT}
    search_help_text = _("SKU, name or brand; member number, name, e-mail or phone; model version")
    ordering = ["-pk"]
    fields = ["item", *FORECAST]
    readonly_fields = ["in_words"]

    @admin.display(description=_("chance in 7 days"), ordering="p7")
    def chance_7(self, prediction: Prediction) -> str:
        return f"{prediction.p7:.0%}"

    @admin.display(description=_("chance in 28 days"), ordering="p28")
    def chance_28(self, prediction: Prediction) -> str:
        return f"{prediction.p28:.0%}"

    @admin.display(description=_("supply left"), ordering="supply_left")
    def supply(self, prediction: Prediction) -> str:
        return f"{prediction.supply_left:.0%}"
