"""Closing accounts of members who asked by letter or on the phone: the same seven days as on the member's own page."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import closing
from accounts.models import User


class ClosesAccounts(admin.ModelAdmin):
    """Two actions for the list of members, for staff with the permission close_member."""

    actions = ["close_accounts", "keep_accounts"]

    def has_close_member_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.close_member")

    @admin.action(description=gettext_lazy("Close accounts (erased after seven days)"), permissions=["close_member"])
    def close_accounts(self, request: HttpRequest, members: QuerySet[User]) -> None:
        at, closed, staff = timezone.now(), 0, 0
        for member in members.filter(closing_at=None, erased_at=None):
            try:
                closing.close(member=member, at=at)
            except closing.StaffStay:
                staff += 1
            else:
                closed += 1
                self.log_change(request, member, _("The account is being closed."))
        self.message_user(
            request,
            ngettext(
                "%d account will be erased in seven days. The member is told how to keep it.",
                "%d accounts will be erased in seven days. The members are told how to keep them.",
                closed,
            )
            % closed,
            messages.SUCCESS if closed else messages.WARNING,
        )
        if staff:
            message = ngettext(
                "%d account of staff was left as it is.", "%d accounts of staff were left as they are.", staff
            )
            self.message_user(request, message % staff, messages.WARNING)

    @admin.action(description=gettext_lazy("Keep accounts that are being closed"), permissions=["close_member"])
    def keep_accounts(self, request: HttpRequest, members: QuerySet[User]) -> None:
        at, kept = timezone.now(), 0
        for member in members.filter(erased_at=None).exclude(closing_at=None):
            closing.keep(member=member, at=at)
            self.log_change(request, member, _("The account stays."))
            kept += 1
        self.message_user(request, ngettext("%d account stays.", "%d accounts stay.", kept) % kept)
