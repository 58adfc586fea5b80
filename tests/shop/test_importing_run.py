"""The run as a whole: order does not matter, memory stays flat, nothing half-written, one at a time; the command."""

import threading
import tracemalloc
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, OperationalError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from shop.importing import Stopped, merging
from shop.importing import run as running
from shop.models import Category, Channel, Need, Offer, Product, Purchase, Store
from tests.factories import StoreFactory
from tests.shop.exports import Export, bring, channel, line, member, product

TABLES = {
    User: ("member_no", "name", "email", "phone", "birthday", "joined_at", "home_channel", "reminder_channel"),
    Store: ("code", "name_zh", "name_en", "currency", "position"),
    Channel: ("code", "name", "kind", "store__code"),
    Category: ("code", "name_en"),
    Need: ("code", "name_en", "category__code"),
    Product: ("sku", "name_en", "category__code", "need__code", "package_size", "package_unit"),
    Offer: ("store__code", "product__sku", "price", "currency", "stock"),
    Purchase: (
        *("transaction_no", "line_no", "member__member_no", "channel__code", "product__sku"),
        *("purchased_at", "purchased_on", "quantity", "unit_price", "currency"),
    ),
}


@pytest.fixture
def export(tmp_path):
    return Export(tmp_path / "export")


def shop() -> dict[str, list[tuple]]:
    return {model.__name__: sorted(model.objects.values_list(*names), key=repr) for model, names in TABLES.items()}


def mixed(export: Export) -> Export:
    """Good, repeated, contradictory and bad lines in every file."""
    export.members = [member(n) for n in range(1, 5)] + [member(1), member(4, name="Other"), member(5, email="x")]
    export.members += [member(6, email="same@example.com"), member(7, email="SAME@example.com")]
    export.channels = [channel(1), channel(2, brand="Second"), channel(3, kind="?"), channel(1)]
    export.products = [product(n, category=f"KIND {n % 2}") for n in range(1, 6)] + [product(2, name="")]
    export.transactions = [
        line(n, member_no=f"M{n % 8}", channel_code=f"C{n % 3 + 1}", sku=f"P{n % 6}", quantity=str(n % 4 - 1))
        for n in range(24)
    ] + [line(7, member_no="M7"), line(9, member_no="M1", channel_code="C1", sku="P3", quantity="0")]
    return export


@pytest.mark.django_db
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(random=st.randoms(use_true_random=False))
def test_import_gives_the_same_shop_whatever_the_order_of_lines_and_however_often(tmp_path, random):
    straight = mixed(Export(tmp_path / "straight"))
    with transaction.atomic():
        bring(straight.write(), skip_bad=True)
        expected = shop()
        transaction.set_rollback(True)
    shuffled = mixed(Export(tmp_path / "shuffled"))
    for rows in (shuffled.members, shuffled.channels, shuffled.products, shuffled.transactions):
        random.shuffle(rows)
    with transaction.atomic():
        bring(shuffled.write(), skip_bad=True)
        assert shop() == expected
        outcome, _ = bring(straight.write(), skip_bad=True)
        assert shop() == expected
        assert {(counts.added, counts.changed) for counts in outcome.counts.values()} == {(0, 0)}
        transaction.set_rollback(True)
    assert expected["Purchase"], "a shop without purchases would prove nothing"


@pytest.mark.django_db
def test_import_counts_every_line_once(export):
    outcome, rejects = bring(mixed(export).write(), skip_bad=True)
    for name, counts in outcome.counts.items():
        assert counts.lines == len(getattr(export, name))
        assert counts.unchanged == 0, name
        assert counts.rejected == rejects.lines[name] > 0, name


def _peak(export: Export, lines: int) -> int:
    export.members = [member(n, email="", phone="") for n in range(lines // 20)]
    export.products = [product(n) for n in range(lines // 20)]
    export.transactions = [
        line(n, member_no=f"M{n % (lines // 20)}", sku=f"P{n % (lines // 20)}", quantity=str(n % 99))
        for n in range(lines)
    ]
    folder = export.write()
    export.members, export.products, export.transactions = [], [], []
    tracemalloc.start()
    try:
        outcome, _ = bring(folder)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        assert outcome.counts["transactions"].added + outcome.counts["transactions"].changed > 0


@pytest.mark.django_db
def test_import_takes_no_more_memory_for_ten_times_the_lines(export):
    _peak(export, 200)  # what is made once (caches of Django, the codec) is not the file's
    short = _peak(export, 2_000)
    long = _peak(export, 20_000)
    # The bounded memories of the parsers fill up; held rows would be ten times as many.
    assert long < short * 2, (short, long)


@pytest.mark.django_db
def test_import_that_fails_in_the_middle_of_writing_leaves_nothing(export, monkeypatch):
    def fail() -> int:
        assert Purchase.objects.exists(), "the purchases are written by then"
        raise RuntimeError("the power is gone")

    monkeypatch.setattr(merging, "merge_offers", fail)
    with pytest.raises(RuntimeError):
        bring(export.write())
    monkeypatch.undo()
    assert not any(rows for rows in shop().values())
    outcome, _ = bring(export.folder)
    assert outcome.counts["transactions"].added == 1, "and the next run finds its tables free"


@pytest.mark.django_db
def test_import_leaves_no_staging_tables_behind(export):
    bring(export.write())
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT count(*) FROM pg_class WHERE relname LIKE 'import\\_%%'")
        else:
            cursor.execute("SELECT count(*) FROM sqlite_temp_master")
        assert cursor.fetchone()[0] == 0


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'")
def test_import_refuses_to_run_beside_another_on_postgresql(export):
    holding, done = threading.Event(), threading.Event()

    def other() -> None:
        with transaction.atomic():
            running._lock()
            holding.set()
            done.wait(20)
        connection.close()

    thread = threading.Thread(target=other)
    thread.start()
    assert holding.wait(20)
    try:
        with pytest.raises(Stopped, match="Another import"):
            bring(export.write())
    finally:
        done.set()
        thread.join()
    assert bring(export.folder)[0].written


def _guards() -> tuple[list[tuple], list[tuple]]:
    """Constraints and indexes of the tables that an import fills."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, conname, contype, convalidated, condeferrable, condeferred, "
            "pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2"
        )
        constraints = cursor.fetchall()
        cursor.execute(
            "SELECT indexrelid::regclass::text, indisunique, indisprimary, indisvalid, pg_get_indexdef(indexrelid) "
            "FROM pg_index JOIN pg_class ON oid = indrelid WHERE relnamespace = 'public'::regnamespace ORDER BY 1"
        )
        return constraints, cursor.fetchall()


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'")
def test_first_import_leaves_all_constraints_and_indexes_as_they_were(export, monkeypatch):
    before = _guards()
    assert ("shop_purchase", "one_purchase_a_transaction_line") in {found[:2] for found in before[0]}
    while_filled = []
    copy = merging.copy

    def looking(*arguments: object) -> None:
        while_filled.append({found[1] for found in _guards()[0] if found[0] == "shop_purchase"})
        copy(*arguments)

    monkeypatch.setattr(merging, "copy", looking)
    monkeypatch.setattr(merging, "merge_offers", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        bring(export.write())
    assert _guards() == before, "after a failure"
    monkeypatch.undo()
    monkeypatch.setattr(merging, "copy", looking)
    bring(export.folder)
    assert _guards() == before
    assert while_filled == [{"purchase_price_never_below_zero", "shop_purchase_line_no_check"}] * 2
    with pytest.raises(IntegrityError):
        Purchase.objects.update(product_id=0)
    with pytest.raises(IntegrityError):
        Purchase.objects.create(**{**Purchase.objects.values().get(), "id": None})


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'")
def test_first_import_by_a_role_that_owns_nothing_leaves_the_guards_in_place(export):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE ROLE importer_of_tests")
        cursor.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO importer_of_tests")
        cursor.execute("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO importer_of_tests")
        cursor.execute("SET LOCAL ROLE importer_of_tests")
        outcome, _ = bring(export.write())
        assert outcome.counts["transactions"].added == Purchase.objects.count() == 1
        transaction.set_rollback(True)


@pytest.mark.django_db
def test_import_says_so_when_the_database_stays_locked(export, monkeypatch):
    def locked() -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(running, "_lock", locked)
    with pytest.raises(Stopped, match="Another import"):
        bring(export.write())


def _command(export: Export, *arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command(
            "import_history", str(export.folder), "--report", str(export.folder / "bad.csv"), *arguments,
            stdout=out, stderr=err,
        )  # fmt: skip
    except CommandError as error:
        return out.getvalue(), err.getvalue() + str(error)
    return out.getvalue(), err.getvalue()


@pytest.mark.django_db
def test_import_history_prints_a_table(export):
    export.transactions = [line(n) for n in range(1200)]
    export.write()
    out, err = _command(export)
    assert out.splitlines() == [
        "              lines  added  changed  unchanged  repeated  left out  rejected",
        "members           1      1        0          0         0         0         0",
        "channels          1      1        0          0         0         0         0",
        "products          1      1        0          0         0         0         0",
        "transactions  1,200  1,200        0          0         0         0         0",
    ]
    assert err == ""
    assert not (export.folder / "bad.csv").exists()


@pytest.mark.django_db
def test_import_history_fails_with_the_bad_lines_unless_they_may_be_skipped(export):
    export.transactions = [line(1), line(2, quantity="x")]
    export.write()
    out, err = _command(export)
    assert "transactions.csv, line 3: quantity 'x' is no quantity: write digits" in err
    assert "bad.csv" in err
    assert "Nothing was written: 1 line is bad." in err
    assert out.splitlines()[-1].split() == ["transactions", "2", "-", "-", "-", "-", "-", "1"]
    out, err = _command(export, "--skip-bad")
    assert "Nothing was written" not in err
    assert out.splitlines()[-1].split() == ["transactions", "2", "1", "0", "0", "0", "0", "1"]
    assert Purchase.objects.count() == 1


@pytest.mark.django_db
def test_import_history_says_that_a_damaged_export_wrote_nothing(export):
    export.write(products=b"sku\n")
    _, err = _command(export, "--skip-bad")
    assert "products.csv, line 1: missing column: name" in err
    assert err.endswith("Nothing was written.")


@pytest.mark.django_db
def test_import_history_leaves_out_departments_of_settings_and_command_line(export, settings):
    settings.IMPORT_EXCLUDED_DEPARTMENTS = ["FUEL"]
    StoreFactory(code="house")
    export.products = [product(1), product(2, department="FUEL"), product(3, department="COUPON")]
    export.write()
    _command(export, "--exclude-department", "coupon", "--store", "house", "--language", "en")
    assert Product.objects.get().sku == "P1"
    assert Channel.objects.get().store.code == "house"
    assert User.objects.get().language == "en"


@pytest.mark.django_db
def test_import_history_refuses_a_time_zone_that_does_not_exist(export):
    export.write()
    assert "Mars/Base is no time zone" in _command(export, "--time-zone", "Mars/Base")[1]


@pytest.mark.django_db
def test_import_history_shows_how_far_it_is(export, capsys):
    export.write()
    _command(export, "--progress")
    assert "100%" in capsys.readouterr().err
    _command(export, "--no-progress")
    assert capsys.readouterr().err == ""
