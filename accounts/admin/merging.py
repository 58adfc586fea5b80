"""Making two records of one person one: found, compared, done, taken back."""

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import merges
from accounts.models import Merge, User
from notify.admin import ReadOnly

_PERMISSION = "accounts.merge_members"
_FOUND = 20


def may_merge(request: HttpRequest) -> bool:
    return request.user.has_perm(_PERMISSION) and request.user.has_perm("accounts.view_contacts")


class Merging(admin.ModelAdmin):
    """The part of the members' admin that makes a record one with another."""

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site
        return [
            path("<int:pk>/merge/", site.admin_view(self.find_other), name="accounts_user_merge"),
            path("<int:pk>/merge/<int:other>/", site.admin_view(self.compare), name="accounts_user_compare"),
            *super().get_urls(),
        ]

    def find_other(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The other record of the same person: who shares something with this one, or what is searched for."""
        kept = self._member(request, pk)
        wanted = request.GET.get("q", "").strip()
        others = User.objects.exclude(pk=kept.pk).filter(is_active=True, is_staff=False, is_superuser=False)
        if wanted:
            like = [Q((f"{field}__icontains", wanted)) for field in ("member_no", "name", "email", "phone")]
            found = others.filter(like[0] | like[1] | like[2] | like[3])
        else:
            same = Q(name=kept.name) & ~Q(name="")
            if kept.birthday:
                same |= Q(birthday=kept.birthday) & Q(name__istartswith=kept.name[:1])
            found = others.filter(same)
        rows = list(found.order_by("-joined_at", "-pk")[: _FOUND + 1])
        return self._show(
            request,
            "admin/accounts/merge_find.html",
            kept,
            title=_("Merge %(name)s with …") % {"name": kept},
            wanted=wanted,
            found=rows[:_FOUND],
            more=len(rows) > _FOUND,
        )

    def compare(self, request: HttpRequest, pk: int, other: int) -> HttpResponse:
        """What would become of both on GET; done on POST."""
        kept, merged = self._member(request, pk), get_object_or_404(User, pk=other)
        if request.method == "POST":
            return self._merge(request, kept, merged)
        return self._show(
            request,
            "admin/accounts/merge_compare.html",
            kept,
            title=_("Merge two records"),
            merged=merged,
            preview=merges.preview(kept=kept, merged=merged),
            exchange=merges.hindrance(merged, kept) is None,
            days=merges.WAY_BACK.days,
        )

    def _merge(self, request: HttpRequest, kept: User, merged: User) -> HttpResponse:
        try:
            done = merges.merge(kept=kept, merged=merged, by=cast(User, request.user), at=timezone.now())
        except merges.Refused as refused:
            messages.error(request, refused.hindrance.label)
            return redirect("admin:accounts_user_compare", kept.pk, merged.pk)
        link = format_html(
            ' <a href="{}">{}</a>', reverse("admin:accounts_merge_change", args=[done.pk]), _("Take back")
        )
        text = _("%(merged)s is now one with %(kept)s.") % {"merged": merged.member_no, "kept": kept.member_no}
        messages.success(request, format_html("{}{}", text, link))
        return redirect("admin:accounts_user_change", kept.pk)

    def _member(self, request: HttpRequest, pk: int) -> User:
        if not may_merge(request):
            raise PermissionDenied
        return get_object_or_404(User, pk=pk)

    def _show(self, request: HttpRequest, template: str, kept: User, **context: Any) -> TemplateResponse:
        common = {**self.admin_site.each_context(request), "opts": self.opts, "object": kept, "kept": kept}
        return TemplateResponse(request, template, {**common, **context})


@admin.register(Merge)
class MergeAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["at", "kept", "kept__member_no", "merged", "merged__member_no", "by", "undo_until", "undone_at"]
    list_filter = ["at", ("undone_at", admin.EmptyFieldListFilter)]
    list_select_related = ["kept", "merged", "by"]
    search_fields = ["kept__member_no", "merged__member_no", "kept__name"]
    search_help_text = gettext_lazy("Member number or name")
    ordering = ["-pk"]
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    fields = ["kept", "merged", "by", "at", "undo_until", "undone_at", "rows"]
    readonly_fields = ["rows"]
    change_form_template = "admin/accounts/merge/change_form.html"

    @admin.display(description=gettext_lazy("rows moved"))
    def rows(self, merge: Merge) -> int:
        return sum(len(keys) for path, keys in merge.moved.items() if not path.endswith(".is_default"))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.take_back)
        return [path("<int:pk>/take-back/", view, name="accounts_merge_take_back"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        merge = self.get_object(request, object_id)
        about: dict[str, Any] = {}
        if merge is not None and may_merge(request):
            about = {"may_take_back": True, "hindrance": merges.hindrance_to_undo(merge, timezone.now())}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **about})

    def take_back(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not may_merge(request) or request.method != "POST":
            raise PermissionDenied
        merge = get_object_or_404(Merge.objects.select_related("kept", "merged"), pk=pk)
        try:
            merges.undo(merge=merge, by=cast(User, request.user), at=timezone.now())
        except merges.Refused as refused:
            messages.error(request, refused.hindrance.label)
        else:
            messages.success(request, _("Taken back: both records are on their own again."))
        return redirect("admin:accounts_merge_change", pk)
