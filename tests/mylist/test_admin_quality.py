"""The page that shows staff how good the forecasts are."""

from datetime import date, timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from mylist import checks
from mylist.models import ChanceScore, DateScore, Prediction
from tests.admin_contract import assert_only_for_staff, changelist, sign_in, sign_in_staff
from tests.factories import CategoryFactory, ListItemFactory

pytestmark = pytest.mark.django_db
PAGE = "/admin/mylist/chancescore/"


def monday(weeks_ago: int) -> date:
    today = timezone.localdate()
    return today - timedelta(days=today.weekday(), weeks=weeks_ago)


def chances(count: int, said: float, seen: int, *, weeks_ago: int = 3, **facts) -> ChanceScore:
    """Forecasts of a tenth; `said` on average."""
    defaults = {"model_version": "light-1", "segment": "all", "horizon": 14, "bin": int(said * 10)}
    return ChanceScore.objects.create(
        week=monday(weeks_ago), count=count, said=said * count, seen=seen, **{**defaults, **facts}
    )


def dates(count: int, *, weeks_ago: int = 9, **facts) -> DateScore:
    defaults = {"model_version": "light-1", "segment": "all", "days_off": count * 6, "early": 0, "late": 0}
    return DateScore.objects.create(week=monday(weeks_ago), count=count, **{**defaults, **facts})


@pytest.fixture
def staff(client):
    return sign_in(client, "view_chancescore")


def row(page: str, first: str) -> list[str]:
    """The cells of the table's row that begins with a word."""
    part = page.split(f'<th scope="row">{first}</th>')[1].partition("</tr>")[0]
    return [cell.partition("</td>")[0] for cell in part.split("<td>")[1:]]


def test_only_staff_with_the_permission_see_it(client):
    assert_only_for_staff(client, PAGE)
    sign_in(client, "view_prediction")
    assert client.get(PAGE).status_code == 403
    sign_in(client, "view_chancescore")
    assert client.get(PAGE).status_code == 200


def test_it_says_in_words_how_often_a_chance_came_true(client, staff):
    chances(9000, 0.02, 150)
    chances(1240, 0.345, 434)
    chances(20, 0.95, 20)
    dates(400, early=40, late=52)
    page = client.get(PAGE).text
    assert "Of 1,240 items said to be bought within 14 days with a chance of 30 to 40%, 35.0% were." in page
    assert "On average a chance was 0.4 percentage points away from what was seen." in page
    assert "Of 400 items that were bought within 56 days, 77.0% came within the days expected" in page
    assert "6.0 days off on average" in page


def test_it_makes_no_sentence_of_a_handful(client, staff):
    chances(29, 0.345, 10)
    dates(29)
    page = client.get(PAGE)
    assert page.context["sentences"] == []
    assert "29" in row(page.text, "30 to 40%")


def test_every_chart_has_its_numbers_in_a_table(client, staff):
    chances(100, 0.31, 28)
    chances(100, 0.55, 60, weeks_ago=4)
    chances(10_000, 0.0001, 0)
    dates(50, early=5, late=10)
    page = client.get(PAGE).text
    assert page.count('<svg class="chart"') == 4
    assert row(page, "30 to 40%") == ["100", "31.0%", "28.0%", "-3.0"]
    assert row(page, "50 to 60%") == ["100", "55.0%", "60.0%", "+5.0"]
    assert row(page, "0 to 10%") == ["10,000", "0.0%", "0.0%", "+0.0"]
    assert row(page, "light-1") == ["10,200", "0.9%", "0.9%", "0.1", "70.0%", "6.0"]
    for report in page.split("<section")[1:]:
        assert "<table>" in report


def test_it_can_be_asked_for_horizon_model_period_and_segment(client, staff):
    category = CategoryFactory(name_en="Coffee")
    chances(100, 0.31, 28)
    chances(101, 0.31, 28, horizon=7)
    chances(102, 0.31, 28, model_version="full-2")
    chances(103, 0.31, 28, weeks_ago=20)
    chances(104, 0.31, 28, segment=f"category:{category.pk}")

    def count(**asked: object) -> str:
        return row(client.get(PAGE, asked).text, "30 to 40%")[0]

    assert count() == "202"
    assert count(horizon=7) == "101"
    assert count(model="full-2") == "102"
    assert count(weeks=26) == "305"
    assert count(segment=f"category:{category.pk}") == "104"
    page = client.get(PAGE, {"segment": f"category:{category.pk}"}).text
    assert f'<option value="category:{category.pk}" selected>Coffee</option>' in page


def test_an_address_that_asks_for_what_there_is_not_shows_the_usual(client, staff):
    chances(100, 0.31, 28)
    page = client.get(PAGE, {"horizon": "nine", "weeks": "-1", "model": "<b>", "segment": "category:77"})
    assert row(page.text, "30 to 40%")[0] == "100"


def test_a_choice_of_which_nothing_is_known_leads_back(client, staff):
    chances(100, 0.31, 28)
    page = client.get(PAGE, {"horizon": 28}).text
    assert "Nothing of this choice has been judged yet." in page
    assert 'href="?"' in page


def test_an_empty_page_tells_when_the_first_results_are_to_be_expected(client, staff, now):
    assert "eight days after the first night" in client.get(PAGE).text
    ListItemFactory.create_batch(2)
    checks.keep(at=now)
    with time_machine.travel(now + timedelta(hours=1), tick=False):
        sign_in_staff(client, staff)
        page = client.get(PAGE).text
    assert "2 forecasts are kept and wait for what happens." in page
    assert "Nov. 26, 2026" in page
    assert "<svg class" not in page


def test_it_asks_as_many_questions_of_a_year_as_of_a_week(client, staff, django_assert_num_queries):
    chances(100, 0.31, 28)
    chances(100, 0.31, 28, segment=f"category:{CategoryFactory().pk}")
    dates(50, weeks_ago=3)
    client.get(PAGE)
    # Session, member and two of permissions; models, segments, category names; the two sums.
    with django_assert_num_queries(9):
        client.get(PAGE)
    for weeks_ago in range(4, 40):
        for model_version in ("light-1", "full-2"):
            chances(100, 0.31, 28, weeks_ago=weeks_ago, model_version=model_version)
            dates(50, weeks_ago=weeks_ago, model_version=model_version)
    with django_assert_num_queries(9):
        client.get(PAGE, {"weeks": 53})


def test_it_is_shown_in_chinese(client):
    sign_in(client, "view_chancescore", language="zh-hant")
    chances(1240, 0.345, 434)
    page = client.get(PAGE).text
    assert "管理後台" in page
    assert '<svg class="chart"' in page


def test_the_forecasts_lead_to_it(client):
    sign_in(client, "view_chancescore", "view_prediction")
    assert reverse("admin:mylist_chancescore_changelist") == PAGE
    assert f'href="{PAGE}"' in client.get(changelist(Prediction)).text.partition('id="content"')[2]


def test_the_forecasts_do_not_lead_who_may_not_see_it(client):
    sign_in(client, "view_prediction")
    assert PAGE not in client.get(changelist(Prediction)).text


def test_the_rows_behind_it_can_be_neither_added_nor_changed(client):
    sign_in(client, superuser=True)
    kept = chances(100, 0.31, 28)
    for path in ("add/", f"{kept.pk}/change/", f"{kept.pk}/delete/"):
        assert client.post(PAGE + path, {"post": "yes"}).status_code == 404
    assert ChanceScore.objects.count() == 1
