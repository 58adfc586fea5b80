"""The ledger of what members agreed to and took back; rows are added, never changed."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class ConsentEntry(models.Model):
    """From `at` on, messages of this purpose may, or may not, go to the member by this channel.

    What holds now stands on the member (order_channel, reminder_channel, email_consent, sms_consent); accounts.consents
    writes both. The ledger says since when, by whose act, and under which words.
    """

    class Purpose(models.TextChoices):
        ORDERS = "orders", _("Messages about my orders")
        REMINDERS = "reminders", _("Reminders of what runs out")
        OFFERS = "offers", _("Offers")

    class Channel(models.TextChoices):
        EMAIL = "email", _("E-mail")
        SMS = "sms", _("SMS")

    class Source(models.TextChoices):
        JOIN = "join", _("Joining")
        MEMBER = "member", _("The member's page")
        APP = "app", _("An app")
        LINK = "link", _("The link in a message")
        IMPORT = "import", _("Import")
        STAFF = "staff", _("Staff")
        MERGE = "merge", _("Merging of two records")
        CLOSING = "closing", _("Closing the account")

    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="consent_entries", verbose_name=_("member")
    )
    purpose = models.CharField(_("purpose"), max_length=10, choices=Purpose.choices)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    given = models.BooleanField(_("given"))
    at = models.DateTimeField(_("at"))
    source = models.CharField(_("source"), max_length=10, choices=Source.choices)
    # Which version of the words the member had before the eyes; accounts.consents keeps all that were ever shown.
    wording = models.CharField(_("wording"), max_length=16)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        indexes: ClassVar = [models.Index(fields=["member", "purpose", "channel", "-id"])]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} · {self.get_channel_display()}"
