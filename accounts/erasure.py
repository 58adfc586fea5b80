"""Making a member nobody: what says who it was is emptied or deleted, what the shop's sums stand on stays.

What becomes of each table is told by the app that owns it, in its ready(). A table that leads to a member and of which
nobody told is found by `manage.py check` and refused here, so that none can be forgotten.
Why what stays may stay: docs/decisions/0008.
"""

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.core.checks import CheckMessage, Error
from django.db import models, transaction
from django.db.models import Q
from django.utils.crypto import salted_hmac

from accounts import belongings
from accounts.models import DataExport, ErasedMember, User
from notify.models import Message

_CHUNK = 500
# All that is left on the member's own row; every other column, also one that is added later, goes back to its default.
_LEFT_ON_THE_MEMBER = {"id", "joined_at", "home_channel"}
# No 0/O, 1/I/L, as in other member numbers; an X at its head says that there is nobody behind it.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Delete:
    """The rows go."""


@dataclass(frozen=True, slots=True)
class Keep:
    """The rows stay for the sums. Of what can hold words only `texts` stay, all else that can is emptied.

    `instead` gives columns another value. Amounts, moments, keys and choices of a list stay.
    """

    texts: frozenset[str] = frozenset()
    instead: Mapping[str, Any] = field(default_factory=dict)


Fate = Delete | Keep
_fates: dict[type[models.Model], Fate] = {}


class Unhandled(Exception):
    """Nobody told what becomes of a table that leads to a member."""


def register(model: type[models.Model], fate: Fate) -> None:
    """Tell what becomes of a member's rows of `model`. ValueError if something else was told before."""
    if _fates.setdefault(model, fate) != fate:
        raise ValueError(f"what becomes of {model._meta.label} has been told already")


def unhandled() -> list[type[models.Model]]:
    """Tables that lead to a member and of which nobody told what becomes of them; empty, or a check fails."""
    histories = {history for history, _tracked in belongings.histories()}
    return [model for model in belongings.own_tables() if model not in _fates and model not in histories]


def check_fates(**_kwargs: object) -> list[CheckMessage]:
    """For Django's checks."""
    return [
        Error(
            f"{model._meta.label} leads to a member, but nobody told what becomes of it when the member is erased.",
            hint="Call accounts.erasure.register() for it in the ready() of its app.",
            obj=model,
            id="accounts.E001",
        )
        for model in unhandled()
    ]


def number_hashes(member_no: str) -> list[str]:
    """The keyed hashes of a member number: under the key of today, then under those of before."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [salted_hmac("accounts.erasure", member_no, key, algorithm="sha256").hexdigest() for key in keys]


def erased_numbers(member_nos: Iterable[str]) -> Iterator[str]:
    """Which of these member numbers were those of members who have been erased."""
    known = set(ErasedMember.objects.values_list("number_hash", flat=True))
    if known:
        yield from (number for number in member_nos if not known.isdisjoint(number_hashes(number)))


@transaction.atomic
def erase(*, member: User, at: datetime) -> None:
    """Leave nothing of the member that says who it was, in one transaction; a member erased before stays as it is.

    Every record that was made one with this one goes the same way. Raises Unhandled before anything is written.
    """
    if missing := unhandled():
        raise Unhandled(", ".join(model._meta.label for model in missing))
    ids = belongings.people(member)
    people = list(User.objects.select_for_update().filter(pk__in=ids, erased_at=None).order_by("pk"))
    if not people:
        return
    ids = [person.pk for person in people]
    contacts = _contacts(ids)
    _erase_messages(ids, contacts)
    _erase_sessions(ids, contacts)
    _erase_admin_log(ids, contacts)
    _erase_files(ids)
    _erase_history(ids)
    for model in reversed(belongings.own_tables()):
        if fate := _fates.get(model):
            _apply(fate, model, belongings.rows(model, ids))
    # Again: a history writes down the rows that were deleted just now.
    _erase_history(ids)
    for person in people:
        _erase_person(person, at)


def _apply(fate: Fate, model: type[models.Model], rows: models.QuerySet[Any]) -> None:
    match fate:
        case Delete():
            rows.delete()
        case Keep(texts, instead):
            emptied = {f.name: f.get_default() for f in _wordy(model) if f.name not in texts} | dict(instead)
            if emptied:
                model._base_manager.filter(pk__in=list(rows.values_list("pk", flat=True))).update(**emptied)


def _wordy(model: type[models.Model]) -> Iterator[models.Field]:
    """Columns that can hold anything somebody wrote: no numbers, moments, keys or choices of a list."""
    words = models.CharField | models.TextField | models.JSONField | models.GenericIPAddressField
    for column in model._meta.concrete_fields:
        if isinstance(column, words | models.FileField | models.BinaryField | models.UUIDField) and not (
            column.choices or column.primary_key or column.is_relation
        ):
            yield column


def _contacts(ids: list[int]) -> list[str]:
    """Every e-mail and phone that is or was these people's and is no other member's now, in lower case."""
    found: set[str] = set()
    sources = [User.objects.filter(pk__in=ids)]
    sources += [
        belongings.history_rows(history, tracked, ids) for history, tracked in belongings.histories() if tracked is User
    ]
    for source in sources:
        for email, phone in source.values_list("email", "phone"):
            found |= {email.lower(), phone}
    found |= {email.lower() for email in EmailAddress.objects.filter(user__in=ids).values_list("email", flat=True)}
    others = User.objects.exclude(pk__in=ids).filter(Q(email__in=found) | Q(phone__in=found))
    for email, phone in others.values_list("email", "phone"):
        found -= {email.lower(), phone}
    return sorted(found - {""})


def _erase_messages(ids: list[int], contacts: list[str]) -> None:
    belongings.messages(ids).delete()
    # From before messages were marked with whose they are.
    Message.objects.filter(whose="", recipient__in=contacts).delete()


def _erase_sessions(ids: list[int], contacts: list[str]) -> None:
    """Where they are signed in, and what was begun without a member: joining, or asking for a code."""
    belongings.sessions(ids).delete()
    signed_in = {str(pk) for pk in ids}
    anonymous = Session.objects.exclude(session_key__in=UserSession.objects.values("session_key"))
    for session in anonymous.iterator(chunk_size=_CHUNK):
        data = session.get_decoded()
        said = json.dumps(data, ensure_ascii=False, default=str).lower()
        if data.get("_auth_user_id") in signed_in or any(contact in said for contact in contacts):
            session.delete()


def _erase_admin_log(ids: list[int], contacts: list[str]) -> None:
    """The admin wrote down how rows were called, and an address is called by itself."""
    nameless = {"object_repr": "–", "change_message": ""}
    belongings.admin_log(User, ids).update(**nameless)
    for model in belongings.own_tables():
        keys = list(belongings.rows(model, ids).values_list("pk", flat=True))
        for start in range(0, len(keys), _CHUNK):
            belongings.admin_log(model, keys[start : start + _CHUNK]).update(**nameless)
    for contact in contacts:
        said = Q(object_repr__icontains=contact) | Q(change_message__icontains=contact)
        LogEntry.objects.filter(said).update(**nameless)


def _erase_files(ids: list[int]) -> None:
    """The copies of all data: their files go once it is sure that the rows do."""
    for export in DataExport.objects.filter(member__in=ids).exclude(file=""):
        transaction.on_commit(partial(export.file.storage.delete, str(export.file.name)), robust=True)


def _erase_history(ids: list[int]) -> None:
    """The history of a table goes the way of the table; that of the member is deleted."""
    for history, tracked in belongings.histories():
        rows = belongings.history_rows(history, tracked, ids)
        match _fates.get(tracked):
            case Keep() as fate:
                _apply(fate, history, rows)
            case _:
                rows.delete()


def _erase_person(person: User, at: datetime) -> None:
    _remember(person.member_no)
    emptied = {
        column.attname: column.get_default()
        for column in User._meta.concrete_fields
        if column.name not in _LEFT_ON_THE_MEMBER
    }
    emptied |= {
        "member_no": "X" + "".join(secrets.choice(_ALPHABET) for _ in range(10)),
        "password": make_password(None),
        "is_active": False,
        "erased_at": at,
        "reminder_channel": User.ReminderChannel.NONE,
    }
    User.objects.filter(pk=person.pk).update(**emptied)


def _remember(member_no: str) -> None:
    today, *_before = number_hashes(member_no)
    ErasedMember.objects.get_or_create(number_hash=today)
