"""What every page of the admin promises, asked by the tests of each app's admin."""

import time
from collections.abc import Callable, Iterable

import pytest
from django.contrib.auth.models import Permission
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from tests.factories import MemberFactory


def show_second_factor(client: Client, staff: User) -> None:
    """What allauth notes in the session of who has shown an app's code; the gate asks for it."""
    session = client.session
    session["account_authentication_methods"] = [{"method": "mfa", "type": "totp", "at": time.time()}]
    session["account_authentication_methods_user"] = str(staff.pk)
    session.save()


def sign_in_staff(client: Client, staff: User) -> None:
    client.force_login(staff)
    show_second_factor(client, staff)


def sign_in(client: Client, *permissions: str, superuser: bool = False, language: str = "en") -> User:
    """A staff member with the named permissions ("view_order"), signed in."""
    staff = MemberFactory(is_staff=True, is_superuser=superuser, language=language)
    staff.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    sign_in_staff(client, staff)
    return staff


def changelist(model: type[models.Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def add(model: type[models.Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")


def change(row: models.Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def delete(row: models.Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_delete", args=[row.pk])


def shown(client: Client, model: type[models.Model], **query: str) -> set:
    """The keys of the rows a changelist shows for a query."""
    response = client.get(changelist(model), query)
    # An impossible query is answered with a redirect to the whole list.
    assert response.status_code == 200, f"{query} was refused"
    return {row.pk for row in response.context["cl"].result_list}


def assert_opens(client: Client, row: models.Model) -> None:
    assert shown(client, type(row)) >= {row.pk}
    response = client.get(change(row))
    assert response.status_code == 200
    # Django's words for a row without a name.
    assert f"{type(row).__name__} object (" not in response.text


def assert_found_by(client: Client, row: models.Model, words: Iterable[str]) -> None:
    """Each of the words finds the row and no other."""
    found = {word: shown(client, type(row), q=word) for word in words}
    assert found == {word: {row.pk} for word in words}


def assert_read_only(client: Client, row: models.Model) -> None:
    """Signed in as a superuser, yet no way to add, change or delete."""
    before = list(type(row).objects.order_by("pk").values())
    assert client.get(add(type(row))).status_code == 403
    assert client.post(add(type(row)), {}).status_code == 403
    assert client.post(change(row), {}).status_code == 403
    assert client.get(delete(row)).status_code == 403
    assert client.post(delete(row), {"post": "yes"}).status_code == 403
    client.post(changelist(type(row)), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert list(type(row).objects.order_by("pk").values()) == before
    page = client.get(change(row)).text
    assert 'name="_save"' not in page


def assert_queries_stay_the_same(client: Client, url: str, make: Callable[[], object]) -> None:
    """A page asks as many questions of three rows as of thirty."""

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            response = client.get(url)
        assert response.status_code == 200
        return len(captured)

    for _ in range(3):
        make()
    client.get(url)  # content types are asked for once a process
    of_three = queries()
    for _ in range(27):
        make()
    of_thirty = queries()
    if of_thirty != of_three:
        pytest.fail(f"{url}: {of_three} queries for 3 rows, {of_thirty} for 30")


def assert_only_for_staff(client: Client, url: str) -> None:
    """Strangers, members and staff who have shown no second factor are led away; without a permission it is a no."""
    assert client.get(url).status_code == 302
    client.force_login(MemberFactory())
    assert client.get(url).status_code in {302, 403}
    staff = MemberFactory(is_staff=True)
    client.force_login(staff)
    assert client.get(url).status_code == 302
    show_second_factor(client, staff)
    assert client.get(url).status_code == 403
