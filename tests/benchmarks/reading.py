"""Time and memory of reading a table, against pyarrow's own reader on the same file; docs/data.md.

`python tests/benchmarks/reading.py [ROWS]` reads CSV and Parquet, each in a process of its own, the best of three.
`python tests/benchmarks/reading.py --stream [ROWS]` streams CSV of 10,000,000 rows as `mlbot monitor` does. It exits 1
beyond the bounds.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import pyarrow as pa  # noqa: E402
import pyarrow.compute  # noqa: E402 - imported late, it would count as reading
import pyarrow.csv as csv  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

MOST_TIME, MOST_MEMORY = 1.1, 1.3
STREAM_MB = 400  # of a process that streams, imports and all
CHUNK = 250_000
MISSING = ["", "NA", "NaN", "null"]


def write(file: Path, rows: int) -> None:
    """Twenty numbers, some missing, whole numbers, words and dates."""
    rng = np.random.default_rng(0)
    out = None
    for start in range(0, rows, CHUNK):
        n = min(CHUNK, rows - start)
        columns = {"id": pa.array(np.arange(start, start + n))}
        for number in range(8):
            values = np.round(rng.normal(size=n), 4)
            columns[f"x{number}"] = pa.array(values, mask=rng.random(n) < 0.03)
        columns["city"] = pa.array(rng.choice(["Oslo", "Rome", "Lima", "Bern"], n))
        columns["day"] = pa.array(rng.integers(15_000, 20_000, n).astype("datetime64[D]"))
        table = pa.table(columns)
        if file.suffix == ".csv":
            out = out or csv.CSVWriter(file, table.schema)
        else:
            out = out or pq.ParquetWriter(file, table.schema)
        out.write_table(table)
    assert out is not None
    out.close()


def read(who: str, file: Path) -> None:
    """One reading on one thread, printed as JSON: seconds of CPU and megabytes above what the imports took."""
    from bot.adapters.tables import read_files
    from bot.specs.draft import Described

    pa.set_cpu_count(1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    if who == "mlbot":
        found = read_files([file], "csv" if file.suffix == ".csv" else "parquet", Described(""), file.parent)
    elif file.suffix == ".csv":
        options = csv.ConvertOptions(null_values=MISSING, strings_can_be_null=True)
        found = csv.read_csv(file, csv.ReadOptions(block_size=8 * 1024 * 1024), convert_options=options)
    else:
        with pq.ParquetFile(file) as opened:
            found = opened.read()
    seconds = time.process_time() - began
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(json.dumps({"rows": found.num_rows, "seconds": seconds, "memory": memory}))


def stream(file: Path) -> None:
    """All batches, none kept."""
    from bot.adapters.batches import batches

    began = time.perf_counter()
    rows = sum(batch.num_rows for batch in batches(file))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rows": rows, "seconds": time.perf_counter() - began, "memory": memory}))


def asked(*arguments: str) -> dict[str, float]:
    """What a process of its own printed."""
    done = subprocess.run([sys.executable, __file__, *arguments], check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def compare(rows: int) -> bool:
    """Whether reading is within the bounds, printed as a table."""
    is_within = True
    with tempfile.TemporaryDirectory() as folder:
        for ending in (".csv", ".parquet"):
            file = Path(folder) / f"rows{ending}"
            write(file, rows)
            tries = [(asked("--read", "mlbot", str(file)), asked("--read", "pyarrow", str(file))) for _ in range(3)]
            best = [{key: min(one[who][key] for one in tries) for key in ("seconds", "memory")} for who in (0, 1)]
            ratios = {key: best[0][key] / max(best[1][key], 1e-9) for key in best[0]}
            print(f"{ending[1:]}: {rows:,} rows: {best[0]['seconds']:.2f} s and {best[0]['memory']:.0f} MB,", end=" ")
            print(f"{ratios['seconds']:.2f} times pyarrow's time and {ratios['memory']:.2f} times its memory")
            is_within &= ratios["seconds"] <= MOST_TIME and ratios["memory"] <= MOST_MEMORY
    return is_within


def streamed(rows: int) -> bool:
    """Whether a stream stays within its memory, printed."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.csv"
        write(file, rows)
        found = asked("--batches", str(file))
        size = file.stat().st_size / 1e6
    print(f"{found['rows']:,} rows of CSV ({size:.0f} MB): {found['seconds']:.0f} s, {found['memory']:.0f} MB at most")
    return found["rows"] == rows and found["memory"] <= STREAM_MB


if __name__ == "__main__":
    given = sys.argv[1:]
    if given[:1] == ["--read"]:
        read(given[1], Path(given[2]))
    elif given[:1] == ["--batches"]:
        stream(Path(given[1]))
    elif given[:1] == ["--stream"]:
        sys.exit(0 if streamed(int(given[1]) if given[1:] else 10_000_000) else 1)
    else:
        sys.exit(0 if compare(int(given[0]) if given else 1_000_000) else 1)
