"""Members' histories -> list items and their predictions, everybody or a shard or one member alone."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from django.db import connection, transaction
from django.db.models import Q
from numpy.typing import NDArray

import replenish
from accounts.models import User
from mylist import rounds
from mylist.models import FittedModel, ListItem, Shard
from mylist.predictions import writing
from mylist.predictions.columns import columns, day_number
from mylist.predictions.fitting import model_as_of, model_of, running_model
from shop import history
from shop.models import Offer


def predict_all(*, at: datetime, progress: Callable[[int], object] = lambda members: None) -> int:
    """A whole round in this process, with the running model; `progress` is told of each shard's number of members."""
    fitted = model_as_of(at=at)
    done = 0
    for shard in rounds.begin(at=at):
        done += predict_shard(shard_id=shard.pk, at=at, fitted=fitted, overwrite=True)
        progress(shard.members)
    return done


def predict_shard(*, shard_id: int, at: datetime, fitted: FittedModel | None = None, overwrite: bool = False) -> int:
    """Predict a shard of the newest round, as `predict_members` does; 0 where it is done, or the round is over."""
    fitted = fitted or running_model(at=at)
    with transaction.atomic():
        shard = rounds.left().filter(pk=shard_id).first()
        if shard is None:
            return 0
        items = _predict(Q(pk__range=(shard.first_member_id, shard.last_member_id)), at, fitted, overwrite)
        Shard.objects.filter(pk=shard_id).update(done_at=at)
    return items


def predict_members(
    *, member_ids: Sequence[int], at: datetime, fitted: FittedModel | None = None, overwrite: bool = False
) -> int:
    """Bring the list items and predictions of some members up to `at`; returns how many items they have now.

    A member who was predicted for a later moment meanwhile (an order just placed) is left alone unless `overwrite`.
    Items whose purchases were all undone or returned leave the list.
    """
    fitted = fitted or running_model(at=at)
    with transaction.atomic():
        return _predict(Q(pk__in=member_ids), at, fitted, overwrite)


def _predict(who: Q, at: datetime, fitted: FittedModel, overwrite: bool) -> int:
    # Reading under the member's lock: an order placed at this moment is either seen, or predicted after us.
    # Locks are taken in the order of ids, here and wherever several members are locked at once.
    # Purchases of who was erased stay in the books, but there is nobody to make a list for.
    locked = User.objects.select_for_update(no_key=True).filter(who, erased_at=None).order_by("pk")
    zones = dict(locked.values_list("pk", "time_zone"))
    _plan_for_few_rows()
    if not overwrite:
        newer = ListItem.objects.filter(member__in=zones, prediction__as_of__gt=at)
        for member_id in newer.values_list("member_id", flat=True).distinct():
            del zones[member_id]
    lines = list(history.bought(until=at, member_ids=zones))
    rows = _rows(lines, _today(zones, at), model_of(fitted))
    writing.write(rows, model_version=fitted.version, as_of=at)
    _drop_stale(zones, rows)
    return len(rows)


def _plan_for_few_rows() -> None:
    """A shard is little of large tables. Left alone PostgreSQL reads them whole, and a round grows with its square."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)"
            )


def _today(zones: dict[int, str], at: datetime) -> dict[int, int]:
    """The number of each member's local day."""
    days = {zone: day_number(at.astimezone(ZoneInfo(zone)).date()) for zone in set(zones.values())}
    return {member_id: days[zone] for member_id, zone in zones.items()}


def _rows(lines: list[history.Bought], today: dict[int, int], model: replenish.Model) -> list[tuple[Any, ...]]:
    """What `writing` takes, by member and product; each member is forecast as of the own local day."""
    if not lines:
        return []
    purchases = columns(lines)
    last = _last_bought(purchases, lines)
    offers = _offers({line.product_id for line, _ in last.values()})
    day_of = np.array([today[line.member_id] for line in lines], np.int32)
    rows: list[tuple[Any, ...]] = []
    for day in np.unique(day_of).tolist():
        of = replenish.forecast(model, purchases.take(day_of == day), as_of=day)
        pairs = list(zip(of.customer.tolist(), of.product.tolist(), strict=True))
        bought = [last[pair] for pair in pairs]
        rows += zip(
            *zip(*pairs, strict=True),
            [_offer(line, offers.get(line.product_id, {})) for line, _ in bought],
            [history.moment(line.at) for line, _ in bought],
            [quantity for _, quantity in bought],
            [line.unit_price for line, _ in bought],
            [line.currency for line, _ in bought],
            of.purchases.tolist(),
            of.p7.tolist(),
            of.p14.tolist(),
            of.p28.tolist(),
            _dates(day, of.median_days),
            _dates(day, of.lower_days),
            _dates(day, of.upper_days),
            of.interval_days.tolist(),
            of.supply_left.tolist(),
            of.suggested_quantity.tolist(),
            of.score.tolist(),
            strict=True,
        )
    return sorted(rows)


def _last_bought(
    purchases: replenish.Purchases, lines: list[history.Bought]
) -> dict[tuple[int, int], tuple[history.Bought, Decimal]]:
    """For each pair its last line, and how much was bought on the day of it; a return is no purchase."""
    rows = np.flatnonzero(purchases.quantity > 0)
    at = np.array([line.at for line in lines], np.int64)
    # The price comes in so that of two lines at one moment it is the same one every night.
    keys = (purchases.price, at, purchases.day, purchases.product, purchases.customer)
    rows = rows[np.lexsort([key[rows] for key in keys])]
    p = purchases.take(rows)
    ends = np.flatnonzero(np.append((p.customer[1:] != p.customer[:-1]) | (p.product[1:] != p.product[:-1]), True))
    pair = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=-1))
    same_day = p.day == p.day[ends][pair]
    quantity = np.bincount(pair[same_day], p.quantity[same_day], len(ends))
    last = [lines[row] for row in rows[ends].tolist()]
    return {
        (line.member_id, line.product_id): (line, Decimal(thousandths).scaleb(-3))
        for line, thousandths in zip(last, np.rint(quantity * 1000).astype(np.int64).tolist(), strict=True)
    }


def _dates(today: int, days: NDArray[np.float64]) -> list[date]:
    """Days from now on, tomorrow at the earliest, as dates."""
    found: list[date] = (today + np.maximum(1, np.rint(days)).astype(np.int64)).astype("datetime64[D]").tolist()
    return found


def _drop_stale(member_ids: Iterable[int], rows: list[tuple[Any, ...]]) -> None:
    items = ListItem.objects.filter(member__in=member_ids)
    if items.count() == len(rows):
        return
    kept = {row[:2] for row in rows}
    found = items.values_list("pk", "member_id", "product_id")
    ListItem.objects.filter(pk__in=[pk for pk, *pair in found if tuple(pair) not in kept]).delete()


def _offer(last: history.Bought, offers: dict[int, int]) -> int | None:
    """The store it was last bought in, else any other that has it."""
    return offers.get(last.store_id) or next(iter(offers.values()), None)


def _offers(product_ids: set[int]) -> dict[int, dict[int, int]]:
    """For each product: store -> offer on sale, cheapest first."""
    offers: dict[int, dict[int, int]] = {}
    rows = Offer.objects.filter(product__in=product_ids, is_active=True, store__is_active=True).order_by("price", "pk")
    for pk, product_id, store_id in rows.values_list("pk", "product_id", "store_id"):
        offers.setdefault(product_id, {})[store_id] = pk
    return offers
