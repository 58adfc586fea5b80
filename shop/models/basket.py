"""What somebody means to buy: one basket a member (or visitor) and store."""

import secrets

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from shop.models.catalogue import Offer, Store


def new_token() -> str:
    """The visitor's handle on a basket, kept in the session."""
    return secrets.token_urlsafe(24)


class Basket(models.Model):
    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="baskets", verbose_name=_("store"))
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="baskets",
        verbose_name=_("member"),
    )
    token = models.CharField(max_length=64, unique=True, default=new_token)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("basket")
        verbose_name_plural = _("baskets")
        constraints = [
            models.UniqueConstraint(
                fields=["store", "member"],
                condition=models.Q(member__isnull=False),
                name="one_basket_a_store_and_member",
            )
        ]


class BasketLine(models.Model):
    basket = models.ForeignKey(Basket, on_delete=models.CASCADE, related_name="lines")
    offer = models.ForeignKey(Offer, on_delete=models.CASCADE, related_name="+", verbose_name=_("offer"))
    quantity = models.PositiveIntegerField(_("quantity"))

    class Meta:
        verbose_name = _("basket line")
        verbose_name_plural = _("basket lines")
        constraints = [
            models.UniqueConstraint(fields=["basket", "offer"], name="one_basket_line_an_offer"),
            models.CheckConstraint(condition=models.Q(quantity__gte=1), name="basket_quantity_at_least_one"),
        ]
