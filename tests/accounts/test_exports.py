import csv
import io
import json
import zipfile
from datetime import timedelta
from decimal import Decimal

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, InMemoryStorage
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts import belongings, copies, exports, tasks
from accounts.models import Address, DataExport, Merge, User
from config import settings as base_settings
from notify.models import Message
from tests.accounts.everything import member_with_everything
from tests.factories import AddressFactory, MemberFactory, OrderLineFactory, PurchaseFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty_storage():
    for name in exports._files():
        exports._storage().delete(f"exports/{name}")


def copy_of(member: User, now) -> zipfile.ZipFile:
    file = io.BytesIO()
    copies.write(file, member=member, at=now)
    return zipfile.ZipFile(file)


def tables_of(archive: zipfile.ZipFile) -> dict[str, list[dict]]:
    return {table["table"]: table["rows"] for table in reversed(json.loads(archive.read("data.json"))["tables"])}


def sheet(archive: zipfile.ZipFile, name: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(archive.read(name).decode("utf-8-sig"))))


def ready(member: User, now) -> DataExport:
    export = exports.ask(member=member, at=now)
    assert exports.make(export_id=export.pk, now=lambda: now)
    export.refresh_from_db()
    return export


# ---------------------------------------------------------------- what is in it


def test_every_table_that_leads_to_a_member_is_in_the_copy_with_the_members_rows(now):
    everything = member_with_everything()
    archive = copy_of(everything.member, now)
    tables, files = tables_of(archive), archive.namelist()
    leading = {User, *(reference.model for reference in belongings.own() + belongings.acts())}
    leading |= {history for history, _tracked in belongings.histories()} | {Message}
    missing = {model._meta.label for model in leading if model._meta.label not in tables}
    assert missing == set(), "a table that leads to a member is not in the copy"
    own = {model._meta.label for model in belongings.own_tables()} | {"accounts.User", "notify.Message"}
    assert {label for label in own if not tables[label]} == set(), "a table of the copy is empty"
    assert {label for label in tables if not {f"{label}.csv", f"{label}-done.csv"} & set(files)} == set()


def test_every_value_of_the_members_is_in_the_copy_but_for_the_secrets(now):
    everything = member_with_everything()
    said = copy_of(everything.member, now).read("data.json").decode()
    left_out = {where for word, where in everything.words.items() if word not in said}
    assert left_out == {f"{label}.{name}" for label, name in copies.SECRETS} - {"accounts.User.password"}


def test_every_secret_named_is_a_column_of_a_table():
    for label, name in copies.SECRETS:
        assert apps.get_model(label)._meta.get_field(name)


def test_a_secret_is_said_to_be_left_out(now):
    member = MemberFactory()
    member.set_password("a-long-enough-phrase")
    member.save()
    (row,) = tables_of(copy_of(member, now))["accounts.User"]
    assert row["password"] == copies.LEFT_OUT
    assert (row["name"], row["email"]) == (member.name, member.email)


def test_of_others_there_is_nothing(now):
    member = MemberFactory()
    other = member_with_everything()
    said = copy_of(member, now).read("data.json").decode()
    assert [word for word in (*other.words, other.member.name, other.member.email) if word in said] == []


def test_staff_find_what_they_did_but_not_about_whom(now):
    staff, member = MemberFactory(is_staff=True), MemberFactory(name="Somebody Else")
    LogEntry.objects.create(
        user=staff,
        content_type=ContentType.objects.get_for_model(User),
        object_id=member.pk,
        object_repr=str(member),
        change_message="Somebody Else was here",
        action_flag=CHANGE,
    )
    Merge.objects.create(
        kept=member, merged=MemberFactory(), by=staff, at=now, undo_until=now, filled={"name": ["", "Somebody Else"]}
    )
    archive = copy_of(staff, now)
    said = archive.read("data.json").decode()
    assert "Somebody Else" not in said
    assert len(sheet(archive, "admin.LogEntry-done.csv")) == len(sheet(archive, "accounts.Merge-done.csv")) == 2


def test_products_and_stores_are_called_by_their_names(now):
    purchase = PurchaseFactory(product__name_en="Oat milk")
    (row,) = tables_of(copy_of(purchase.member, now))["shop.Purchase"]
    assert (row["product"], row["channel"]) == ("Oat milk", purchase.channel.name)
    assert Decimal(row["unit_price"]) == purchase.unit_price


def test_a_table_has_heads_and_values_in_the_members_language(now):
    address = AddressFactory(member=MemberFactory(language="zh-hant"), recipient="林美")
    head, row = sheet(copy_of(address.member, now), "accounts.Address.csv")
    assert "收件人" in head
    assert "林美" in row


def test_a_text_that_a_spreadsheet_would_run_is_made_harmless(now):
    member = MemberFactory(name="=HYPERLINK(1)")
    for street in ("+1", "-1", "@SUM(1)", "\t=1"):
        AddressFactory(member=member, street=street, is_default=False, phone="+886912345678")
    archive = copy_of(member, now)
    cells = [
        cell for name in archive.namelist() if name.endswith(".csv") for row in sheet(archive, name) for cell in row
    ]
    assert [cell for cell in cells if cell.startswith(("=", "+", "@", "\t"))] == []
    assert {"'=HYPERLINK(1)", "'+1", "'-1", "'@SUM(1)", "'\t=1"} <= set(cells)
    assert tables_of(archive)["accounts.User"][0]["name"] == "=HYPERLINK(1)"


def test_a_number_below_zero_stays_a_number(now):
    purchase = PurchaseFactory(quantity=Decimal(-1))
    archive = copy_of(purchase.member, now)
    assert "-1.000" in sheet(archive, "shop.Purchase.csv")[1]


def test_a_table_opens_in_excel_as_what_it_is(now):
    assert copy_of(MemberFactory(), now).read("accounts.User.csv").startswith(b"\xef\xbb\xbf")


def test_the_readme_names_every_file(now):
    archive = copy_of(MemberFactory(), now)
    readme = archive.read("README.txt").decode("utf-8-sig")
    assert [name for name in archive.namelist() if name != "README.txt" and name not in readme] == []


def test_a_long_history_takes_no_more_statements_for_each_line(now, django_assert_max_num_queries, monkeypatch):
    monkeypatch.setattr(copies, "_CHUNK", 1000)
    member = MemberFactory()
    for _ in range(30):
        OrderLineFactory(order__errand__member=member)
    with django_assert_max_num_queries(100):
        copies.write(io.BytesIO(), member=member, at=now)


# ---------------------------------------------------------------- asking for it and making it


def test_asked_while_one_is_being_made_it_is_that_one(now):
    member = MemberFactory()
    first = exports.ask(member=member, at=now)
    assert exports.ask(member=member, at=now) == first
    with pytest.raises(IntegrityError), transaction.atomic():
        DataExport.objects.create(member=member, asked_at=now)


def test_three_copies_a_day_are_enough(now):
    member = MemberFactory()
    for hours in range(3):
        ready(member, now + timedelta(hours=hours))
    with pytest.raises(exports.TooMany) as refusal:
        exports.ask(member=member, at=now + timedelta(hours=4))
    assert refusal.value.until == now + timedelta(days=1)
    exports.ask(member=member, at=now + timedelta(days=1))


def test_a_copy_that_is_ready_is_told_of_and_can_be_fetched_for_three_days(now):
    member = MemberFactory()
    export = ready(member, now)
    assert (export.status, export.ready_at, export.expires_at) == ("ready", now, now + timedelta(days=3))
    with exports.fetch(member=member, export_id=export.pk, at=now + timedelta(days=2)) as file:
        assert zipfile.ZipFile(file).testzip() is None
    message = Message.objects.get()
    assert (message.recipient, message.whose) == (member.email, str(member.pk))
    assert reverse("accounts:exports") in message.text
    with pytest.raises(exports.Gone):
        exports.fetch(member=member, export_id=export.pk, at=now + timedelta(days=3))


def test_made_twice_it_is_made_once(now):
    export = ready(MemberFactory(), now)
    assert not exports.make(export_id=export.pk, now=lambda: now)
    assert exports._files() == [export.file.name.removeprefix("exports/")]
    assert Message.objects.count() == 1


def test_a_worker_that_dies_leaves_no_second_file(now, monkeypatch):
    export = exports.ask(member=MemberFactory(), at=now)

    def die(*_args, **_kwargs):
        raise MemoryError

    with monkeypatch.context() as patch, pytest.raises(MemoryError):
        patch.setattr(exports.notices, "tell", die)  # after the file was written
        exports.make(export_id=export.pk, now=lambda: now)
    export.refresh_from_db()
    assert (export.status, len(exports._files())) == ("waiting", 1)
    assert exports.waiting(at=now) == []
    assert exports.waiting(at=now + timedelta(minutes=5)) == [export.pk]
    assert exports.make(export_id=export.pk, now=lambda: now)
    export.refresh_from_db()
    assert exports._files() == [export.file.name.removeprefix("exports/")]


def test_an_attempt_that_was_overtaken_takes_its_file_away(now, monkeypatch):
    export = exports.ask(member=MemberFactory(), at=now)
    write = copies.write

    def write_and_be_overtaken(file, **given):
        with monkeypatch.context() as patch:
            patch.setattr(copies, "write", write)
            assert exports.make(export_id=export.pk, now=lambda: now)
        write(file, **given)

    monkeypatch.setattr(copies, "write", write_and_be_overtaken)
    assert not exports.make(export_id=export.pk, now=lambda: now)
    export.refresh_from_db()
    assert exports._files() == [export.file.name.removeprefix("exports/")]
    assert Message.objects.count() == 1


def test_a_copy_of_an_erased_member_is_not_made(now):
    export = exports.ask(member=MemberFactory(), at=now)
    DataExport.objects.all().delete()
    assert not exports.make(export_id=export.pk, now=lambda: now)
    assert exports._files() == []


def test_expired_copies_are_deleted_and_say_so(now):
    export = ready(MemberFactory(), now)
    assert exports.expire(at=now + timedelta(days=3) - timedelta(seconds=1)) == 0
    assert exports.expire(at=now + timedelta(days=3)) == 1
    export.refresh_from_db()
    assert (export.status, export.file.name, exports._files()) == ("expired", "", [])
    assert exports.expire(at=now + timedelta(days=3)) == 0


def test_a_file_that_no_row_names_is_deleted_once_it_is_old(now, monkeypatch):
    exports._storage().save("exports/left.zip", ContentFile(b"left"))
    monkeypatch.setattr(InMemoryStorage, "get_modified_time", lambda *_: now)
    exports.expire(at=now + timedelta(minutes=59))
    assert exports._files() == ["left.zip"]
    exports.expire(at=now + timedelta(hours=1))
    assert exports._files() == []


def test_on_disk_nobody_but_the_shop_reads_it(now, tmp_path, monkeypatch):
    options = base_settings.STORAGES["private"]["OPTIONS"] | {"location": tmp_path / "private"}
    monkeypatch.setattr(DataExport._meta.get_field("file"), "storage", FileSystemStorage(**options))
    assert exports.expire(at=now) == 0  # before there is a folder
    export = ready(MemberFactory(), now)
    path = tmp_path / "private" / export.file.name
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    path.unlink()
    with pytest.raises(exports.Gone):
        exports.fetch(member=export.member, export_id=export.pk, at=now)
    assert exports.expire(at=now + timedelta(days=3)) == 1


def test_the_tasks_make_what_was_lost_and_expire_what_is_over(now):
    member = MemberFactory()
    lost = DataExport.objects.create(member=member, asked_at=now - timedelta(days=400))
    assert tasks.make_lost_exports() == 1
    assert tasks.make_export(export_id=lost.pk)
    DataExport.objects.update(expires_at=now - timedelta(days=390))
    assert tasks.expire_exports() == 1


# ---------------------------------------------------------------- the page and the API


def test_a_member_asks_for_a_copy_sees_it_being_made_and_fetches_it(client, django_capture_on_commit_callbacks):
    member = MemberFactory()
    client.force_login(member)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("accounts:exports"))
    page = client.get(reverse("accounts:exports"))
    assert "Your copy is being made." in page.text
    assert "hx-trigger" in page.text
    assert "Look again" in page.text  # without JavaScript
    assert "no-store" in page["Cache-Control"]
    export = DataExport.objects.get(member=member)
    tasks.make_export(export_id=export.pk)
    part = client.get(reverse("accounts:exports"), headers={"HX-Request": "true"})
    assert "<html" not in part.text
    assert "hx-trigger" not in part.text
    response = client.get(reverse("accounts:export_file", args=[export.pk]))
    assert response["Content-Disposition"] == 'attachment; filename="my-data.zip"'
    assert response["Cache-Control"] == "private, no-store"
    content = b"".join(response.streaming_content)
    assert zipfile.ZipFile(io.BytesIO(content)).testzip() is None


def test_nobody_else_fetches_it(client, now):
    export = ready(MemberFactory(), now)
    url = reverse("accounts:export_file", args=[export.pk])
    assert client.get(url).status_code == 302
    client.force_login(MemberFactory())
    assert client.get(url).status_code == 404
    assert client.get(reverse("api-export-file", args=[export.pk])).status_code == 404


def test_who_asks_too_often_is_told_when_to_ask_again(client):
    member = MemberFactory()
    client.force_login(member)
    for _ in range(3):
        client.post(reverse("accounts:exports"))
        tasks.make_export(export_id=DataExport.objects.latest("pk").pk)
    page = client.post(reverse("accounts:exports"), follow=True)
    assert "several times today" in page.text
    answer = client.post("/api/v1/me/exports/")
    assert (answer.status_code, answer.json()["type"]) == (429, "/problems/too_many")
    assert 86_000 < int(answer["Retry-After"]) <= 86_400


def test_an_app_asks_and_fetches(client):
    member = MemberFactory()
    client.force_login(member)
    token = {"X-Session-Token": client.session.session_key}
    client.cookies.clear()
    assert client.get("/api/v1/me/exports/").status_code == 401
    asked = client.post("/api/v1/me/exports/", headers=token)
    assert (asked.status_code, asked.json()["status"]) == (202, "waiting")
    assert client.get(f"/api/v1/me/exports/{asked.json()['id']}/file/", headers=token).status_code == 404
    tasks.make_export(export_id=asked.json()["id"])
    (listed,) = client.get("/api/v1/me/exports/", headers=token).json()
    assert listed["status"] == "ready"
    response = client.get(f"/api/v1/me/exports/{listed['id']}/file/", headers=token | {"Accept": "application/zip"})
    assert response["Content-Type"] == "application/zip"
    assert zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content))).testzip() is None


def test_the_address_book_of_the_copy_is_the_members(now):
    mine = AddressFactory()
    AddressFactory()
    assert [row["id"] for row in tables_of(copy_of(mine.member, now))["accounts.Address"]] == [mine.pk]
    assert Address.objects.count() == 2
