"""Every way an export can be wrong has its own message: file, line, column, value and the mend."""

import csv

import pytest

from accounts.models import User
from shop.importing import Stopped
from shop.models import Channel, Product, Purchase, Store
from tests.factories import MemberFactory
from tests.shop.exports import Export, bring, channel, line, member, product

pytestmark = pytest.mark.django_db


@pytest.fixture
def export(tmp_path):
    return Export(tmp_path / "export")


def nothing_is_there() -> bool:
    return not any(model.objects.exists() for model in (User, Store, Channel, Product, Purchase))


BAD = [
    ("members", {"member_no": " "}, "member_no", "is empty"),
    ("members", {"member_no": "M" * 33}, "member_no", "is 33 characters long: shorten it to 32 characters"),
    ("members", {"name": "N" * 151}, "name", "is 151 characters long"),
    ("members", {"name": "Nu\0l"}, "name", "contains a NUL byte: remove it"),
    ("members", {"name": "be\x07l"}, "name", "contains the control character U+0007"),
    ("members", {"email": "mei.example.com"}, "email", "is no e-mail address"),
    ("members", {"phone": "12"}, "phone", "is no phone number: write it with its country code"),
    ("members", {"phone": "call me"}, "phone", "is no phone number"),
    ("members", {"birthday": "18/12/1987"}, "birthday", "is no date: write it as 2017-01-31"),
    ("members", {"birthday": "1987-02-30"}, "birthday", "is an impossible date: the calendar has no such day"),
    ("members", {"birthday": "2026-11-19"}, "birthday", "is an impossible date: before 1900 or in the future"),
    ("members", {"birthday": "0087-12-18"}, "birthday", "is an impossible date"),
    ("members", {"joined_at": "2017-01-07T10:00:00"}, "joined_at", "has no offset from UTC"),
    ("members", {"email_consent": "maybe"}, "email_consent", "is neither true nor false"),
    ("members", {"home_channel": "C9"}, "home_channel", "is no channel of channels.csv or of the shop: add C9"),
    ("channels", {"kind": "kiosk"}, "kind", "is not one of the values known: write one of: online, branch, app"),
    ("channels", {"brand": ""}, "brand", "is empty: name the brand"),
    ("channels", {"channel_code": ""}, "channel_code", "is empty"),
    ("products", {"sku": ""}, "sku", "is empty"),
    ("products", {"unit_price": "-1"}, "unit_price", "is a price below zero"),
    ("products", {"unit_price": "free"}, "unit_price", "is no price: write digits and a point only, such as 12.50"),
    ("products", {"unit_price": "1e9"}, "unit_price", "is no price"),
    ("products", {"unit_price": "99999999999"}, "unit_price", "is too large a number"),
    ("products", {"currency": "US$"}, "currency", "is no currency code: write the three letters"),
    ("products", {"currency": ""}, "currency", "is empty: a price needs its currency"),
    ("transactions", {"transaction_no": ""}, "transaction_no", "is empty"),
    ("transactions", {"transaction_no": "T\nx"}, "transaction_no", "contains a line break"),
    ("transactions", {"line_no": "one"}, "line_no", "is no line number"),
    ("transactions", {"line_no": "-1"}, "line_no", "is no line number"),
    ("transactions", {"line_no": "2147483648"}, "line_no", "is no line number"),
    ("transactions", {"member_no": "M9"}, "member_no", "is no member of members.csv or of the shop: add M9"),
    ("transactions", {"channel_code": "C9"}, "channel_code", "is no channel of channels.csv or of the shop: add C9"),
    ("transactions", {"sku": "P9"}, "sku", "is no product of products.csv or of the shop: add P9"),
    ("transactions", {"purchased_at": "yesterday"}, "purchased_at", "is no date and time"),
    ("transactions", {"purchased_at": ""}, "purchased_at", "is no date and time"),
    ("transactions", {"purchased_at": "2017-02-30T10:00:00+08:00"}, "purchased_at", "is an impossible date"),
    ("transactions", {"purchased_at": "2017-02-20T25:00:00+08:00"}, "purchased_at", "is an impossible date"),
    ("transactions", {"purchased_at": "2062-02-20T10:00:00+08:00"}, "purchased_at", "or in the future"),
    (
        "transactions",
        {"purchased_at": "2017-02-20T10:00:00"},
        "purchased_at",
        "has no offset from UTC, so the moment is not clear: add the offset of the place: 2017-02-20T10:00:00+08:00",
    ),
    ("transactions", {"quantity": "two"}, "quantity", "is no quantity: write digits and a point only, such as 2"),
    ("transactions", {"quantity": "nan"}, "quantity", "is no quantity"),
    ("transactions", {"quantity": ""}, "quantity", "is no quantity"),
    ("transactions", {"unit_price": "-0.5"}, "unit_price", "is a price below zero"),
    ("transactions", {"unit_price": "$5"}, "unit_price", "is no price"),
    ("transactions", {"unit_price": ""}, "unit_price", "is no price"),
    ("transactions", {"currency": "dollars"}, "currency", "is no currency code"),
]


@pytest.mark.parametrize(("name", "wrong", "column", "message"), BAD)
def test_import_names_what_is_wrong_and_writes_nothing(export, name, wrong, column, message):
    rows = getattr(export, name)
    rows.append({"members": member, "channels": channel, "products": product, "transactions": line}[name](2, **wrong))
    outcome, rejects = bring(export.write())
    assert not outcome.written
    assert nothing_is_there()
    (reject,) = rejects.first
    assert (reject.file, reject.line, reject.column) == (f"{name}.csv", 3, column)
    assert reject.value == wrong[column]
    assert f"{name}.csv, line 3: {column} {wrong[column][:57]!r}"[:-1] in str(reject)
    assert message in str(reject)
    assert outcome.counts[name].rejected == rejects.total == 1


@pytest.mark.parametrize(("name", "wrong", "column", "message"), BAD)
def test_import_skipping_bad_lines_writes_the_others(export, name, wrong, column, message):
    rows = getattr(export, name)
    rows.append({"members": member, "channels": channel, "products": product, "transactions": line}[name](2, **wrong))
    outcome, rejects = bring(export.write(), skip_bad=True)
    assert outcome.written
    assert {name: counts.added for name, counts in outcome.counts.items()} == dict.fromkeys(outcome.counts, 1)
    assert outcome.counts[name].rejected == rejects.total == 1


def test_import_tells_every_problem_of_a_line_and_counts_it_once(export):
    export.transactions = [line(quantity="x", unit_price="y")]
    _, rejects = bring(export.write())
    assert [reject.column for reject in rejects.first] == ["quantity", "unit_price"]
    assert rejects.total == 1


def test_import_lists_all_bad_lines_in_a_csv_and_keeps_twenty(export):
    export.transactions = [line(number, quantity="x") for number in range(30)]
    _, rejects = bring(export.write())
    with (export.folder / "rejects.csv").open(encoding="utf-8-sig", newline="") as file:
        listed = list(csv.DictReader(file))
    assert len(listed) == rejects.total == 30
    assert len(rejects.first) == 20
    assert listed[29] == {
        "file": "transactions.csv",
        "line": "31",
        "column": "quantity",
        "value": "x",
        "problem": "is no quantity",
        "mend": "write digits and a point only, such as 2",
    }


@pytest.mark.parametrize(
    ("name", "column", "one", "other"),
    [
        ("members", "member_no", member(2), member(2, name="Other")),
        ("channels", "channel_code", channel(2), channel(2, kind="online")),
        ("products", "sku", product(2), product(2, unit_price="")),
        ("transactions", "transaction_no/line_no", line(2), line(2, quantity="5")),
    ],
)
@pytest.mark.parametrize("swapped", [False, True])
def test_import_refuses_both_lines_of_a_key_with_two_contents(export, name, column, one, other, swapped):
    getattr(export, name).extend([other, one, one] if swapped else [one, one, other])
    outcome, rejects = bring(export.write(), skip_bad=True)
    assert outcome.counts[name].added == 1, "the line that was right"
    assert outcome.counts[name].rejected == rejects.total == 3
    assert [(reject.line, reject.column) for reject in rejects.first] == [(3, column), (4, column), (5, column)]
    assert "stands on line 5 too, with other content: keep the line that is right" in str(rejects.first[0])
    assert "stands on line 3 too" in str(rejects.first[2])


def test_import_refuses_members_of_the_file_who_share_an_email_in_any_case(export):
    export.members += [member(2, email="x@example.com"), member(3, email="X@Example.com")]
    outcome, rejects = bring(export.write(), skip_bad=True)
    assert {str(reject).split("is the ")[1][:25] for reject in rejects.first} == {
        "e-mail of member M2 too: ",
        "e-mail of member M3 too: ",
    }
    assert outcome.counts["members"].added == 1


def test_import_refuses_members_of_the_file_who_share_a_phone_however_written(export):
    export.members += [member(2, phone="+886 912 345 678"), member(3, phone="0912-345-678")]
    _, rejects = bring(export.write(), skip_bad=True)
    assert "phone '+886912345678' is the phone of member M3 too: leave it with one of them" in str(rejects.first[0])


def test_import_refuses_an_email_that_somebody_in_the_shop_has(export):
    MemberFactory(member_no="N1", email="Member1@example.com")
    _, rejects = bring(export.write())
    assert "email 'member1@example.com' is the e-mail of member N1 too" in str(rejects.first[0])


def test_import_refuses_an_email_that_its_owner_keeps_because_the_own_line_was_refused(export):
    bring(export.write())
    export.members = [member(1, email="new@example.com", home_channel="C9"), member(2, email="member1@example.com")]
    _, rejects = bring(export.write(), skip_bad=True)
    assert [reject.column for reject in rejects.first] == ["home_channel", "email"]
    assert User.objects.get().email == "member1@example.com"


def test_import_refuses_the_lines_of_a_member_who_was_refused(export):
    export.members = [member(email="wrong")]
    _, rejects = bring(export.write(), skip_bad=True)
    assert [reject.column for reject in rejects.first] == ["email", "member_no"]
    assert "mend its line there" in str(rejects.first[1])


def test_import_refuses_a_line_with_too_few_or_too_many_values(export):
    text = export.text("channels") + "C2,Branch\nC3,Branch, the third,branch,Main\n"
    outcome, rejects = bring(export.write(channels=text.encode()), skip_bad=True)
    assert "channels.csv, line 3: has 2 values where the header has 4: put values that" in str(rejects.first[0])
    assert "channels.csv, line 4: has 5 values where the header has 4" in str(rejects.first[1])
    assert outcome.counts["channels"].lines == 3


def test_import_refuses_a_line_whose_quotes_end_too_early(export):
    text = export.text("channels") + 'C2,"Branch" two,branch,Main\nC3,Branch,branch,Main\n'
    outcome, rejects = bring(export.write(channels=text.encode()), skip_bad=True)
    assert "channels.csv, line 3: has double quotes that do not balance: double a quote" in str(rejects.first[0])
    assert outcome.counts["channels"].added == 2


@pytest.mark.parametrize("end", ["", "\n" + "C5,x,branch,Main\n" * 20_000])
def test_import_stops_at_a_quote_that_swallows_lines(export, end):
    text = export.text("channels") + 'C2,"Branch,branch,Main\nC3,Branch,branch,Main\n' + end
    with pytest.raises(Stopped, match=r"channels\.csv, line 3: double quotes do not balance"):
        bring(export.write(channels=text.encode()), skip_bad=True)
    assert nothing_is_there()


def test_import_stops_at_another_encoding_and_names_the_byte(export):
    text = export.text("members") + "M2,林美,,,,,,,\n"
    with pytest.raises(Stopped) as stopped:
        bring(export.write(members=text.encode("big5")), skip_bad=True)
    assert f"members.csv: byte {len(export.text('members')) + 3} is not UTF-8 (0xaa). Save" in str(stopped.value)
    assert nothing_is_there()


def test_import_counts_the_byte_from_the_start_of_a_long_file_with_a_mark(export):
    good = export.text("members").encode() + b"".join(b"M%d,Name,,,,,,,\n" % number for number in range(2, 9000))
    with pytest.raises(Stopped, match=f"byte {len(good) + 3} is not UTF-8"):
        bring(export.write(members=b"\xef\xbb\xbf" + good + b"\xff"), skip_bad=True)


def test_import_stops_at_utf_16(export):
    with pytest.raises(Stopped, match=r"byte 0 is not UTF-8 \(0xff\)"):
        bring(export.write(members=export.text("members").encode("utf-16")))


def test_import_stops_at_a_missing_column_and_shows_the_header(export):
    text = export.text("products").replace("unit_price", "price")
    with pytest.raises(Stopped, match=r"products\.csv, line 1: missing column: unit_price\. The header has: sku, name"):
        bring(export.write(products=text.encode()), skip_bad=True)
    assert nothing_is_there()


def test_import_stops_at_a_column_that_is_there_twice(export):
    with pytest.raises(Stopped, match="the column name is there twice"):
        bring(export.write(channels=b"channel_code,name,kind,brand,name\n"))


def test_import_stops_at_an_empty_file(export):
    with pytest.raises(Stopped, match=r"channels\.csv is empty: not even a header"):
        bring(export.write(channels=b""))


def test_import_stops_at_missing_files_and_names_all(export):
    export.write()
    (export.folder / "members.csv").unlink()
    (export.folder / "products.csv").unlink()
    with pytest.raises(Stopped, match=r"missing file: members\.csv, products\.csv\. Each may also be gzipped"):
        bring(export.folder)


def test_import_stops_at_a_missing_folder(tmp_path):
    with pytest.raises(Stopped, match="there is no such folder"):
        bring(tmp_path / "nowhere")


def test_import_stops_when_a_file_is_there_in_both_forms(export):
    export.write()
    export.gzip("members")
    export.write()
    with pytest.raises(Stopped, match=r"members\.csv and members\.csv\.gz are both there"):
        bring(export.folder)


def test_import_stops_at_a_gzip_that_is_cut_off(export):
    export.transactions = [line(number) for number in range(500)]
    export.write()
    export.gzip("transactions", keep=300)
    with pytest.raises(Stopped, match=r"transactions\.csv\.gz: the gzip is cut off or damaged"):
        bring(export.folder, skip_bad=True)
    assert nothing_is_there()


def test_import_stops_at_a_gzip_that_is_none(export):
    (export.write() / "members.csv").rename(export.folder / "members.csv.gz")
    with pytest.raises(Stopped, match=r"members\.csv\.gz: the gzip is cut off or damaged \(Not a gzipped file"):
        bring(export.folder)


def test_import_stops_at_a_file_without_line_ends(export):
    with pytest.raises(Stopped, match="no line ends for a million bytes"):
        bring(export.write(transactions=export.text("transactions").encode() + b"x" * 3_000_000))


def test_import_stops_when_the_list_of_bad_lines_cannot_be_written(export):
    export.transactions = [line(quantity="x")]
    (export.write() / "rejects.csv").mkdir()
    with pytest.raises(Stopped, match=r"rejects\.csv cannot be written: .* Name another place with --report"):
        bring(export.folder)
