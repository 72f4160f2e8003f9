"""Measurements: every metric with its interval, and the difference to each baseline on the same rows."""

from bot.records.evaluation import Comparison, Evaluation, Metric
from bot.records.numbers import count, listed, number, share, unbroken
from bot.report.blocks import Block, Cell, Column, Name, Section, Table, left, note, right
from bot.report.findings import LIVE, SIMPLE, champion
from bot.report.wording import (
    BASELINES,
    bounds,
    detectable,
    direction,
    in_cell,
    measured,
    pair,
    sentence,
    unit_of,
    verdict_on,
)


def section(evaluation: Evaluation) -> Section | None:
    """The table of metrics; the table of comparisons below it."""
    blocks: list[Block] = []
    if evaluation.metrics:
        percent = f"{evaluation.metrics[0].confidence:.0%} interval"
        columns = (*left("Metric"), *right("Candidate", percent), *left("Direction"))
        blocks.append(Table(columns, tuple(_metric(evaluation, one) for one in evaluation.metrics), "Metrics"))
    shown = [one for one in evaluation.comparisons if _is_shown(evaluation, one)]
    compared = sorted(shown, key=lambda one: 0 if one.baseline == LIVE else 2 if one.baseline in SIMPLE else 1)
    if compared:
        blocks.append(_comparisons(evaluation, compared))
    reasons: dict[str, list[str]] = {}
    for one in evaluation.missing_baselines:
        reasons.setdefault(one.reason, []).append(one.environment)
    blocks += [note(f"Not compared with {listed(names)}: {sentence(reason)}") for reason, names in reasons.items()]
    return Section("measurements", "Metrics", 90, tuple(blocks)) if blocks else None


def _is_shown(evaluation: Evaluation, one: Comparison) -> bool:
    return one.baseline not in SIMPLE or one.metric == evaluation.primary_metric


def _metric(evaluation: Evaluation, one: Metric) -> tuple[Cell, ...]:
    shown = measured(one.value, one.low, one.high, unit_of(evaluation, one.name))
    name: Cell = (Name(one.name), "(primary)") if one.name == evaluation.primary_metric else Name(one.name)
    return name, shown, bounds(one.value, one.low, one.high), direction(evaluation, one.name)


def _comparisons(evaluation: Evaluation, compared: list[Comparison]) -> Table:
    columns = (
        *left("Metric", "Compared with"),
        *right("There", "Difference", "Rows predicted differently"),
        Column("Answer"),
    )
    rows = [_comparison(evaluation, one) for one in compared]
    tested = [one.p_value is not None for one in compared]
    if any(tested):
        columns = (*columns, *right("p"))
        rows = [(*row, _p_value(one)) for row, one in zip(rows, compared, strict=True)]
    return Table(columns, tuple(rows), "Comparisons on the same test rows")


def _p_value(one: Comparison) -> str:
    if one.p_value is None:
        return "–"
    return unbroken("< 0.001") if one.p_value < 0.001 else number(one.p_value, 3)


def _comparison(evaluation: Evaluation, one: Comparison) -> tuple[Cell, ...]:
    baseline: Cell = BASELINES.get(one.baseline) or Name(one.baseline)
    differ = f"{count(one.n_differ)} ({share(one.n_differ, one.n)})"
    answer = unbroken(verdict_on(evaluation, one))
    return (
        Name(one.metric),
        baseline,
        unbroken(pair(evaluation, one)[1]),
        in_cell(one),
        differ,
        answer,
    )


def sharpness(evaluation: Evaluation) -> str:
    """What the test set could have shown against the champion; empty without one."""
    found = champion(evaluation)
    return detectable(found) if found else ""
