"""Switching models on and back, without any engine."""

from datetime import timedelta

import pytest

from mylist import switches
from mylist.models import FittedModel, ModelSwitch
from tests.factories import NOW, FittedModelFactory, MemberFactory

pytestmark = pytest.mark.django_db

BY_HAND, TURNED_BACK = ModelSwitch.Reason.BY_HAND, ModelSwitch.Reason.TURNED_BACK


def switched_on(at=NOW, **facts) -> FittedModel:
    fitted = FittedModelFactory(**facts)
    return switches.switch_on(fitted, by=None, at=at, reason=ModelSwitch.Reason.FIT).fitted


def status(fitted: FittedModel) -> str:
    return FittedModel.objects.get(pk=fitted.pk).status


def test_switch_on_retires_what_ran_and_remembers_who_wanted_it(now):
    old, new, staff = switched_on(), FittedModelFactory(), MemberFactory()
    switch = switches.switch_on(new, by=staff, at=now)
    assert (switch.fitted, switch.instead_of, switch.by, switch.reason, switch.at) == (new, old, staff, BY_HAND, now)
    assert (status(old), status(new)) == ("retired", "running")


def test_switch_on_refuses_what_runs_already_or_cannot_be_read(now):
    for fitted in (switched_on(), FittedModelFactory(status="unreadable")):
        with pytest.raises(switches.CannotSwitch):
            switches.switch_on(fitted, by=None, at=now)
    assert ModelSwitch.objects.count() == 1


def test_turn_back_lets_the_model_before_run_again(now):
    old, new, staff = switched_on(), switched_on(), MemberFactory()
    switch = switches.turn_back(new, by=staff, at=now)
    assert (switch.fitted, switch.instead_of, switch.by, switch.reason) == (old, new, staff, TURNED_BACK)
    assert (status(old), status(new)) == ("running", "turned_back")


def test_turn_back_twice_goes_two_models_back(now):
    first, second, third = (switched_on(now + timedelta(days=week * 7)) for week in range(3))
    assert switches.turn_back(by=None, at=now).fitted == second
    assert switches.turn_back(by=None, at=now).fitted == first
    assert status(third) == "turned_back"


def test_turn_back_pressed_twice_goes_back_once(now):
    _, second, third = (switched_on(now + timedelta(days=week * 7)) for week in range(3))
    switches.turn_back(third, by=None, at=now)
    with pytest.raises(switches.CannotSwitch):
        switches.turn_back(third, by=None, at=now)
    assert switches.running() == second


def test_turn_back_is_undone_by_switching_on_again(now):
    old, new = switched_on(), switched_on()
    switches.turn_back(by=None, at=now)
    switches.switch_on(new, by=None, at=now)
    assert (status(old), status(new)) == ("retired", "running")
    assert switches.before() == old
    assert switches.barred() == set()


def test_turn_back_says_when_there_is_nothing_before(now):
    with pytest.raises(switches.NothingBefore):
        switches.turn_back(by=None, at=now)
    only = switched_on()
    with pytest.raises(switches.NothingBefore):
        switches.turn_back(only, by=None, at=now)
    assert status(only) == "running"


def test_turn_back_passes_over_what_could_not_be_read(now):
    first, second, _ = (switched_on(now + timedelta(days=week * 7)) for week in range(3))
    FittedModel.objects.filter(pk=second.pk).update(status="unreadable")
    assert switches.turn_back(by=None, at=now).fitted == first


def test_barred_is_the_kind_and_version_staff_took_off_for_another(now):
    light = switched_on(kind="light", version="light-1")
    switched_on(kind="full", version="full-1")
    assert switches.barred() == set()
    switches.switch_on(light, by=None, at=now)
    assert switches.barred() == {("full", "full-1")}


def test_barred_is_not_the_kind_and_version_that_goes_on_running(now):
    switched_on(), switched_on()
    switches.turn_back(by=None, at=now)
    assert switches.barred() == set()


def test_prune_keeps_the_newest_what_runs_the_way_back_and_what_staff_took_off(now):
    taken_off = switched_on(kind="full")
    back = switched_on()
    switches.switch_on(taken_off, by=None, at=now)
    switches.switch_on(back, by=None, at=now)
    running = switched_on(now + timedelta(days=1))
    refused, newest = FittedModelFactory(status="refused"), FittedModelFactory(status="refused")
    assert switches.prune(fitted_before=NOW, keep=1) == 0
    assert switches.prune(fitted_before=NOW + timedelta(days=1), keep=1) == 1
    assert set(FittedModel.objects.all()) == {taken_off, back, running, newest}
    assert refused not in FittedModel.objects.all()


def test_running_does_not_fetch_the_data():
    switched_on()
    assert "data" in switches.running().get_deferred_fields()
