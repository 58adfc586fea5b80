"""The roles of the staff as the owner sees and changes them."""

from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group, Permission
from django.db.models import ManyToManyField
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest

from accounts import roles
from accounts.models import User

admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin):
    """Nobody gives more than they have: others' permissions are not offered, and groups that have more stay closed."""

    def formfield_for_manytomany(
        self, db_field: ManyToManyField, request: HttpRequest | None = None, **kwargs: Any
    ) -> ModelMultipleChoiceField | None:
        chosen = super().formfield_for_manytomany(db_field, request, **kwargs)
        staff = cast(User, request.user) if request else None
        if chosen and chosen.queryset is not None and staff and not staff.is_superuser:
            chosen.queryset = chosen.queryset.filter(pk__in=_own(staff))
        return chosen

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_change_permission(request, obj) and self._is_within(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        # Without a group it is asked for the bulk action, which would not look at each.
        return obj is not None and super().has_delete_permission(request, obj) and self._is_within(request, obj)

    def _is_within(self, request: HttpRequest, obj: Group | None) -> bool:
        staff = cast(User, request.user)
        return obj is None or roles.has_all(staff, obj.permissions.all())


def _own(staff: User) -> list[int]:
    mine = staff.get_all_permissions()
    rows = Permission.objects.values_list("pk", "content_type__app_label", "codename")
    return [pk for pk, app, name in rows if f"{app}.{name}" in mine]
