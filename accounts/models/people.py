"""The member and the member's addresses.

One row of User is one member, whether signed up here or brought along by an import: an imported member is unclaimed
(`claimed_at` empty) until its owner proves the e-mail or phone, and cannot sign in by any other way.
"""

import secrets
from typing import Any, ClassVar
from zoneinfo import available_timezones

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.history import History

# No 0/O, 1/I/L: a member number is read out over the phone.
_NUMBER_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


def new_member_no() -> str:
    """A fresh member number such as N7KQ2M9XA4 (about 49 bits; the database refuses the rare double)."""
    return "N" + "".join(secrets.choice(_NUMBER_ALPHABET) for _ in range(10))


# In the database of zones, but they mean whatever the machine is set to, or nothing at all.
_NO_PLACES = {"localtime", "Factory"}


def validate_time_zone(name: str) -> None:
    if name not in available_timezones() - _NO_PLACES:
        raise ValidationError(_("There is no such time zone."), code="invalid_time_zone")


class LowerEmailField(models.EmailField):
    """An e-mail kept and looked up in lower case, whoever writes it: forms, imports in bulk, the admin."""

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return value.lower() if isinstance(value, str) else value

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = self.to_python(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str = "", password: str | None = None, **fields: Any) -> "User":
        """A member, as Django and its tools create one; an empty password means sign-in by code only."""
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str = "", password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, **{**fields, "is_staff": True, "is_superuser": True})

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(**{self.model.USERNAME_FIELD: username})


class User(AbstractBaseUser, PermissionsMixin):
    class OrderChannel(models.TextChoices):
        EMAIL = "email", _("E-mail")
        SMS = "sms", _("SMS")

    class ReminderChannel(models.TextChoices):
        EMAIL = "email", _("E-mail")
        SMS = "sms", _("SMS")
        NONE = "none", _("No reminders")

    class BirthdaySource(models.TextChoices):
        IMPORT = "import", _("Import")
        MEMBER = "member", _("The member")
        STAFF = "staff", _("Staff")

    member_no = models.CharField(_("member number"), max_length=32, unique=True, default=new_member_no)
    name = models.CharField(_("name"), max_length=150, blank=True)
    email = LowerEmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=16, blank=True, help_text=_("E.164, e.g. +886912345678"))
    phone_verified_at = models.DateTimeField(_("phone verified at"), null=True, blank=True)
    language = models.CharField(
        _("language"), max_length=10, default="zh-hant", choices=[("zh-hant", "繁體中文"), ("en", "English")]
    )
    time_zone = models.CharField(_("time zone"), max_length=64, default="Asia/Taipei", validators=[validate_time_zone])
    birthday = models.DateField(_("birthday"), null=True, blank=True)
    birthday_source = models.CharField(
        _("source of the birthday"), max_length=10, choices=BirthdaySource.choices, blank=True
    )
    # Why this may be no birthday at all (accounts.birthdays.Doubt); found each night, empty once it is confirmed.
    birthday_doubts = models.JSONField(_("doubts about the birthday"), default=list, blank=True)
    birthday_confirmed_at = models.DateTimeField(_("birthday confirmed at"), null=True, blank=True)
    joined_at = models.DateTimeField(_("joined at"), default=timezone.now)
    # Empty: imported, nobody has proved yet to be this person.
    claimed_at = models.DateTimeField(_("claimed at"), null=True, blank=True)
    # The code of the channel where the member was won, as the import names it; the channel itself is the shop's.
    home_channel = models.CharField(_("home channel"), max_length=64, blank=True)
    # What the member agrees to at present. Written by accounts.consents, which keeps the ledger beside it.
    order_channel = models.CharField(
        _("messages about orders by"), max_length=10, choices=OrderChannel.choices, default=OrderChannel.EMAIL
    )
    email_consent = models.BooleanField(_("offers by e-mail"), default=False)
    sms_consent = models.BooleanField(_("offers by SMS"), default=False)
    reminder_channel = models.CharField(
        _("reminders by"), max_length=10, choices=ReminderChannel.choices, default=ReminderChannel.EMAIL
    )
    # Asked to be forgotten: erased at `closing_at` unless the member comes back before.
    closing_at = models.DateTimeField(_("closes at"), null=True, blank=True)
    erased_at = models.DateTimeField(_("erased at"), null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("staff"), default=False)

    objects = UserManager()
    # Doubts come and go with each night's look.
    history = History(
        verbose_name=_("change of a member"),
        verbose_name_plural=_("changes of members"),
        excluded_fields=["password", "last_login", "birthday_doubts"],
        m2m_fields=["groups"],
    )

    USERNAME_FIELD = "member_no"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        permissions: ClassVar = [
            ("close_member", _("Can close accounts")),
            ("view_contacts", _("Can see how members can be reached")),
            ("look_as_member", _("Can look at the shop as a member sees it")),
            ("merge_members", _("Can make two records of one member one")),
            ("appoint_staff", _("Can make members staff and give them roles")),
        ]
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                condition=~models.Q(email=""),
                name="one_member_an_email",
                violation_error_message=_("Another member has this e-mail."),
            ),
            models.UniqueConstraint(
                "phone",
                condition=~models.Q(phone=""),
                name="one_member_a_phone",
                violation_error_message=_("Another member has this phone."),
            ),
            models.CheckConstraint(
                condition=models.Q(erased_at__isnull=True)
                | models.Q(
                    name="", email="", phone="", birthday__isnull=True, closing_at__isnull=True, is_active=False
                ),
                name="an_erased_member_is_nobody",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.member_no

    def has_usable_password(self) -> bool:
        # Django takes an empty one, as an import in bulk leaves it, for usable.
        return bool(self.password) and super().has_usable_password()

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name


class Address(models.Model):
    member = models.ForeignKey(User, on_delete=models.CASCADE, related_name="addresses", verbose_name=_("member"))
    recipient = models.CharField(_("recipient"), max_length=150)
    phone = models.CharField(_("phone"), max_length=32)
    postal_code = models.CharField(_("postal code"), max_length=16, blank=True)
    city = models.CharField(_("city and district"), max_length=100)
    # Of addresses abroad: the state, the province, the prefecture.
    region = models.CharField(_("state or province"), max_length=60, blank=True)
    street = models.CharField(_("street and number"), max_length=250)
    country = models.CharField(_("country"), max_length=2, default="TW", help_text=_("ISO 3166, e.g. TW"))
    is_default = models.BooleanField(_("default"), default=False)

    class Meta:
        verbose_name = _("address")
        verbose_name_plural = _("addresses")
        constraints = [
            models.UniqueConstraint(
                "member",
                condition=models.Q(is_default=True),
                name="one_default_address_a_member",
                violation_error_message=_("The member has another default address."),
            )
        ]

    def __str__(self) -> str:
        """On one line: at home from the large to the small, abroad the other way round and with its country."""
        if self.country == "TW":
            return f"{self.postal_code} {self.city} {self.street}".strip()
        place = f"{self.region} {self.postal_code}".strip()
        return ", ".join(part for part in (self.street, self.city, place, self.country) if part)
