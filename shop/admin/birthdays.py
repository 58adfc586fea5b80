"""Doubtful birthdays, for staff to mend: confirmed, corrected or forgotten.

Here and not with the members, as the day of the first purchase tells most about a doubtful date.
"""

import secrets
from datetime import date
from typing import Any

from django.contrib import admin, messages
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts import birthdays
from accounts.models import DoubtfulBirthday, User
from notify.admin import ReadOnly
from shop import history

# Seconds in which what was forgotten can be taken back.
_UNDO_SECONDS = 3600


class BirthdayForm(ModelForm):
    def clean_birthday(self) -> date | None:
        birthday = self.cleaned_data["birthday"]
        if birthday is not None and "birthday" in self.changed_data:
            birthdays.check(birthday, member=self.instance, at=timezone.now())
        return birthday


class DoubtFilter(admin.SimpleListFilter):
    title = _("doubt")
    parameter_name = "doubt"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, Any]]:
        return list(birthdays.Doubt.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[DoubtfulBirthday]) -> QuerySet[DoubtfulBirthday]:
        if self.value() not in birthdays.Doubt:
            return queryset
        # SQLite knows no "contains" for JSON.
        return queryset.annotate(said=Cast("birthday_doubts", TextField())).filter(said__contains=f'"{self.value()}"')


@admin.register(DoubtfulBirthday)
class DoubtfulBirthdayAdmin(ReadOnly, admin.ModelAdmin):
    """A list to work off: what is mended is gone from it. It needs mend_birthdays and no other permission."""

    list_display = ["member_no", "name", "birthday", "doubts", "joined_on", "first_bought_on"]
    list_display_links = None
    list_editable = ["birthday"]
    list_filter = [DoubtFilter]
    search_fields = ["member_no", "name"]
    ordering = ["pk"]
    actions = ["confirm", "forget"]
    list_per_page = 50
    show_full_result_count = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.mend_birthdays")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("accounts.mend_birthdays")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("accounts.mend_birthdays")

    def get_urls(self) -> list[URLPattern]:
        # No page of one member: a form of this table would be a form of everything about the member.
        view = self.admin_site.admin_view
        return [
            path("", view(self.changelist_view), name="accounts_doubtfulbirthday_changelist"),
            path("undo/<slug:token>/", view(self.undo), name="accounts_doubtfulbirthday_undo"),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[DoubtfulBirthday]:
        doubtful = super().get_queryset(request).exclude(birthday_doubts=[])
        return doubtful.annotate(first_bought=history.first_day())

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> type[ModelForm]:
        return BirthdayForm

    def save_model(self, request: HttpRequest, obj: DoubtfulBirthday, form: ModelForm, change: bool) -> None:
        birthdays.change(member=obj, birthday=obj.birthday, source=User.BirthdaySource.STAFF, at=timezone.now())

    @admin.display(description=_("what speaks against it"))
    def doubts(self, member: DoubtfulBirthday) -> str:
        return " · ".join(str(birthdays.Doubt(doubt).label) for doubt in member.birthday_doubts)

    @admin.display(description=_("joined on"), ordering="joined_at")
    def joined_on(self, member: DoubtfulBirthday) -> str:
        return date_format(timezone.localtime(member.joined_at), "SHORT_DATE_FORMAT")

    @admin.display(description=_("first bought on"))
    def first_bought_on(self, member: DoubtfulBirthday) -> str | None:
        first: date | None = member.first_bought  # type: ignore[attr-defined]
        return date_format(first, "SHORT_DATE_FORMAT") if first else None

    @admin.action(description=_("They are right"), permissions=["change"])
    def confirm(self, request: HttpRequest, queryset: QuerySet[DoubtfulBirthday]) -> None:
        n = birthdays.confirm(_members(queryset), at=timezone.now())
        text = ngettext("%(n)d birthday is confirmed.", "%(n)d birthdays are confirmed.", n) % {"n": n}
        messages.success(request, text)

    @admin.action(description=_("Forget them"), permissions=["change"])
    def forget(self, request: HttpRequest, queryset: QuerySet[DoubtfulBirthday]) -> None:
        forgotten = birthdays.forget(_members(queryset))
        token = secrets.token_urlsafe(16)
        cache.set(_key(token), forgotten, _UNDO_SECONDS)
        n = len(forgotten)
        text = ngettext("%(n)d birthday is forgotten.", "%(n)d birthdays are forgotten.", n) % {"n": n}
        undo = reverse("admin:accounts_doubtfulbirthday_undo", args=[token])
        messages.success(request, format_html('{} <a href="{}">{}</a>', text, undo, gettext("Undo")))

    def undo(self, request: HttpRequest, token: str) -> HttpResponse:
        """Asks on GET, where the undo link leads; does it on POST."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        forgotten: birthdays.Forgotten | None = cache.get(_key(token))
        if forgotten is None:
            messages.error(request, gettext("That can no longer be undone."))
            return redirect("admin:accounts_doubtfulbirthday_changelist")
        if request.method != "POST":
            context = {
                **self.admin_site.each_context(request),
                "title": gettext("Undo"),
                "opts": self.opts,
                "n": len(forgotten),
            }
            return TemplateResponse(request, "admin/accounts/doubtfulbirthday/undo.html", context)
        n = birthdays.remember(forgotten)
        cache.delete(_key(token))
        text = ngettext("%(n)d birthday is back.", "%(n)d birthdays are back.", n) % {"n": n}
        messages.success(request, text)
        return redirect("admin:accounts_doubtfulbirthday_changelist")


def _members(doubtful: QuerySet[DoubtfulBirthday]) -> QuerySet[User]:
    return User.objects.filter(pk__in=doubtful.values("pk"))


def _key(token: str) -> str:
    return f"shop.birthdays.forgotten.{token}"
