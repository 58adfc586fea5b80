"""The list items of members with their wishes."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from mylist.admin.forecasts import FORECAST, InWords
from mylist.models import ListItem, Prediction
from notify.admin import ReadOnly
from shop.admin.search import MEMBER, PRODUCT, RelatedSearch


class WishFilter(admin.SimpleListFilter):
    title = _("member's wish")
    parameter_name = "wish"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("pinned", _("pinned")),
            ("hidden", _("hidden")),
            ("snoozed", _("snoozed")),
            ("none", _("none")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ListItem]) -> QuerySet[ListItem]:
        snoozed = Q(snoozed_until__gt=timezone.now())
        match self.value():
            case "pinned":
                return queryset.exclude(pinned_at=None)
            case "hidden":
                return queryset.exclude(hidden_at=None)
            case "snoozed":
                return queryset.filter(snoozed)
            case "none":
                return queryset.filter(pinned_at=None, hidden_at=None).exclude(snoozed)
            case _:
                return queryset


class PredictionInline(InWords, ReadOnly, admin.StackedInline):
    model = Prediction
    fields = [*FORECAST]
    readonly_fields = ["in_words"]
    show_change_link = True


@admin.register(ListItem)
class ListItemAdmin(ReadOnly, RelatedSearch):
    list_display = [
        "product",
        "product__sku",
        "member",
        "member__member_no",
        "last_bought_at",
        "times_bought",
        "pinned_at",
        "hidden_at",
        "snoozed_until",
    ]
    list_filter = [WishFilter, "last_bought_at"]
    list_select_related = ["product", "member"]
    # Nothing of its own to search by; Django shows the search box only if this is not empty.
    search_fields = ["product__sku"]
    search_related = {"member": MEMBER, "product": PRODUCT}
    search_help_text = _("SKU, name or brand of the product; member number, name, e-mail or phone of the member")
    ordering = ["-pk"]
    inlines = [PredictionInline]
