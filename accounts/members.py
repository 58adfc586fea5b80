"""What happens to members and their addresses: claimed, changed, given an address."""

from datetime import datetime

from allauth.account.models import EmailAddress
from django.db import transaction

from accounts.models import Address, User


class ClaimRefused(Exception):
    """The member is closed, or the proved e-mail is not the one the member was imported with."""


@transaction.atomic
def claim(*, member: User, email: str, at: datetime) -> User:
    """Hand a member to the person who has just proved to receive mail at `email`.

    Afterwards the address is verified and primary and `claimed_at` is set; a member claimed before keeps its moment.
    Raises ClaimRefused when `email` is not the member's, or the member is not active.
    """
    member = User.objects.select_for_update().get(pk=member.pk)
    if not member.is_active or not email or member.email.lower() != email.lower():
        raise ClaimRefused(member.member_no)
    # allauth keeps addresses in lower case, so an imported Mei@Example.com is found under mei@example.com.
    address, _created = EmailAddress.objects.get_or_create(user=member, email=email.lower())
    address.verified = True
    address.save(update_fields=["verified"])
    address.set_as_primary()
    # set_as_primary writes member.email through its own copy of the row.
    member.email = address.email
    if member.claimed_at is None:
        member.claimed_at = at
    member.save(update_fields=["email", "claimed_at"])
    return member


@transaction.atomic
def save_address(
    *,
    member: User,
    recipient: str,
    phone: str,
    city: str,
    street: str,
    postal_code: str = "",
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
    address.city, address.street, address.country = city, street, country
    others = mine.exclude(pk=address.pk)
    address.is_default = address.is_default or make_default or not others.filter(is_default=True).exists()
    if address.is_default:
        others.filter(is_default=True).update(is_default=False)
    address.save()
    return address


@transaction.atomic
def delete_address(*, member: User, address_id: int) -> None:
    """Forget an address; when it was the default, the newest of the others takes its place.

    Raises Address.DoesNotExist when it is not an address of this member.
    """
    User.objects.select_for_update().get(pk=member.pk)
    address = Address.objects.get(pk=address_id, member=member)
    address.delete()
    newest = Address.objects.filter(member=member).order_by("-pk").first()
    if address.is_default and newest is not None:
        newest.is_default = True
        newest.save(update_fields=["is_default"])


def set_name(*, member: User, name: str) -> None:
    member.name = name
    member.save(update_fields=["name"])


def set_language(*, member: User, language: str) -> None:
    """`language` is one of settings.LANGUAGES."""
    member.language = language
    member.save(update_fields=["language"])


def set_time_zone(*, member: User, time_zone: str) -> None:
    """`time_zone` is a name of the IANA database, such as Asia/Taipei."""
    member.time_zone = time_zone
    member.save(update_fields=["time_zone"])


def set_reminder_channel(*, member: User, reminder_channel: str) -> None:
    """`reminder_channel` is one of User.ReminderChannel."""
    member.reminder_channel = reminder_channel
    member.save(update_fields=["reminder_channel"])
