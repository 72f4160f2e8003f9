"""The ten-second view: what changed, is it better, for whom is it worse, what is blocked, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass

from bot.records.decision import Unblock
from bot.records.evaluation import Evaluation
from bot.records.plan import Invalid, Skipped
from bot.records.report import Report
from bot.report.blocks import Name, Part
from bot.report.findings import (
    affected,
    answer,
    blocking_gates,
    champion,
    is_greater_better,
    reference,
    slice_effect,
    state,
    worse_slices,
)
from bot.report.numbers import counted
from bot.report.wording import BASELINES, STATUSES, detectable, difference, pair, slice_line

FEW = 3
Parts = tuple[Part, ...]


@dataclass(frozen=True)
class Overview:
    """`verdict` is a sign with its word; `headline` one sentence. Empty parts mean that there is nothing to say."""

    verdict: str
    headline: Parts
    changed: Parts
    better: Parts
    worse_for: Parts
    blocked_by: tuple[Parts, ...]
    unblock: tuple[Unblock, ...]


def overview(report: Report) -> Overview:
    """From everything that is known; says "not yet" where something is not."""
    return Overview(
        verdict=verdict(report),
        headline=headline(report),
        changed=changed(report),
        better=better(report),
        worse_for=worse_for(report),
        blocked_by=blocked_by(report),
        unblock=report.decision.unblock if report.decision else (),
    )


def verdict(report: Report) -> str:
    """The decision's word; before a decision, what the evaluations alone say."""
    if report.decision:
        return STATUSES[report.decision.status]
    states = {state(report, model) for model in affected(report)}
    if states & {"invalid", "failed", "fail"}:
        return STATUSES["rejected"]
    if "running" in states:
        return "⏳ Training"
    if not states:
        return "➖ No model is affected"
    return "❔ Cannot tell" if "inconclusive" in states else "✅ Every gate passes"


def headline(report: Report) -> Parts:
    """One sentence: what the change does to the models."""
    models = affected(report)
    if not models:
        return ("This change affects no model.",)
    if len(models) == 1:
        return _headline_of_one(report, models[0])
    words = _outcomes(report, models)
    return (f"{counted(len(models), 'model')}: {', '.join(f'{len(names)} {word}' for word, names in words)}.",)


def _headline_of_one(report: Report, model: str) -> Parts:
    now = state(report, model)
    if now == "invalid":
        return Name(model), "cannot be read."
    if now == "failed":
        return Name(model), "could not be trained."
    if now == "running":
        return Name(model), "is being trained and evaluated."
    evaluation = report.evaluations[model]
    found, worse = answer(evaluation), worse_slices(evaluation)
    if found is None:
        return Name(model), "is new: there is nothing deployed to compare it with."
    said = {
        "better": "is better than what is deployed",
        "worse": "is worse than what is deployed",
        "unclear": "cannot be told from what is deployed",
        "same": "predicts the same as what is deployed",
    }[found]
    if worse:
        link = "and" if found == "worse" else "but"
        return Name(model), f"{said}, {link} worse for", *_names([one.slice for one in worse])
    return Name(model), f"{said}."


OUTCOMES = (
    ("cannot be read", "invalid"),
    ("could not be trained", "failed"),
    ("worse", "worse"),
    ("better, but worse for some", "mixed"),
    ("better", "better"),
    ("cannot be told apart", "unclear"),
    ("unchanged", "same"),
    ("new", "new"),
    ("still training", "running"),
)


def _outcomes(report: Report, models: list[str]) -> list[tuple[str, list[str]]]:
    by: dict[str, list[str]] = {}
    for model in models:
        by.setdefault(_outcome(report, model), []).append(model)
    return [(word, by[code]) for word, code in OUTCOMES if code in by]


def _outcome(report: Report, model: str) -> str:
    now = state(report, model)
    if now in ("invalid", "failed", "running"):
        return now
    evaluation = report.evaluations[model]
    found = answer(evaluation)
    if found == "better" and worse_slices(evaluation):
        return "mixed"
    return found or "new"


def changed(report: Report) -> Parts:
    """Kinds of change, and how much of the repository they touch."""
    if report.plan is None:
        return ("evaluations read from files",)
    kinds = [kind.replace("_", " ") for kind in report.plan.change_kinds]
    models = affected(report)
    skipped = sum(isinstance(one, Skipped) for one in report.plan.entries)
    reused = f"{counted(len(report.reused), 'evaluation')} known from the same inputs" if report.reused else ""
    reach: Parts = ("affects", *_names(models)) if models else ("affects no model",)
    total = max(report.plan.n_models, len(models) + skipped)
    scope = f"({len(models)} of {counted(total, 'model')})" if total > 1 else ""
    return (", ".join(kinds) or "nothing", *reach, scope, f"· {reused}" if reused else "")


def better(report: Report) -> Parts:
    """The answer with its number for one model, the names by answer for several."""
    judged = [model for model in affected(report) if model in report.evaluations]
    if not judged:
        return ("Not known yet.",) if affected(report) else ()
    if len(judged) == 1:
        return _better_of_one(report.evaluations[judged[0]])
    parts: list[Part] = []
    for word, names in _outcomes(report, judged):
        parts += [f"{len(names)} {word}:", *_names(names), "·"]
    return tuple(parts[:-1])


def _better_of_one(evaluation: Evaluation) -> Parts:
    found, compared = answer(evaluation), champion(evaluation)
    if compared is None or found is None:
        return _against_reference(evaluation)
    candidate, deployed = pair(evaluation, compared)
    numbers = f"from {deployed} to {candidate}, {difference(compared)}"
    greater = is_greater_better(evaluation, compared.metric)
    moved = "rose" if (found == "better") == greater else "fell"
    if found in ("better", "worse"):
        return "Yes:" if found == "better" else "No:", Name(compared.metric), f"{moved} {numbers}."
    if found == "same":
        return ("No change: both predict the same on every test row.",)
    return "Cannot tell:", Name(compared.metric), f"{numbers}. {detectable(compared)}"


def _against_reference(evaluation: Evaluation) -> Parts:
    compared = reference(evaluation)
    if compared is None:
        return ("Nothing is deployed to compare with.",)
    candidate, there = pair(evaluation, compared)
    against = BASELINES[compared.baseline]
    return (
        "Nothing is deployed to compare with. Against",
        f"{against}:",
        Name(compared.metric),
        f"{candidate}, there {there}: {difference(compared)}.",
    )


def worse_for(report: Report) -> Parts:
    """The slices on which a candidate is clearly worse, the worst first."""
    judged = [model for model in affected(report) if model in report.evaluations]
    found = [(model, one) for model in judged for one in worse_slices(report.evaluations[model])]
    if found:
        parts: list[Part] = []
        for model, one in found[:FEW]:
            prefix: Parts = (Name(model), "on") if len(judged) > 1 else ()
            parts += [*prefix, Name(one.slice), f"{slice_line(one)};"]
        more = len(found) - FEW
        parts.append(f"and {more} more" if more > 0 else "")
        return tuple(parts)
    compared = [(report.evaluations[model], one) for model in judged for one in report.evaluations[model].slices]
    n = sum(slice_effect(evaluation, one) is not None for evaluation, one in compared)
    if n:
        return (f"No group is clearly worse ({counted(n, 'slice')} compared).",)
    return ("No slices were compared.",) if judged else ()


def blocked_by(report: Report) -> tuple[Parts, ...]:
    """A line for each thing in the way: specs and trainings first, then gates."""
    lines: list[Parts] = []
    for entry in report.plan.entries if report.plan else ():
        if isinstance(entry, Invalid):
            place = ":".join(str(one) for one in (entry.file, entry.line, entry.column) if one is not None)
            lines.append((Name(entry.model), "·", Name(place), entry.message, entry.hint or ""))
    for model, failure in sorted(report.failures.items()):
        place = ":".join(str(one) for one in (failure.file, failure.line) if one is not None)
        lines.append((Name(model), "·", *([Name(place)] if place else []), failure.message, failure.hint))
    for model in affected(report):
        if model in report.evaluations:
            lines += _gates(report.evaluations[model])
    return tuple(lines)


def _gates(evaluation: Evaluation) -> list[Parts]:
    words = {"fail": "fails:", "inconclusive": "cannot tell:"}
    return [
        (Name(evaluation.model), "·", "gate", Name(gate.gate), words[gate.verdict], gate.sentence)
        for gate in blocking_gates(evaluation)
    ]


def _names(names: list[str]) -> list[Part]:
    shown: list[Part] = []
    for name in names[:FEW]:
        shown += [Name(name), ","]
    more = len(names) - FEW
    return [*shown, f"and {more} more"] if more > 0 else shown[:-1]
