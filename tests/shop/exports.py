"""Small exports for the tests of the importer: four masters that are right, until a test spoils them."""

import csv
import gzip
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shop.importing import FILES, Options, Outcome, Rejects, import_history

AT = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)


def member(number: int = 1, **changed: str) -> dict[str, str]:
    return {
        "member_no": f"M{number}",
        "name": f"Member {number}",
        "email": f"member{number}@example.com",
        "phone": f"09120000{number:02d}" if number < 100 else "",
        "birthday": "1987-12-18",
        "joined_at": "2017-01-07",
        "home_channel": "C1",
        "email_consent": "true",
        "sms_consent": "false",
        **changed,
    }


def channel(number: int = 1, **changed: str) -> dict[str, str]:
    return {"channel_code": f"C{number}", "name": f"Branch {number}", "kind": "branch", "brand": "Main", **changed}


def product(number: int = 1, **changed: str) -> dict[str, str]:
    return {
        "sku": f"P{number}",
        "name": f"Soap {number}",
        "brand": "Private",
        "department": "DRUG GM",
        "category": "SOAP",
        "subcategory": "BAR SOAP",
        "package_size": "16 OZ",
        "unit_price": "2.67",
        "currency": "USD",
        **changed,
    }


def line(number: int = 1, **changed: str) -> dict[str, str]:
    return {
        "transaction_no": f"T{number}",
        "line_no": "1",
        "member_no": "M1",
        "channel_code": "C1",
        "sku": "P1",
        "purchased_at": "2017-03-01T22:15:00-05:00",
        "quantity": "2",
        "unit_price": "2.5",
        "currency": "USD",
        **changed,
    }


class Export:
    """The rows of the four files; `write` puts them into a folder and gives it back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.members = [member()]
        self.channels = [channel()]
        self.products = [product()]
        self.transactions = [line()]

    def text(self, name: str) -> str:
        rows: list[dict[str, str]] = getattr(self, name)
        empty = {"members": member(), "channels": channel(), "products": product(), "transactions": line()}[name]
        out = io.StringIO()
        writer = csv.DictWriter(out, list(rows[0] if rows else empty), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return out.getvalue()

    def write(self, **contents: bytes) -> Path:
        """The folder, with `contents` in place of what the rows of a file would say."""
        self.folder.mkdir(exist_ok=True)
        for name in FILES:
            (self.folder / f"{name}.csv").write_bytes(contents.get(name, self.text(name).encode()))
        return self.folder

    def gzip(self, name: str, keep: int | None = None) -> None:
        """Pack a written file; `keep` cuts the result off after so many bytes."""
        path = self.folder / f"{name}.csv"
        (self.folder / f"{name}.csv.gz").write_bytes(gzip.compress(path.read_bytes())[:keep])
        path.unlink()


def bring(folder: Path, **options: Any) -> tuple[Outcome, Rejects]:
    """Import a folder at the tests' moment; the rejects are listed beside it."""
    with Rejects(folder / "rejects.csv") as rejects:
        outcome = import_history(folder, options=Options(**{"at": AT, **options}), rejects=rejects)
    return outcome, rejects
