"""The list as it is drawn: the whole page, or the parts that htmx swaps in."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_htmx.middleware import HtmxDetails

from accounts.models import User
from mylist import lists
from mylist.forms import SNOOZES, typed_quantities
from mylist.lists import Entry, Group, MemberList
from mylist.reorder import ItemProblem, Line
from shop.templatetags.money import money

LATER_SHOWN = 24


class MemberRequest(HttpRequest):
    """A request of somebody who is signed in."""

    user: User
    htmx: HtmxDetails


@dataclass(frozen=True, slots=True)
class Row:
    """An entry with the packs in its stepper and why the last tap was turned down."""

    entry: Entry
    quantity: int
    problem: str

    @property
    def field(self) -> str:
        """The stepper's name, which mylist.forms reads."""
        return f"quantity-{self.entry.item.pk}"

    @property
    def with_due(self) -> bool:
        """Whether "reorder all due" orders it."""
        return self.entry.group == Group.DUE and self.entry.can_reorder

    @property
    def amount(self) -> Decimal | None:
        price = self.entry.unit_price
        return None if price is None else price * self.quantity


@dataclass(frozen=True, slots=True)
class Section:
    """A group with the rows drawn of it; `left_out` more are there for whoever asks for all."""

    group: Group
    rows: list[Row]
    left_out: int

    @property
    def count(self) -> int:
        return len(self.rows) + self.left_out


def draw(
    request: MemberRequest,
    member_list: MemberList,
    *,
    status: int = 200,
    problems: Iterable[ItemProblem] = (),
    asked: Iterable[Line] = (),
) -> HttpResponse:
    """The list, with `problems` of what was `asked` said beside their items.

    Quantities typed into the steppers of the form that was sent stay as typed, whatever was done with the rest of it.
    """
    said = _sentences(problems, asked, member_list)
    typed = typed_quantities(request.POST)
    rows = [_row(entry, typed.get(entry.item.pk), said.get(entry.item.pk, "")) for entry in member_list.entries]
    due = [row for row in rows if row.with_due]
    everything = "all" in request.GET or "all" in request.POST
    context = {
        "list": member_list,
        "sections": _sections(rows, everything=everything),
        "everything": everything,
        "due": due,
        "due_count": sum(row.entry.group == Group.DUE for row in rows),
        "due_totals": lists.totals((row.entry.currency, row.amount) for row in due if row.amount is not None),
        "key": uuid4().hex,
        "snoozes": SNOOZES,
        "today": timezone.localdate(member_list.drawn_at),
    }
    return render(request, "mylist/answer.html" if request.htmx else "mylist/list.html", context, status=status)


def _sections(rows: list[Row], *, everything: bool) -> list[Section]:
    """The groups that have rows. Of what comes later, years of a history are drawn only when asked for."""
    sections = []
    for group in Group:
        found = [row for row in rows if row.entry.group == group]
        shown = found
        if group == Group.LATER and not everything:
            shown = [row for place, row in enumerate(found) if place < LATER_SHOWN or row.problem]
        if found:
            sections.append(Section(group, shown, len(found) - len(shown)))
    return sections


def _row(entry: Entry, typed: int | None, problem: str) -> Row:
    return Row(entry, min(typed, entry.most) if typed else entry.quantity, problem)


def _sentences(problems: Iterable[ItemProblem], asked: Iterable[Line], member_list: MemberList) -> dict[int, str]:
    shown = {line.item_id: line.unit_price for line in asked}
    currencies = {entry.item.pk: entry.currency for entry in member_list.entries}
    return {
        problem.item_id: _sentence(problem, shown.get(problem.item_id), currencies[problem.item_id])
        for problem in problems
        if problem.item_id in currencies
    }


def _sentence(problem: ItemProblem, shown: Decimal | None, currency: str) -> str:
    if problem.reason == "price_changed" and problem.price is not None and shown is not None:
        return _("The price changed from %(was)s to %(now)s.") % {
            "was": money(shown, currency),
            "now": money(problem.price, currency),
        }
    if problem.reason == "short" and problem.stock is not None:
        return ngettext("Only %(count)d is left.", "Only %(count)d are left.", problem.stock) % {"count": problem.stock}
    if problem.reason == "sold_out":
        return _("Sold out in the meantime.")
    return _("No longer sold.")
