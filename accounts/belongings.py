"""Which rows of the whole project are a member's, found by walking the models: no list to keep, none to forget.

Used by whatever has to find all that is a member's: the copy of all data, the merging of two records, the erasure.
"""

from collections.abc import Iterator
from functools import cache, reduce
from operator import or_
from typing import Any, NamedTuple

from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db.models import SET_NULL, ForeignKey, Model, OneToOneField, Q, QuerySet

from accounts.models import Merge, User
from notify.models import Message


class Reference(NamedTuple):
    """A table and the lookup that leads from it to a member, e.g. (OrderLine, "order__member")."""

    model: type[Model]
    path: str


def _tables() -> list[type[Model]]:
    """Every table of the project; a proxy is another name for one."""
    return [model for model in apps.get_models(include_auto_created=True) if not model._meta.proxy]


def _foreign_keys(model: type[Model]) -> Iterator[ForeignKey]:
    for field in model._meta.get_fields(include_hidden=True):
        if isinstance(field, ForeignKey | OneToOneField):
            yield field


def names_who_acted(field: Any) -> bool:
    """Whether a foreign key tells who did something to a row, not whose it is: the row outlives that person."""
    return field.remote_field.on_delete is SET_NULL or field.model is LogEntry


@cache
def direct() -> tuple[Reference, ...]:
    """Every foreign key to a member, those of Django, allauth and the many-to-many tables included."""
    return tuple(
        Reference(model, field.name)
        for model in _tables()
        for field in _foreign_keys(model)
        if field.related_model is User
    )


@cache
def acts() -> tuple[Reference, ...]:
    """The foreign keys that name the member of staff who did something, mostly to what is another member's."""
    return tuple(ref for ref in direct() if names_who_acted(ref.model._meta.get_field(ref.path)))


@cache
def own() -> tuple[Reference, ...]:
    """The shortest paths to the member whose the rows are, over any number of foreign keys.

    A table with several foreign keys to a member, or to different parents of the same distance, has a path for each.
    """
    found: dict[type[Model], list[str]] = {}
    for reference in direct():
        if reference not in acts():
            found.setdefault(reference.model, []).append(reference.path)
    while True:
        further: dict[type[Model], list[str]] = {}
        for model in _tables():
            if model in found or model is User:
                continue
            for field in _foreign_keys(model):
                if not names_who_acted(field):
                    for path in found.get(field.related_model, []):
                        further.setdefault(model, []).append(f"{field.name}__{path}")
        if not further:
            return tuple(Reference(model, path) for model, paths in found.items() for path in paths)
        found |= further


def people(member: User) -> list[int]:
    """The ids of the member and of every record that was made one with it."""
    found, new = {member.pk}, {member.pk}
    while new:
        merged = Merge.objects.filter(kept__in=new, undone_at=None).values_list("merged", flat=True)
        new = set(merged) - found
        found |= new
    return sorted(found)


@cache
def own_tables() -> tuple[type[Model], ...]:
    """The tables of `own`, those nearest to the member first."""
    return tuple(dict.fromkeys(reference.model for reference in own()))


def rows(model: type[Model], ids: list[int]) -> QuerySet[Any]:
    """The rows of a table that are these people's; none of one that is not among the own_tables."""
    paths = (Q(**{f"{ref.path}__in": ids}) for ref in own() if ref.model is model)
    return model._base_manager.filter(reduce(or_, paths, Q(pk__in=[])))


# What follows knows a member by other means than a foreign key.


@cache
def histories() -> tuple[tuple[type[Model], type[Model]], ...]:
    """(history, tracked) for every table of django-simple-history whose tracked rows are a member's, or the member."""
    known = {*own_tables(), User}
    followed = ((model, getattr(model, "instance_type", None)) for model in _tables())
    return tuple((model, tracked) for model, tracked in followed if tracked is not None and tracked in known)


def history_rows(history: type[Model], tracked: type[Model], ids: list[int]) -> QuerySet[Any]:
    """What a history says of rows that are these people's, or were until they were deleted."""
    key = tracked._meta.pk.attname
    if tracked is User:
        return history._base_manager.filter(**{f"{key}__in": ids})
    still = Q(**{f"{key}__in": rows(tracked, ids).values("pk")})
    return history._base_manager.filter(still | Q(pk__in=rows(history, ids).values("pk")))


def messages(ids: list[int]) -> QuerySet[Message]:
    """Messages to these people."""
    return Message.objects.filter(whose__in=[str(pk) for pk in ids])


def sessions(ids: list[int]) -> QuerySet[Session]:
    """Where these people are signed in, browsers and apps."""
    return Session.objects.filter(session_key__in=UserSession.objects.filter(user__in=ids).values("session_key"))


def admin_log(model: type[Model], keys: list[Any]) -> QuerySet[LogEntry]:
    """What the admin noted of these rows of a table."""
    kind = ContentType.objects.get_for_model(model, for_concrete_model=False)
    return LogEntry.objects.filter(content_type=kind, object_id__in=[str(key) for key in keys])
