"""Tables by seed: kinds of columns, dialects, spellings of missing, targets and names, crossed."""

from __future__ import annotations

import csv
import datetime as dt
import decimal
import gzip
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 360
NAMES = (
    "plain",
    "with space",
    "with-hyphen",
    "mm (length)",
    "größe",
    "π",
    "1st",
    "a/b",
    "a.b",
    "x__month",
    "'quoted'",
    "[0]",
)
SPELLINGS = ("", "NA", "NaN", "null", "N/A", "#N/A", "NULL")
TARGETS = (
    "binary text",
    "binary bool",
    "zero and one with missing",
    "three classes",
    "number",
    "skewed number",
    "rare class",
)
DIALECTS: tuple[dict[str, Any], ...] = (
    {},
    {"separator": ";", "decimal": ","},
    {"separator": "\t"},
    {"separator": "|"},
    {"encoding": "utf-16"},
    {"encoding": "latin-1"},
    {"encoding": "utf-8-sig"},
    {"trim": True},
    {"newlines": True},
    {"packed": True},
    {"separator": ";", "decimal": ",", "encoding": "cp1252"},
)


@dataclass(frozen=True)
class Made:
    """A file, its target, and what it was made of, for the test's message."""

    file: Path
    target: str
    what: str


def make(seed: int, folder: Path) -> Made:
    """One table; the same bytes for the same seed."""
    pick, rng = random.Random(seed), np.random.default_rng(seed)
    names = pick.sample(NAMES, 6)
    kinds = ["number", *pick.sample(sorted(KINDS), 5)]
    columns = {name: _with_missing(KINDS[kind](rng), rng, pick) for name, kind in zip(names, kinds, strict=True)}
    signal = rng.normal(size=ROWS)
    columns["signal"] = signal.tolist()
    wanted = pick.choice(TARGETS)
    columns["outcome"] = _target(wanted, signal + 0.5 * rng.normal(size=ROWS), rng)
    if pick.random() < 0.6:
        columns = {"key": [f"k{number}" for number in range(ROWS)], **columns}
    is_parquet = pick.random() < 0.35
    file = _parquet(columns, folder, pick) if is_parquet else _csv(columns, folder, pick)
    return Made(file, "outcome", f"seed {seed}: {file.name}, {wanted}, {dict(zip(names, kinds, strict=True))}")


def _days(rng: Any) -> list[Any]:
    return [dt.date(2024, 1, 1) + dt.timedelta(days=int(one)) for one in rng.integers(0, 700, ROWS)]


def _moments(rng: Any, zone: Any = None) -> list[Any]:
    start = dt.datetime(2024, 1, 1, tzinfo=zone)
    return [start + dt.timedelta(seconds=int(one)) for one in rng.integers(0, 60_000_000, ROWS)]


def _decimals(rng: Any) -> list[Any]:
    return [decimal.Decimal(int(one)) / 100 for one in rng.integers(0, 500, ROWS)]


KINDS: dict[str, Any] = {
    "number": lambda rng: rng.normal(size=ROWS).tolist(),
    "large number": lambda rng: (rng.normal(size=ROWS) * 1e12).tolist(),
    "whole number": lambda rng: rng.integers(-5, 90, ROWS).tolist(),
    "code": lambda rng: [f"{one:05d}" for one in rng.integers(0, 9, ROWS)],
    "truth": lambda rng: rng.choice([True, False], ROWS).tolist(),
    "word": lambda rng: rng.choice(["ash", "birch", "Côte d'Ivoire", "oak, red", 'a "b"'], ROWS).tolist(),
    "many words": lambda rng: [f"w{one}" for one in rng.integers(0, 45, ROWS)],
    "date": _days,
    "moment": _moments,
    "zoned moment": lambda rng: _moments(rng, dt.UTC),
    "time of day": lambda rng: [dt.time(int(one), 30) for one in rng.integers(0, 24, ROWS)],
    "decimal": _decimals,
    "free text": lambda rng: [" ".join(rng.choice(["we", "saw", "a", "green", "bird", "fly"], 7)) for _ in range(ROWS)],
    "nothing": lambda rng: [None] * ROWS,
    "constant": lambda rng: [4] * ROWS,
}


def _with_missing(values: list[Any], rng: Any, pick: random.Random) -> list[Any]:
    share = pick.choice((0.0, 0.0, 0.1, 0.3))
    return [None if hide else one for one, hide in zip(values, rng.random(ROWS) < share, strict=True)]


def _target(kind: str, score: Any, rng: Any) -> list[Any]:
    if kind == "binary text":
        return ["yes" if one > 0 else "no" for one in score]
    if kind == "binary bool":
        return [bool(one > 0) for one in score]
    if kind == "zero and one with missing":
        return [None if hide else int(one > 0) for one, hide in zip(score, rng.random(ROWS) < 0.1, strict=True)]
    if kind == "three classes":
        return ["abc"[int(one > -0.5) + int(one > 0.5)] for one in score]
    if kind == "rare class":
        return ["rare" if place < 2 else "b" if one > 0 else "a" for place, one in enumerate(score)]
    numbers = np.exp(2 * score) if kind == "skewed number" else score
    return [None if hide else float(one) for one, hide in zip(numbers, rng.random(ROWS) < 0.05, strict=True)]


def _parquet(columns: dict[str, list[Any]], folder: Path, pick: random.Random) -> Path:
    arrays: dict[str, Any] = {}
    for name, values in columns.items():
        found = pa.array(values)
        if pa.types.is_string(found.type):
            changed = pick.choice((pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())))
            found = found.dictionary_encode() if pa.types.is_dictionary(changed) else found.cast(changed)
        elif pa.types.is_floating(found.type) and pick.random() < 0.5:  # as numpy and polars write missing
            found = pa.array(found.to_numpy(zero_copy_only=False))
        elif pa.types.is_timestamp(found.type):
            unit = pick.choice(("s", "ms", "us", "ns"))
            zone = found.type.tz and pick.choice(("UTC", "America/New_York", "+02:00"))
            found = found.cast(pa.timestamp(unit, zone), safe=False)
        arrays[name] = found
    file = folder / "table.parquet"
    pq.write_table(pa.table(arrays), file)
    return file


def _csv(columns: dict[str, list[Any]], folder: Path, pick: random.Random) -> Path:
    form = pick.choice(DIALECTS)
    decimal_sign, spelling = form.get("decimal", "."), pick.choice(SPELLINGS)
    separator = form.get("separator", ",")
    if form.get("newlines"):
        columns = {**columns, "note": [f'said "{number}"\nand left' for number in range(ROWS)]}
    name = f"table-{'-'.join(map(str, form)) or 'plain'}.csv{'.gz' if form.get('packed') else ''}"
    file = folder / name
    opened = gzip.open if form.get("packed") else open
    with opened(file, "wt", encoding=form.get("encoding", "utf-8"), newline="", errors="replace") as out:  # type: ignore[operator]
        gap = " " if form.get("trim") else ""
        writer = csv.writer(out, delimiter=separator)
        if gap:
            for row in ([*columns], *zip(*columns.values(), strict=True)):
                cells = [_quoted(_cell(one, decimal_sign, spelling)) for one in row]
                out.write(", ".join(cells) + "\n")
            return file
        writer.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            writer.writerow([_cell(one, decimal_sign, spelling) for one in row])
    return file


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\n') else text


def _cell(value: Any, decimal_sign: str, spelling: str) -> str:
    if value is None:
        return spelling
    if isinstance(value, dt.datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, float | decimal.Decimal):
        return str(value).replace(".", decimal_sign)
    return str(value)
