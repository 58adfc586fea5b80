"""Stores, channels, and what the stores offer.

A product is one thing in one package; an offer is that product in one store, with the store's price and stock.
"""

from decimal import Decimal

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.models import History

hex_colour = RegexValidator(r"^#[0-9a-fA-F]{6}$", _("A colour such as #1f6f5c."))


class Named(models.Model):
    """A thing with a name in both languages; where one is missing the other stands in."""

    name_zh = models.CharField(_("name (Chinese)"), max_length=200, blank=True)
    name_en = models.CharField(_("name (English)"), max_length=200, blank=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(name_zh="", name_en=""), name="%(app_label)s_%(class)s_has_a_name"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        english = (get_language() or "").startswith("en")
        return (self.name_en or self.name_zh) if english else (self.name_zh or self.name_en)


class Store(Named):
    code = models.SlugField(_("code"), unique=True)
    tagline_zh = models.CharField(_("tagline (Chinese)"), max_length=200, blank=True)
    tagline_en = models.CharField(_("tagline (English)"), max_length=200, blank=True)
    # Text on the light accent is white, text on the dark accent is near black.
    accent_light = models.CharField(_("colour, light look"), max_length=7, default="#1f6f5c", validators=[hex_colour])
    accent_dark = models.CharField(_("colour, dark look"), max_length=7, default="#7fd1b9", validators=[hex_colour])
    currency = models.CharField(_("currency"), max_length=3, default="TWD")
    country = models.CharField(_("country"), max_length=2, default="TW")
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("open"), default=True)

    class Meta(Named.Meta):
        verbose_name = _("store")
        verbose_name_plural = _("stores")
        ordering = ["position", "code"]

    @property
    def tagline(self) -> str:
        english = (get_language() or "").startswith("en")
        return (self.tagline_en or self.tagline_zh) if english else (self.tagline_zh or self.tagline_en)


class Channel(models.Model):
    class Kind(models.TextChoices):
        ONLINE = "online", _("Online")
        BRANCH = "branch", _("Branch")
        APP = "app", _("App")

    code = models.CharField(_("code"), max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="channels", verbose_name=_("store"))

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")

    def __str__(self) -> str:
        return self.name


class Category(Named):
    code = models.CharField(_("code"), max_length=100, unique=True)

    class Meta(Named.Meta):
        verbose_name = _("category")
        verbose_name_plural = _("categories")


class Need(Named):
    """What a product is for, across brands and sizes: a purchase of any product satisfies its need."""

    code = models.CharField(_("code"), max_length=100, unique=True)
    category = models.ForeignKey(
        Category,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="needs",
        verbose_name=_("category"),
    )

    class Meta(Named.Meta):
        verbose_name = _("need")
        verbose_name_plural = _("needs")


class Product(Named):
    sku = models.CharField(_("SKU"), max_length=64, unique=True)
    brand = models.CharField(_("brand"), max_length=100, blank=True)
    department = models.CharField(_("department"), max_length=100, blank=True)
    category = models.ForeignKey(
        Category,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="products",
        verbose_name=_("category"),
    )
    need = models.ForeignKey(
        Need, on_delete=models.PROTECT, null=True, blank=True, related_name="products", verbose_name=_("need")
    )
    package_size = models.DecimalField(_("package size"), max_digits=12, decimal_places=3, null=True, blank=True)
    package_unit = models.CharField(_("package unit"), max_length=20, blank=True)
    picture = models.FileField(_("picture"), upload_to="products/", blank=True)

    class Meta(Named.Meta):
        verbose_name = _("product")
        verbose_name_plural = _("products")
        constraints = [
            *Named.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(package_size__isnull=True) | models.Q(package_size__gt=0),
                name="package_size_above_zero",
            ),
        ]


class Offer(models.Model):
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="offers", verbose_name=_("store"))
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="offers", verbose_name=_("product"))
    price = models.DecimalField(_("price"), max_digits=12, decimal_places=2)
    currency = models.CharField(_("currency"), max_length=3)
    # Empty: not counted (an imported catalogue without stock), so never sold out.
    stock = models.IntegerField(_("stock"), null=True, blank=True)
    is_active = models.BooleanField(_("on sale"), default=True)

    history = History(verbose_name=_("change of an offer"), verbose_name_plural=_("changes of offers"))

    class Meta:
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        permissions = [("change_stock", _("Can change how many pieces are in stock"))]
        constraints = [
            models.UniqueConstraint(fields=["store", "product"], name="one_offer_a_store_and_product"),
            models.CheckConstraint(
                condition=models.Q(stock__isnull=True) | models.Q(stock__gte=0), name="stock_never_below_zero"
            ),
            models.CheckConstraint(condition=models.Q(price__gte=Decimal(0)), name="price_never_below_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.product} · {self.store}"

    @property
    def is_sold_out(self) -> bool:
        return self.stock is not None and self.stock <= 0
