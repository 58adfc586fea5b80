from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from mylist.models import FittedModel, ListItem, Prediction, Reminder, ReminderLine
from tests.admin_contract import (
    assert_found_by,
    assert_only_for_staff,
    assert_opens,
    assert_queries_stay_the_same,
    assert_read_only,
    change,
    changelist,
    shown,
    sign_in,
)
from tests.factories import ListItemFactory, MemberFactory, OfferFactory, ProductFactory, ReminderFactory

pytestmark = pytest.mark.django_db


def make_forecast() -> Prediction:
    return ListItemFactory().prediction


def make_fitted_model() -> FittedModel:
    moment = datetime(2026, 11, 1, tzinfo=UTC)
    return FittedModel.objects.create(version="bgnbd-1", as_of=moment, fitted_at=moment, data=b"r")


MAKERS = {
    ListItem: ListItemFactory,
    Prediction: make_forecast,
    FittedModel: make_fitted_model,
    Reminder: ReminderFactory,
}
of_every_admin = pytest.mark.parametrize("model", MAKERS, ids=lambda model: model.__name__)


@of_every_admin
def test_the_pages_open(client, model):
    sign_in(client, superuser=True)
    assert_opens(client, MAKERS[model]())


@of_every_admin
def test_the_pages_open_in_chinese(client, model):
    sign_in(client, superuser=True, language="zh-hant")
    row = MAKERS[model]()
    assert "管理後台" in client.get(changelist(model)).text
    assert client.get(change(row)).status_code == 200


@of_every_admin
def test_nothing_can_be_added_changed_or_deleted(client, model):
    sign_in(client, superuser=True)
    assert_read_only(client, MAKERS[model]())


@of_every_admin
def test_more_rows_ask_no_more_questions(client, model):
    sign_in(client, superuser=True)
    assert_queries_stay_the_same(client, changelist(model), MAKERS[model])


@of_every_admin
def test_only_staff_with_the_permission_see_it(client, model):
    assert_only_for_staff(client, changelist(model))
    sign_in(client, f"view_{model._meta.model_name}")
    assert client.get(changelist(model)).status_code == 200


def striking_item() -> ListItem:
    """An item nothing of which is like that of the others."""
    ListItemFactory.create_batch(3)
    product = ProductFactory(sku="ZX-9", name_en="Oat lotion", name_zh="燕麥乳液", brand="Havre")
    member = MemberFactory(member_no="N777", name="Lin Mei", email="mei@example.org", phone="+886955555555")
    return ListItemFactory(offer=OfferFactory(product=product), member=member)


STRIKING = ["ZX-9", "oat", "燕麥", "havre", "N777", "lin mei", '"Lin Mei"', "mei@example.org", "955555555", "oat N777"]


def test_list_items_are_found_by_member_and_product(client):
    sign_in(client, superuser=True)
    assert_found_by(client, striking_item(), STRIKING)


def test_forecasts_are_found_by_member_and_product(client):
    sign_in(client, superuser=True)
    assert_found_by(client, striking_item().prediction, STRIKING)


def test_every_word_of_a_search_has_to_be_found(client):
    sign_in(client, superuser=True)
    striking_item()
    assert shown(client, ListItem, q="oat somebody") == set()


def test_reminders_are_found_by_member(client):
    sign_in(client, superuser=True)
    ReminderFactory.create_batch(3)
    reminder = ReminderFactory(member__name="Lin Mei", member__email="mei@example.org")
    assert_found_by(client, reminder, ["mei@example.org", "lin mei", reminder.member.member_no])


def test_list_items_are_filtered_by_what_the_member_wished(client):
    sign_in(client, superuser=True)
    now = timezone.now()
    plain = ListItemFactory()
    pinned = ListItemFactory(pinned_at=now)
    hidden = ListItemFactory(hidden_at=now)
    snoozed = ListItemFactory(snoozed_until=now + timedelta(days=1))
    awake = ListItemFactory(snoozed_until=now - timedelta(days=1))
    assert shown(client, ListItem, wish="pinned") == {pinned.pk}
    assert shown(client, ListItem, wish="hidden") == {hidden.pk}
    assert shown(client, ListItem, wish="snoozed") == {snoozed.pk}
    assert shown(client, ListItem, wish="none") == {plain.pk, awake.pk}


def test_forecasts_are_filtered_by_chance(client):
    sign_in(client, superuser=True)
    rows = {}
    for p7 in (0.19, 0.2, 0.49, 0.5):
        rows[p7] = make_forecast()
        Prediction.objects.filter(pk=rows[p7].pk).update(p7=p7, p14=0.8, p28=0.9)
    assert shown(client, Prediction, chance="low") == {rows[0.19].pk}
    assert shown(client, Prediction, chance="some") == {rows[0.2].pk, rows[0.49].pk}
    assert shown(client, Prediction, chance="high") == {rows[0.5].pk}


def test_reminders_are_filtered_by_status_and_opening(client, now):
    sign_in(client, superuser=True)
    planned = ReminderFactory()
    sent = ReminderFactory(status=Reminder.Status.SENT, sent_at=now)
    opened = ReminderFactory(status=Reminder.Status.SENT, sent_at=now, opened_at=now)
    assert shown(client, Reminder, status="planned") == {planned.pk}
    assert shown(client, Reminder, status="sent", opened_at__isempty="1") == {sent.pk}
    assert shown(client, Reminder, opened_at__isempty="0") == {opened.pk}


def test_a_list_item_shows_its_forecast(client):
    sign_in(client, superuser=True)
    item = ListItemFactory()
    page = client.get(change(item)).text
    assert item.prediction.model_version in page
    assert change(item.prediction) in page
    assert "Chance to be bought: 2 % in 7 days, 5 % in 14, 20 % in 28." in page


def test_a_forecast_is_put_in_words(client):
    sign_in(client, superuser=True)
    item = ListItemFactory(due=True, around=timezone.now(), last_quantity=2)
    page = client.get(change(item.prediction)).text
    assert "The shopper reads: Runs out about now. About every 30 days, last time 2 packs, 29 days ago." in page


def test_a_reminder_names_its_items_without_a_question_for_each(client, now):
    sign_in(client, superuser=True)
    reminder = ReminderFactory()

    def add_line() -> None:
        ReminderLine.objects.create(reminder=reminder, item=ListItemFactory(), cycle_began_at=now)

    assert_queries_stay_the_same(client, change(reminder), add_line)
    assert ListItem.objects.latest("pk").product.name_en in client.get(change(reminder)).text
