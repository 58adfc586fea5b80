"""What a back-test said of a fitted model, in words and as a table; mylist.predictions.fitting lays the scores out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from mylist.models import FittedModel

_NAMES = {
    "light": gettext_lazy("Light model"),
    "full": gettext_lazy("Full model"),
    "running": gettext_lazy("Running model, at its own fit"),
    "mean-interval": gettext_lazy("Mean gap"),
    "median-interval": gettext_lazy("Median gap"),
    "p-top": gettext_lazy("Most often bought"),
    "atd": gettext_lazy("Gaps of everybody (ATD)"),
    "poisson-gamma": gettext_lazy("Poisson-Gamma"),
    "modified-poisson-gamma": gettext_lazy("Modified Poisson-Gamma"),
    "bgnbd-pair": gettext_lazy("BG/NBD"),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A column of the table. `higher`: better so; None where neither is (a share that should be .80)."""

    name: str
    label: Any
    higher: bool | None
    places: int = 3


def _figures(days: int) -> list[Figure]:
    return [
        Figure(f"logloss{days}", gettext_lazy("Log loss"), higher=False),
        Figure(f"pr_auc{days}", gettext_lazy("PR"), higher=True),
        Figure(f"roc_auc{days}", gettext_lazy("ROC"), higher=True),
        Figure(f"ece{days}", gettext_lazy("Calibration error"), higher=False),
        Figure("ndcg10", gettext_lazy("NDCG@10"), higher=True),
        Figure("recall10", gettext_lazy("recall@10"), higher=True),
        Figure("mae_days", gettext_lazy("Days off"), higher=False, places=1),
        Figure("coverage80", gettext_lazy("In the 80 % window"), higher=None, places=2),
    ]


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    is_best: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A contender: what it is called, what part it played, a cell for each column."""

    name: str
    role: str
    is_candidate: bool
    version: str
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Table:
    """`heads`: labels of the columns. `days`: the chances judged are those of buying within so many days."""

    heads: list[str]
    rows: list[Row]
    days: int


def name(kind: str) -> str:
    """What a kind of model or a baseline is called."""
    return str(_NAMES.get(kind, kind))


def table(fitted: FittedModel) -> Table:
    """The back-test: this model first, then the one running at that time, other kinds, the baselines; best first."""
    contenders = fitted.scores.get("table", [])
    days = _days(contenders)
    figures = [
        figure
        for figure in _figures(days)
        if any(contender["figures"].get(figure.name) is not None for contender in contenders)
    ]
    best = {figure.name: _best(figure, contenders) for figure in figures}
    order = {"candidate": 0, "running": 1, "kind": 2, "baseline": 3}

    def place(contender: dict[str, Any]) -> tuple[int, float]:
        loss = contender["figures"].get(f"logloss{days}")
        return order[contender["role"]], float("inf") if loss is None else loss

    rows = [
        Row(
            name=name(contender["name"]),
            role=_role(contender, fitted),
            is_candidate=contender["role"] == "candidate",
            version=contender["version"],
            cells=[
                Cell(_number(value, figure), value is not None and value == best[figure.name])
                for figure in figures
                for value in [contender["figures"].get(figure.name)]
            ],
        )
        for contender in sorted(contenders, key=place)
    ]
    return Table([str(figure.label) for figure in figures], rows, days)


def headline(fitted: FittedModel, figure: str) -> str:
    """One figure of the fitted model itself: "logloss", "pr_auc" (within the days judged) or "ndcg10"."""
    contenders = fitted.scores.get("table", [])
    known = {one.name.removesuffix(str(days)): one for days in [_days(contenders)] for one in _figures(days)}
    known["ndcg10"] = Figure("ndcg10", "", higher=True)
    own: dict[str, Any] = next((one["figures"] for one in contenders if one["role"] == "candidate"), {})
    return _number(own.get(known[figure].name), known[figure])


def lines(shown: Table) -> Iterable[str]:
    """The table as text, in columns."""
    if not shown.rows:
        return
    cells = [["", *shown.heads]]
    cells += [[row.name, *(cell.text for cell in row.cells)] for row in shown.rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for head, *rest in cells:
        yield "  ".join(
            [head.ljust(widths[0]), *(text.rjust(width) for text, width in zip(rest, widths[1:], strict=True))]
        )


def sentence(fitted: FittedModel) -> str:
    """What was decided and by which figures, for staff."""
    verdict = FittedModel.Verdict
    comparisons = fitted.scores.get("comparisons", [])
    running = fitted.scores.get("running")
    against = [one for one in comparisons if one["rival"] == running]
    simple = [one for one in comparisons if one["rival"] != running]
    match fitted.verdict:
        case verdict.BETTER:
            return _("Better than the model running until then: %(figures)s.") % {"figures": _against(against)}
        case verdict.WORSE:
            return _("Not better than the model running at that time: %(figures)s.") % {
                "figures": _against(_failed(against))
            }
        case verdict.FIRST:
            return _("Better than every simple model, the best of which is %(rival)s: %(figures)s.") % _closest(simple)
        case verdict.REFIT:
            return _("The running model fitted again on newer history. It still beats every simple model.")
        case verdict.SIMPLE:
            return _("Not better than a simple model, %(rival)s: %(figures)s.") % _closest(_failed(simple))
        case verdict.ONLY:
            return _(
                "Not better than a simple model, %(rival)s: %(figures)s. It runs because there was no other to keep."
            ) % _closest(_failed(simple))
        case verdict.BARRED:
            return _(
                "Its back-test is good enough, but staff took this version off. It runs again when staff switch it on, "
                "or when there is a newer version."
            )
        case verdict.YOUNG:
            return _("There is too little history to try models on. The light model runs until there is more.")
        case _:
            return _("Fitted without a back-test. The next weekly fit decides what runs.")


def _role(contender: dict[str, Any], fitted: FittedModel) -> str:
    match contender["role"]:
        case "candidate" if fitted.scores.get("running") == contender["name"]:
            return _("this model, running before too")
        case "candidate":
            return _("this model")
        case "running":
            return _("running at that time")
        case "kind":
            return _("not chosen")
        case _:
            return _("simple model")


def _days(contenders: Sequence[dict[str, Any]]) -> int:
    return 14 if any(one["figures"].get("logloss14") is not None for one in contenders) else 7


def _best(figure: Figure, contenders: Sequence[dict[str, Any]]) -> float | None:
    values = [value for one in contenders if (value := one["figures"].get(figure.name)) is not None]
    if not values or figure.higher is None:
        return None
    return max(values) if figure.higher else min(values)


def _failed(comparisons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in comparisons if not one["passed"]]


def _closest(comparisons: list[dict[str, Any]]) -> dict[str, str]:
    """The hardest rival and the figures held against it: the one with the least log loss among those compared."""
    if not comparisons:
        return {"rival": "–", "figures": "–"}
    losses = [one for one in comparisons if one["figure"].startswith("logloss") and one["rival_value"] is not None]
    hardest = min(losses, key=lambda one: one["rival_value"]) if losses else comparisons[0]
    own = [one for one in comparisons if one["rival"] == hardest["rival"]]
    return {"rival": name(hardest["rival"]), "figures": _against(own)}


def _against(comparisons: Iterable[dict[str, Any]]) -> str:
    """'PR 14 .341 against .352, NDCG@10 .463 against .470'."""
    known = {figure.name: figure for days in (14, 7) for figure in _figures(days)}
    parts = []
    for one in comparisons:
        figure = known.get(one["figure"]) or Figure(one["figure"], one["figure"], higher=True)
        days = one["figure"].removeprefix("logloss").removeprefix("pr_auc")
        label = f"{figure.label} {days}" if days.isdigit() else str(figure.label)
        parts.append(
            _("%(figure)s %(mine)s against %(theirs)s")
            % {
                "figure": label,
                "mine": _number(one["candidate_value"], figure),
                "theirs": _number(one["rival_value"], figure),
            }
        )
    return pgettext("between figures", ", ").join(parts)


def _number(value: float | None, figure: Figure) -> str:
    """As statisticians write it: .352 for a share, 12.9 for days."""
    if value is None:
        return "–"
    text = str(number_format(value, figure.places))
    return text[1:] if text.startswith("0") and figure.places > 1 else text


def tried_on(fitted: FittedModel) -> str:
    """Over which days and households the back-test went."""
    scores = fitted.scores
    cutoffs = [date_format(date.fromisoformat(day), "DATE_FORMAT") for day in scores.get("cutoffs", [])]
    facts = {
        "days": pgettext("between dates", "; ").join(cutoffs),
        "follow_up": scores.get("follow_up"),
        "households": number_format(scores.get("households", 0), 0, use_l10n=True, force_grouping=True),
        "of": number_format(scores.get("of", 0), 0, use_l10n=True, force_grouping=True),
        "within": _days(scores.get("table", [])),
    }
    return (
        _(
            "Asked as of %(days)s and judged by the %(follow_up)s days that followed; chances of buying within "
            "%(within)s days. %(households)s of %(of)s households."
        )
        % facts
    )
