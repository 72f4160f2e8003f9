"""`python -m tests.reliability --schedules 1000 --steps 50 --seed 1`: the fault campaign; exit 1 on any violation."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path


def main() -> int:
    """Play schedules, or one again, or the mutants."""
    if os.environ.get("PYTHONHASHSEED") != "0":  # the same seed is the same schedule in every process
        os.execve(
            sys.executable,
            [sys.executable, "-m", "tests.reliability", *sys.argv[1:]],
            {**os.environ, "PYTHONHASHSEED": "0"},
        )
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__)
    parser.add_argument("--schedules", type=int, default=20)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1, help="of the first schedule; the others follow")
    parser.add_argument("--resume", action="store_true", help="go on where the same command was stopped")
    parser.add_argument("--no-shrink", action="store_true", help="do not look for the shortest schedules")
    parser.add_argument("--real", action="store_true", help="processes, HTTP, DVC, training, SIGKILL and a server")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="play one schedule that was written down")
    parser.add_argument("--mutants", nargs="*", metavar="NAME", help="put defects back, one at a time; all by default")
    parser.add_argument("--mutant", metavar="NAME", help="with one defect put back, until it shows")
    given = parser.parse_args()
    if given.replay and not given.replay.is_file():
        parser.error(f"{given.replay}: no such file; a campaign that finds something names the ones it wrote")
    from tests.reliability.mutants import MUTANTS

    names = {one.name for one in MUTANTS}
    for name in {given.mutant, *(given.mutants or ())} - {None} - names:
        parser.error(f"{name}: no such mutant; there are {', '.join(sorted(names))}")
    if given.mutant:
        from tests.reliability.mutants import by_name, put_back

        put_back(given.mutant)
    from tests.reliability.campaign import STATE, campaign, first_broken, replay, shortest
    from tests.reliability.schedule import parse
    from tests.reliability.stage import Stage

    if given.replay:
        return 1 if replay(parse(given.replay.read_text())).violations else 0
    if given.mutants is not None:
        from tests.reliability.mutants import table

        return table(given.mutants, given.seed, given.schedules, given.steps)
    if given.mutant:
        return first_broken(given.seed, given.schedules, given.steps, by_name(given.mutant).needs)
    since = time.monotonic()
    where: type[Stage] = Stage
    if given.real:
        from tests.reliability.real import RealStage as where
    total = campaign(given.seed, given.schedules, given.steps, resume=given.resume, on=where)
    print(total.table(time.monotonic() - since))
    if not given.no_shrink and not given.real:
        shortest(total, given.steps, STATE / "schedules")
    return 1 if total.violations else 0


if __name__ == "__main__":
    sys.exit(main())
