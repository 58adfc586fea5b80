"""What happens to members and their addresses: claimed, changed, given an address."""

from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import QuerySet

from accounts import consents
from accounts.models import Address, User


class ClaimRefused(Exception):
    """The member is closed, or the proved contact is not the member's."""


@transaction.atomic
def claim(*, member: User, at: datetime, email: str = "", phone: str = "", name: str = "") -> User:
    """Hand a member to the person who has just proved to receive mail at `email`, or SMS at `phone` (E.164).

    Afterwards the contact is verified and `claimed_at` is set; a member claimed before keeps its moment. With it the
    ledger of consents begins, and who can be reached by phone alone gets by SMS what otherwise comes by e-mail.
    `name` is what the same person gave when joining; a member who has one, as an imported one, keeps it.
    Raises ClaimRefused when the contact is not the member's, or the member is not active.
    """
    kept = User.objects.select_for_update().get(pk=member.pk)
    email = email.lower()  # as allauth keeps addresses
    if not kept.is_active or not (email or phone) or email not in ("", kept.email) or phone not in ("", kept.phone):
        raise ClaimRefused(kept.member_no)
    if email:
        EmailAddress.objects.filter(user=kept, primary=True).exclude(email=email).update(primary=False)
        EmailAddress.objects.update_or_create(user=kept, email=email, defaults={"verified": True, "primary": True})
    if phone:
        kept.phone_verified_at = kept.phone_verified_at or at
    first = kept.claimed_at is None
    kept.claimed_at = kept.claimed_at or at
    kept.name = kept.name or name
    kept.save(update_fields=["claimed_at", "phone_verified_at", "name"])
    member.claimed_at, member.phone_verified_at, member.name = kept.claimed_at, kept.phone_verified_at, kept.name
    if first:
        consents.choose(member=kept, at=at, source=consents.Source.JOIN, **_channels(kept))
    return kept


def _channels(member: User) -> dict[str, Any]:
    """Where messages go that would go by e-mail, for somebody who has none."""
    if member.email:
        return {}
    wishes: dict[str, Any] = {"order_channel": User.OrderChannel.SMS}
    if member.reminder_channel == User.ReminderChannel.EMAIL:
        wishes["reminder_channel"] = User.ReminderChannel.SMS
    return wishes


def change_profile(
    *,
    member: User,
    name: str | None = None,
    language: str | None = None,
    time_zone: str | None = None,
) -> User:
    """Write down what the member says about the own person; None leaves it as it is.

    `language` is one of settings.LANGUAGES, `time_zone` a name of the IANA database (Asia/Taipei).
    """
    wishes = {"name": name, "language": language, "time_zone": time_zone}
    changed = {field: value for field, value in wishes.items() if value is not None}
    for field, value in changed.items():
        setattr(member, field, value)
    member.save(update_fields=list(changed))
    return member


def set_language(*, member: User, language: str) -> User:
    return change_profile(member=member, language=language)


def addresses(member: User) -> QuerySet[Address]:
    """The member's addresses: the default first, then the newest."""
    return Address.objects.filter(member=member).order_by("-is_default", "-pk")


@transaction.atomic
def save_address(
    *,
    member: User,
    recipient: str,
    phone: str,
    city: str,
    street: str,
    postal_code: str = "",
    region: str = "",
    country: str = "TW",
    make_default: bool = False,
    address_id: int | None = None,
) -> Address:
    """Add an address of the member, or change the one with `address_id`; a member's first is always the default.

    Raises Address.DoesNotExist when `address_id` is not an address of this member.
    """
    # Two tabs at once: the second waits here, so that there is never a moment with two defaults.
    User.objects.select_for_update().get(pk=member.pk)
    mine = Address.objects.filter(member=member)
    address = mine.get(pk=address_id) if address_id is not None else Address(member=member)
    address.recipient, address.phone, address.postal_code = recipient, phone, postal_code
    address.city, address.region, address.street, address.country = city, region, street, country
    others = mine.exclude(pk=address.pk)
    address.is_default = address.is_default or make_default or not others.filter(is_default=True).exists()
    if address.is_default:
        others.filter(is_default=True).update(is_default=False)
    address.save()
    return address


@transaction.atomic
def delete_address(*, member: User, address_id: int) -> Address:
    """Forget an address and return it as it was; when it was the default, the newest of the others takes its place.

    Raises Address.DoesNotExist when it is not an address of this member.
    """
    User.objects.select_for_update().get(pk=member.pk)
    address = Address.objects.get(pk=address_id, member=member)
    address.delete()
    newest = Address.objects.filter(member=member).order_by("-pk").first()
    if address.is_default and newest is not None:
        newest.is_default = True
        newest.save(update_fields=["is_default"])
    return address
