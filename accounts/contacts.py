"""The e-mail and the phone by which a member is reached and gets in: another takes its place once a code proved it."""

from datetime import datetime

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction

from accounts import merges, notices
from accounts.models import User


class ContactTaken(Exception):
    """The contact stands on another record; whose it is, nobody is told."""


def claimed_by_another(member: User, *, email: str = "", phone: str = "") -> User | None:
    """The other member who has proved to be behind this contact and so gets no code that could move it."""
    contact = {"email": email.lower()} if email else {"phone": phone}
    return User.objects.filter(**contact, claimed_at__isnull=False).exclude(pk=member.pk).first()


def is_own(member: User, *, email: str = "", phone: str = "") -> bool:
    """Whether the member has this contact now: the phone, the e-mail, or a proved further e-mail."""
    if phone:
        return member.phone == phone
    proved = EmailAddress.objects.filter(user=member, email=email, verified=True)
    return member.email == email or proved.exists()


@transaction.atomic
def change_email(*, member: User, email: str, at: datetime) -> User:
    """Give the member `email`, which a code has just proved, in place of the one there was; tell the old one.

    Raises ContactTaken; then nothing was written.
    """
    kept = User.objects.select_for_update().get(pk=member.pk)
    email, before = email.lower(), kept.email
    merges.release(member=kept, email=email)
    try:
        with transaction.atomic():
            EmailAddress.objects.filter(user=kept).exclude(email=email).delete()
            EmailAddress.objects.update_or_create(user=kept, email=email, defaults={"verified": True, "primary": True})
            kept.email = email
            kept.save(update_fields=["email"])
    except IntegrityError as error:
        raise ContactTaken from error
    member.email = email
    if email != before:
        _tell(kept, "email", at, replaced=before, email=before, phone=kept.phone)
    return member


@transaction.atomic
def change_phone(*, member: User, phone: str, at: datetime) -> User:
    """Give the member `phone` (E.164), which a code has just proved, in place of the one there was; tell the old one.

    Raises ContactTaken; then nothing was written.
    """
    kept = User.objects.select_for_update().get(pk=member.pk)
    before, kept.phone, kept.phone_verified_at = kept.phone, phone, at
    merges.release(member=kept, phone=phone)
    try:
        with transaction.atomic():
            kept.save(update_fields=["phone", "phone_verified_at"])
    except IntegrityError as error:
        raise ContactTaken from error
    member.phone, member.phone_verified_at = phone, at
    if phone != before:
        _tell(kept, "phone", at, replaced=before, email="" if before else kept.email, phone=before)
    return member


def _tell(member: User, what: str, at: datetime, *, replaced: str, email: str, phone: str) -> None:
    """Whoever reads the contact that was replaced has to know of it; where there was none, who reads the other one."""
    if not email and not phone:
        return
    notices.tell(
        member=member,
        template="contact_changed",
        key=f"contact-{member.pk}-{what}-{at.isoformat()}",
        at=at,
        email=email,
        phone=phone,
        context={"what": what, "replaced": bool(replaced), "at": at},
    )
