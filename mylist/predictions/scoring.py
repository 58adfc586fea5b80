"""Members' histories -> list items and their predictions, everybody or a shard or one member alone."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

import replenish
from accounts.models import User
from mylist.models import FittedModel, ListItem, Prediction
from mylist.predictions.columns import columns, day_number
from mylist.predictions.fitting import model_as_of, model_of, running_model
from shop import history
from shop.models import Offer

SHARD = 100


@dataclass(slots=True)
class _Pair:
    """What the history says of one member and product: the last purchase, and on how many days it was bought."""

    last: history.Bought
    quantity: Decimal = Decimal(0)
    days: set[date] = field(default_factory=set)

    def add(self, line: history.Bought) -> None:
        if line.on > self.last.on:
            self.last, self.quantity = line, Decimal(0)
        if line.on == self.last.on:
            self.last = max(self.last, line, key=lambda one: one.at)
            self.quantity += line.quantity
        self.days.add(line.on)


def members(*, at: datetime) -> list[int]:
    """The ids of everybody who has a list."""
    return list(history.returning_members(at).order_by("pk").values_list("pk", flat=True))


def shards(*, at: datetime, size: int = SHARD) -> list[list[int]]:
    """The same in shards that can be predicted apart from each other."""
    ids = members(at=at)
    return [ids[start : start + size] for start in range(0, len(ids), size)]


def predict_all(*, at: datetime, progress: Callable[[int], object] = lambda members: None) -> int:
    """Predict everybody in this process; `progress` is told of each shard's number of members."""
    fitted = model_as_of(at=at)
    done = 0
    for shard in shards(at=at):
        done += predict_members(member_ids=shard, at=at, fitted=fitted, overwrite=True)
        progress(len(shard))
    return done


def predict_members(
    *, member_ids: Sequence[int], at: datetime, fitted: FittedModel | None = None, overwrite: bool = False
) -> int:
    """Bring the list items and predictions of some members up to `at`; returns how many items they have now.

    A member who was predicted for a later moment meanwhile (an order just placed) is left alone unless `overwrite`.
    Items whose purchases were all undone or returned leave the list.
    """
    fitted = fitted or running_model(at=at)
    with transaction.atomic():
        # Reading under the member's lock: an order placed at this moment is either seen, or predicted after us.
        found = {
            member.pk: member
            for member in User.objects.select_for_update()
            .filter(pk__in=member_ids)
            .only("pk", "time_zone")
            .order_by("pk")
        }
        if not overwrite:
            newer = ListItem.objects.filter(member__in=found, prediction__as_of__gt=at)
            for member_id in newer.values_list("member_id", flat=True).distinct():
                del found[member_id]
        lines = list(history.bought(until=at, member_ids=found))
        today = {pk: at.astimezone(ZoneInfo(member.time_zone)).date() for pk, member in found.items()}
        return _write(today, lines, fitted, at)


def _forecasts(today: dict[int, date], lines: list[history.Bought], fitted: FittedModel) -> list[dict[str, Any]]:
    """A row of the engine's columns for each pair; each member is forecast as of the own local day."""
    rows: list[dict[str, Any]] = []
    for day in sorted(set(today.values())):
        forecasts = replenish.forecast(
            model_of(fitted), columns(line for line in lines if today[line.member_id] == day), as_of=day_number(day)
        )
        names = [name for name, _ in forecasts.columns()]
        values = [column.tolist() for _, column in forecasts.columns()]
        rows += [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]
    return rows


def _write(today: dict[int, date], lines: list[history.Bought], fitted: FittedModel, at: datetime) -> int:
    found = _forecasts(today, lines, fitted)
    kept = {(row["customer"], row["product"]) for row in found}
    pairs = _pairs(lines)
    offers = _offers({product_id for _, product_id in kept})
    items = ListItem.objects.bulk_create(
        (_item(key, pairs[key], offers.get(key[1], {})) for key in sorted(kept)),
        update_conflicts=True,
        unique_fields=["member", "product"],
        update_fields=[
            "offer",
            "last_bought_at",
            "last_quantity",
            "last_unit_price",
            "last_currency",
            "times_bought",
        ],
        batch_size=1000,
    )
    by_key = {(item.member_id, item.product_id): item for item in items}
    predictions = [
        _prediction(by_key[row["customer"], row["product"]], row, fitted.version, at, today[row["customer"]])
        for row in found
    ]
    Prediction.objects.bulk_create(
        predictions,
        update_conflicts=True,
        unique_fields=["item"],
        update_fields=[f.name for f in Prediction._meta.concrete_fields if not f.primary_key],
        batch_size=1000,
    )
    stale = [
        pk
        for pk, member_id, product_id in ListItem.objects.filter(member__in=today).values_list(
            "pk", "member_id", "product_id"
        )
        if (member_id, product_id) not in kept
    ]
    ListItem.objects.filter(pk__in=stale).delete()
    return len(items)


def _pairs(lines: Iterable[history.Bought]) -> dict[tuple[int, int], _Pair]:
    pairs: dict[tuple[int, int], _Pair] = {}
    for line in lines:
        if line.quantity <= 0:
            continue
        pairs.setdefault((line.member_id, line.product_id), _Pair(line)).add(line)
    return pairs


def _item(key: tuple[int, int], pair: _Pair, offers: dict[int, int]) -> ListItem:
    member_id, product_id = key
    return ListItem(
        member_id=member_id,
        product_id=product_id,
        # The store it was last bought in, else any other that has it.
        offer_id=offers.get(pair.last.store_id) or next(iter(offers.values()), None),
        last_bought_at=pair.last.at,
        last_quantity=pair.quantity,
        last_unit_price=pair.last.unit_price,
        last_currency=pair.last.currency,
        times_bought=len(pair.days),
    )


def _prediction(item: ListItem, row: dict[str, Any], version: str, at: datetime, today: date) -> Prediction:
    def on(days: float) -> date:
        return today + timedelta(days=max(1, round(days)))

    return Prediction(
        item=item,
        model_version=version,
        as_of=at,
        p7=row["p7"],
        p14=row["p14"],
        p28=row["p28"],
        expected_on=on(row["median_days"]),
        lower_on=on(row["lower_days"]),
        upper_on=on(row["upper_days"]),
        interval_days=row["interval_days"],
        supply_left=row["supply_left"],
        suggested_quantity=row["suggested_quantity"],
        score=row["score"],
    )


def _offers(product_ids: set[int]) -> dict[int, dict[int, int]]:
    """For each product: store -> offer on sale, cheapest first."""
    offers: dict[int, dict[int, int]] = {}
    rows = Offer.objects.filter(product__in=product_ids, is_active=True, store__is_active=True).order_by("price", "pk")
    for pk, product_id, store_id in rows.values_list("pk", "product_id", "store_id"):
        offers.setdefault(product_id, {})[store_id] = pk
    return offers
