"""`python -m tests.evidence`: simulates what the evaluation and the monitor promise, and writes docs/evidence.md.

One process. What is done is kept in `--state` after each batch, so that the same command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from tests.evidence import alarms, coverage, verdicts
from tests.evidence.study import Count, Study, verdict

PAGE = Path(__file__).parents[2] / "docs" / "evidence.md"
BATCH = 50
LEVEL = 0.05  # that any cell is called wrong although all hold, over all cells together

Cells = dict[tuple[str, str], Count]

HEAD = """# What was simulated

Written by `python -m tests.evidence`; a later run goes on where this one ended. Commit {commit}, seed {seed},
{seconds:,.0f} s of CPU. Each cell draws new data again and again and asks mlbot's own functions. A cell **holds**
unless its binomial interval, corrected over all {cells} cells (Bonferroni, 5 % together), lies outside the promise.
`cannot tell` is the share of repeats in which mlbot gave no interval and said why; the rate is of the others.

{summary}
"""


def all_studies() -> list[Study]:
    """Every study there is."""
    return [*coverage.studies(), *verdicts.studies(), *alarms.studies()]


def batch(study: Study, number: int, seed: int, repeats: int) -> dict[str, Count]:
    """One batch of a study; the same seed and number draw the same data."""
    return study.run(np.random.default_rng([seed, zlib.crc32(study.name.encode()), number]), repeats)


def read(state: Path) -> tuple[Cells, dict[str, int], float]:
    """What is done: counts by study and cell, batches by study, seconds of CPU."""
    cells: Cells = {}
    batches: dict[str, int] = {}
    seconds = 0.0
    for line in state.read_text(encoding="utf-8").splitlines() if state.exists() else ():
        one = json.loads(line)
        batches[one["study"]] = max(batches.get(one["study"], 0), one["batch"] + 1)
        seconds += one["seconds"]
        for name, counts in one["cells"].items():
            key = (one["study"], name)
            cells[key] = cells.get(key, Count()) + Count(*counts)
    return cells, batches, seconds


def run(studies: Sequence[Study], state: Path, seed: int, repeats: int) -> None:
    """Batch after batch until each study has so many repeats."""
    _, done, _ = read(state)
    wanted = -(-repeats // BATCH)
    for study in studies:
        for number in range(done.get(study.name, 0), wanted):
            start = time.process_time()
            found = batch(study, number, seed, BATCH)
            line = {
                "study": study.name, "batch": number, "seconds": time.process_time() - start,
                "cells": {name: [one.n, one.hits, one.untold] for name, one in found.items()},
            }  # fmt: skip
            with state.open("a", encoding="utf-8") as opened:
                opened.write(json.dumps(line) + "\n")
        print(study.name, flush=True)


def page(studies: Iterable[Study], cells: Cells, *, commit: str, seed: int, seconds: float) -> tuple[str, int]:
    """The page, and how many cells do not hold."""
    level = LEVEL / max(len(cells), 1)
    tables: dict[str, list[str]] = {}
    said: list[str] = []
    for study in studies:
        for (name, cell), count in cells.items():
            if name != study.name:
                continue
            found = verdict(count, study.promise, level)
            said.append(found)
            untold = f"{count.untold / (count.n + count.untold):.0%}" if count.untold else ""
            rate = f"{count.rate:.3f} | {count.error:.3f}" if count.n else " | "
            low, high = study.promise
            repeats = f"{count.n + count.untold:,}"
            row = (study.name, cell, f"{low:g} to {high:g}", repeats, rate, untold, found)
            tables.setdefault(study.topic, []).append(f"| {' | '.join(row)} |")
    counts = {word: said.count(word) for word in ("holds", "too low", "too high", "cannot tell")}
    summary = "Of {} cells {} hold, {} are too low, {} too high, and in {} mlbot never gives an interval.".format(
        len(said), *counts.values()
    )
    head = HEAD.format(commit=commit, seed=seed, seconds=seconds, cells=len(cells), summary=summary)
    columns = "study", "cell", "promise", "repeats", "rate", "standard error", "cannot tell", "found"
    head_of_table = f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|"
    body = "\n".join(f"\n## {topic}\n\n{head_of_table}\n" + "\n".join(rows) for topic, rows in tables.items())
    return f"{head}{body}\n", counts["too low"] + counts["too high"]


def main(arguments: Sequence[str] | None = None) -> int:
    """1 when a cell does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.evidence", description=__doc__)
    parser.add_argument("--repeats", type=int, default=1000, help="of each study")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="studies whose topic or name has this text")
    parser.add_argument("--state", type=Path, default=Path("evidence.jsonl"))
    parser.add_argument("--page", type=Path, default=PAGE)
    asked = parser.parse_args(arguments)
    studies = [one for one in all_studies() if asked.only in f"{one.topic} {one.name}"]
    run(studies, asked.state, asked.seed, asked.repeats)
    cells, _, seconds = read(asked.state)
    line = ["git", "rev-parse", "--short=12", "HEAD"]
    commit = subprocess.run(line, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
    text, wrong = page(all_studies(), cells, commit=commit, seed=asked.seed, seconds=seconds)
    asked.page.write_text(text, encoding="utf-8")
    print(text.split("\n\n")[2])
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
