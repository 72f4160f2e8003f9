"""`python -m tests.fuzz [TARGET ...] --minutes 10`: every door against spoilt inputs, a process each, side by side.

For each: inputs tried, those that were refused, branches of the bot's files that were reached, whether a planted defect
is found, and what went wrong, with the input kept in `--keep`. Exit code 1 when anything did or a plant was missed.
"""

from __future__ import annotations

import argparse
import importlib
import io
import json
import random
import resource
import subprocess
import sys
from pathlib import Path

from tests.fuzz.targets import ROOT, TARGETS
from tests.fuzz.watch import Found, fuzz

MEMORY = 6 * 2**30  # of address space; the libraries map two of them
PLANT_S = 30.0


def plant(name: str) -> None:
    """From here on a function behind the door fails."""
    module, function = TARGETS[name].plant

    def planted(*_: object, **__: object) -> None:
        raise ZeroDivisionError("planted")

    setattr(importlib.import_module(module), function, planted)


def one(name: str, seconds: float, seed: int, *, is_planted: bool) -> dict[str, object]:
    """Fuzz a target in this process; what is to be printed of it."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    sys.setrecursionlimit(1000)
    target = TARGETS[name]
    if is_planted:
        target.act(), target.samples()
        plant(name)
        found = fuzz(target, PLANT_S, seed, stop_at="planted")
        return {"found": any("planted" in told for _, told in found.wrong.values())}
    import coverage

    package = target.plant[0].rpartition(".")[0].replace(".", "/")
    with_branches = coverage.Coverage(branch=True, data_file=None, include=[f"{ROOT}/{package}/*"])
    with_branches.start()
    fuzz(target, min(seconds / 5, 60), seed + 1)
    with_branches.stop()
    file = f"{ROOT}/{target.plant[0].replace('.', '/')}.py"
    percent = with_branches.report(morfs=[file], file=io.StringIO())
    found = fuzz(target, seconds, seed)
    return {"inputs": found.inputs, "peak_mb": found.peak_mb, "branches": round(percent), "wrong": _told(found)}


def _told(found: Found) -> dict[str, list[str]]:
    return {place: [data.hex(), told] for place, (data, told) in found.wrong.items()}


def _asked(name: str, seconds: float, seed: int, *words: str) -> dict[str, object]:
    line = [sys.executable, "-m", "tests.fuzz", name, "--seconds", str(seconds), "--seed", str(seed), "--child", *words]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"wrong": {f"the process ended with {done.returncode}": ["", done.stderr[-2000:]]}}
    answer: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return answer


def main() -> int:
    """Run the targets that are named, all without a name."""
    parser = argparse.ArgumentParser(prog="tests.fuzz")
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--keep", type=Path, default=Path("out/fuzz"))
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--plant", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    seconds = given.seconds or given.minutes * 60
    if given.child:
        print(json.dumps(one(given.targets[0], seconds, given.seed, is_planted=given.plant)))
        return 0
    bad = 0
    print(f"seed {given.seed}\n{'target':20} {'inputs':>9} {'MB':>6} {'branches':>8}  planted  wrong")
    for name in given.targets or TARGETS:
        said, planted = _asked(name, seconds, given.seed), _asked(name, seconds, given.seed, "--plant")
        wrong: dict[str, list[str]] = said["wrong"]  # type: ignore[assignment]
        is_found = bool(planted.get("found"))
        row = [str(said.get(key, "-")) for key in ("inputs", "peak_mb", "branches")]
        print(
            f"{name:20} {row[0]:>9} {row[1]:>6} {row[2]:>7}%  {'found' if is_found else 'MISSED':7}  {len(wrong)}",
            flush=True,
        )
        for index, (place, (data, told)) in enumerate(wrong.items()):
            given.keep.mkdir(parents=True, exist_ok=True)
            file = given.keep / f"{name.replace(' ', '-')}-{index}"
            file.write_bytes(bytes.fromhex(data))
            print(f"  {place}: {file}\n    " + told.strip().replace("\n", "\n    "), flush=True)
        bad += bool(wrong) or not is_found
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
