"""Words are no surer than the forecast, and say why."""

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from mylist.words import Facts, due_label, reason, rhythm, staff_reason

TODAY = date(2026, 11, 18)


def day(ahead: int) -> date:
    return TODAY + timedelta(days=ahead)


def facts(*, expected=3, lower=2, upper=5, gap=24.0, p28=0.9, bought=6, ago=22, packs="1", due=True, **more) -> Facts:
    """Bought every 24 days, last 22 days ago, and surely again in two to five: a date. Days are from today."""
    given = {
        "today": TODAY,
        "last_on": day(-ago),
        "last_quantity": Decimal(packs),
        "usual_quantity": 1,
        "times_bought": bought,
        "interval_days": gap,
        "expected_on": day(expected),
        "lower_on": day(lower),
        "upper_on": day(upper),
        "p7": p28 / 3,
        "p14": p28 / 2,
        "p28": p28,
        "supply_left": 0.25,
        "is_due": due,
    }
    return Facts(**given | more)


def unsure(**more) -> Facts:
    """The same with a window too wide for a date."""
    return facts(**{"upper": 30, "lower": 1} | more)


class TestDueLabel:
    def test_a_narrow_window_gets_a_date(self):
        assert due_label(facts()) == "Runs out in about 3 days"
        assert due_label(facts(expected=1, lower=1)) == "Runs out about now"
        assert due_label(facts(expected=21, lower=18, upper=24, due=False)) == "Runs out around December 9"

    @pytest.mark.parametrize(("gap", "dated"), [(24, True), (20, True), (19.9, False)])
    def test_narrow_is_half_the_gap_at_most(self, gap, dated):
        found = facts(lower=1, upper=11, gap=gap)
        assert found.dated is dated
        assert due_label(found).startswith("Runs out") is dated

    def test_a_wide_window_gets_the_rhythm_and_no_date(self):
        assert due_label(unsure()) == "About every 3 weeks, probably due"
        assert due_label(unsure(expected=10, due=False)) == "About every 3 weeks, probably soon"
        assert due_label(unsure(expected=25, due=False)) == "About every 3 weeks"

    def test_a_long_silence_is_no_shout(self):
        assert due_label(facts(p28=0.05, ago=60, due=False)) == "Not bought for a while"
        assert due_label(facts(upper=-1, lower=-9, expected=-3, ago=60, due=False)) == "Not bought for a while"

    def test_what_is_bought_once_a_year_is_not_missed_after_a_week(self):
        assert due_label(facts(p28=0.02, gap=365, ago=7, due=False)) == "About every 12 months"

    def test_one_purchase_is_no_rhythm(self):
        assert due_label(facts(bought=1)) == "Bought once, probably due"
        assert due_label(facts(bought=1, due=False)) == "Bought once"


class TestReason:
    def test_a_sure_habit_is_given_to_the_day(self):
        assert reason(facts(packs="2", usual_quantity=2)) == "About every 24 days, last time 2 packs, 22 days ago"

    def test_an_unsure_one_as_people_say_it(self):
        assert reason(unsure()) == "About every 3 weeks, last time 1 pack, 3 weeks ago"

    @pytest.mark.parametrize(
        ("ago", "said"),
        [
            (0, "today"),
            (1, "yesterday"),
            (2, "2 days ago"),
            (13, "13 days ago"),
            (14, "2 weeks ago"),
            (60, "2 months ago"),
        ],
    )
    def test_the_last_purchase_is_as_long_ago_as_people_say(self, ago, said):
        assert reason(unsure(ago=ago)).endswith(f"last time 1 pack, {said}")

    @pytest.mark.parametrize(("packs", "said"), [("1.000", "1 pack,"), ("20.000", "20 packs,"), ("0.5", "0.5 packs,")])
    def test_packs_are_counted_plainly(self, packs, said):
        assert f"last time {said}" in reason(unsure(packs=packs, usual_quantity=50))

    def test_one_purchase_is_too_early_to_say(self):
        assert reason(facts(bought=1, ago=12, due=False)) == "Bought once, 12 days ago: too early to say"

    def test_one_purchase_that_may_be_due_leans_on_others(self):
        said = "Bought once, 4 weeks ago; others buy such things again after about 4 weeks"
        assert reason(facts(bought=1, ago=28, gap=30)) == said

    def test_one_purchase_long_ago_is_said_to_be_the_only_one(self):
        assert reason(facts(bought=1, ago=200, p28=0.02, due=False)) == "Bought once, 7 months ago, not since"

    def test_a_habit_that_fell_silent_is_probably_over(self):
        said = "About every 3 weeks, then nothing for 4 months: probably no longer wanted"
        assert reason(facts(p28=0.05, ago=120, due=False)) == said

    def test_a_silence_alone_ends_no_habit(self):
        assert "no longer" not in reason(unsure(p28=0.4, ago=120, due=False))

    @pytest.mark.parametrize(
        ("packs", "said"),
        [
            ("2", "Last time 2 packs, 9 days ago: should last about twice as long"),
            ("3", "Last time 3 packs, 9 days ago: more than usual, should last longer"),
            ("1", "About every 3 weeks, last time 1 pack, 9 days ago"),
        ],
    )
    def test_more_than_usual_lasts_longer(self, packs, said):
        assert reason(unsure(packs=packs, ago=9, due=False)) == said

    def test_what_more_was_bought_is_no_reason_once_it_is_used_up(self):
        assert "last longer" not in reason(unsure(packs="3", ago=80, due=False))
        assert "last longer" not in reason(unsure(packs="3", ago=20, due=True))

    def test_another_item_may_have_met_the_need(self):
        said = "Last time 1 pack, 3 weeks ago; another brand 3 days ago"
        assert reason(unsure(other_on=day(-3), other_brand=True, due=False)) == said
        said = "Last time 1 pack, 3 weeks ago; something similar yesterday"
        assert reason(unsure(other_on=day(-1), due=False)) == said

    def test_a_habit_that_moved_to_another_brand_is_not_said_to_be_over(self):
        found = reason(facts(p28=0.05, ago=120, due=False, other_on=day(-3), other_brand=True))
        assert found == "Last time 1 pack, 4 months ago; another brand 3 days ago"

    def test_what_was_bought_once_may_have_been_a_try(self):
        tried = facts(bought=1, ago=200, p28=0.02, due=False, other_on=day(-9))
        assert reason(tried) == "Bought once, 7 months ago; something similar 9 days ago"
        assert reason(tried, below_label=True) == "1 pack, 7 months ago; something similar 9 days ago"

    @pytest.mark.parametrize("other", [-22, -60], ids=["on the same day", "before"])
    def test_another_item_that_was_not_bought_later_is_no_reason(self, other):
        assert "another" not in reason(unsure(other_on=day(other), other_brand=True, due=False))

    def test_another_item_long_ago_is_no_reason(self):
        assert "another" not in reason(unsure(other_on=day(-90), other_brand=True, ago=200, due=False))

    def test_below_the_label_nothing_is_said_twice(self):
        assert reason(unsure(), below_label=True) == "Last time 1 pack, 3 weeks ago"
        assert reason(facts(), below_label=True) == "About every 24 days, last time 1 pack, 22 days ago"
        assert reason(facts(bought=1, due=False), below_label=True) == "1 pack, 3 weeks ago: too early to say"
        silent = facts(p28=0.05, ago=30, due=False)
        assert reason(silent, below_label=True) == "About every 3 weeks, last time 1 pack, 4 weeks ago"


def test_staff_read_what_the_shopper_reads_and_the_numbers():
    assert staff_reason(unsure(packs="2", usual_quantity=2)).splitlines() == [
        "The shopper reads: About every 3 weeks, probably due. About every 3 weeks, last time 2 packs, 3 weeks ago.",
        "Bought on 6 days, last 22 days ago: 2 packs, usually 2.",
        "Usual gap 24.0 days; supply left for the need 25 %.",
        "Chance to be bought: 30 % in 7 days, 45 % in 14, 90 % in 28.",
        "If bought within 56 days: Nov. 21, 2026, with 80 % from Nov. 19, 2026 to Dec. 18, 2026, too wide for a date.",
    ]


def test_staff_read_that_a_single_purchase_has_no_gap_of_its_own():
    assert "Usual gap of its like 24.0 days" in staff_reason(facts(bought=1))


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (0.4, "About every day"),
        (3, "About every 3 days"),
        (7.2, "About every week"),
        (13.4, "About every 13 days"),
        (13.6, "About every 2 weeks"),
        (21, "About every 3 weeks"),
        (55, "About every 8 weeks"),
        (61, "About every 2 months"),
        (365, "About every 12 months"),
        (800, "About every 2 years"),
    ],
)
def test_rhythm_is_as_people_say_it(days, words):
    assert rhythm(days) == words


@pytest.mark.parametrize(("days", "words"), [(24.2, "About every 24 days"), (56, "About every 2 months")])
def test_rhythm_to_the_day_where_the_forecast_is_that_sure(days, words):
    assert rhythm(days, exact=True) == words


# ---------------------------------------------------------------- whatever the facts

DAYS = st.integers(-400, 400)
CHANCE = st.floats(0, 1)


@st.composite
def any_facts(draw) -> Facts:
    lower, expected, upper = sorted(draw(st.tuples(DAYS, DAYS, DAYS)))
    p7, p14, p28 = sorted(draw(st.tuples(CHANCE, CHANCE, CHANCE)))
    return Facts(
        today=TODAY,
        last_on=day(draw(st.integers(-4000, 1))),
        last_quantity=draw(st.decimals("0.001", 1_000_000, places=3)),
        usual_quantity=draw(st.integers(1, 2**31 - 1)),
        times_bought=draw(st.integers(1, 400)),
        interval_days=draw(st.floats(0.01, 4000)),
        expected_on=day(expected),
        lower_on=day(lower),
        upper_on=day(upper),
        p7=p7,
        p14=p14,
        p28=p28,
        supply_left=draw(CHANCE),
        is_due=draw(st.booleans()),
        other_on=draw(st.none() | st.integers(-4000, 1).map(day)),
        other_brand=draw(st.booleans()),
    )


SHOUT = re.compile(r"overdue|late\b|hurry|!|逾期|過期|趕快")
NOTHING = re.compile(r"(?<![\d.])0 (day|week|month|year|天|週|個月|年)")
A_DATE = re.compile(r"\b(20\d\d|January|December|Dec|Nov|Oct)\b|月\d+日")


@given(any_facts(), st.sampled_from(["en", "zh-hant"]))
def test_words_are_there_never_shout_and_never_count_nothing(found, language):
    with translation.override(language):
        for text in (due_label(found), reason(found), reason(found, below_label=True)):
            assert text.strip()
            assert len(text) < 100
            assert "%(" not in text
            assert not SHOUT.search(text), text
            assert not NOTHING.search(text), text


@given(any_facts(), st.sampled_from(["en", "zh-hant"]))
def test_a_reason_holds_no_date_and_a_label_none_that_has_passed(found, language):
    with translation.override(language):
        assert not A_DATE.search(reason(found))
        if A_DATE.search(due_label(found)):
            assert found.dated
            assert found.expected_on > TODAY


@given(any_facts())
def test_only_a_date_that_may_be_said_is_said(found):
    assert not due_label(found).startswith("Runs out") or (
        found.times_bought > 1 and (found.upper_on - found.lower_on).days <= found.interval_days / 2
    )


@given(any_facts())
def test_no_label_says_due_what_the_list_does_not(found):
    assert found.is_due or not re.search("due|about now", due_label(found))


@given(any_facts())
def test_staff_always_get_the_numbers(found):
    text = staff_reason(found)
    assert reason(found) in text
    assert f"{round(100 * found.p14)} % in 14" in text
    assert len(text.splitlines()) == 5


def every_text() -> list[str]:
    once = {"bought": 1, "ago": 12}
    found = [
        facts(),
        facts(expected=1, lower=1),
        facts(expected=21, lower=18, upper=24, due=False),
        unsure(),
        unsure(expected=10, due=False),
        unsure(ago=1, gap=1, due=False, expected=20),
        unsure(ago=0, gap=7),
        unsure(gap=800, ago=900),
        facts(**once, due=False),
        facts(**once),
        facts(**once | {"ago": 200}, p28=0.01, due=False),
        facts(p28=0.01, ago=120, due=False),
        unsure(packs="2", ago=9, due=False),
        unsure(packs="3", ago=9, due=False),
        unsure(other_on=day(-3), other_brand=True, due=False),
        unsure(other_on=day(-3), due=False),
    ]
    said = [(due_label(one), reason(one), reason(one, below_label=True), staff_reason(one)) for one in found]
    return [text for texts in said for text in texts]


def test_words_are_chinese_for_chinese_readers():
    with translation.override("zh-hant"):
        for text in every_text():
            assert any("\u4e00" <= char <= "\u9fff" for char in text), text
            assert not any(char.isascii() and char.isalpha() for char in text), text
