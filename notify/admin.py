"""The outbox as staff see it: what was sent to whom and why something was not."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from notify.models import Message


class ReadOnly:
    """What happened stays as it happened: shown to whoever may view it, added, changed and deleted by nobody here."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Message)
class MessageAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["key", "recipient", "subject", "channel", "status", "due_at", "sent_at", "attempts"]
    list_filter = ["status", "channel", "due_at"]
    search_fields = ["key", "recipient", "subject"]
    search_help_text = _("Key, recipient or subject")
    ordering = ["-pk"]
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    # The HTML and the headers say what the text says, at length.
    exclude = ["html", "headers"]
