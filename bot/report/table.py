"""The table of models: candidate, champion, difference with interval, gate verdict, inputs kept; a row a model."""

from __future__ import annotations

from bot.records.evaluation import Evaluation
from bot.records.report import Report
from bot.report.blocks import Cell, Column, Name, Table, left, right
from bot.report.findings import affected, champion, reference, state
from bot.report.numbers import count
from bot.report.wording import BASELINES, STATES, difference, measured, pair, unit_of, verdict_on


def models_table(report: Report) -> Table | None:
    """None when the change affects no model."""
    models = affected(report)
    if not models:
        return None
    columns = (
        *left("Model"),
        *right("Candidate"),
        *right("Champion"),
        Column("Difference (95% interval)" if _is_95(report) else "Difference (interval)"),
        *left("Answer", "Gates"),
        *right("Inputs kept"),
    )
    return Table(columns, tuple(_row(report, model) for model in models), caption="Models")


def _is_95(report: Report) -> bool:
    return all(one.confidence == 0.95 for evaluation in report.evaluations.values() for one in evaluation.comparisons)


def _row(report: Report, model: str) -> tuple[Cell, ...]:
    now = STATES[state(report, model)]
    if model not in report.evaluations or model in report.failures:
        return Name(model), "–", "–", "–", "–", now, "–"
    evaluation = report.evaluations[model]
    name: Cell = (Name(model), "(known)") if model in report.reused else Name(model)
    return name, *_numbers(evaluation), _gates(evaluation, now), _inputs(evaluation)


def _numbers(evaluation: Evaluation) -> tuple[Cell, ...]:
    found = champion(evaluation)
    compared = found or reference(evaluation)
    if compared is None:
        return *_alone(evaluation), "–", "–", "new"
    candidate, there = pair(evaluation, compared)
    shown: Cell = (Name(compared.metric), candidate)
    if found is None:
        return shown, (there, f"({BASELINES[compared.baseline]})"), difference(compared), "new"
    return shown, there, difference(compared), verdict_on(evaluation, compared)


def _alone(evaluation: Evaluation) -> tuple[Cell, ...]:
    found = next((one for one in evaluation.metrics if one.name == evaluation.primary_metric), None)
    if found is None:
        return ("–",)
    return ((Name(found.name), measured(found.value, found.low, found.high, unit_of(evaluation, found.name))),)


def _gates(evaluation: Evaluation, now: str) -> str:
    passed, asked = sum(gate.verdict == "pass" for gate in evaluation.gates), len(evaluation.gates)
    return f"{now} ({passed} of {asked})" if asked else f"{now} (none asked)"


def _inputs(evaluation: Evaluation) -> str:
    kept = len(evaluation.training.inputs)
    return f"{count(kept)} of {count(kept + len(evaluation.training.dropped))}"
