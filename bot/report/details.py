"""The collapsible parts of the page: one a model, and one for the models that the change does not affect."""

from __future__ import annotations

from dataclasses import dataclass

from bot.records.failure import Failure
from bot.records.numbers import counted
from bot.records.plan import Planned, Skipped
from bot.records.report import Report
from bot.report.blocks import Block, Lines, Name, Part, Section, Strong, Table, left, note
from bot.report.findings import affected, champion, state
from bot.report.sections import sections
from bot.report.wording import STATES, difference, pair, sentence, verdict_on

WHY, LOG, SKIPPED = 100, 98, 20
SKIPPED_OWNER = "\n"  # no model has this name


@dataclass(frozen=True)
class Details:
    """`owner` is the model's name; `summary` what stands on the closed line."""

    owner: str
    summary: tuple[Part, ...]
    sections: tuple[Section, ...]


def details(report: Report) -> list[Details]:
    """Models that need attention first; skipped models last."""
    made = [_of_model(report, model) for model in affected(report)]
    return [*(one for one in made if one.sections), *_skipped(report)]


def _of_model(report: Report, model: str) -> Details:
    found: list[Section] = [*_why(report, model)]
    if model in report.failures:
        found += _failure(report.failures[model])
    elif model in report.evaluations:
        found += sections(report.evaluations[model])
    return Details(model, (Strong(model), "·", STATES[state(report, model)], *_numbers(report, model)), tuple(found))


def _numbers(report: Report, model: str) -> tuple[Part, ...]:
    compared = champion(report.evaluations[model]) if model in report.evaluations else None
    if compared is None:
        return ()
    evaluation = report.evaluations[model]
    candidate, _ = pair(evaluation, compared)
    return "·", Name(compared.metric), f"{candidate}, {difference(compared)} {verdict_on(evaluation, compared)}"


def _why(report: Report, model: str) -> list[Section]:
    entries = report.plan.entries if report.plan else ()
    planned = next((one for one in entries if isinstance(one, Planned) and one.model == model), None)
    if planned is None:
        return []
    blocks: list[Block] = [
        note(sentence(reason.sentence), *((Name(reason.path),) if reason.path else ())) for reason in planned.reasons
    ]
    if model in report.reused:
        blocks.append(note("The same inputs were evaluated before: nothing was trained again."))
    return [Section("why", "Why this model", WHY, tuple(blocks))]


def _failure(failure: Failure) -> list[Section]:
    place = ":".join(str(one) for one in (failure.file, failure.line, failure.column) if one is not None)
    blocks: list[Block] = [note(*([Name(place)] if place else []), Strong(failure.message), failure.hint)]
    if failure.log_tail:
        blocks += [note("The last lines of its log:"), Lines(failure.log_tail)]
    return [Section("failure", "Not trained yet" if failure.held else "Training failed", LOG, tuple(blocks))]


def _skipped(report: Report) -> list[Details]:
    entries = report.plan.entries if report.plan else ()
    rows = tuple((Name(one.model), one.reason.sentence) for one in entries if isinstance(one, Skipped))
    if not rows:
        return []
    table = Table(left("Model", "Why it is skipped"), rows, caption="Skipped models")
    said = f"{counted(len(rows), 'model')} not affected"
    return [Details(SKIPPED_OWNER, (said,), (Section("skipped", "Skipped models", SKIPPED, (table,)),))]
