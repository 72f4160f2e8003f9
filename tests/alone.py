"""Each test in a process of its own: who needs another test of the same file fails here.

`python -m tests.alone [--resume] [PATH ...]` prints the tests that fail alone and exits 1 on any. Of a test with
parameters the first are taken. The tests that passed are noted in the cache folder of pytest, where `--resume` goes on.
"""

from __future__ import annotations

import argparse
import functools
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]
NOTED = ROOT / ".pytest_cache" / "alone.txt"  # the tests that passed, a line each
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly")


def pytest(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """What pytest says of it."""
    return subprocess.run([*PYTEST, *words], cwd=root, capture_output=True, text=True, check=False)


def collected(root: Path, paths: Sequence[str]) -> list[str]:
    """Tests below the paths, of each function the first."""
    first: dict[str, str] = {}
    for line in pytest(root, "--collect-only", *paths).stdout.splitlines():
        if "::" in line:
            first.setdefault(line.partition("[")[0], line)
    return list(first.values())


def main(arguments: Sequence[str]) -> int:
    """0 when each passes alone."""
    parser = argparse.ArgumentParser(prog="python -m tests.alone", description=__doc__)
    parser.add_argument("paths", nargs="*", default=["tests"])
    parser.add_argument("--resume", action="store_true", help="leave out what passed before")
    parser.add_argument("--noted", type=Path, default=NOTED, metavar="FILE")
    parser.add_argument("--root", type=Path, default=ROOT, help="where the paths begin")
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args(arguments)
    passed = set(asked.noted.read_text().splitlines()) if asked.resume and asked.noted.exists() else set()
    todo = [test for test in collected(asked.root, asked.paths) if test not in passed]
    asked.noted.parent.mkdir(exist_ok=True)
    failed = []
    with asked.noted.open("a" if asked.resume else "w") as noted, ThreadPoolExecutor(asked.workers) as pool:
        for test, done in zip(todo, pool.map(functools.partial(pytest, asked.root), todo), strict=True):
            if done.returncode:
                failed.append(test)
                print(f"{test}\n{done.stdout[-2000:]}", flush=True)
            else:
                noted.write(f"{test}\n")
                noted.flush()
    print(f"{len(todo)} tests alone, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
