"""What was ordered here: one errand, an order in each store it touched, their lines."""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import History
from shop.models.catalogue import Channel, Offer, Product, Store


class PaymentMethod(models.Model):
    """How a member pays; later kinds (a card kept at its provider) are more rows, not more tables."""

    class Kind(models.TextChoices):
        CASH = "cash_on_delivery", _("Cash on delivery")
        INVOICE = "invoice", _("Invoice")

    member = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="payment_methods",
        verbose_name=_("member"),
    )
    kind = models.CharField(_("kind"), max_length=32, choices=Kind.choices)
    is_default = models.BooleanField(_("default"), default=False)

    class Meta:
        verbose_name = _("payment method")
        verbose_name_plural = _("payment methods")
        constraints = [
            models.UniqueConstraint(fields=["member", "kind"], name="one_payment_method_a_kind"),
            models.UniqueConstraint("member", condition=Q(is_default=True), name="one_default_payment_method_a_member"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class Errand(models.Model):
    """One act of buying: an order in every store it touches, undone together.

    The key is the shopper's idempotency key. The row is written in the transaction that places the orders, so a key
    is either unknown or answered, and the database refuses a second errand under it.
    """

    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="errands", verbose_name=_("member")
    )
    key = models.CharField(_("idempotency key"), max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of what was asked for under the key")
    placed_at = models.DateTimeField(_("placed at"))
    undo_until = models.DateTimeField(_("can be undone until"))
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True)

    class Meta:
        verbose_name = _("errand")
        verbose_name_plural = _("errands")
        constraints = [
            models.UniqueConstraint(fields=["member", "key"], name="one_errand_a_key"),
            models.CheckConstraint(condition=Q(undo_until__gte=F("placed_at")), name="undo_ends_after_placing"),
        ]
        indexes = [models.Index(fields=["member", "undo_until"])]

    def __str__(self) -> str:
        return f"#{self.pk}"


class Order(models.Model):
    class Status(models.TextChoices):
        PLACED = "placed", _("Placed")
        SETTLED = "settled", _("Confirmed")
        UNDONE = "undone", _("Undone")

    number = models.CharField(_("number"), max_length=32, unique=True)
    errand = models.ForeignKey(Errand, on_delete=models.PROTECT, related_name="orders", verbose_name=_("errand"))
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="orders", verbose_name=_("member")
    )
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="orders", verbose_name=_("store"))
    channel = models.ForeignKey(
        Channel,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="orders",
        verbose_name=_("channel"),
    )
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.PLACED)
    payment_kind = models.CharField(_("payment"), max_length=32, choices=PaymentMethod.Kind.choices)
    # The address as it was when the order was placed; a later change of the address book must not move the parcel.
    recipient = models.CharField(_("recipient"), max_length=150)
    phone = models.CharField(_("phone"), max_length=32)
    address = models.CharField(_("address"), max_length=500)
    currency = models.CharField(_("currency"), max_length=3)
    total = models.DecimalField(_("total"), max_digits=14, decimal_places=2)
    placed_at = models.DateTimeField(_("placed at"))
    settled_at = models.DateTimeField(_("confirmed at"), null=True, blank=True)
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True)

    history = History(verbose_name=_("change of an order"), verbose_name_plural=_("changes of orders"))

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        constraints = [
            models.UniqueConstraint(fields=["errand", "store"], name="one_order_an_errand_and_store"),
            models.CheckConstraint(condition=Q(total__gte=0), name="order_total_never_below_zero"),
            models.CheckConstraint(
                condition=(
                    Q(status="placed", settled_at__isnull=True, undone_at__isnull=True)
                    | Q(status="settled", settled_at__isnull=False, undone_at__isnull=True)
                    | Q(status="undone", settled_at__isnull=True, undone_at__isnull=False)
                ),
                name="order_status_matches_its_moments",
            ),
        ]
        indexes = [
            models.Index(fields=["member", "-placed_at"]),
            models.Index(fields=["placed_at"], condition=Q(status="placed"), name="orders_to_settle"),
        ]

    def __str__(self) -> str:
        return self.number


class OrderLine(models.Model):
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="lines", verbose_name=_("order"))
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="+", verbose_name=_("offer"))
    product = models.ForeignKey(
        Product, on_delete=models.PROTECT, related_name="order_lines", verbose_name=_("product")
    )
    quantity = models.PositiveIntegerField(_("quantity"))
    unit_price = models.DecimalField(_("unit price"), max_digits=12, decimal_places=2)
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2)

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        constraints = [
            models.UniqueConstraint(fields=["order", "offer"], name="one_order_line_an_offer"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="order_quantity_at_least_one"),
            models.CheckConstraint(condition=Q(unit_price__gte=0), name="order_price_never_below_zero"),
            # Within half a cent: SQLite multiplies decimals as floats.
            models.CheckConstraint(
                condition=Q(
                    amount__gt=F("unit_price") * F("quantity") - Decimal("0.005"),
                    amount__lt=F("unit_price") * F("quantity") + Decimal("0.005"),
                ),
                name="amount_is_price_times_quantity",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.product}"
