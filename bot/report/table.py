"""The table of models: candidate, champion, difference with interval, gate verdict, inputs kept; a row a model.

The metric has a column of its own only where models differ in it.
"""

from __future__ import annotations

from bot.records.evaluation import Evaluation
from bot.records.numbers import count, unbroken
from bot.records.report import Report
from bot.report.blocks import Cell, Column, Name, Table, left, right
from bot.report.findings import affected, champion, metric, reference, state, unscored_baseline
from bot.report.withhold import withholding
from bot.report.wording import STATES, in_cell, measured, pair, unit_of, verdict_on


def models_table(report: Report) -> Table | None:
    """Those that need attention first; None when the change affects no model."""
    models = affected(report)
    if not models:
        return None
    if not report.evaluations:
        states = tuple((Name(model), STATES[state(report, model)]) for model in models)
        return Table(left("Model", "State"), states, caption="Models")
    rows = tuple(_row(report, model) for model in models)
    shared = {row[1] for row in rows if isinstance(row[1], Name)}
    is_one = len(shared) == 1
    difference = f"Difference in {shared.pop().text}" if is_one else "Difference"
    columns = (
        *left("Model", *(() if is_one else ("Metric",))),
        *right("Candidate", "Champion"),
        Column(f"{difference}{_confidence(report)}"),
        *left("Answer", "Gates"),
        *right("Inputs kept"),
    )
    return Table(columns, tuple((row[0], *row[2:]) for row in rows) if is_one else rows, caption="Models")


def _confidence(report: Report) -> str:
    levels = {one.confidence for evaluation in report.evaluations.values() for one in evaluation.comparisons}
    return f" ({levels.pop():.0%})" if len(levels) == 1 else ""


def _row(report: Report, model: str) -> tuple[Cell, ...]:
    now = STATES[state(report, model)]
    if model not in report.evaluations or model in report.failures:
        return Name(model), "–", "–", "–", "–", "–", unbroken(now), "–"
    evaluation = report.evaluations[model]
    name: Cell = (Name(model), "(known)") if model in report.reused else Name(model)
    return name, *_numbers(evaluation), _gates(evaluation, now), _inputs(evaluation)


def _numbers(evaluation: Evaluation) -> tuple[Cell, ...]:
    if withholding(evaluation):
        return Name(evaluation.primary_metric), "withheld", "–", "–", "not better"
    found = champion(evaluation)
    compared = found or reference(evaluation)
    if compared is None:
        return Name(evaluation.primary_metric), _alone(evaluation), "–", "–", _uncompared(evaluation)
    candidate, there = map(unbroken, pair(evaluation, compared))
    if found is None:
        there = f"{there} ({compared.baseline})"
    answer = verdict_on(evaluation, compared) if found else _uncompared(evaluation)
    return Name(compared.metric), candidate, there, in_cell(compared), unbroken(answer)


def _uncompared(evaluation: Evaluation) -> str:
    return "not compared" if unscored_baseline(evaluation) else "new"


def _alone(evaluation: Evaluation) -> str:
    found = metric(evaluation, evaluation.primary_metric)
    if found is None:
        return "–"
    return unbroken(measured(found.value, found.low, found.high, unit_of(evaluation, found.name)))


def _gates(evaluation: Evaluation, now: str) -> str:
    passed, asked = sum(gate.verdict == "pass" for gate in evaluation.gates), len(evaluation.gates)
    return unbroken(f"{now} {passed}/{asked}" if asked else f"{now} (none asked)")


def _inputs(evaluation: Evaluation) -> str:
    kept = len(evaluation.training.inputs)
    return f"{count(kept)}/{count(kept + len(evaluation.training.dropped))}"
