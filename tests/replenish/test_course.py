import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replenish.course import DAYS, Course
from replenish.households import SPANS
from replenish.types import WINDOW

COURSE = Course(np.array([[0.1], [0.2], [0.3], [0.4]]))


def test_a_chance_is_the_one_of_its_horizon():
    assert [COURSE.chance(days)[0] for days in SPANS] == [0.1, 0.2, 0.3, 0.4]


@pytest.mark.parametrize(
    ("level", "days"), [(0.0, 0), (0.1, 2.8), (0.25, 7), (0.375, 10.5), (0.5, 14), (0.625, 21), (0.9, 44.8), (1.0, 56)]
)
def test_between_two_horizons_the_chance_is_evenly_spread(level, days):
    assert COURSE.quantile(level, WINDOW)[0] == pytest.approx(days)
    assert COURSE.share(np.array([float(days)]))[0] == pytest.approx(level)


def test_pairs_have_courses_of_their_own():
    both = Course(np.array([[0.2, 0.0], [0.4, 0.0], [0.4, 0.0], [0.4, 0.8]]))
    assert both.quantile(0.5, WINDOW) == pytest.approx([7, 42])
    assert both.share(np.array([7.0, 42.0])) == pytest.approx([0.5, 0.5])


def test_nobody_has_no_course():
    none = Course(np.zeros((len(SPANS), 0)))
    assert none.quantile(0.5, WINDOW).shape == none.share(np.zeros(0)).shape == (0,)


@pytest.mark.parametrize("chance", [0.0, 1e-300, 1.0])
def test_the_ends_of_the_scale_are_no_crash(chance):
    course = Course(np.full((len(SPANS), 1), chance))
    assert 0 <= course.quantile(0.5, WINDOW)[0] <= WINDOW
    assert 0 <= course.share(np.array([14.0]))[0] <= 1


@st.composite
def courses(draw, least=1e-3):
    """Chances of one pair, each horizon at least ``least`` likelier than the one before."""
    steps = np.array(draw(st.lists(st.floats(least, 1), min_size=len(SPANS), max_size=len(SPANS))))
    return Course((np.cumsum(steps) / max(steps.sum(), 1.0))[:, None])


@given(courses(), st.floats(0, 1))
def test_share_and_quantile_undo_each_other(course, level):
    days = course.quantile(level, WINDOW)
    assert 0 <= days[0] <= WINDOW
    assert course.share(days)[0] == pytest.approx(level, abs=1e-9)


@given(courses(), st.floats(0, WINDOW))
def test_quantile_and_share_undo_each_other(course, days):
    level = course.share(np.array([days]))[0]
    assert 0 <= level <= 1
    assert course.quantile(level, WINDOW)[0] == pytest.approx(days, abs=1e-6)


@given(courses(least=0.0), st.lists(st.floats(0, 1), min_size=2, max_size=2))
def test_a_higher_level_is_never_sooner(course, levels):
    low, high = sorted(levels)
    assert 0 <= course.quantile(low, WINDOW)[0] <= course.quantile(high, WINDOW)[0] + 1e-9 <= WINDOW + 1e-9


@given(courses(least=0.0), st.lists(st.floats(0, WINDOW), min_size=2, max_size=2))
def test_a_later_day_never_has_a_smaller_share(course, days):
    soon, late = (course.share(np.array([day]))[0] for day in sorted(days))
    assert 0 <= soon <= late + 1e-12 <= 1 + 1e-9


@given(courses())
def test_at_a_horizon_the_share_is_its_chance_over_the_last(course):
    for span, days in enumerate(DAYS[1:]):
        expected = course.chances[span, 0] / course.chances[-1, 0]
        assert course.share(np.array([days]))[0] == pytest.approx(expected)
