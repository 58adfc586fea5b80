"""Which model makes the forecasts. The engine is one that scores as it is told; the last tests ask the real one."""

import json
import logging
import math
from datetime import datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

import replenish
from mylist import predictions, switches, tasks, verdicts
from mylist.models import FittedModel, ModelSwitch, Prediction
from mylist.predictions import fitting
from mylist.predictions.columns import day_number
from replenish import backtest, baselines, simulate
from tests.factories import ChannelFactory, MemberFactory, OfferFactory, PurchaseFactory

pytestmark = pytest.mark.django_db

KINDS = ("light", "full")
RUNNING, REFUSED, RETIRED = FittedModel.Status.RUNNING, FittedModel.Status.REFUSED, FittedModel.Status.RETIRED


class Engine:
    """Scores as told: log loss, PR and NDCG@10 by contender. `readable`: versions that this program can load."""

    def __init__(self) -> None:
        self.versions = {"light": "light-1", "full": "full-1"}
        self.scores = {"light": (0.30, 0.35, 0.46), "full": (0.31, 0.34, 0.45)}
        self.simple = (0.40, 0.25, 0.40)
        self.pairs = 1000
        self.readable = {"light-1", "light-2", "full-1", "full-2"}

    def fit(self, purchases, *, as_of, kind):
        return SimpleNamespace(version=self.versions[kind], as_of=as_of)

    def dump(self, model):
        return json.dumps(model.__dict__).encode()

    def load(self, data):
        model = SimpleNamespace(**json.loads(data))
        if model.version not in self.readable:
            raise ValueError(f"model version {model.version!r} is unknown")
        return model

    def replay(self, contenders, purchases, *, cutoffs, progress, **options):
        rows = []
        for contender in contenders:
            if contender.name in KINDS:
                contender.fit(purchases, as_of=cutoffs[0])
            loss, pr, ndcg = self.scores.get(contender.name, self.simple)
            figures = {
                "pairs": float(self.pairs),
                "logloss14": loss,
                "pr_auc14": pr,
                "ndcg10": ndcg,
                "mae_days": math.nan,
            }
            rows.append(backtest.Row(contender.name, None, backtest.ALL, 56, figures))
            progress(contender.name, cutoffs[0])
        return rows


@pytest.fixture
def engine(monkeypatch):
    engine = Engine()
    fitting._load.cache_clear()
    monkeypatch.setattr(replenish, "KINDS", KINDS)
    monkeypatch.setattr(fitting, "KINDS", KINDS)
    monkeypatch.setattr(predictions, "KINDS", KINDS)
    for verb in ("fit", "dump", "load"):
        monkeypatch.setattr(replenish, verb, getattr(engine, verb))
    monkeypatch.setattr(backtest, "replay", engine.replay)
    monkeypatch.setattr(backtest, "cutoffs_for", lambda *_, **__: (20000,))
    return engine


@pytest.fixture
def regular(now):
    """A member who bought one product every 30 days."""
    member, offer = MemberFactory(), OfferFactory()
    channel = ChannelFactory(store=offer.store)
    for days in (148, 118, 88, 58, 28):
        PurchaseFactory(
            member=member, product=offer.product, channel=channel, purchased_at=now - timedelta(days=days), quantity=2
        )
    return member


def fit(at, kinds=KINDS, **how) -> FittedModel:
    return predictions.fit_candidates(at=at, kinds=kinds, **how)


def test_the_first_model_is_the_best_kind_that_beats_the_simple_ones(engine, now):
    fitted = fit(now)
    assert (fitted.kind, fitted.version, fitted.verdict, fitted.status) == ("light", "light-1", "first", RUNNING)
    assert fitted.running_since == now
    assert "best of which is" in verdicts.sentence(fitted)


def test_a_better_kind_is_switched_on_and_the_other_retires(engine, now):
    old = fit(now, ["light"])
    engine.scores["full"] = (0.29, 0.36, 0.47)
    fitted = fit(now + timedelta(days=7))
    old.refresh_from_db()
    assert (fitted.kind, fitted.verdict, fitted.status) == ("full", "better", RUNNING)
    assert (old.status, old.retired_at) == (RETIRED, now + timedelta(days=7))
    assert verdicts.sentence(fitted) == (
        "Better than the model running until then: Log loss 14 .290 against .300, PR 14 .360 against .350, "
        "NDCG@10 .470 against .460."
    )


def test_a_worse_kind_is_refused_in_words_and_the_running_one_stays(engine, now):
    running = fit(now, ["light"])
    engine.scores["full"] = (0.29, 0.341, 0.46)
    engine.scores["light"] = (0.30, 0.352, 0.46)
    fitted = fit(now + timedelta(days=7), ["full"])
    assert (fitted.status, fitted.verdict) == (REFUSED, "worse")
    assert verdicts.sentence(fitted) == "Not better than the model running at that time: PR 14 .341 against .352."
    assert switches.running() == running


def test_the_same_model_fitted_again_replaces_the_older_fit(engine, now):
    old = fit(now)
    fitted = fit(now + timedelta(days=7))
    assert (fitted.verdict, switches.running()) == ("refit", fitted)
    old.refresh_from_db()
    assert old.status == RETIRED


def test_not_when_a_simple_model_does_better_by_now(engine, now):
    running = fit(now)
    engine.simple = (0.28, 0.36, 0.47)
    fitted = fit(now + timedelta(days=7))
    assert (fitted.status, fitted.verdict) == (REFUSED, "simple")
    assert "Not better than a simple model" in verdicts.sentence(fitted)
    assert switches.running() == running


def test_where_nothing_runs_and_nothing_beats_the_simple_models_the_light_one_runs_and_says_so(engine, now):
    engine.simple = (0.28, 0.36, 0.47)
    engine.scores["full"] = (0.29, 0.35, 0.46)
    fitted = fit(now)
    assert (fitted.kind, fitted.verdict, fitted.status) == ("light", "only", RUNNING)
    assert verdicts.sentence(fitted).endswith("It runs because there was no other to keep.")


def test_a_shop_too_young_to_tell_runs_the_light_model_and_says_so(engine, now):
    engine.pairs = fitting.FEWEST_PAIRS - 1
    fitted = fit(now)
    assert (fitted.kind, fitted.verdict, fitted.status) == ("light", "young", RUNNING)
    assert "too little history" in verdicts.sentence(fitted)


def test_in_a_young_shop_what_staff_switched_on_stays(engine, now):
    engine.pairs = 0
    running = fit(now, ["full"], switch=True)
    assert fit(now + timedelta(days=1)).status == REFUSED
    assert switches.running() == running


def test_a_newer_version_has_to_beat_what_the_running_one_scored_when_it_was_fitted(engine, now):
    running = fit(now, ["light"])
    engine.versions["light"] = "light-2"
    engine.scores["light"] = (0.305, 0.35, 0.46)
    refused = fit(now + timedelta(days=7), ["light"])
    assert (refused.status, refused.verdict, refused.scores["running"]) == (REFUSED, "worse", "running")
    assert switches.running() == running
    engine.scores["light"] = (0.295, 0.35, 0.46)
    assert fit(now + timedelta(days=14), ["light"]).verdict == "better"


def test_what_may_not_be_said_in_json_is_left_empty(engine, now):
    row = fit(now).scores["table"][0]
    assert row["figures"]["mae_days"] is None
    assert row["figures"]["logloss14"] == 0.30


def test_switch_tells_the_back_test_from_the_wish(engine, now):
    assert fit(now, ["light"], switch=False).status == FittedModel.Status.KEPT
    assert switches.running() is None
    engine.simple = (0.28, 0.36, 0.47)
    fit(now)
    forced = fit(now, ["full"], switch=True)
    assert (forced.status, forced.verdict) == (RUNNING, "simple")
    assert forced.switches.get().reason == ModelSwitch.Reason.BY_HAND


# ---------------------------------------------------------------- turning back
def test_what_was_turned_back_is_not_switched_on_again_by_a_fit(engine, now):
    light = fit(now, ["light"])
    engine.scores["full"] = (0.29, 0.36, 0.47)
    full = fit(now)
    switches.turn_back(by=None, at=now)
    full.refresh_from_db()
    assert full.status == FittedModel.Status.TURNED_BACK
    assert switches.running() == light
    again = fit(now + timedelta(days=7))
    assert (again.kind, again.verdict) == ("light", "refit")
    barred = fit(now + timedelta(days=7), ["full"])
    assert (barred.status, barred.verdict) == (REFUSED, "barred")


def test_a_newer_version_of_it_is(engine, now):
    fit(now, ["light"])
    engine.scores["full"] = (0.29, 0.36, 0.47)
    fit(now)
    switches.turn_back(by=None, at=now)
    engine.versions["full"] = "full-2"
    assert fit(now + timedelta(days=7)).version == "full-2"
    assert switches.running().version == "full-2"


def test_a_bad_fit_turned_back_to_the_one_before_of_its_kind_is_fitted_again_next_week(engine, now):
    first, second = fit(now), fit(now + timedelta(days=7))
    switches.turn_back(second, by=None, at=now + timedelta(days=8))
    assert switches.running() == first
    assert fit(now + timedelta(days=14)).verdict == "refit"


def test_what_staff_switch_while_a_fit_goes_on_stays(engine, now):
    fit(now, ["light"])
    full = fit(now, ["full"], switch=False)
    steps_done = []

    def staff_switch_at_the_last_step(step, steps):
        steps_done.append(step)
        if len(steps_done) == steps:
            switches.switch_on(full, by=None, at=now)

    fitted = fit(now + timedelta(days=7), ["light"], progress=staff_switch_at_the_last_step)
    assert (fitted.verdict, fitted.status) == ("refit", FittedModel.Status.KEPT)
    assert switches.running() == full


def test_a_model_turned_back_is_not_used_by_the_next_predictions(regular, now):
    older, newer = predictions.fit(at=now - timedelta(days=1)), predictions.fit(at=now)
    for fitted, name in ((older, "older"), (newer, "newer")):
        FittedModel.objects.filter(pk=fitted.pk).update(version=name)
        switches.switch_on(fitted, by=None, at=now)
    predictions.predict_members(member_ids=[regular.pk], at=now)
    assert Prediction.objects.get().model_version == "newer"
    switches.turn_back(by=None, at=now)
    predictions.predict_members(member_ids=[regular.pk], at=now + timedelta(hours=1))
    assert Prediction.objects.get().model_version == "older"


# ---------------------------------------------------------------- what runs
def test_predicting_without_a_model_fits_one_to_stand_in(regular, now):
    fitted = predictions.running_model(at=now)
    assert (fitted.kind, fitted.verdict, fitted.status) == ("light", "stand_in", RUNNING)
    assert predictions.running_model(at=now) == fitted


@pytest.mark.parametrize("damage", [b"", b"junk", None])
def test_a_model_that_cannot_be_read_is_replaced_with_a_line_in_the_log(regular, now, damage, caplog):
    broken = predictions.running_model(at=now)
    data = bytes(FittedModel.objects.get().data)[:-1] + b"?" if damage is None else damage
    FittedModel.objects.update(data=data)
    fitting._load.cache_clear()
    with caplog.at_level(logging.WARNING):
        assert predictions.predict_members(member_ids=[regular.pk], at=now) == 1
    assert "cannot be read" in caplog.text
    broken.refresh_from_db()
    assert broken.status == FittedModel.Status.UNREADABLE
    assert switches.running() != broken


def test_a_fit_takes_no_model_of_an_unknown_version_for_a_rival(engine, now):
    fit(now)
    engine.readable = {"light-2"}
    engine.versions["light"] = "light-2"
    engine.scores["light"] = (0.35, 0.30, 0.42)
    fitted = fit(now + timedelta(days=1), ["light"])
    assert (fitted.verdict, fitted.status) == ("first", RUNNING)
    assert FittedModel.objects.filter(status=FittedModel.Status.UNREADABLE).count() == 1


def test_the_past_is_not_predicted_with_a_model_that_has_seen_what_came(regular, now):
    running = predictions.running_model(at=now)
    assert fitting.model_as_of(at=now + timedelta(days=3)) == running
    aside = fitting.model_as_of(at=now - timedelta(days=30))
    assert (aside.as_of, aside.status) == (now - timedelta(days=30), FittedModel.Status.KEPT)
    assert switches.running() == running


def test_the_database_holds_one_running_model(now):
    def running() -> FittedModel:
        return FittedModel.objects.create(
            kind="light", version="1", as_of=now, fitted_at=now, data=b"", status=RUNNING, running_since=now
        )

    running()
    with pytest.raises(IntegrityError), transaction.atomic():
        running()


# ---------------------------------------------------------------- rhythm
def fitted_today() -> datetime:
    """`fitted_at` goes by the clock, whatever the history went to."""
    return fit(timezone.now()).fitted_at


def test_a_fit_is_due_after_a_week_and_stale_after_eight_days(engine, regular):
    at = fitted_today()
    assert not predictions.is_due(at=at + timedelta(days=6))
    assert predictions.is_due(at=at + timedelta(days=7))
    assert not predictions.is_stale(at=at + timedelta(days=7))
    assert predictions.is_stale(at=at + timedelta(days=8))


def test_a_fit_is_due_the_next_day_while_the_shop_is_young(engine, regular):
    engine.pairs = 0
    at = fitted_today()
    assert not predictions.is_due(at=at + timedelta(hours=23))
    assert predictions.is_due(at=at + timedelta(days=1))


def test_a_fit_is_due_at_once_after_a_model_stood_in(engine, regular, now):
    predictions.running_model(at=now)
    assert predictions.is_due(at=now)
    assert predictions.is_stale(at=now)


def test_a_refused_fit_is_not_asked_for_again_the_same_day(engine, regular, now):
    predictions.running_model(at=now)
    engine.simple = (0.28, 0.36, 0.47)
    at = fitted_today()
    assert FittedModel.objects.latest("pk").status == REFUSED
    assert not predictions.is_due(at=at + timedelta(hours=1))


def test_no_fit_is_due_where_nobody_has_bought_anything(now):
    assert not predictions.is_due(at=now)


def test_a_fit_handed_out_twice_is_done_once(engine, regular, monkeypatch):
    again = []
    real = predictions.fit_candidates

    def fit_and_be_asked_again(**how):
        again.append(tasks.fit_model())
        return real(**how)

    monkeypatch.setattr(predictions, "fit_candidates", fit_and_be_asked_again)
    assert tasks.fit_model() == RUNNING
    assert again == [""], "while the first is at work"
    assert tasks.fit_model() == "", "after it"
    assert FittedModel.objects.count() == 1


def test_the_task_asks_for_a_fit_only_when_one_is_due(engine, regular, monkeypatch):
    asked = []
    monkeypatch.setattr(tasks.fit_model, "delay", lambda: asked.append(1))
    assert tasks.fit_model_when_due() is True
    tasks.fit_model()
    assert tasks.fit_model_when_due() is False
    assert asked == [1]


# ---------------------------------------------------------------- the command
def test_the_command_prints_the_table_and_the_decision(engine, capsys):
    call_command("fit_model", "--as-of", "2026-11-18")
    out = capsys.readouterr().out
    assert "Log loss" in out
    assert "Poisson-Gamma" in out
    assert out.splitlines()[1].split()[:4] == ["Light", "model", ".300", ".350"]
    assert "Better than every simple model" in out
    assert out.rstrip().endswith("Running.")


def test_the_command_keeps_a_kind_aside_when_told_to(engine, capsys):
    call_command("fit_model", "--kind", "full", "--keep")
    assert capsys.readouterr().out.rstrip().endswith("Kept aside.")
    assert switches.running() is None


# ---------------------------------------------------------------- the real engine
@pytest.fixture
def households(now):
    """40 simulated households, four products, 200 days."""
    rng = np.random.default_rng(7)
    products = simulate.Products(need=np.arange(4), use_days=np.linspace(10, 25, 4), popularity=np.ones(4))
    last = day_number(now.date())
    bought = simulate.simulate(products, rng, members=40, start_day=last - 200, days=200)
    members = MemberFactory.create_batch(40)
    offers = OfferFactory.create_batch(4)
    channel = ChannelFactory(store=offers[0].store)
    lines = [
        PurchaseFactory.build(
            member=members[member],
            product=offers[product].product,
            channel=channel,
            purchased_at=now - timedelta(days=last - day),
            quantity=quantity,
        )
        for member, product, day, quantity in zip(
            bought.member.tolist(), bought.product.tolist(), bought.day.tolist(), bought.quantity.tolist(), strict=True
        )
    ]
    type(lines[0]).objects.bulk_create(lines)
    return members


def test_a_real_back_test_scores_every_baseline_on_whole_households(households, now, monkeypatch):
    monkeypatch.setattr(fitting, "FEWEST_PAIRS", 50)
    monkeypatch.setattr(fitting, "CUTOFFS", 1)
    fitted = fit(now, ["light"])
    assert {row["name"] for row in fitted.scores["table"]} == {"light", *baselines.NAMES}
    assert fitted.scores["households"] == fitted.scores["of"] == 40
    assert fitted.scores["cutoffs"] == sorted(fitted.scores["cutoffs"])
    assert fitted.status == RUNNING
    assert verdicts.table(fitted).rows[0].is_candidate


def test_of_a_large_shop_every_so_manyth_household_is_read_whole(households, now, django_assert_max_num_queries):
    everything, _, of = fitting._history(now, lines=10_000)
    with django_assert_max_num_queries(5):
        some, households_read, _ = fitting._history(now, lines=len(everything) // 4)
    assert of == 40
    assert 8 <= households_read <= 10
    customers = np.unique(some.customer)
    assert len(customers) == households_read
    assert np.isin(everything.customer, customers).sum() == len(some)
