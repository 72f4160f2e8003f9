"""Inputs kept: the selection curve, what was kept, and why the rest was not."""

from bot.records.evaluation import Evaluation
from bot.records.numbers import decimals, number
from bot.records.training import SelectionPoint
from bot.report.blocks import Block, Chart, Name, Section, Series, Table, left, note, right
from bot.report.charts import bar

MOST_NAMES = 60


def section(evaluation: Evaluation) -> Section | None:
    """The curve as a chart and a table, then the columns."""
    training = evaluation.training
    curve = sorted(training.selection_curve, key=lambda point: point.n_inputs)
    blocks: list[Block] = []
    if len(curve) > 1:
        blocks += [_chart(evaluation, curve), _table(curve)]
    kept = training.inputs[:MOST_NAMES]
    more = f"and {len(training.inputs) - len(kept)} more" if len(training.inputs) > len(kept) else ""
    blocks.append(note(f"Kept {len(training.inputs)}:", *(Name(one) for one in kept), more))
    if training.dropped:
        rows = tuple((Name(one.column), one.reason.replace("_", " "), one.detail) for one in training.dropped)
        blocks.append(Table(left("Not kept", "Why", "Detail"), rows, caption="Columns that were not kept"))
    is_chosen = training.selection_method not in ("", "none")
    how = f" (chosen by {training.selection_method.replace('_', ' ')})" if is_chosen else ""
    return Section("inputs", f"Inputs kept{how}", 70, tuple(blocks))


def _chart(evaluation: Evaluation, curve: list[SelectionPoint]) -> Chart:
    return Chart(
        "Selection curve",
        "inputs kept",
        f"cross-validated {evaluation.training.scoring}",
        tuple(float(point.n_inputs) for point in curve),
        (Series("score", tuple(point.score for point in curve)),),
    )


def _table(curve: list[SelectionPoint]) -> Table:
    low, high = min(point.score for point in curve), max(point.score for point in curve)
    rows = []
    for point in curve:
        digits = decimals(0, 2 * point.standard_error, point.score)
        drawn = Name(bar(point.score - low + (high - low) * 0.1, (high - low) * 1.1))
        score, error = number(point.score, digits), number(point.standard_error, digits)
        rows.append((str(point.n_inputs), score, f"± {error}", drawn, "◀ chosen" if point.chosen else ""))
    columns = (*right("Inputs", "Score", "Standard error"), *left("", "Choice"))
    return Table(columns, tuple(rows), caption="Selection curve")
