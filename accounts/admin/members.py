"""Members and addresses for staff."""

from typing import Any

from allauth.account.admin import EmailAddress
from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import Address, User
from accounts.phones import PhoneField

# allauth lets staff mark an e-mail as verified; here that would hand a member to somebody who has proved nothing.
admin.site.unregister(EmailAddress)


class ClaimedFilter(admin.SimpleListFilter):
    title = _("claimed")
    parameter_name = "claimed"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        if self.value() is None:
            return queryset
        return queryset.filter(claimed_at__isnull=self.value() == "no")


class AddressInline(admin.TabularInline):
    model = Address
    extra = 0


class UserForm(ModelForm):
    phone = PhoneField(required=False)


@admin.register(User)
class UserAdmin(admin.ModelAdmin):
    form = UserForm
    list_display = ["member_no", "name", "email", "phone", "language", "joined_at", "claimed_at", "is_active"]
    list_filter = [ClaimedFilter, "is_active", "is_staff", "language", "reminder_channel", "joined_at"]
    search_fields = ["member_no", "name", "email", "phone"]
    ordering = ["-joined_at", "-pk"]
    show_full_result_count = False
    inlines = [AddressInline]
    filter_horizontal = ["groups", "user_permissions"]
    fieldsets = [
        (None, {"fields": ["member_no", "name", "email", "phone", "birthday"]}),
        (_("Wishes"), {"fields": ["language", "time_zone", "reminder_channel", "email_consent", "sms_consent"]}),
        (_("History"), {"fields": ["joined_at", "claimed_at", "phone_verified_at", "home_channel", "last_login"]}),
        (_("Access"), {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        fixed = ["member_no", "joined_at", "claimed_at", "phone_verified_at", "home_channel", "last_login"]
        if obj is not None and obj.claimed_at is not None:
            # The owner proved this e-mail; another one would have to be proved too.
            fixed.append("email")
        if not request.user.is_superuser:
            fixed += ["is_staff", "is_superuser", "groups", "user_permissions"]
        return fixed

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        # Who could change the e-mail of a colleague could sign in as the colleague.
        colleague = obj is not None and (obj.is_staff or obj.is_superuser) and obj != request.user
        return super().has_change_permission(request, obj) and (not colleague or request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        # Orders and purchases hang on the member; a member who must not come in is set inactive.
        return False

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        if not change:
            obj.set_unusable_password()
        if "phone" in form.changed_data:
            obj.phone_verified_at = None
        super().save_model(request, obj, form, change)


@admin.register(Address)
class AddressAdmin(admin.ModelAdmin):
    list_display = ["recipient", "phone", "postal_code", "city", "street", "country", "is_default", "member"]
    list_filter = ["is_default", "country"]
    search_fields = ["recipient", "phone", "city", "street", "member__member_no", "member__name", "member__email"]
    list_select_related = ["member"]
    autocomplete_fields = ["member"]
    show_full_result_count = False
