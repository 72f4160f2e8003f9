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
SUSPICIOUS = 0.95  # rank association of one column with the target
CERTAIN = 0.999
LEAST_OF_CLASS = 10  # rows of a class and of all others, below which their order is chance
LEAST_KNOWN = 30  # rows that a column is known in, to judge its own order
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
        known = association(np.asarray(values.is_null().to_numpy()).astype(np.int64), None, truth)
        if known >= SUSPICIOUS:
            detail = (
                f"whether it is missing orders the rows as the target does ({known:.3f}): it may be known only later"
            )
            yield Finding(column.name, "leaking", detail, certain=known >= CERTAIN)
    if column.kind != "text" and n_different <= len(values) * (0.5 if column.kind == "categorical" else 1.0):
        alone = association(_bins(column, values), _ordered(column, values), truth)
        if alone >= SUSPICIOUS:
            detail = f"alone it orders the rows as the target does (rank association {alone:.3f})"
            yield Finding(column.name, "leaking", detail, certain=alone >= CERTAIN)


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


def _ordered(column: InputColumn, values: Any) -> Any:
    """float64 (n,) in the column's own order, NaN where missing; None for categories and text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_temporal(values.type):
        values = values.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
    if column.kind == "categorical" or pa.types.is_string(values.type):
        return None
    return pc.cast(values, pa.float64(), safe=False).to_numpy()


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


def association(codes: Any, values: Any, truth: Target) -> float:
    """How surely the order of the rows by one column is that by the target: 0 to 1, and 1 for any rising or falling
    function of it.

    For a number: the size of Spearman's rank correlation. For classes: Somers' D of each class against the others,
    weighted by their rows. Of `codes` what they say of the target counts, learnt on the odd rows and measured on the
    even ones; of `values` (float64 (n,), None for categories) their own order does, too.
    """
    learn, measure = slice(1, None, 2), slice(0, None, 2)
    wanted = truth.values[:, None] if truth.classes is None else np.eye(len(truth.classes))[truth.values]
    expected = _expected(codes, wanted, learn)[measure]
    judge = _spearman if truth.classes is None else _somers
    shares = np.ones(1) if truth.classes is None else wanted[measure].mean(axis=0)
    found = sum(share * judge(*pair) for share, *pair in zip(shares, expected.T, wanted[measure].T, strict=True))
    if values is None or wanted.shape[1] > 2:
        return float(found)
    known = np.isfinite(values)
    own = judge(values[known], wanted[known, -1]) if known.sum() >= min(LEAST_KNOWN, len(values)) else 0.0
    return float(max(found, own))


def _expected(codes: Any, wanted: Any, learn: slice) -> Any:
    """Mean of each target column by code, (n, k), a little drawn to the mean of all."""
    n_codes = int(codes.max(initial=0)) + 1
    prior = wanted[learn].mean(axis=0)
    sums = np.column_stack([np.bincount(codes[learn], column, n_codes) for column in wanted[learn].T])
    counts = np.bincount(codes[learn], minlength=n_codes)[:, None]
    return ((sums + 0.1 * prior) / (counts + 0.1))[codes]


def _spearman(one: Any, other: Any) -> float:
    from scipy.stats import rankdata

    ranks = [rankdata(side) for side in (one, other)]
    if any(np.ptp(side) == 0 for side in ranks):
        return 0.0
    return abs(float(np.corrcoef(*ranks)[0, 1]))


def _somers(score: Any, is_class: Any) -> float:
    """2 AUC - 1, without its sign; 0 where a side has too few rows to judge by."""
    from scipy.stats import rankdata

    n, n_class = len(is_class), int(is_class.sum())
    if min(n_class, n - n_class) < LEAST_OF_CLASS:
        return 0.0
    area = (rankdata(score)[is_class == 1].sum() - n_class * (n_class + 1) / 2) / (n_class * (n - n_class))
    return abs(2 * float(area) - 1)


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
