"""Lists, forecasts and reminders as staff see them: to answer why a member saw or got what they did."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from mylist.models import FittedModel, ListItem, Prediction, Reminder, ReminderLine
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


class PredictionInline(ReadOnly, admin.StackedInline):
    model = Prediction
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


@admin.register(Prediction)
class PredictionAdmin(ReadOnly, RelatedSearch):
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

    @admin.display(description=_("chance in 7 days"), ordering="p7")
    def chance_7(self, prediction: Prediction) -> str:
        return f"{prediction.p7:.0%}"

    @admin.display(description=_("chance in 28 days"), ordering="p28")
    def chance_28(self, prediction: Prediction) -> str:
        return f"{prediction.p28:.0%}"

    @admin.display(description=_("supply left"), ordering="supply_left")
    def supply(self, prediction: Prediction) -> str:
        return f"{prediction.supply_left:.0%}"


@admin.register(FittedModel)
class FittedModelAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["version", "as_of", "fitted_at"]
    search_fields = ["version"]
    search_help_text = _("Model version")
    ordering = ["-pk"]


class ReminderLineInline(ReadOnly, admin.TabularInline):
    model = ReminderLine
    fields = ["item", "cycle_began_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReminderLine]:
        return super().get_queryset(request).select_related("item__product").order_by("pk")


@admin.register(Reminder)
class ReminderAdmin(ReadOnly, RelatedSearch):
    list_display = [
        "__str__",
        "member",
        "member__member_no",
        "status",
        "planned_at",
        "sent_at",
        "opened_at",
        "dropped_because",
    ]
    list_filter = ["status", "planned_at", ("opened_at", admin.EmptyFieldListFilter)]
    list_select_related = ["member"]
    search_fields = ["dropped_because"]
    search_related = {"member": MEMBER}
    search_help_text = _("Member number, name, e-mail or phone of the member; why it was dropped")
    ordering = ["-pk"]
    inlines = [ReminderLineInline]
