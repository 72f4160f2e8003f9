"""Logged rows judged in bounded memory, and in less time than scipy's tests on each column; counted, not timed alone.

The sizes here are small; `monitor_scale.py` measures ten million rows, and docs/monitoring.md keeps the table.
"""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from bot.adapters.batches import batches
from bot.monitor import judge as judging
from bot.monitor.coding import GRID_FROM, Coder
from bot.monitor.columns import Source, coders, streamed
from bot.monitor.sample import sample
from tests.benchmarks.monitor_scale import columns_one_by_one, write

ROWS, ATTEMPTS = 130_000, 2


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("tables")
    sizes = {"reference": 20_000, "small": ROWS, "large": 3 * ROWS}
    return {name: write(folder / f"{name}.parquet", rows, seed) for seed, (name, rows) in enumerate(sizes.items())}


def test_three_times_the_rows_take_no_more_memory(tables, monkeypatch):
    """What numpy and Arrow hold at most: within a tenth of what a third of the rows takes."""
    monkeypatch.setattr(judging, "permutations_for", lambda alpha: 20)
    peaks = [_peak(tables["reference"], tables[name]) for name in ("small", "large")]
    assert peaks[1] < 1.1 * peaks[0]


def _peak(reference: Path, current: Path) -> int:
    """Highest bytes of Python and numpy, and of Arrow, together."""
    pool, held = pa.default_memory_pool(), []
    tracemalloc.start()

    def read():
        for batch in batches(current):
            held.append(pool.bytes_allocated())
            yield batch

    settings = judging.Settings()
    judging.judge("scale", Source("r", lambda: batches(reference)), Source("c", read), settings)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak + max(held)


def test_both_passes_over_the_rows_cost_less_than_sorting_each_column(tables):
    """Processor seconds of all that grows with the rows: sampling, then counting, against scipy's tests by column."""
    ours, theirs = [], []
    for _ in range(ATTEMPTS):
        ours.append(_seconds(lambda: _passes(tables["large"])))
        theirs.append(_seconds(lambda: columns_one_by_one(tables["reference"], tables["large"])))
    print(f"{min(ours):.2f} s against {min(theirs):.2f} s")
    assert min(ours) < min(theirs)


def _passes(path: Path) -> None:
    kept, _ = sample(batches(path), judging.MOST_SAMPLED, 0)
    made, _ = coders(kept, kept, frozenset())
    streamed(Source("current", lambda: batches(path)), made)


def _seconds(run) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


VALUES = {
    "normal": lambda generator, n: generator.normal(size=n),
    "heavy tails": lambda generator, n: generator.standard_cauchy(n),
    "whole numbers": lambda generator, n: np.round(10 * generator.normal(size=n)),
    "over many orders": lambda generator, n: generator.lognormal(0, 5, n),
    "tiny": lambda generator, n: 1e-310 * generator.normal(size=n),
    "huge": lambda generator, n: 1e307 * generator.normal(size=n),
    "two values": lambda generator, n: generator.integers(0, 2, n).astype(float),
    "one value": lambda generator, n: np.ones(n),
}


@pytest.mark.parametrize("kind", VALUES)
def test_bins_of_many_rows_are_those_of_few(kind):
    """The fast way of large batches gives the very codes of the plain one; what is no number is missing."""
    values = VALUES[kind](np.random.default_rng(0), 3 * GRID_FROM)
    values[::97], values[5::97], values[7::97] = np.nan, np.inf, -np.inf
    column = pa.array(values)
    (made,), _ = coders(pa.table({"x": column}), pa.table({"x": column}), frozenset())
    assert isinstance(made, Coder)
    parts = [made.codes(column.slice(begin, 500)) for begin in range(0, len(column), 500)]
    assert np.array_equal(made.codes(column), np.concatenate(parts))
    assert (made.codes(column)[~np.isfinite(values)] == 0).all()


def test_words_count_alike_with_and_without_a_dictionary(tables):
    table = sample(batches(tables["small"]), 5000, 0)[0].select(["word3"])
    plain = table.set_column(0, "word3", table["word3"].cast(pa.string()))
    made, _ = coders(plain, plain, frozenset())
    counts = [streamed(Source("t", lambda one=one: iter(one.to_batches())), made)[0] for one in (table, plain)]
    assert np.array_equal(*counts) and counts[0].sum() == 5000
