"""What a member agrees to: which messages, by which channel, since when, under which words."""

# ruff: noqa: S608 - the names in the SQL are our own

from collections.abc import Iterable
from datetime import datetime

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from accounts.models import ConsentEntry, User

Purpose, Channel, Source = ConsentEntry.Purpose, ConsentEntry.Channel, ConsentEntry.Source
Grant = tuple[str, str]
"""A purpose and a channel."""

# The version of the words that pages show today, and every version there ever was. A changed sentence is a new version.
WORDING = "2026-11"
WORDINGS: dict[str, dict[str, str]] = {
    "2026-11": {
        Purpose.ORDERS: gettext_noop("What happens to my orders. They belong to the purchase and cannot be ended."),
        Purpose.REMINDERS: gettext_noop("When something on my list runs out. Can be ended at any time."),
        Purpose.OFFERS: gettext_noop("Now and then what is new or cheaper. Can be ended at any time."),
    }
}

# Words that were shown elsewhere, and that nobody here has read.
UNKNOWN_WORDING = ""

# What `granted` asks of a member, as SQL asks it of all.
_GRANTED = {
    (Purpose.ORDERS, Channel.EMAIL): "u.order_channel = 'email'",
    (Purpose.ORDERS, Channel.SMS): "u.order_channel = 'sms'",
    (Purpose.REMINDERS, Channel.EMAIL): "u.reminder_channel = 'email'",
    (Purpose.REMINDERS, Channel.SMS): "u.reminder_channel = 'sms'",
    (Purpose.OFFERS, Channel.EMAIL): "u.email_consent",
    (Purpose.OFFERS, Channel.SMS): "u.sms_consent",
}


def granted(member: User) -> set[Grant]:
    """What may be sent to the member at present, by purpose and channel."""
    grants: set[Grant] = {(Purpose.ORDERS, member.order_channel)}
    if member.reminder_channel != User.ReminderChannel.NONE:
        grants.add((Purpose.REMINDERS, member.reminder_channel))
    if member.email_consent:
        grants.add((Purpose.OFFERS, Channel.EMAIL))
    if member.sms_consent:
        grants.add((Purpose.OFFERS, Channel.SMS))
    return grants


def is_reachable(member: User, channel: str) -> bool:
    """Whether the member has what messages of this channel go to; no channel needs nothing."""
    needed = {Channel.EMAIL.value: member.email, Channel.SMS.value: member.phone}
    return bool(needed.get(channel, True))


def recorded(member: User) -> set[Grant]:
    """What the ledger says at present; equal to `granted` after every call of this module."""
    newest = {}
    for entry in ConsentEntry.objects.filter(member=member).order_by("pk"):
        newest[entry.purpose, entry.channel] = entry.given
    return {grant for grant, given in newest.items() if given}


@transaction.atomic
def choose(
    *,
    member: User,
    at: datetime,
    source: str,
    order_channel: str | None = None,
    reminder_channel: str | None = None,
    email_consent: bool | None = None,
    sms_consent: bool | None = None,
) -> User:
    """Write down what the member wants, and in the ledger what thereby changed; None leaves a wish as it is.

    `source` is one of Source. Called without a wish it brings the ledger up to what stands on the member.
    """
    wishes = {
        "order_channel": order_channel,
        "reminder_channel": reminder_channel,
        "email_consent": email_consent,
        "sms_consent": sms_consent,
    }
    changed = {field: value for field, value in wishes.items() if value is not None}
    # Two tabs at once: the second waits here and compares with what the first has written.
    kept = User.objects.select_for_update().get(pk=member.pk)
    for field, value in changed.items():
        setattr(kept, field, value)
        setattr(member, field, value)
    if changed:
        kept.save(update_fields=list(changed))
    now, before = granted(kept), recorded(kept)
    ConsentEntry.objects.bulk_create(
        ConsentEntry(
            member=kept,
            purpose=purpose,
            channel=channel,
            given=(purpose, channel) in now,
            at=at,
            source=source,
            wording=WORDING,
        )
        for purpose, channel in sorted(now ^ before)
    )
    return member


def begin(members: Iterable[User]) -> None:
    """Write the first rows of the ledgers of members just made in bulk, as of the day they joined."""
    ConsentEntry.objects.bulk_create(
        ConsentEntry(
            member=member,
            purpose=purpose,
            channel=channel,
            given=True,
            at=member.joined_at,
            source=Source.JOIN if member.claimed_at else Source.IMPORT,
            wording=WORDING if member.claimed_at else UNKNOWN_WORDING,
        )
        for member in members
        for purpose, channel in sorted(granted(member))
    )


def record_unclaimed(*, at: datetime) -> None:
    """After an import has written what its members agreed to: bring their ledgers up to it, in six statements.

    Only of members nobody has claimed: what the others agree to is theirs to say, and no import changes it.
    """
    moment = connection.ops.adapt_datetimefield_value(at)
    with connection.cursor() as cursor:
        for (purpose, channel), condition in _GRANTED.items():
            cursor.execute(
                "INSERT INTO accounts_consententry (member_id, purpose, channel, given, at, source, wording) "
                f"SELECT u.id, %s, %s, {condition}, %s, %s, %s FROM accounts_user u "
                "LEFT JOIN (SELECT member_id, given FROM accounts_consententry WHERE id IN (SELECT max(id) "
                "FROM accounts_consententry WHERE purpose = %s AND channel = %s GROUP BY member_id)) newest "
                f"ON newest.member_id = u.id WHERE u.claimed_at IS NULL AND ({condition}) <> COALESCE(given, FALSE)",
                [purpose, channel, moment, Source.IMPORT, UNKNOWN_WORDING, purpose, channel],
            )


def ledger(member: User) -> QuerySet[ConsentEntry]:
    """All that the member ever agreed to and took back, the newest first."""
    return ConsentEntry.objects.filter(member=member).order_by("-pk")
