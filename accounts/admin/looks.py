"""Looking at the shop as a member sees it, and who did."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import impersonation
from accounts.models import Impersonation, User
from notify.admin import ReadOnly


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=200,
        help_text=gettext_lazy("Such as: asked by phone why soap is not on the list. The member can read this."),
    )


class Looking(admin.ModelAdmin):
    """The part of the members' admin that leads to the shop as a member sees it."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.look)
        return [path("<int:pk>/look/", view, name="accounts_user_look"), *super().get_urls()]

    def look(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks for the reason on GET; begins on POST."""
        member, staff = get_object_or_404(User, pk=pk), cast(User, request.user)
        if not impersonation.may_look(staff, member):
            raise PermissionDenied
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            reason = form.cleaned_data["reason"]
            impersonation.begin(staff=staff, member=member, reason=reason, session=request.session, at=timezone.now())
            return redirect("mylist:list")
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": _("Look at the shop as %(name)s") % {"name": member},
            "opts": self.opts,
            "object": member,
            "form": form,
            "minutes": impersonation.LONGEST.seconds // 60,
        }
        return TemplateResponse(request, "admin/accounts/look.html", context)


@admin.register(Impersonation)
class ImpersonationAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["began_at", "staff", "member", "reason", "ends_at", "ended_at"]
    list_filter = ["began_at"]
    list_select_related = ["staff", "member"]
    search_fields = ["member__member_no", "staff__member_no", "reason"]
    search_help_text = gettext_lazy("Member number of either, or the reason")
    ordering = ["-pk"]
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
