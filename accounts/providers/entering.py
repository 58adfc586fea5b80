"""Which member an account elsewhere belongs to: the one it is tied to, the one with its proved e-mail, or a new one."""

from datetime import datetime
from typing import NamedTuple

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db import IntegrityError, transaction

from accounts import consents, members, notices
from accounts.models import ConsentEntry, User


class Newcomer(NamedTuple):
    """Whom a provider says it is."""

    provider: str
    uid: str
    name: str
    email: str
    """Only one that is proved, by the word of a provider we trust in this; else empty."""
    shown: dict[str, str]
    """What the member is shown of the account elsewhere, to tell it from another."""


class LastWayIn(Exception):
    """Without this account elsewhere the member could not sign in any more."""


def owner(email: str) -> User | None:
    """The member who is reached at this e-mail."""
    address = EmailAddress.objects.filter(email=email, verified=True).select_related("user").first()
    return address.user if address else User.objects.filter(email=email).first()


def enter(*, newcomer: Newcomer, language: str, at: datetime) -> SocialAccount:
    """The account elsewhere, tied to its member: as it was, to the claimed member with its e-mail, or to a new one.

    Raises members.ClaimRefused when the member with its e-mail is closed.
    """
    try:
        return _enter(newcomer, language, at)
    except IntegrityError:
        # The same person in another tab was quicker: now there is something to be found.
        return _enter(newcomer, language, at)


@transaction.atomic
def _enter(newcomer: Newcomer, language: str, at: datetime) -> SocialAccount:
    known = SocialAccount.objects.filter(provider=newcomer.provider, uid=newcomer.uid).select_related("user").first()
    if known:
        return known
    member = owner(newcomer.email) if newcomer.email else None
    is_news = member is not None and member.claimed_at is not None
    if member is None:
        member = _join(newcomer, language, at)
    elif member.email == newcomer.email:
        member = members.claim(member=member, email=newcomer.email, at=at)
    account = SocialAccount.objects.create(
        user=member, provider=newcomer.provider, uid=newcomer.uid, extra_data=newcomer.shown
    )
    if is_news:
        tell_of_connection(account=account, at=at)
    return account


def _join(newcomer: Newcomer, language: str, at: datetime) -> User:
    member = User(name=newcomer.name, email=newcomer.email, language=language, joined_at=at, claimed_at=at)
    member.set_unusable_password()
    member.save()
    if newcomer.email:
        member = members.claim(member=member, email=newcomer.email, at=at)
    # Nowhere to send a reminder to: it begins when the member has proved a contact, and wants it.
    reminders = None if newcomer.email else User.ReminderChannel.NONE
    return consents.choose(member=member, at=at, source=ConsentEntry.Source.JOIN, reminder_channel=reminders)


def configured() -> dict[str, str]:
    """The providers one can sign in with at present: what accounts there go under, and the name to show."""
    kinds = settings.SOCIALACCOUNT_PROVIDERS.items()
    return {app.get("provider_id") or kind: app["name"] for kind, provider in kinds for app in provider["APPS"]}


def is_last_way_in(account: SocialAccount) -> bool:
    """Whether the member has neither e-mail, phone, passkey nor another usable account elsewhere."""
    member = account.user
    others = SocialAccount.objects.filter(user=member, provider__in=configured()).exclude(pk=account.pk)
    passkeys = Authenticator.objects.filter(user=member, type=Authenticator.Type.WEBAUTHN)
    return not (member.email or member.phone or others.exists() or passkeys.exists())


@transaction.atomic
def disconnect(*, account: SocialAccount, at: datetime) -> None:
    """Untie an account elsewhere from its member; raises LastWayIn rather than lock the member out."""
    # Two tabs, two accounts: the second waits here and then is the last.
    account.user = User.objects.select_for_update().get(pk=account.user_id)
    if is_last_way_in(account):
        raise LastWayIn(account.pk)
    _tell("account_disconnected", account, at)
    account.delete()


def tell_of_connection(*, account: SocialAccount, at: datetime) -> None:
    """The member hears of a new way into the account, should it be somebody else's doing."""
    _tell("account_connected", account, at)


def _tell(template: str, account: SocialAccount, at: datetime) -> None:
    notices.tell(
        member=account.user,
        template=template,
        key=f"{template}-{account.pk}",
        at=at,
        context={"provider": configured().get(account.provider, account.provider)},
    )
