"""Random windows of real tables, all from the same days: nothing drifted between the two halves of a pair.

`python -m tests.monitor.windows` measures false alarms for docs/monitoring.md (half an hour); the test takes few.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bot.monitor import judge as judging
from bot.monitor.families import MARGIN
from bot.monitor.judge import Settings, Source, judge
from bot.records.health import Health
from tests import real_data

SIZES = ((500, 100), (1000, 200), (300, 600), (4000, 1000), (2000, 2000), (6000, 3000))
LEVELS = (0.01, 0.05, 0.1)
MISTAKES = 0.2


def flights(data: Path, month: str = "2013-01") -> pa.Table:
    """10,000 rows of 26 columns, and what a model said that is wrong in a fifth of them."""
    table = pq.read_table(data / f"flights/{month}.parquet").drop_columns(["flight_id", "scheduled"])
    return with_answers(table, "outcome")


def accidents(data: Path) -> pa.Table:
    """42,183 rows of 19 columns, and answers of the same kind."""
    return with_answers(pq.read_table(data / "accidents.parquet").drop_columns(["accident_id"]), "severity")


def with_answers(table: pa.Table, target: str) -> pa.Table:
    """Answers in `said`: right but for a fifth, where they are drawn from the labels."""
    generator = np.random.default_rng(5)
    truth = np.array(table[target].to_pylist(), dtype=object)
    said = np.where(generator.random(len(truth)) < MISTAKES, generator.permutation(truth), truth)
    return table.append_column("said", pa.array(said.tolist(), table[target].type))


def drawn(table: pa.Table, seed: int, n: int, m: int) -> tuple[pa.Table, pa.Table]:
    """Reference of n rows and window of m other rows."""
    rows = np.random.default_rng(seed).permutation(table.num_rows)
    return table.take(rows[:n]), table.take(rows[n : n + m])


def source(table: pa.Table, name: str = "table") -> Source:
    """A source of small batches."""
    return Source(name, lambda: iter(table.to_batches(max_chunksize=500)))


def judged(pair: tuple[pa.Table, pa.Table], **settings) -> Health:
    """Judged by a budget of which nothing matters but what `settings` say: p-values are what is looked at."""
    return judge("windows", source(pair[0]), source(pair[1]), Settings(3.0, 30.0, **settings))


def p_values(table: pa.Table, n: int, m: int, seeds: range, **settings) -> np.ndarray:
    """The windows' own p-values, without floors: 1 is a window in which nothing is odd."""
    free = {"least_effect": 0.0, "least_loss": -1.0, "prediction": "said", **settings}
    return np.array([judged(drawn(table, seed, n, m), **free).p_value for seed in seeds])


def main() -> None:
    windows = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    judging.permutations_for = lambda alpha: 399
    with tempfile.TemporaryDirectory() as folder:
        data = real_data.fetch(Path(folder)) / "data"
        tables = {"flights": (flights(data), "outcome"), "accidents": (accidents(data), "severity")}
    print("| data | reference / current rows | windows | " + " | ".join(f"asked {one:.0%}" for one in LEVELS) + " |")
    print("|---|---|---|" + "---|" * len(LEVELS))
    for name, (table, target) in tables.items():
        for n, m in SIZES:
            found = p_values(table, n, m, range(windows), target=target)
            shares = " | ".join(f"{np.mean(found <= MARGIN * level):.1%}" for level in LEVELS)
            print(f"| {name} | {n:,} / {m:,} | {windows} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
