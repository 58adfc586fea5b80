"""The page that says who changed what, when, and from what to what; nothing on it can be changed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import display_for_field, unquote
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from accounts.models import History, User

_PAGE = 50


@dataclass(frozen=True, slots=True)
class Change:
    """A field from what to what, as staff read it."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a row at a moment; `who` is None where nobody was signed in: an import, a sale, a task."""

    at: datetime
    who: User | None
    what: str
    changes: Sequence[Change] = field(default_factory=tuple)


class HistoryPage(admin.ModelAdmin):
    """An admin of a model with a History."""

    def moments(self, row: Any) -> Iterable[Event]:
        """What the row itself tells of: shown among the changes."""
        return ()

    def hidden_fields(self, request: HttpRequest) -> set[str]:
        """Of what this member of staff is not told."""
        return set()

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        records = self.model.history.filter(**{self.opts.pk.attname: row.pk})
        page = Paginator(records, _PAGE).get_page(request.GET.get("p"))
        # One more than the page shows, to compare the oldest on it with.
        shown = list(_with_relations(records)[page.start_index() - 1 : page.end_index() + 1] if page else [])
        events = _events(shown, self.hidden_fields(request))[: len(page)]
        if not page.has_next():
            events += self.moments(row)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Changes of %(name)s") % {"name": row},
            "module_name": str(capfirst(self.opts.verbose_name_plural)),
            "object": row,
            "opts": self.opts,
            "page": page,
            "events": sorted((event for event in events if event), key=lambda event: event.at, reverse=True),
            "noted": _noted(row),
            "may_see_members": request.user.has_perm("accounts.view_user"),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/accounts/history.html", context)


def _with_relations(records: models.QuerySet[Any]) -> models.QuerySet[Any]:
    keys = [column.name for column in records.model._meta.fields if column.is_relation]
    return records.select_related(*keys)


def _noted(row: models.Model) -> list[LogEntry]:
    """What the admin itself wrote down: addresses, permissions and whatever else hangs on the row."""
    kind = ContentType.objects.get_for_model(row)
    return list(
        LogEntry.objects.filter(content_type=kind, object_id=str(row.pk)).select_related("user").order_by("-pk")[:_PAGE]
    )


def _events(records: list[Any], hidden: set[str]) -> list[Event | None]:
    """An event a record, newest first; None where nothing that may be told changed."""
    lists = _lists(records)
    events: list[Event | None] = []
    for position, record in enumerate(records):
        earlier = records[position + 1] if position + 1 < len(records) else None
        changes = [] if earlier is None else _changes(earlier, record, hidden) + _list_changes(earlier, record, lists)
        # By nobody and with nothing before it: what stood in the table before the first change.
        told = changes or (record.history_type != "~" and (record.history_user or record.history_type == "-"))
        words = {"+": _("Created"), "~": _("Changed"), "-": _("Deleted")}
        event = Event(record.history_date, record.history_user, words[record.history_type], changes)
        events.append(event if told else None)
    return events


def _changes(earlier: Any, later: Any, hidden: set[str]) -> list[Change]:
    return [
        Change(capfirst(str(column.verbose_name)), _shown(earlier, column), _shown(later, column))
        for column in later.tracked_fields
        if column.name not in hidden and getattr(earlier, column.attname) != getattr(later, column.attname)
    ]


def _shown(record: Any, column: models.Field) -> str:
    value = getattr(record, column.attname)
    if value in (None, ""):
        return "–"
    if isinstance(column, models.BooleanField):
        return _("Yes") if value else _("No")
    if column.is_relation:
        try:
            return str(getattr(record, column.name))
        except models.ObjectDoesNotExist:
            return f"#{value}"
    return str(display_for_field(value, column, "–"))


def _lists(records: list[Any]) -> dict[tuple[str, int], list[str]]:
    """What each record held of many-to-many fields: {(field, record): names}."""
    found: dict[tuple[str, int], list[str]] = {}
    for column in records[0]._history_m2m_fields if records else []:
        # The row through which the other side is found.
        other = column.m2m_reverse_field_name()
        rows = History.m2m_models[column]._base_manager.filter(history__in=records).select_related(other)
        for row in rows:
            found.setdefault((column.name, row.history_id), []).append(str(getattr(row, other)))
    return found


def _list_changes(earlier: Any, later: Any, lists: dict[tuple[str, int], list[str]]) -> list[Change]:
    changes = []
    for column in later._history_m2m_fields:
        before, after = (sorted(lists.get((column.name, record.pk), [])) for record in (earlier, later))
        if before != after:
            label = capfirst(str(column.verbose_name))
            changes.append(Change(label, ", ".join(before) or "–", ", ".join(after) or "–"))
    return changes
