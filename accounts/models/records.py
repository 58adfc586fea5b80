"""What staff and members did about a member: records made one, a look through the eyes, a copy of all data."""

from typing import ClassVar

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


def private_storage() -> Storage:
    """Files nobody can fetch by an address of their own."""
    return storages["private"]


class Merge(models.Model):
    """Two records of one person, made one: `kept` goes on with all that was `merged`; undone until `undo_until`."""

    kept = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="merges_kept", verbose_name=_("kept")
    )
    merged = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="merges_merged", verbose_name=_("merged")
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    at = models.DateTimeField(_("at"))
    undo_until = models.DateTimeField(_("can be undone until"))
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True)
    # {"app_label.model.field": [keys of the rows that were moved]}
    moved = models.JSONField(_("moved"), default=dict)
    # {"field of the member": [value of kept before, value taken over from merged]}
    filled = models.JSONField(_("filled"), default=dict)

    class Meta:
        verbose_name = _("merged record")
        verbose_name_plural = _("merged records")
        constraints: ClassVar = [
            models.UniqueConstraint("merged", condition=Q(undone_at__isnull=True), name="a_member_is_merged_once"),
            models.CheckConstraint(condition=~Q(kept=F("merged")), name="nobody_is_merged_with_oneself"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class Impersonation(models.Model):
    """A member of staff looked at the shop as this member sees it; nothing could be changed meanwhile."""

    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("staff")
    )
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="impersonations", verbose_name=_("member")
    )
    reason = models.CharField(_("reason"), max_length=200)
    began_at = models.DateTimeField(_("began at"))
    ends_at = models.DateTimeField(_("ends at"), help_text=_("It ends by itself then."))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        verbose_name = _("look as a member")
        verbose_name_plural = _("looks as a member")

    def __str__(self) -> str:
        return f"#{self.pk}"


class DataExport(models.Model):
    """A copy of all that is kept about a member, asked for by the member, made by a task, gone when it expires."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("Being made")
        READY = "ready", _("Ready")
        EXPIRED = "expired", _("Expired")

    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="data_exports", verbose_name=_("member")
    )
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.WAITING)
    asked_at = models.DateTimeField(_("asked at"))
    ready_at = models.DateTimeField(_("ready at"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    file = models.FileField(_("file"), storage=private_storage, blank=True)

    class Meta:
        verbose_name = _("copy of all data")
        verbose_name_plural = _("copies of all data")
        constraints: ClassVar = [
            models.UniqueConstraint("member", condition=Q(status="waiting"), name="one_waiting_export_a_member")
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class ErasedMember(models.Model):
    """That a member of this number was erased, so that no import brings the person back.

    Not the number but its keyed hash (accounts.erasure), and nothing that leads to the emptied row.
    """

    number_hash = models.CharField(_("hash of the number"), max_length=64, unique=True)

    class Meta:
        verbose_name = _("erased member")
        verbose_name_plural = _("erased members")

    def __str__(self) -> str:
        return f"#{self.pk}"
