"""Members and addresses for staff."""

from typing import Any, cast

from allauth.account.admin import EmailAddress
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import ManyToManyField, QuerySet
from django.forms import ModelForm, ModelMultipleChoiceField
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import birthdays, consents, impersonation, roles
from accounts.admin.closing import ClosesAccounts
from accounts.admin.history import HistoryPage
from accounts.admin.looks import Looking
from accounts.admin.merging import Merging, may_merge
from accounts.models import Address, User
from accounts.phones import PhoneField

# allauth lets staff mark an e-mail as verified; here that would hand a member to somebody who has proved nothing.
admin.site.unregister(EmailAddress)

_CONTACTS = ("email", "phone")
_WISHES = ("order_channel", "reminder_channel", "email_consent", "sms_consent")


def sees_contacts(request: HttpRequest) -> bool:
    """Whether this member of staff is told how members can be reached."""
    return request.user.has_perm("accounts.view_contacts")


class ClaimedFilter(admin.SimpleListFilter):
    title = _("claimed")
    parameter_name = "claimed"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        if self.value() is None:
            return queryset
        return queryset.filter(claimed_at__isnull=self.value() == "no")


class AddressInline(admin.StackedInline):
    model = Address
    extra = 0


class UserForm(ModelForm):
    phone = PhoneField(required=False)

    def clean_birthday(self) -> Any:
        birthday = self.cleaned_data["birthday"]
        if birthday:
            birthdays.check(birthday, member=self.instance, at=timezone.now())
        return birthday


@admin.register(User)
class UserAdmin(Looking, Merging, ClosesAccounts, HistoryPage):
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
        (_("Wishes"), {"fields": ["language", "time_zone", *_WISHES]}),
        (_("History"), {"fields": ["joined_at", "claimed_at", "phone_verified_at", "home_channel", "last_login"]}),
        (_("Access"), {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
    ]

    change_form_template = "admin/accounts/user/change_form.html"

    # ------------------------------------------------------------ what is shown
    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        member, staff = kwargs.get("obj"), cast(User, request.user)
        if member is not None:
            context["may_look"] = impersonation.may_look(staff, member)
            context["may_merge"] = may_merge(request) and not member.is_staff and not member.is_superuser
        return super().render_change_form(request, context, *args, **kwargs)

    def get_list_display(self, request: HttpRequest) -> Any:
        return self._told(request, super().get_list_display(request))

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        # To find somebody by an e-mail is to be told whose it is.
        return self._told(request, super().get_search_fields(request))

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> list[Any]:
        return [
            (title, {**options, "fields": self._told(request, options["fields"])})
            for title, options in super().get_fieldsets(request, obj)
        ]

    def hidden_fields(self, request: HttpRequest) -> set[str]:
        return set() if sees_contacts(request) else {*_CONTACTS}

    def _told(self, request: HttpRequest, names: Any) -> list[str]:
        hidden = self.hidden_fields(request)
        return [name for name in names if name not in hidden]

    # ------------------------------------------------------------ what may be changed
    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        fixed = ["member_no", "joined_at", "claimed_at", "phone_verified_at", "home_channel", "last_login"]
        if obj is not None and obj.claimed_at is not None:
            # Whoever proves one of these gets in: the owner changes them, with a code to the new one.
            fixed += _CONTACTS
        if not request.user.is_superuser:
            fixed += ["is_superuser", "user_permissions"]
        if not roles.may_appoint(cast(User, request.user), obj):
            fixed += ["is_staff", "groups"]
        return fixed

    def formfield_for_manytomany(
        self, db_field: ManyToManyField, request: HttpRequest, **kwargs: Any
    ) -> ModelMultipleChoiceField | None:
        staff = cast(User, request.user)
        if db_field.name == "groups" and not staff.is_superuser:
            within = [group.pk for group in Group.objects.all() if roles.has_all(staff, group.permissions.all())]
            kwargs["queryset"] = Group.objects.filter(pk__in=within)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        # Who could change the e-mail of a colleague could sign in as the colleague.
        colleague = obj is not None and (obj.is_staff or obj.is_superuser) and obj != request.user
        may = not colleague or roles.may_appoint(cast(User, request.user), obj)
        return super().has_change_permission(request, obj) and may

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        # Orders and purchases hang on the member; a member who must not come in is set inactive.
        return False

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        if not change:
            obj.set_unusable_password()
        if "phone" in form.changed_data:
            obj.phone_verified_at = None
        wishes = {name: form.cleaned_data[name] for name in _WISHES if name in form.changed_data}
        birthday = "birthday" in form.changed_data
        for name in [*wishes, *(["birthday"] if birthday else [])]:
            # Written below, by whom it is theirs to write.
            setattr(obj, name, form.initial.get(name, User._meta.get_field(name).get_default()))  # type: ignore[union-attr]
        super().save_model(request, obj, form, change)
        consents.choose(member=obj, at=timezone.now(), source=consents.Source.STAFF, **wishes)
        if birthday:
            source = User.BirthdaySource.STAFF
            birthdays.change(member=obj, birthday=form.cleaned_data["birthday"], source=source, at=timezone.now())


@admin.register(Address)
class AddressAdmin(admin.ModelAdmin):
    list_display = ["recipient", "phone", "postal_code", "city", "street", "country", "is_default", "member"]
    list_filter = ["is_default", "country"]
    search_fields = ["recipient", "phone", "city", "street", "member__member_no", "member__name", "member__email"]
    list_select_related = ["member"]
    autocomplete_fields = ["member"]
    show_full_result_count = False
