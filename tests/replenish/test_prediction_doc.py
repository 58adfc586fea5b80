"""The worked example of docs/prediction.md says what the code does."""

import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from django.utils import translation

from mylist import lists, words
from replenish import fit, forecast
from replenish.course import Course
from replenish.habits import Habits
from replenish.households import SPANS, TripModel
from replenish.intervals import summarise
from replenish.learning import LEAST, TRUSTED
from replenish.model import LEVELS, View
from replenish.network import Network
from replenish.supply import EDGES, USUAL_PACE
from replenish.types import Purchases

TEXT = (Path(__file__).resolve().parents[2] / "docs/prediction.md").read_text(encoding="utf-8")
EXAMPLE = TEXT.partition("## A worked example")[2].partition("\n## ")[0]
AS_OF = 80
COFFEE = Purchases.from_columns(customer=[1] * 4, product=[1] * 4, day=[0, 18, 40, 60])
HABITS = Habits(
    categories=np.zeros(0, np.int64),
    parameters=np.log([[1.0], [40.0], [1.0], [2.0]]),
    gaps=np.array([20.0]),
    pace=np.broadcast_to(USUAL_PACE, (3, 1, len(EDGES))),
)
BASE, SLOPE, TRIPS, SIZE = -0.4, 0.8, 2.0, 2.0


@pytest.fixture(scope="module")
def young():
    """The model of a shop that has seen too little for networks."""
    model = replace(fit(COFFEE, as_of=AS_OF), habits=HABITS, shift=np.zeros(len(SPANS)), levels=LEVELS)
    assert not model.networks
    return model


@pytest.fixture(scope="module")
def grown(young):
    """The same with trips and a network that look at nothing and say what the text says."""
    weights = np.zeros((len(SPANS), 9))
    weights[:, 0], weights[:, -2] = np.log(TRIPS), np.log(SIZE)
    says = np.repeat([BASE, SLOPE], len(SPANS)).astype(np.float32)[:, None]
    return replace(
        young,
        trips=TripModel(np.zeros(6), np.ones(6), weights),
        names=("count",),
        least=np.zeros((1, 1), np.float32),
        most=np.ones((1, 1), np.float32),
        centre=np.zeros((1, 1), np.float32),
        scale=np.ones((1, 1), np.float32),
        networks=(Network((np.zeros((2 * len(SPANS), 1), np.float32),), (says,)),),
        trust=6000 / (6000 + TRUSTED),
    )


@pytest.fixture(scope="module")
def view():
    return View.at(HABITS, COFFEE, as_of=AS_OF)


def row(label):
    """The numbers of a table's row."""
    (found,) = re.findall(rf"^\| {re.escape(label)} \|(.*)\|$", EXAMPLE, re.MULTILINE)
    return [float(cell) for cell in found.split("|")]


def printed(*values, digits=3):
    return pytest.approx(values, abs=0.5001 * 10**-digits)


def odds(chance):
    return np.log(chance / (1 - chance))


def test_habit_and_supply_are_as_told(view):
    outlook, supply = HABITS.outlook(*summarise(COFFEE, as_of=AS_OF))
    assert f"= {outlook.habit.alive[0]:.3f}\n".replace("0.", ".") in EXAMPLE
    assert (supply.lasts[0], supply.elapsed[0], supply.left[0]) == (20, 20, 0)


def test_days_and_chances_are_as_told(view, young):
    outlook, _ = HABITS.outlook(*summarise(COFFEE, as_of=AS_OF))
    days = [outlook.clock.model_days(span)[0] for span in SPANS]
    assert row("days") == list(SPANS)
    assert row("days of the model") == printed(*days, digits=1)
    assert row("bought, if alive") == printed(*(outlook.habit.awaited(day)[0] for day in days))
    chances = young.chances(view)[:, 0]
    assert row("chance") == printed(*chances)
    assert row("share of the last") == printed(*(chances / chances[-1]))


def test_dates_and_quantity_are_as_told(view, young):
    (told,) = re.findall(r"^\| days ahead \|(.*)\|$", EXAMPLE, re.MULTILINE)
    dates = [Course(young.chances(view)).quantile(level, SPANS[-1])[0] for level in LEVELS]
    assert [float(cell) for cell in told.split("|")] == printed(*dates, digits=1)
    found = forecast(young, COFFEE, as_of=AS_OF)
    assert [found.lower_days[0], found.median_days[0], found.upper_days[0]] == dates
    assert found.interval_days[0] == 20
    assert found.suggested_quantity[0] == 1


def test_the_mean_over_trips_is_as_told(view, grown):
    of = grown.trips.chances(np.zeros((1, 6)), SPANS.index(14))[0]
    given = 1 / (1 + np.exp(-BASE - SLOPE * np.log(np.arange(1, len(of)))))
    product = of[1:] * given
    assert f"a chance of {of[0]:.3f};".replace("0.", ".") in EXAMPLE
    assert row("chance of so many") == printed(*of[1:6], of[6:].sum())
    assert row("bought, given so many") == printed(*given[:5], product[5:].sum() / of[6:].sum())
    assert row("product of the two") == printed(*product[:5], product[5:].sum())
    assert f"add up to {product.sum():.3f}.".replace("0.", ".") in EXAMPLE


def test_what_trust_makes_of_it_is_as_told(view, young, grown):
    made = [replace(grown, trust=1.0), young, grown]
    chances = [model.chances(view)[SPANS.index(14), 0] for model in made]
    assert row("chance within 14 days") == printed(*chances)
    assert row("log-odds") == printed(*map(odds, chances))


@pytest.mark.parametrize(("shop", "said"), [("young", "probably soon"), ("grown", "probably due")])
def test_the_words_are_as_told(shop, said, request):
    found = forecast(request.getfixturevalue(shop), COFFEE, as_of=AS_OF)
    today = date(2026, 3, 1)
    expected, lower, upper = (
        today + timedelta(days=round(days[0])) for days in (found.median_days, found.lower_days, found.upper_days)
    )
    facts = words.Facts(
        today=today,
        last_on=today - timedelta(days=20),
        last_quantity=Decimal(1),
        usual_quantity=1,
        times_bought=4,
        interval_days=found.interval_days[0],
        expected_on=expected,
        lower_on=lower,
        upper_on=upper,
        p7=found.p7[0],
        p14=found.p14[0],
        p28=found.p28[0],
        supply_left=found.supply_left[0],
        is_due=bool(found.supply_left[0] <= lists.NEARLY_USED_UP and found.p14[0] >= lists.DUE_CHANCE),
    )
    with translation.override("en"):
        label = words.due_label(facts)
    assert label == f"About every 3 weeks, {said}"
    assert f'"{label}"' in EXAMPLE


def test_the_numbers_named_in_the_text_are_the_codes():
    assert f"bought / (bought + {TRUSTED})        0 below {LEAST}" in TEXT
    assert ", ".join(map(str, SPANS[:-1])) + f" and {SPANS[-1]} days)" in TEXT
