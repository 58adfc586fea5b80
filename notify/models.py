"""The outbox. A message is written in the transaction that causes it and sent afterwards by whoever claims it."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Message(models.Model):
    class Channel(models.TextChoices):
        EMAIL = "email", _("E-mail")
        SMS = "sms", _("SMS")

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENT = "sent", _("Sent")
        DROPPED = "dropped", _("Dropped")

    # What the owning app calls this message; a second one under the same key is refused. Also the provider's key.
    key = models.CharField(_("key"), max_length=128, unique=True)
    # Which app's gate decides whether it may go, e.g. "reminder".
    purpose = models.CharField(_("purpose"), max_length=32)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    recipient = models.CharField(_("recipient"), max_length=254)
    # Whose message it is, in the words of the owning app (a member's id): how all of somebody's messages are found.
    whose = models.CharField(_("whose"), max_length=64, blank=True)
    subject = models.CharField(_("subject"), max_length=250)
    text = models.TextField(_("text"))
    html = models.TextField(_("HTML"), blank=True)
    headers = models.JSONField(_("headers"), default=dict, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.WAITING)
    created_at = models.DateTimeField(_("created at"))
    due_at = models.DateTimeField(_("due at"))
    # When a worker was last told of it; keeps a long queue from being filled with the same messages again.
    queued_at = models.DateTimeField(_("queued at"), null=True, blank=True)
    # A worker is at it since then; after settings.NOTIFY_LEASE it counts as dead and another may take over.
    claimed_at = models.DateTimeField(_("claimed at"), null=True, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    last_error = models.CharField(_("last error"), max_length=250, blank=True)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    dropped_at = models.DateTimeField(_("dropped at"), null=True, blank=True)
    dropped_because = models.CharField(_("dropped because"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(status="waiting", sent_at__isnull=True, dropped_at__isnull=True)
                    | Q(status="sent", sent_at__isnull=False, dropped_at__isnull=True)
                    | Q(status="dropped", sent_at__isnull=True, dropped_at__isnull=False)
                ),
                name="message_status_matches_its_moments",
            )
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(status="waiting"), name="messages_to_send"),
            models.Index(fields=["whose"], condition=~Q(whose=""), name="messages_of_somebody"),
        ]

    def __str__(self) -> str:
        return self.key
