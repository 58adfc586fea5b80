"""Labels are no surer than the forecast."""

from datetime import date, timedelta

import pytest
from django.utils import translation

from mylist.words import due_label, rhythm

TODAY = date(2026, 11, 18)


def label(expected=3, lower=2, upper=5, interval=30.0, p28=0.9, bought=6, due=True) -> str:
    return due_label(
        today=TODAY,
        expected_on=TODAY + timedelta(days=expected),
        lower_on=TODAY + timedelta(days=lower),
        upper_on=TODAY + timedelta(days=upper),
        interval_days=interval,
        p28=p28,
        times_bought=bought,
        is_due=due,
    )


def test_a_narrow_window_gets_a_date():
    assert label(expected=3) == "Runs out in about 3 days"
    assert label(expected=1, lower=1) == "Runs out about now"
    assert label(expected=21, lower=18, upper=24, due=False) == "Runs out around December 9"


def test_a_wide_window_gets_the_rhythm_and_no_date():
    assert label(expected=5, lower=1, upper=30) == "About every 4 weeks, probably due"
    assert label(expected=10, lower=1, upper=40, due=False) == "About every 4 weeks, probably soon"
    assert label(expected=25, lower=1, upper=50, due=False) == "About every 4 weeks"


def test_a_long_silence_is_no_shout():
    assert label(p28=0.05, due=False) == "Not bought for a while"
    assert label(upper=-1, lower=-9, expected=-3, due=False) == "Not bought for a while"


def test_one_purchase_is_no_rhythm():
    assert label(bought=1, lower=3, upper=4) == "Bought once, probably due"
    assert label(bought=1, due=False) == "Bought once"


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (0.4, "About every day"),
        (3, "About every 3 days"),
        (9.4, "About every 9 days"),
        (10.5, "About every 2 weeks"),
        (21, "About every 3 weeks"),
        (61, "About every 2 months"),
    ],
)
def test_rhythm(days, words):
    assert rhythm(days) == words


def test_labels_are_chinese_for_chinese_readers():
    with translation.override("zh-hant"):
        for text in (label(), label(upper=40), label(bought=1), label(p28=0.01), rhythm(61), rhythm(3)):
            assert any("\u4e00" <= char <= "\u9fff" for char in text), text
            assert not any(char.isascii() and char.isalpha() for char in text), text
