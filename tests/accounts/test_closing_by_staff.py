"""Requests by letter: staff with the right to do so close accounts, with the same seven days."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from accounts.models import User
from notify.models import Message
from tests.admin_contract import changelist, sign_in
from tests.factories import MemberFactory

pytestmark = pytest.mark.django_db


def act(client: Client, action: str, *members: User) -> str:
    chosen = {"action": action, "_selected_action": [member.pk for member in members]}
    return client.post(changelist(User), chosen, follow=True).text


def test_staff_close_accounts_and_keep_them_again(client):
    sign_in(client, "view_user", "close_member")
    member, other = MemberFactory(), MemberFactory(claimed_at=None)
    assert "2 accounts will be erased in seven days" in act(client, "close_accounts", member, other)
    assert User.objects.exclude(closing_at=None).count() == 2
    assert Message.objects.count() == 2
    assert set(LogEntry.objects.values_list("object_id", flat=True)) == {str(member.pk), str(other.pk)}
    assert "1 account stays" in act(client, "keep_accounts", member)
    assert list(User.objects.exclude(closing_at=None)) == [other]


def test_accounts_of_staff_are_left_alone(client):
    sign_in(client, "view_user", "close_member")
    assert "1 account of staff was left as it is" in act(client, "close_accounts", MemberFactory(is_staff=True))
    assert not User.objects.exclude(closing_at=None).exists()


def test_staff_without_the_right_cannot(client):
    sign_in(client, "view_user", "change_user")
    member = MemberFactory()
    act(client, "close_accounts", member)
    assert "close_accounts" not in client.get(changelist(User)).text
    assert not User.objects.exclude(closing_at=None).exists()
