"""The back-test as staff read it, and the buttons that switch models on and back."""

import pytest
from django.urls import reverse

from mylist import switches
from mylist.models import FittedModel, ModelSwitch
from tests.admin_contract import assert_queries_stay_the_same, change, changelist, sign_in
from tests.factories import FittedModelFactory, MemberFactory

pytestmark = pytest.mark.django_db

FIGURES = {"logloss14": 0.29, "pr_auc14": 0.341, "ndcg10": 0.46, "mae_days": 12.94, "coverage80": None}
SCORES = {
    "cutoffs": ["2026-08-15", "2026-09-05"],
    "follow_up": 56,
    "households": 1200,
    "of": 4800,
    "running": "light",
    "table": [
        {"name": "atd", "role": "baseline", "version": "", "figures": {"logloss14": 0.372, "pr_auc14": 0.243}},
        {"name": "light", "role": "running", "version": "light-1", "figures": {"logloss14": 0.3, "pr_auc14": 0.352}},
        {"name": "full", "role": "candidate", "version": "full-1", "figures": FIGURES},
    ],
    "comparisons": [
        {"rival": "light", "figure": "logloss14", "candidate_value": 0.29, "rival_value": 0.3, "passed": True},
        {"rival": "light", "figure": "pr_auc14", "candidate_value": 0.341, "rival_value": 0.352, "passed": False},
    ],
}


@pytest.fixture
def refused() -> FittedModel:
    return FittedModelFactory(kind="full", version="full-1", status="refused", verdict="worse", scores=SCORES)


@pytest.fixture
def running(now) -> FittedModel:
    for fitted in (FittedModelFactory(version="light-0"), FittedModelFactory(version="light-1")):
        switches.switch_on(fitted, by=None, at=now, reason=ModelSwitch.Reason.FIT)
    return switches.running()


def url(verb: str, fitted: FittedModel) -> str:
    return reverse(f"admin:mylist_fittedmodel_{verb}", args=[fitted.pk])


def words(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_the_page_says_why_it_was_refused_and_shows_the_others_beside_it(client, refused):
    sign_in(client, superuser=True)
    page = client.get(change(refused))
    assert "PR 14 .341 against .352" in page.text
    assert [row.name for row in page.context["table"].rows] == ["Full model", "Light model", "Gaps of everybody (ATD)"]
    assert page.context["table"].heads == ["Log loss", "PR", "NDCG@10", "Days off"]
    assert [cell.text for cell in page.context["table"].rows[0].cells] == [".290", ".341", ".460", "12.9"]
    assert [row.cells[1].is_best for row in page.context["table"].rows] == [False, True, False]
    assert "1,200 of 4,800 households" in page.text
    assert refused.checksum in page.text


def test_the_list_shows_what_runs_and_the_scores(client, refused, running):
    sign_in(client, superuser=True)
    page = client.get(changelist(FittedModel)).text
    assert 'class="badge is-running">Running' in page
    assert ".290" in page


def test_a_switch_asks_no_question_for_each_time_it_was_switched_on(client, refused, running, now):
    sign_in(client, superuser=True)

    def switched_on_once_more() -> None:
        ModelSwitch.objects.create(
            fitted=refused, instead_of=FittedModelFactory(), reason="by_hand", by=MemberFactory(), at=now
        )

    assert_queries_stay_the_same(client, change(refused), switched_on_once_more)


def test_switch_on_runs_it_remembers_who_and_offers_the_way_back(client, refused, running):
    staff = sign_in(client, "view_fittedmodel", "change_fittedmodel")
    response = client.post(url("switch_on", refused), follow=True)
    assert switches.running() == refused
    assert refused.switches.get().by == staff
    assert words(response) == [
        f'From now on {refused} makes the forecasts. <a href="{url("turn_back", refused)}">Undo</a>'
    ]
    assert "Turn back to" in response.text


def test_undo_asks_and_then_turns_back(client, refused, running):
    sign_in(client, superuser=True)
    client.post(url("switch_on", refused))
    asked = client.get(url("turn_back", refused))
    assert f"{running} would make the forecasts instead of {refused}." in asked.text
    assert switches.running() == refused
    response = client.post(url("turn_back", refused), follow=True)
    assert switches.running() == running
    assert url("switch_on", refused) in words(response)[0]


def test_undo_of_a_turn_back_switches_on_again(client, running):
    sign_in(client, superuser=True)
    client.post(url("turn_back", running))
    assert switches.running().version == "light-0"
    assert f"{running} would make the forecasts" in client.get(url("switch_on", running)).text
    client.post(url("switch_on", running))
    assert switches.running() == running


def test_a_second_press_changes_nothing_and_says_so(client, refused, running):
    sign_in(client, superuser=True)
    for verb, fitted in (("switch_on", refused), ("turn_back", refused)):
        client.post(url(verb, fitted))
        before = ModelSwitch.objects.count()
        response = client.post(url(verb, fitted), follow=True)
        assert ModelSwitch.objects.count() == before
        assert "cannot be switched on" in response.text or "is not running any more" in response.text


def test_an_undo_link_that_is_out_of_date_says_so(client, refused, running):
    sign_in(client, superuser=True)
    response = client.get(url("turn_back", refused), follow=True)
    assert words(response) == [f"{refused} is not running any more."]


def test_with_nothing_to_turn_back_to_the_page_says_so(client, refused, now):
    sign_in(client, superuser=True)
    switches.switch_on(refused, by=None, at=now)
    assert "Turn back to" not in client.get(change(refused)).text
    assert "There is no model to turn back to." in client.get(url("turn_back", refused)).text
    assert words(client.post(url("turn_back", refused), follow=True)) == ["There is no model to turn back to."]


@pytest.mark.parametrize("verb", ["switch_on", "turn_back"])
def test_who_may_only_look_may_not_switch(client, refused, running, verb):
    sign_in(client, "view_fittedmodel")
    assert (
        "<button" not in client.get(change(refused)).text.partition('class="back-test"')[2].partition("</section>")[0]
    )
    for ask in (client.get, client.post):
        assert ask(url(verb, running)).status_code == 403
    assert switches.running() == running


@pytest.mark.parametrize("verb", ["switch_on", "turn_back"])
def test_strangers_and_members_are_led_away(client, running, verb):
    assert client.post(url(verb, running)).status_code == 302
    client.force_login(MemberFactory())
    assert client.post(url(verb, running)).status_code == 302
    assert switches.running() == running


def test_a_model_that_is_no_more_is_not_found(client, running):
    sign_in(client, superuser=True)
    assert client.post(reverse("admin:mylist_fittedmodel_switch_on", args=[running.pk + 99])).status_code == 404


def test_the_back_test_is_read_in_chinese_too(client, refused):
    sign_in(client, superuser=True, language="zh-hant")
    assert ".352" in client.get(change(refused)).text
