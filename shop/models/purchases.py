"""What was bought elsewhere and brought along by an import. shop/history.py joins it with our own orders."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from shop.models.catalogue import Channel, Product


class Purchase(models.Model):
    """One line of an imported transaction. A quantity below zero is a return, zero a line that moved nothing."""

    transaction_no = models.CharField(_("transaction"), max_length=64)
    line_no = models.PositiveIntegerField(_("line"))
    # No index of its own: the one on (member, purchased_at) begins with it.
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="purchases",
        verbose_name=_("member"),
        db_index=False,
    )
    # No index: only the removal of a channel, which staff try once in years, and the admin's filters and search, which
    # read most rows anyway, ask by it. A scan answers them, and every line of an import is the cheaper.
    channel = models.ForeignKey(
        Channel, on_delete=models.PROTECT, related_name="purchases", verbose_name=_("channel"), db_index=False
    )
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="purchases", verbose_name=_("product"))
    purchased_at = models.DateTimeField(_("purchased at"))
    # The calendar day where it was bought, which the moment in UTC no longer tells: the engine counts days.
    purchased_on = models.DateField(_("purchased on"))
    quantity = models.DecimalField(_("quantity"), max_digits=12, decimal_places=3)
    unit_price = models.DecimalField(_("unit price"), max_digits=12, decimal_places=4)
    currency = models.CharField(_("currency"), max_length=3)

    class Meta:
        verbose_name = _("purchase")
        verbose_name_plural = _("purchases")
        constraints = [
            models.UniqueConstraint(fields=["transaction_no", "line_no"], name="one_purchase_a_transaction_line"),
            models.CheckConstraint(condition=models.Q(unit_price__gte=0), name="purchase_price_never_below_zero"),
        ]
        indexes = [models.Index(fields=["member", "purchased_at"])]

    def __str__(self) -> str:
        return f"{self.transaction_no}/{self.line_no}"
