"""Ten million logged rows of thirty columns: time and memory of `mlbot monitor`, and of scipy's tests by column.

`python tests/benchmarks/monitor_scale.py FOLDER [ROWS] [RIVAL_ROWS]` writes the tables (2 GB), runs each in a process
of its own and prints a table; docs/monitoring.md keeps the last one. scipy reads a column at a time: exact tests cannot
do with less memory. Evidently takes a million rows only, in an environment of its own, since it does not import beside
today's pandas: `pip install evidently==0.7.23 'pandas<3' pyarrow`, and EVIDENTLY_PYTHON names its interpreter.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "ARROW_NUM_THREADS"):
    os.environ[name] = "1"
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

NUMBERS, WORDS, CHUNK = 20, 10, 100_000
REFERENCE = 200_000


def chunk(rows: int, seed: int, shift: float = 0.0) -> pa.Table:
    """Twenty numbers, some missing and some whole, and ten columns of words."""
    generator = np.random.default_rng(seed)
    common = generator.normal(size=rows)
    columns: dict[str, pa.Array] = {}
    for number in range(NUMBERS):
        values = 0.5 * common + generator.normal(size=rows) + (shift if number == 0 else 0.0)
        gone = generator.random(rows) < 0.03 if number % 4 == 0 else None
        columns[f"x{number}"] = pa.array(np.round(10 * values) if number % 5 == 4 else values, mask=gone)
    for number in range(WORDS):
        codes = generator.zipf(1.6, rows) % (5 + 5 * number)
        words = pa.array([f"word {one}" for one in range(5 + 5 * number)])
        columns[f"word{number}"] = pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), words)
    return pa.table(columns)


def write(path: Path, rows: int, seed: int, shift: float = 0.0) -> Path:
    """A Parquet file, made in chunks."""
    with pq.ParquetWriter(path, chunk(1, 0).schema, compression="zstd") as writer:
        for number, begin in enumerate(range(0, rows, CHUNK)):
            writer.write_table(chunk(min(CHUNK, rows - begin), 1000 * seed + number, shift))
    return path


def columns_one_by_one(reference: Path, current: Path) -> float:
    """Smallest p-value of scipy's Kolmogorov-Smirnov test on numbers and chi-square on words."""
    from scipy import stats

    p_values = []
    for name in pq.read_schema(reference).names:
        sides = [pq.read_table(path, columns=[name])[name].combine_chunks() for path in (reference, current)]
        if pa.types.is_floating(sides[0].type):
            one, other = (side.drop_null().to_numpy(zero_copy_only=False) for side in sides)
            p_values.append(stats.ks_2samp(one, other, method="asymp").pvalue)
        else:
            found = [dict(zip(*side.value_counts().flatten(), strict=True)) for side in sides]
            counted = [{key.as_py(): count.as_py() for key, count in side.items()} for side in found]
            every = sorted({key for side in counted for key in side})
            p_values.append(stats.chi2_contingency([[side.get(key, 0) for key in every] for side in counted])[1])
    return float(min(p_values))


def mlbot(reference: Path, current: Path) -> str:
    """The status that `mlbot monitor` gives."""
    from bot.adapters.batches import batches
    from bot.monitor.judge import Settings, Source, judge

    sources = [Source(path.name, lambda path=path: batches(path)) for path in (reference, current)]
    return judge("scale", sources[0], sources[1], Settings()).status


def evidently(reference: Path, current: Path) -> object:
    """Its data drift preset, as a fresh install has it."""
    import pandas as pd
    from evidently import Report
    from evidently.presets import DataDriftPreset

    sides = [pd.read_parquet(path) for path in (current, reference)]
    return Report([DataDriftPreset()]).run(*sides).dict()


EVIDENTLY = "Evidently, data drift preset"
JUDGES = {"mlbot monitor": mlbot, "scipy, column by column": columns_one_by_one, EVIDENTLY: evidently}


def measured(judge: str, reference: Path, current: Path) -> dict[str, float]:
    """Seconds of processor and highest resident memory (MiB) of a process that does only this."""
    python = os.environ["EVIDENTLY_PYTHON"] if judge == EVIDENTLY else sys.executable
    words = [python, __file__, "--run", judge, str(reference), str(current)]
    return dict(json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines()[-1]))


def run(judge: str, reference: Path, current: Path) -> None:
    import time

    start = time.process_time()
    JUDGES[judge](reference, current)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu_s": time.process_time() - start, "rss_mib": memory}))


def main() -> None:
    folder, *given = sys.argv[1:]
    rows, rival_rows = [int(one) for one in given] or [10_000_000, 10_000_000]
    Path(folder).mkdir(exist_ok=True)
    reference = write(Path(folder) / "reference.parquet", REFERENCE, 1)
    print("| judge | rows | CPU s | peak MiB |\n|---|---|---|---|")
    sizes_of = {"mlbot monitor": (rows // 10, rows), "scipy, column by column": (rival_rows // 10, rival_rows)}
    if "EVIDENTLY_PYTHON" in os.environ:
        sizes_of[EVIDENTLY] = (rows // 10,)
    for judge, sizes in sizes_of.items():
        for size in sizes:
            current = Path(folder) / f"current-{size}.parquet"
            if not current.exists():
                write(current, size, 2)
            found = measured(judge, reference, current)
            print(f"| {judge} | {size:,} | {found['cpu_s']:.1f} | {found['rss_mib']:.0f} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "--run":
        run(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        main()
