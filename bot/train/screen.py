"""Training rows -> input columns that are suspect before any fit: constant, duplicate, redundant, id-like, leaking.

Everything is measured on a fixed sample of the training rows; constants and duplicates are confirmed on all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.records.training import DroppedInput, InputColumn
from bot.train.inputs import Inputs
from bot.train.target import Target

SAMPLE_ROWS = 3_000
BINS = 30
SUSPICIOUS = 0.9  # share of the target's entropy, or variance, that one column explains on rows it was not binned on
CERTAIN = 0.97
SAME = 0.9999  # correlation of two columns that say the same
MOST_COMPARED = 2_000


@dataclass(frozen=True)
class Finding:
    """A suspect column. `certain` findings leave it out where mlbot chooses the inputs; the others are only said."""

    column: str
    reason: str
    detail: str
    certain: bool = True

    def dropped(self) -> DroppedInput:
        """As the Training records it."""
        return DroppedInput(column=self.column, reason=self.reason, detail=self.detail)

    def sentence(self) -> str:
        """As a warning."""
        return f"{self.column}: {self.reason.replace('_', ' ')}: {self.detail}"


def screen(table: Any, inputs: Inputs, target: Target, time: str | None) -> tuple[Finding, ...]:
    """At most one finding a column, in the order of the inputs. `table` and `target` hold the training rows; `time`
    names the column that says when a row was observed.
    """
    rows = np.linspace(0, table.num_rows - 1, min(SAMPLE_ROWS, table.num_rows)).astype(np.int64)
    sample, truth = table.take(rows), target.at(rows)
    columns = [column for column in inputs.columns if column.kind not in ("derived", "source")]
    found: dict[str, Finding] = {}
    table, sample = (dict(zip(one.column_names, one.columns, strict=True)) for one in (table, sample))
    for column in columns:
        for finding in _alone(column, table, sample, truth, time):
            found.setdefault(column.name, finding)
    rest = [column for column in columns if column.name not in found]
    for finding in _twins(rest, table, sample):
        found.setdefault(finding.column, finding)
    return tuple(found[column.name] for column in columns if column.name in found)


def _alone(column: InputColumn, table: Any, sample: Any, truth: Target, time: str | None) -> Iterator[Finding]:
    values = sample[column.name]
    n_different = len(values.unique())
    if n_different == 1 and len(table[column.name].unique()) == 1:
        is_missing = values.null_count == len(values)
        yield Finding(column.name, "constant", "every value is missing" if is_missing else "one value in all rows")
        return
    if _is_id(column, values, n_different):
        yield Finding(column.name, "id_like", "a different value in each row")
    if column.kind == "datetime" and time is not None and column.name != time:
        later = _share_later(sample, column.name, time)
        if later > 0.5:
            yield Finding(column.name, "leaking", f"later than {time} in {later:.0%} of the rows", certain=False)
    if 0 < values.null_count < len(values):
        known = explained(np.asarray(values.is_null().to_numpy()).astype(np.int64), truth)
        if known >= SUSPICIOUS:
            detail = f"whether it is missing tells {known:.0%} of the target: it may be known only afterwards"
            yield Finding(column.name, "leaking", detail, certain=known >= CERTAIN)
    if column.kind != "text" and n_different <= len(values) * (0.5 if column.kind == "categorical" else 1.0):
        alone = explained(_bins(column, values), truth)
        if alone >= SUSPICIOUS:
            yield Finding(column.name, "leaking", f"alone it tells {alone:.0%} of the target", certain=alone >= CERTAIN)


def _is_id(column: InputColumn, values: Any, n_different: int) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    if len(values) < 50 or column.kind == "text":
        return False
    if column.kind == "categorical":
        return n_different > 0.95 * len(values)
    if not pa.types.is_integer(values.type) or n_different < len(values):
        return False
    steps = np.diff(values.to_numpy())
    ends = pc.min_max(values).as_py()
    is_counting = bool((steps > 0).all() or (steps < 0).all())
    return is_counting and ends["max"] - ends["min"] >= len(values) - 1


def _share_later(sample: Any, column: str, time: str) -> float:
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        moments = [sample[name].cast(pa.timestamp("us")) for name in (column, time)]
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return 0.0
    return float(pc.mean(pc.greater(*moments).cast(pa.float64())).as_py() or 0.0)


def _bins(column: InputColumn, values: Any) -> Any:
    """A code for each row: categories, or bins of equal counts; missing is a bin of its own."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.kind == "categorical":
        codes = values.combine_chunks().dictionary_encode().indices
        return pc.fill_null(codes.cast(pa.int64()), -1).to_numpy() + 1
    if pa.types.is_temporal(values.type):
        values = values.cast(pa.timestamp("us")).cast(pa.int64())
    elif pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        return values.combine_chunks().dictionary_encode().indices.fill_null(-1).to_numpy() + 1
    numbers = pc.cast(values, pa.float64(), safe=False).to_numpy()
    finite = numbers[np.isfinite(numbers)]
    cuts = (
        np.unique(np.quantile(finite, np.linspace(0, 1, max(3, min(BINS, len(finite) // 30)) + 1)[1:-1]))
        if len(finite)
        else np.empty(0)
    )
    return np.where(np.isfinite(numbers), np.searchsorted(cuts, numbers, side="left") + 1, 0)


def explained(codes: Any, truth: Target) -> float:
    """Share of the target's entropy (classes) or variance (numbers) that the codes explain, at most 1.

    Learnt on the odd rows and measured on the even ones; below 0 when the codes only add noise.
    """
    learn, measure = slice(1, None, 2), slice(0, None, 2)
    wanted = truth.values[:, None] if truth.classes is None else np.eye(len(truth.classes))[truth.values]
    n_codes = int(codes.max(initial=0)) + 1
    prior = wanted[learn].mean(axis=0)
    sums = np.column_stack([np.bincount(codes[learn], column, n_codes) for column in wanted[learn].T])
    counts = np.bincount(codes[learn], minlength=n_codes)[:, None]
    expected = ((sums + 0.1 * prior) / (counts + 0.1))[codes[measure]]
    if truth.classes is None:
        base, left = np.sum((wanted[measure] - prior) ** 2), np.sum((wanted[measure] - expected) ** 2)
    else:
        base, left = -np.sum(wanted[measure] * np.log(prior + 1e-9)), -np.sum(wanted[measure] * np.log(expected + 1e-9))
    return float(1 - left / base) if base > 0 else 0.0


def _twins(columns: list[InputColumn], table: Any, sample: Any) -> Iterator[Finding]:
    """Columns that repeat an earlier one: the same values, or numbers on a straight line."""
    seen: dict[bytes, str] = {}
    numeric = []
    for column in columns:
        codes = _bins(column, sample[column.name]) if column.kind == "categorical" else None
        key = codes.tobytes() if codes is not None else _bytes_of(sample[column.name])
        earlier = seen.setdefault(key, column.name)
        if earlier != column.name and _says_the_same(table[earlier], table[column.name]):
            yield Finding(column.name, "duplicate", f"of {earlier}")
        elif column.kind == "numeric":
            numeric.append(column.name)
    yield from _lines(numeric[:MOST_COMPARED], sample)


def _bytes_of(values: Any) -> bytes:
    return b"".join(bytes(part) for part in values.combine_chunks().buffers() if part is not None)


def _says_the_same(one: Any, other: Any) -> bool:
    """Whether two columns have the same values, or one name for each name of the other."""
    if one.type == other.type and one.equals(other):
        return True
    codes = [column.combine_chunks().dictionary_encode().indices.fill_null(-1) for column in (one, other)]
    return bool(codes[0].equals(codes[1]))


def _lines(names: list[str], sample: Any) -> Iterator[Finding]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if len(names) < 2:
        return
    matrix = np.column_stack([pc.cast(sample[name], pa.float64(), safe=False).to_numpy() for name in names])
    matrix[~np.isfinite(matrix)] = np.nan
    missing = np.isnan(matrix)
    filled = np.where(missing, np.nanmean(np.where(missing.all(axis=0), 0.0, matrix), axis=0), matrix)
    spread = filled.std(axis=0)
    usable = spread > 0
    scaled = (filled[:, usable] - filled[:, usable].mean(axis=0)) / spread[usable]
    same = np.abs(scaled.T @ scaled) / len(scaled) > SAME
    kept = np.array(names)[usable]
    gone: set[int] = set()
    for later in range(len(kept)):
        for earlier in np.flatnonzero(same[later, :later]):
            if earlier not in gone and bool((missing[:, usable][:, earlier] == missing[:, usable][:, later]).all()):
                gone.add(later)
                yield Finding(str(kept[later]), "redundant", f"with {kept[earlier]} (correlation above {SAME})")
                break
