"""A member with a row in every table that leads to one, found by walking the models; each text is a word of its own."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection, models

from accounts import belongings
from accounts.models import User
from tests.factories import NOW, ChannelFactory, MemberFactory, MessageFactory, OfferFactory

# Shorter ones (a currency, a country) could stand anywhere by chance.
_SHORTEST = 12


@dataclass
class Everything:
    """`words` tells for each word where it was written, as "app.Model.column"."""

    member: User
    merged: User
    words: dict[str, str] = field(default_factory=dict)
    rows: dict[type[models.Model], models.Model] = field(default_factory=dict)
    given: dict[type[models.Model], Any] = field(default_factory=dict)

    def word(self, where: str, longest: int = 24) -> str:
        word = f"zq{len(self.words):04d}{where.lower().replace('.', '').replace('_', '')}"[: min(longest, 24)]
        self.words[word] = where
        return word

    def row(self, model: type[models.Model]) -> models.Model:
        """The one row of this table, made with all that it needs; a history's is made like any other."""
        if model not in self.rows:
            values = {column.name: value for column, value in self._values(model)}
            self.rows[model] = model._base_manager.create(**values)
        return self.rows[model]

    def _values(self, model: type[models.Model]) -> Iterator[tuple[models.Field, Any]]:
        own = {ref.path.split("__")[0] for ref in belongings.own() if ref.model is model}
        tracked = getattr(model, "instance_type", None)
        for column in model._meta.concrete_fields:
            where = f"{model._meta.label}.{column.name}"
            if isinstance(column, models.AutoField):
                continue
            if tracked and column.name == tracked._meta.pk.name:
                yield column, self.member.pk if tracked is User else self.row(tracked).pk
            elif column.is_relation:
                if column.name in own:
                    yield column, self._owner(column)
                elif not column.null:
                    yield column, self.given.get(column.related_model) or self.row(column.related_model)
            elif column.choices and not column.has_default():
                yield column, column.choices[0][0]
            elif not column.choices and (value := self._value(column, where)) is not None:
                yield column, value

    def _owner(self, column: models.Field) -> models.Model:
        if column.related_model is not User:
            return self.row(column.related_model)
        return self.merged if column.name == "merged" else self.member

    def _value(self, column: models.Field, where: str) -> Any:
        if isinstance(column, models.JSONField):
            return {"said": self.word(where)}
        if isinstance(column, models.EmailField):
            return f"{self.word(where)}@example.org"
        if isinstance(column, models.CharField | models.TextField | models.FileField):
            longest = column.max_length or 999
            return "TW" if longest < _SHORTEST else self.word(where, longest)
        if column.null or column.has_default():
            return None
        if isinstance(column, models.GenericIPAddressField):
            address = f"203.0.113.{len(self.words) % 256}"
            self.words[address] = where
            return address
        if isinstance(column, models.BooleanField):
            return True
        if isinstance(column, models.DateTimeField):
            return NOW
        return date(2026, 11, 18) if isinstance(column, models.DateField) else 1


def member_with_everything() -> Everything:
    """Build one; every table of `belongings.own_tables` has a row of the member's in the end."""
    everything = Everything(
        MemberFactory(email="zqmember@example.org", phone="+886987654321", name="zqname", birthday=date(1973, 5, 17)),
        MemberFactory(email="zqmerged@example.org", phone="+886955555321", name="zqmergedname", is_active=False),
    )
    offer = OfferFactory()
    everything.given = {
        type(offer): offer,
        type(offer.product): offer.product,
        type(offer.store): offer.store,
        type(channel := ChannelFactory(store=offer.store)): channel,
        Group: Group.objects.create(name="Somebody's"),
        Permission: Permission.objects.first(),
        ContentType: ContentType.objects.get_for_model(User),
    }
    for model in belongings.own_tables():
        everything.row(model)
    MessageFactory(
        whose=str(everything.member.pk),
        recipient="zqmember@example.org",
        subject=everything.word("notify.Message.subject"),
        text=everything.word("notify.Message.text"),
        html=everything.word("notify.Message.html"),
        headers={"To": everything.word("notify.Message.headers")},
    )
    return everything


def session_of(member: User | None, **data: Any) -> SessionStore:
    session = SessionStore()
    session.update(data | ({"_auth_user_id": str(member.pk)} if member else {}))
    session.create()
    return session


def dump() -> Iterator[tuple[str, str]]:
    """Every value of every table of the database, in lower case, with where it stands."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            columns = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                for column, value in zip(columns, row, strict=True):
                    yield f"{table}.{column}", _readable(table, column, value).lower()


def _readable(table: str, column: str, value: Any) -> str:
    if table == "django_session" and column == "session_data":
        return str(SessionStore().decode(value))
    return value.isoformat() if isinstance(value, datetime | date) else str(value)
