"""Sentences about one model or a few: the outcome in a word, and the evidence for it."""

from __future__ import annotations

from typing import Literal

from bot.records.evaluation import Budget, Evaluation
from bot.records.numbers import decimals, number
from bot.records.report import Report
from bot.report.blocks import Name, Part
from bot.report.findings import (
    answer,
    champion,
    effect,
    is_greater_better,
    reference,
    state,
    unscored_baseline,
    worse_slices,
)
from bot.report.withhold import withholding
from bot.report.wording import BASELINES, detectable, difference, pair

FEW = 3
UNMEASURED = ("invalid", "no_data", "failed", "held", "running")
Parts = tuple[Part, ...]
Outcome = Literal[
    "invalid",
    "no_data",
    "failed",
    "worse",
    "mixed",
    "better",
    "unclear",
    "same",
    "new",
    "withheld",
    "unscored",
    "held",
    "running",
]

# outcome -> in a list of several, and about one; in the order of attention.
OUTCOMES: dict[Outcome, tuple[str, str]] = {
    "invalid": ("invalid", "cannot be read"),
    "no_data": ("without data", "has no data to be trained on"),
    "failed": ("not trained", "could not be trained"),
    "worse": ("worse", "is worse than what is deployed"),
    "mixed": ("better, but worse for some", "is better than what is deployed, but worse for some"),
    "better": ("better", "is better than what is deployed"),
    "unclear": ("unclear", "shows no clear difference from what is deployed"),
    "same": ("unchanged", "predicts the same as what is deployed"),
    "new": ("new", "is new: nothing is deployed to compare it with"),
    "unscored": ("not compared", "could not be compared: what is deployed cannot be scored on these rows"),
    "withheld": ("withheld", "does not beat the best so far on its test rows, and its digits are withheld"),
    "held": ("not trained yet", "is not trained yet"),
    "running": ("being trained", "is being trained and evaluated"),
}


def outcome(report: Report, model: str) -> Outcome:
    """What became of the model."""
    now = state(report, model)
    if now == "invalid" or now == "no_data" or now == "failed" or now == "held" or now == "running":
        return now
    evaluation = report.evaluations[model]
    if withholding(evaluation):
        return "withheld"
    found = answer(evaluation)
    if found is None and unscored_baseline(evaluation):
        return "unscored"
    return "mixed" if found == "better" and worse_slices(evaluation) else found or "new"


def outcomes(report: Report, models: list[str]) -> list[tuple[str, list[str]]]:
    """(word, models) by outcome, what needs attention first."""
    by: dict[Outcome, list[str]] = {}
    for model in models:
        by.setdefault(outcome(report, model), []).append(model)
    return [(words[0], by[code]) for code, words in OUTCOMES.items() if code in by]


def coded(text: str) -> Parts:
    """What stands between backticks as a name, the rest as text; an odd backtick stays one."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        return (text,)
    found = [Name(piece) if place % 2 else piece.strip() for place, piece in enumerate(pieces)]
    return tuple(one for one in found if one)


def said_of(found: Outcome) -> str:
    """The outcome as the rest of a sentence that begins with the model's name."""
    return OUTCOMES[found][1]


def evidence(evaluation: Evaluation, *, among_others: bool = False) -> Parts:
    """Is it better? The answer, the primary metric, and the difference with its interval."""
    withheld = withholding(evaluation)
    if withheld:
        return _withheld(withheld)
    found, compared = answer(evaluation), champion(evaluation)
    if compared is None or found is None:
        return _against_reference(evaluation, "New:" if among_others else "Nothing is deployed to compare with.")
    if found == "same":
        return ("No change: both predict the same on every test row.",)
    candidate, deployed = pair(evaluation, compared)
    if found == "unclear":
        numbers = f"{deployed} → {candidate}, {difference(compared)}."
        return "Cannot tell:", Name(compared.metric), numbers, detectable(compared)
    moved = "rose" if (found == "better") == is_greater_better(evaluation, compared.metric) else "fell"
    numbers = f"{moved} from {deployed} to {candidate}: {difference(compared)}."
    return "Yes:" if found == "better" else "No:", Name(compared.metric), numbers


def _against_reference(evaluation: Evaluation, new: str) -> Parts:
    compared = reference(evaluation)
    unscored = unscored_baseline(evaluation)
    why = f"What is in {unscored} could not be scored." if unscored else new
    if compared is None:
        return (why,)
    candidate, there = pair(evaluation, compared)
    if effect(compared, is_greater_better(evaluation, compared.metric)) == "same":
        return why, Name(compared.metric), f"{candidate}; {BASELINES[compared.baseline]} predicts the same."
    against = f"{candidate} against {there} of {BASELINES[compared.baseline]}: {difference(compared)}."
    return why, Name(compared.metric), against


def _withheld(budget: Budget) -> Parts:
    best = "" if budget.best is None else f"of {number(budget.best, decimals(None, None, budget.best))}"
    return "Not shown: it does not beat the best", Name(budget.metric), f"{best} so far by more than chance."


def names(several: list[str]) -> list[Part]:
    """`a`, `b` and `c`; of more than a few the first, and how many more."""
    more = f"{len(several) - FEW} more" if len(several) > FEW else ""
    first, last = (several[:FEW], [more]) if more else (several[:-1], several[-1:])
    shown: list[Part] = []
    for name in first:
        shown += [Name(name), ","]
    return [*shown[:-1], *(["and"] if shown else []), *([more] if more else map(Name, last))]
