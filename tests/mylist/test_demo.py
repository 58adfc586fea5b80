"""The demo shop: believable, deterministic, and only in an empty shop."""

import json
import re
from dataclasses import asdict
from datetime import UTC, datetime

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction

from accounts.models import User
from config import run
from mylist import demo, lists
from mylist.lists import Group
from mylist.models import FittedModel, ForecastCheck, Prediction
from shop import history
from shop.models import Offer, Product, Purchase, Store
from tests.admin_contract import sign_in_staff

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)


@pytest.fixture
def sign_ins():
    return demo.seed(at=AT, members=40)


def test_three_stores_with_about_120_products_in_both_languages(sign_ins):
    assert Store.objects.count() == 3
    assert 110 <= Product.objects.count() <= 130
    assert not Product.objects.filter(name_en="").exists()
    assert not Product.objects.filter(name_zh="").exists()
    assert not Product.objects.filter(picture="").exists()
    assert Offer.objects.filter(stock=0).exists()


def test_the_shopper_has_something_due_and_a_stored_way_to_get_it(sign_ins):
    shopper = User.objects.get(email=sign_ins["shopper"].email)
    found = lists.build(member=shopper, at=AT)
    assert found.due_count >= 2
    assert found.group(Group.LATER)
    assert shopper.addresses.get().is_default
    assert shopper.payment_methods.get().is_default


def test_the_lists_come_from_a_model_of_today_and_the_past_weeks_from_one_that_had_not_seen_them(sign_ins):
    assert FittedModel.objects.get(status=FittedModel.Status.RUNNING).as_of == AT
    assert not Prediction.objects.exclude(as_of=AT).exists()
    past = FittedModel.objects.exclude(status=FittedModel.Status.RUNNING).get()
    assert past.as_of <= ForecastCheck.objects.earliest("kept_at").kept_at


def test_the_newcomer_has_no_list_and_staff_may_enter_the_admin(client, sign_ins):
    assert not history.is_returning(User.objects.get(email=sign_ins["newcomer"].email), AT)
    sign_in_staff(client, User.objects.get(email=sign_ins["staff"].email))
    assert client.get("/admin/").status_code == 200


def test_the_passwords_open_the_door_without_a_code(client, sign_ins):
    for role in ("shopper", "newcomer"):
        client.logout()
        client.post("/accounts/login/", {"login": sign_ins[role].email, "password": sign_ins[role].password})
        assert client.get("/members/").status_code == 200


def test_staff_need_the_code_that_the_command_says(client, sign_ins, settings, tmp_path, capsys):
    staff = sign_ins["staff"]
    settings.DATA_DIR = tmp_path
    with pytest.raises(CommandError, match="no demo"):
        call_command("demo_code")
    (tmp_path / "demo.json").write_text(json.dumps({"staff": asdict(staff)}))
    call_command("demo_code")
    said = capsys.readouterr().out
    client.post("/accounts/login/", {"login": staff.email, "password": staff.password})
    assert client.get("/admin/").status_code == 302
    code = re.search(r": (\d{6}),", said).group(1)
    client.post("/accounts/2fa/authenticate/", {"code": code})
    assert client.get("/admin/").status_code == 200


def test_what_make_run_prints_tells_staff_the_code(settings, tmp_path, monkeypatch):
    settings.DATA_DIR = tmp_path
    sign_in = {"email": "staff@example.com", "password": "secret", "totp": "JBSWY3DPEHPK3PXP"}
    (tmp_path / "demo.json").write_text(json.dumps({"staff": sign_in}))
    monkeypatch.setenv("MYLIST_DATA_DIR", str(tmp_path))
    page = run.welcome("http://127.0.0.1:8000")
    assert re.search(r"Staff code at \d\d:\d\d:\d\d: \d{6}, good for one sign-in until \d\d:\d\d:\d\d\.", page)
    assert "manage.py demo_code" in page
    assert "http://localhost:8000/" in page
    (tmp_path / "demo.json").unlink()
    assert "code" not in run.welcome("http://127.0.0.1:8000").partition("Mails")[0]


def test_some_members_are_imported_and_not_yet_claimed(sign_ins):
    assert User.objects.filter(claimed_at=None).exists()
    assert not User.objects.get(member_no="D00001").has_usable_password()


def test_the_same_seed_and_moment_give_the_same_purchases():
    def purchases() -> list[tuple]:
        with transaction.atomic():
            demo.seed(at=AT, members=25)
            columns = ("member__member_no", "product__sku", "purchased_at", "quantity", "unit_price")
            found = list(Purchase.objects.order_by("transaction_no", "line_no").values_list(*columns))
            transaction.set_rollback(True)
        return found

    first = purchases()
    assert len(first) > 1000
    assert purchases() == first


def test_a_shop_that_has_stores_is_left_alone(sign_ins, capsys):
    with pytest.raises(CommandError, match="already"):
        call_command("seed_demo")
    call_command("seed_demo", "--if-empty")
    assert Store.objects.count() == 3
