"""A night's round: everybody once, whatever becomes of workers and messages."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from mylist import predictions, rounds, tasks
from mylist.models import FittedModel, ListItem, Prediction, Shard
from tests.factories import MemberFactory, PurchaseFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def customers(now):
    return [PurchaseFactory(purchased_at=now - timedelta(days=9)).member for _ in range(7)]


@pytest.fixture
def handed_out(monkeypatch):
    """The ids of the shards whose tasks were sent, in turn."""
    sent: list[int] = []
    monkeypatch.setattr(tasks.predict_shard, "apply_async", lambda kwargs, **_: sent.append(kwargs["shard_id"]) or True)
    return sent


class TestBegin:
    def test_every_customer_is_in_exactly_one_shard(self, customers, now, monkeypatch):
        monkeypatch.setattr(rounds, "MEMBERS", 3)
        MemberFactory()  # who bought nothing is in none
        shards = rounds.begin(at=now)
        assert [shard.members for shard in shards] == [3, 3, 1]
        inside = [
            member.pk for s in shards for member in customers if s.first_member_id <= member.pk <= s.last_member_id
        ]
        assert inside == [member.pk for member in customers]

    def test_long_histories_make_shards_of_fewer_members(self, customers, now, monkeypatch):
        monkeypatch.setattr(rounds, "LINES", 4)
        PurchaseFactory.create_batch(7, member=customers[0])
        assert [shard.members for shard in rounds.begin(at=now)] == [2, 2, 2, 1]

    def test_the_round_before_is_over(self, customers, now):
        before = rounds.begin(at=now)
        rounds.begin(at=now + timedelta(days=1))
        assert predictions.predict_shard(shard_id=before[0].pk, at=now) == 0
        assert not ListItem.objects.exists()

    def test_a_shop_without_customers_has_nothing_to_do(self, now):
        assert rounds.begin(at=now) == []


class TestShard:
    def test_it_predicts_its_members_and_is_done(self, customers, now, monkeypatch):
        monkeypatch.setattr(rounds, "MEMBERS", 4)
        first, second = rounds.begin(at=now)
        assert predictions.predict_shard(shard_id=first.pk, at=now) == 4
        assert set(ListItem.objects.values_list("member", flat=True)) == {member.pk for member in customers[:4]}
        assert list(rounds.left()) == [second]

    def test_a_message_that_comes_twice_finds_it_done(self, customers, now):
        (shard,) = rounds.begin(at=now)
        assert predictions.predict_shard(shard_id=shard.pk, at=now) == 7
        assert predictions.predict_shard(shard_id=shard.pk, at=now + timedelta(minutes=1)) == 0
        assert set(Prediction.objects.values_list("as_of", flat=True)) == {now}

    def test_it_is_not_done_unless_its_forecasts_are_written(self, customers, now, monkeypatch):
        (shard,) = rounds.begin(at=now)
        monkeypatch.setattr(predictions.scoring, "_drop_stale", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            predictions.predict_shard(shard_id=shard.pk, at=now)
        assert list(rounds.left()) == [shard]
        assert not Prediction.objects.exists()

    def test_who_was_predicted_later_is_left_alone(self, customers, now):
        later = now + timedelta(minutes=1)
        predictions.predict_members(member_ids=[customers[0].pk], at=later)
        (shard,) = rounds.begin(at=now)
        assert predictions.predict_shard(shard_id=shard.pk, at=now) == 6
        assert Prediction.objects.get(item__member=customers[0]).as_of == later
        assert not rounds.left().exists()


class TestStalled:
    def test_a_round_at_work_is_left_to_it(self, customers, now, monkeypatch):
        monkeypatch.setattr(rounds, "MEMBERS", 4)
        first, _ = rounds.begin(at=now)
        assert not rounds.stalled(at=now + timedelta(minutes=4)).exists()
        predictions.predict_shard(shard_id=first.pk, at=now + timedelta(minutes=4))
        assert not rounds.stalled(at=now + timedelta(minutes=8)).exists()

    def test_what_is_left_when_nothing_happens_any_more_has_stalled(self, customers, now, monkeypatch):
        monkeypatch.setattr(rounds, "MEMBERS", 4)
        first, second = rounds.begin(at=now)
        assert list(rounds.stalled(at=now + timedelta(minutes=5))) == [first, second]
        predictions.predict_shard(shard_id=first.pk, at=now + timedelta(minutes=5))
        assert list(rounds.stalled(at=now + timedelta(minutes=10))) == [second]

    def test_a_round_that_is_done_has_not_stalled(self, customers, now):
        predictions.predict_all(at=now)
        assert not rounds.stalled(at=now + timedelta(hours=5)).exists()


class TestIsDue:
    @pytest.mark.parametrize(
        ("hours", "due"),
        # The fixture's now is noon in Taipei: the night it belongs to began at 2 o'clock.
        [(0, False), (13.9, False), (14, True), (30, True)],
    )
    def test_a_round_is_for_one_night(self, customers, now, hours, due):
        rounds.begin(at=now)
        assert rounds.is_due(at=now + timedelta(hours=hours)) is due

    def test_a_round_begun_after_midnight_is_yesterdays(self, customers, now):
        rounds.begin(at=now - timedelta(hours=10, minutes=1))
        assert rounds.is_due(at=now)

    def test_a_shop_that_never_had_a_round_is_due(self, now):
        assert rounds.is_due(at=now)


class TestTasks:
    def test_a_round_hands_out_its_shards(self, customers, handed_out):
        assert tasks.predict_all() == 1
        assert handed_out == [shard.pk for shard in rounds.left()]
        assert tasks.predict_shard(shard_id=handed_out[0]) == 7

    def test_a_round_fits_a_model_only_where_none_is_running(self, customers, handed_out):
        for _ in range(2):
            tasks.predict_all()
            assert FittedModel.objects.count() == 1

    def test_a_round_begun_twice_at_once_is_begun_once(self, customers, monkeypatch):
        again = []
        monkeypatch.setattr(tasks.predict_shard, "apply_async", lambda **_: again.append(tasks.predict_all()))
        tasks.predict_all()
        assert again == [0]
        assert Shard.objects.count() == 1

    def test_a_round_can_be_begun_after_one_that_failed(self, customers, monkeypatch, handed_out):
        with monkeypatch.context() as broken, pytest.raises(ZeroDivisionError):
            broken.setattr(rounds, "begin", lambda **_: 1 / 0)
            tasks.predict_all()
        assert cache.get("mylist.predict_all") is None
        assert tasks.predict_all() == 1

    def test_a_night_is_asked_for_once(self, customers, monkeypatch):
        asked = []
        monkeypatch.setattr(tasks.predict_all, "delay", lambda: asked.append(1))
        tasks.predict_all_when_due()
        rounds.begin(at=timezone.now())
        tasks.predict_all_when_due()
        assert asked == [1]

    def test_a_night_is_asked_for_when_the_last_round_was_yesterdays(self, customers, monkeypatch):
        asked = []
        monkeypatch.setattr(tasks.predict_all, "delay", lambda: asked.append(1))
        predictions.predict_all(at=timezone.now() - timedelta(days=1))
        tasks.predict_all_when_due()
        assert asked == [1]

    def test_what_is_left_of_a_stalled_round_is_handed_out_again(self, customers, handed_out, monkeypatch):
        shards = rounds.begin(at=timezone.now() - rounds.STALLED)
        monkeypatch.setattr(rounds, "is_due", lambda **_: False)  # at 2 o'clock it would be
        assert tasks.predict_all_when_due() == 1
        assert handed_out == [shards[0].pk]

    def test_nothing_is_handed_out_again_while_a_round_is_at_work(self, customers, handed_out):
        rounds.begin(at=timezone.now())
        assert tasks.predict_all_when_due() == 0
        assert handed_out == []


def test_shards_wait_in_a_queue_that_every_worker_takes_from(settings):
    route = tasks.predict_shard.app.amqp.router.route({}, "mylist.tasks.predict_shard")
    assert route["queue"].name == f"{settings.CELERY_TASK_DEFAULT_QUEUE}-rounds"
    assert set(tasks.predict_shard.app.amqp.queues.consume_from) == {
        settings.CELERY_TASK_DEFAULT_QUEUE,
        route["queue"].name,
    }
    assert route["queue"].routing_key == route["queue"].name  # else the default queue would get a copy
