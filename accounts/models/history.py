"""Who changed what: a row beside the table for each change that somebody made."""

from typing import Any

from django.db import models, transaction
from simple_history.models import HistoricalRecords


class History(HistoricalRecords):
    """django-simple-history, made to tell the truth where much is written in bulk.

    Imports, sales and settling write past Django's signals. So before a change is recorded, what stands in the table is
    compared with the newest record and, where they differ, recorded first, as changed by nobody: what somebody then did
    is the difference to it. A save that changes nothing is not recorded, nor is a creation by nobody who is signed in:
    the row's own moments tell of that.
    """

    _date_indexing = False  # changes are looked up by the row they are of

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(history_id_field=models.BigAutoField(), **kwargs)

    def finalize(self, sender: type[models.Model], **kwargs: Any) -> None:
        super().finalize(sender, **kwargs)
        if sender is self.cls:
            models.signals.pre_save.connect(self.pre_save, sender=sender, weak=False)

    def pre_save(self, instance: models.Model, raw: bool = False, update_fields: Any = None, **kwargs: Any) -> None:
        instance.__dict__.pop("_history_before", None)
        if not raw and not instance._state.adding and self._tracks(update_fields):
            instance.__dict__["_history_before"] = self._standing(instance.pk)

    def post_save(
        self, instance: models.Model, created: bool, using: str | None = None, update_fields: Any = None, **kwargs: Any
    ) -> None:
        before = instance.__dict__.pop("_history_before", None)
        if created and self.get_history_user(instance):
            super().post_save(instance, created, using, **kwargs)
        elif before is not None:
            # Read again: with update_fields an instance may carry what was not written.
            after = self._standing(instance.pk)
            if self._values(before) != self._values(after):
                self._catch_up(before)
                self._record(after, instance)

    def m2m_changed(
        self, instance: Any, action: str, attr: str, pk_set: set[int] | None, reverse: bool, **kwargs: Any
    ) -> None:
        # From the other side (a group is given its members) the instance is the group.
        keys = (pk_set or set()) if reverse else {instance.pk}
        for row in self.cls._base_manager.filter(pk__in=keys):
            if action.startswith("pre_"):
                self._catch_up(row)
            else:
                self._record(row, instance)

    def _record(self, row: Any, changed: Any) -> None:
        """`row` as it stands now; `changed` knows by whom, if anybody said."""
        row._history_user = self.get_history_user(changed)
        row._change_reason = getattr(changed, "_change_reason", None)
        self.create_historical_record(row, "~")

    def _catch_up(self, standing: Any) -> None:
        """Record what stands in the table unless the newest record says so already."""
        newest = getattr(standing, self.manager_name).first()
        if newest is None or self._values(newest) != self._values(standing):
            standing._history_user = None
            self.create_historical_record(standing, "~" if newest else "+")

    def _standing(self, key: Any) -> Any:
        return self.cls._base_manager.filter(pk=key).first()

    def _tracks(self, update_fields: Any) -> bool:
        return update_fields is None or not set(update_fields) <= set(self.excluded_fields)

    def _values(self, row: models.Model) -> dict[str, Any]:
        return {field.attname: getattr(row, field.attname) for field in self.fields_included(self.cls)}


@transaction.atomic
def record_update(rows: models.QuerySet[Any], **values: Any) -> list[Any]:
    """`rows.update(**values)`, recorded as a save of each would be; the rows as they are now."""
    model = rows.model
    records, names = model.history, [field.attname for field in model.history.model.tracked_fields]

    def says(row: Any) -> list[Any]:
        return [getattr(row, name) for name in names]

    changed = list(rows.select_for_update(of=("self",)).order_by("pk"))
    keys = [row.pk for row in changed]
    newest = {record.id: says(record) for record in records.filter(id__in=keys).latest_of_each()}
    for row in changed:
        row._history_user = None
    records.bulk_history_create([row for row in changed if newest.get(row.pk) != says(row)], update=True)
    model._base_manager.filter(pk__in=keys).update(**values)
    for row in changed:
        del row._history_user
        for name, value in values.items():
            setattr(row, name, value)
    records.bulk_history_create(changed, update=True)
    return changed
