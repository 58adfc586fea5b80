"""Which tables of the whole project lead to a member, found by walking the models: no list to keep, none to forget.

Used by whatever has to find all that is a member's: the copy of all data, the merging of two records, the erasure.
"""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from django.apps import apps
from django.db.models import ForeignKey, Model, OneToOneField

from accounts.models import User


class Reference(NamedTuple):
    """A table and the lookup that leads from it to a member, e.g. (OrderLine, "order__member")."""

    model: type[Model]
    path: str


def _foreign_keys(model: type[Model]) -> Iterator[ForeignKey]:
    for field in model._meta.get_fields(include_hidden=True):
        if isinstance(field, ForeignKey | OneToOneField):
            yield field


@cache
def direct() -> tuple[Reference, ...]:
    """Every foreign key to a member, those of Django, allauth and the many-to-many tables included."""
    return tuple(
        Reference(model, field.name)
        for model in apps.get_models(include_auto_created=True)
        for field in _foreign_keys(model)
        if field.related_model is User
    )


@cache
def all_references() -> tuple[Reference, ...]:
    """The shortest paths to a member from every table that leads to one, over any number of foreign keys.

    A table with several foreign keys to a member, or to different parents of the same distance, has a path for each.
    """
    found: dict[type[Model], list[str]] = {}
    for reference in direct():
        found.setdefault(reference.model, []).append(reference.path)
    while True:
        further: dict[type[Model], list[str]] = {}
        for model in apps.get_models(include_auto_created=True):
            if model in found or model is User:
                continue
            for field in _foreign_keys(model):
                for path in found.get(field.related_model, []):
                    further.setdefault(model, []).append(f"{field.name}__{path}")
        if not further:
            return tuple(Reference(model, path) for model, paths in found.items() for path in paths)
        found |= further
