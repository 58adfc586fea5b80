"""Two members of staff, or staff and a fit, switch models at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.conf import settings
from django.db import connection

from mylist import switches
from mylist.models import FittedModel, ModelSwitch
from tests.factories import FittedModelFactory

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

AT_ONCE = 8


@pytest.fixture(autouse=True)
def _postgresql():
    if settings.DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
        pytest.fail("These tests need PostgreSQL: run `make test-services`, or set DATABASE_URL.")


def all_at_once(calls) -> list:
    barrier = Barrier(len(calls))

    def run(call):
        try:
            barrier.wait()
            return call()
        except switches.CannotSwitch:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.mark.parametrize("with_one_running", [False, True])
def test_eight_models_switched_on_at_once_leave_one_running(now, with_one_running):
    if with_one_running:
        switches.switch_on(FittedModelFactory(), by=None, at=now)
    models = FittedModelFactory.create_batch(AT_ONCE)
    done = all_at_once([lambda fitted=fitted: switches.switch_on(fitted, by=None, at=now) for fitted in models])
    assert all(done)
    assert FittedModel.objects.filter(status="running").count() == 1
    # A chain: everything that was switched on was instead of another.
    instead = list(ModelSwitch.objects.exclude(instead_of=None).values_list("instead_of", flat=True))
    assert len(instead) == len(set(instead)) == AT_ONCE - 1 + with_one_running


def test_a_turn_back_pressed_by_eight_at_once_goes_one_model_back(now):
    first, second, third = FittedModelFactory.create_batch(3)
    for fitted in (first, second, third):
        switches.switch_on(fitted, by=None, at=now)
    done = all_at_once([lambda: switches.turn_back(third, by=None, at=now)] * AT_ONCE)
    assert len([switch for switch in done if switch]) == 1
    assert switches.running() == second
