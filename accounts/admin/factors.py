"""Passkeys and apps for staff: who has one, and the way to take it from a colleague who has lost it."""

from allauth.mfa.admin import Authenticator
from allauth.usersessions.admin import UserSession
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

admin.site.unregister([Authenticator, UserSession])
# allauth calls it so in English only.
Authenticator._meta.verbose_name = _("second factor")
Authenticator._meta.verbose_name_plural = _("second factors")


@admin.register(Authenticator)
class AuthenticatorAdmin(admin.ModelAdmin):
    """Shown without what it holds. Whoever could add or change one could sign in as its owner."""

    list_display = ["user", "type", "created_at", "last_used_at"]
    list_filter = ["type", "created_at"]
    list_select_related = ["user"]
    search_fields = ["user__member_no", "user__name", "user__email"]
    search_help_text = _("Member number, name or e-mail")
    show_full_result_count = False
    fields = ["user", "type", "created_at", "last_used_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Authenticator | None = None) -> bool:
        return False
