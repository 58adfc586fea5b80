"""Reminders with the items they named."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from mylist.models import Reminder, ReminderLine
from notify.admin import ReadOnly
from shop.admin.search import MEMBER, RelatedSearch


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
