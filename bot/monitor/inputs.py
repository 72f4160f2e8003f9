"""Serving inputs against what training knew: contract, categories, missing values, and the answers asked again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.monitor.logged import converted
from bot.records.health import Check
from bot.records.log import PREDICTED, PROBABILITY
from bot.specs.conformity import check_contract
from bot.specs.contract import Contract, Metadata

BAD_SHARE = 0.01  # one request in a hundred: below it a mistake of a caller, not a state of the world
TOLERANCE = 1e-3  # far above what ONNX and another processor change, far below what anybody acts on
SHOWN = 3
TABLE_WIDE = ("required", "strict", "ordered", "min_rows", "max_rows", "unique", "unique_values_eq")


def as_trained(rows: Any, types: Mapping[str, Any]) -> Any:
    """The columns of `types` that are there, in the type that training read; as they are where that cannot be."""
    import pyarrow as pa

    names = [name for name in types if name in rows.column_names]
    return pa.table({name: _cast(rows[name], types[name]) for name in names})


@dataclass(frozen=True)
class Known:
    """The values (text) of a categorical input in training and test rows, how many rows that were, and how many values
    only one of them had.
    """

    values: frozenset[str]
    rows: int
    once: int


def is_beyond(count: float, rows: float, limit: float, level: float) -> bool:
    """Whether more than the share `limit` of the rows is so, beyond chance: an exact binomial test at `level`."""
    from scipy.special import bdtrc

    if rows <= 0 or count <= limit * rows:
        return False
    return bool(limit <= 0 or bdtrc(round(count) - 1, round(rows), limit) <= level)


def broken_contract(rows: Any, contract: Contract | None, level: float) -> Iterator[Check]:
    """What in the inputs breaks schema.yaml, row by row; conditions on a whole data set do not apply to requests."""
    if contract is None or rows.num_rows == 0:
        return
    names = [name for name in contract.columns if name in rows.column_names]
    table = rows.select(names)
    own = {name: contract.columns[name] for name in names}
    for one in check_contract(table, contract.model_copy(update=_rowwise(own))):
        if one.check in TABLE_WIDE:
            continue
        count = one.count or rows.num_rows
        share = count / rows.num_rows
        yield Check(
            cause="inputs", code=f"contract_{one.check}", column=one.column, value=share, limit=BAD_SHARE,
            sentence=f"{one.sentence}: {share:.1%} of the rows{_examples(one.values)}",
            alarm=is_beyond(count, rows.num_rows, BAD_SHARE, level),
        )  # fmt: skip


def _rowwise(columns: Mapping[str, Any]) -> dict[str, Any]:
    return {"columns": columns, "strict": False, "ordered": False, "unique": None, "metadata": Metadata()}


def _cast(values: Any, kind: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        return pc.cast(values, kind)
    except (pa.ArrowException, NotImplementedError):
        return values


def unseen(rows: Any, known: Mapping[str, Known], level: float) -> Iterator[Check]:
    """Categories that no row of the training data had, where there are more of them than there would be by chance."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for name, there in known.items():
        if name not in rows.column_names or rows.num_rows == 0:
            continue
        column = converted(rows[name].combine_chunks(), pa.string())[0]
        values = pa.array(sorted(there.values), pa.string())
        new = column.filter(pc.and_(pc.is_valid(column), pc.invert(pc.is_in(column, value_set=values))))
        if len(new):
            share, counts = len(new) / rows.num_rows, pc.value_counts(new)
            most, found = pc.max(counts.field("counts")).as_py(), counts.field("values").to_pylist()
            yield Check(
                cause="inputs", code="unseen_category", column=name, value=share, limit=BAD_SHARE,
                sentence=f"values that training never saw: {share:.1%} of the rows{_examples(found)}",
                alarm=share > BAD_SHARE and p_of_unseen(len(found), most, rows.num_rows, there) <= level,
            )  # fmt: skip


def p_of_unseen(distinct: int, most: int, rows: int, known: Known) -> float:
    """That so many new values, or one so often, come by chance in so many rows.

    What one row of the known ones had is what a row is new by: the rate of Good and Turing (Good 1953). Given all that
    is rare on both sides, a side's part of it is binomial; and each rare value is missing from the known rows, although
    it comes so often here, with the chance that all its rows fall to this side.
    """
    from scipy.special import bdtrc

    here = rows / max(rows + known.rows, 1)
    by_rate = float(bdtrc(distinct - 1, distinct + known.once, here))
    by_value = min(1.0, (distinct + known.once) * here**most)
    return min(1.0, 2 * min(by_rate, by_value))


def missing_rates(rows: Any, reference: Any, names: Sequence[str]) -> Iterator[Check]:
    """Share of missing values where there are any; whether it changed is a drift test's business."""
    import pyarrow.compute as pc

    for name in names:
        if name in rows.column_names and rows.num_rows:
            now, before = (
                float(pc.mean(pc.is_null(side[name], nan_is_null=True)).as_py()) for side in (rows, reference)
            )
            if now or before:
                yield Check(
                    cause="inputs", code="missing", column=name, value=now, alarm=False,
                    sentence=f"missing in {now:.1%} of the rows, {before:.1%} of the test rows",
                )  # fmt: skip


def skew_of_answers(logged: Any, again: Any, level: float) -> Check | None:
    """What was answered against what the same artifact says to the same inputs now; None when it cannot be asked."""
    names = [name for name in logged.column_names if name.startswith(PROBABILITY) and name in again.column_names]
    names = names or [PREDICTED]
    if logged.num_rows == 0 or any(name not in logged.column_names or name not in again.column_names for name in names):
        return None
    differs = np.zeros(logged.num_rows, dtype=bool)
    for name in names:
        differs |= _differs(logged[name], again[name])
    share = float(differs.mean())
    return Check(
        cause="skew", code="answers_differ", value=share, limit=BAD_SHARE,
        alarm=is_beyond(int(differs.sum()), logged.num_rows, BAD_SHARE, level),
        sentence=f"{share:.1%} of {logged.num_rows:,} logged answers are not what the artifact says to these inputs",
    )  # fmt: skip


def skew_of_inputs(labelled: Any, names: Sequence[str], level: float) -> Iterator[Check]:
    """Inputs as they were logged against the same inputs as they were worked out afterwards, in the labels' table."""
    for name in names:
        other = f"{name} (label)"
        if other in labelled.column_names and labelled.num_rows:
            differs = int(_differs(labelled[name], labelled[other]).sum())
            share = differs / labelled.num_rows
            if share:
                yield Check(
                    cause="skew", code="input_differs", column=name, value=share, limit=BAD_SHARE,
                    sentence=f"another value than was worked out afterwards: {share:.1%} of the labelled rows",
                    alarm=is_beyond(differs, labelled.num_rows, BAD_SHARE, level),
                )  # fmt: skip


def _differs(one: Any, other: Any) -> Any:
    """Boolean (n,): numbers relative to 1 or their size, whichever is larger; all else by its text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    one, other = (_flat(column) for column in (one, other))
    if pa.types.is_floating(one.type) or pa.types.is_integer(one.type):
        values, fits = converted(other, pa.float64())
        if fits:
            left, right = (
                np.asarray(pc.cast(side, pa.float64()).to_numpy(zero_copy_only=False)) for side in (one, values)
            )
            gap = np.abs(left - right) > TOLERANCE * np.maximum(1.0, np.abs(left))
            return (gap | (np.isnan(left) != np.isnan(right))) & ~(np.isnan(left) & np.isnan(right))
    left, right = (pc.fill_null(converted(side, pa.string())[0], "") for side in (one, other))
    return pc.not_equal(left, right).to_numpy(zero_copy_only=False)


def _flat(column: Any) -> Any:
    return column.combine_chunks() if hasattr(column, "combine_chunks") else column


def _examples(values: Sequence[str]) -> str:
    shown = [repr(str(one)[:40]) for one in values[:SHOWN]]
    return f", for example {', '.join(shown)}" if shown else ""
