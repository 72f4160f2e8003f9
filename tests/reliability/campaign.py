"""Many schedules, one after another: counts, violations with their shortest schedules, and where to go on."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.reliability.people import ACTS, drawn
from tests.reliability.play import PAUSES_S, Played, play
from tests.reliability.schedule import Step, dump, steps_of
from tests.reliability.shrink import smallest
from tests.reliability.stage import Stage, flavour_of

STATE = Path(".reliability")


@dataclass
class Total:
    """What all schedules gave. `broken` is seed, step and detail of each violation by name, the first ones first."""

    schedules: int = 0
    steps: int = 0
    handlers: int = 0
    crashed: int = 0
    recovered: int = 0
    releases: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    broken: dict[str, list[tuple[int, int, str]]] = field(default_factory=dict)

    def add(self, row: dict[str, Any]) -> None:
        """One schedule's row of the state file."""
        self.schedules += 1
        for name in ("steps", "handlers", "crashed", "recovered", "releases"):
            setattr(self, name, getattr(self, name) + row[name])
        self.faults.update(row["faults"])
        for name, step, detail in row["violations"]:
            self.broken.setdefault(name, []).append((row["seed"], step, detail))

    @property
    def violations(self) -> int:
        return sum(map(len, self.broken.values()))

    def table(self, seconds: float) -> str:
        """For people."""
        lines = [
            f"schedules {self.schedules}, steps {self.steps}, {seconds:.0f} s"
            f" ({1000 * seconds / max(1, self.steps):.0f} ms a step)",
            f"handlers {self.handlers}, crashed {self.crashed}, of which recovered {self.recovered};"
            f" releases {self.releases}",
            "faults: " + (", ".join(f"{name} {n}" for name, n in sorted(self.faults.items())) or "none"),
            f"violations {self.violations}, of {len(self.broken)} kinds",
        ]
        for name, found in sorted(self.broken.items(), key=lambda pair: (-len(pair[1]), pair[0])):
            seeds = list(dict.fromkeys(seed for seed, _, _ in found))
            lines.append(f"  {len(seeds):5} schedules: {name} (seeds {', '.join(map(str, seeds[:5]))})")
            lines.append(f"        {found[0][2][:200]!r}")
        return "\n".join(lines)


def row_of(seed: int, played: Played) -> dict[str, Any]:
    """A schedule's row of the state file."""
    return {
        "seed": seed, "steps": played.steps, "handlers": played.handlers, "crashed": played.crashed,
        "recovered": played.recovered, "releases": played.releases, "faults": dict(played.faults),
        "violations": [(one.name, one.step, one.detail) for one in played.violations],
    }  # fmt: skip


def campaign(
    first: int, schedules: int, steps: int, *, resume: bool = False, say: Callable[[str], None] = print,
    on: type[Stage] = Stage,
) -> Total:  # fmt: skip
    """Play the schedules of the seeds from `first` on; with `resume` those that the state file does not hold yet.

    `on` is where they play.
    """
    total, path = Total(), STATE / f"{on.__name__.lower()}-{first}-{steps}.jsonl"
    known = {row["seed"]: row for row in _rows(path)} if resume else {}
    path.parent.mkdir(exist_ok=True)
    since = time.monotonic()
    with path.open("a" if resume else "w") as file:
        for seed in range(first, first + schedules):
            row = known.get(seed)
            if row is None:
                row = row_of(seed, play(steps_of(seed, steps), on=on))
                file.write(json.dumps(row) + "\n")
                file.flush()
            total.add(row)
            if total.schedules % 50 == 0:
                say(f"{total.schedules} schedules, {total.violations} violations, {time.monotonic() - since:.0f} s")
    return total


def first_broken(
    first: int, schedules: int, steps: int, needs: Sequence[str] = (), say: Callable[[str], None] = print
) -> int:
    """Play until something is broken: 1 when it is, with the seed. Schedules with most of what is needed come first."""
    listed = {seed: steps_of(seed, steps) for seed in range(first, first + schedules)}
    for seed in sorted(listed, key=lambda seed: -_fit(listed[seed], needs)):
        broken = play(listed[seed], until=lambda _: True).violations
        if broken:
            say(f"found in schedule {seed}: {broken[0]}")
            return 1
    return 0


def _fit(steps: Sequence[Step], needs: Sequence[str]) -> float:
    """How much of it a schedule has: the shares of each line that come in this order, to the same pull request."""
    world = flavour_of(steps[0].seed)
    values = (world.default, world.refuses, *world.without, "freeze" * world.has_freeze, "teams" * world.has_teams)
    return sum(
        float(one in values) or max(_in_order(one.split(), steps, number) for number in (1, 2, 3)) for one in needs
    )


def _in_order(words: Sequence[str], steps: Sequence[Step], number: int) -> float:
    """Which share of the words comes in this order; more than all when some come again."""
    found = 0
    for step in steps:
        if words[found % len(words)] in _names(step) and (step.do not in ACTS or step.number == number):
            found += 1
    return found / len(words)


def _names(step: Step) -> set[str]:
    """What a word of `needs` may call a step: `say`, `say:/hold`, `approve::vera`, `astray:lost:push`."""
    what = step.kind
    if step.do == "say":
        rng = random.Random(step.seed)
        rng.choice(PAUSES_S)
        what = drawn(rng)[0].split(" ")[0]
    return {step.do, f"{step.do}:{what}", f"{step.do}:{what}:{step.who}", f"{step.do}::{step.who}"}


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """Whole rows; the last one may be cut off."""
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            yield json.loads(line)
        except ValueError:
            continue


def shortest(total: Total, steps: int, folder: Path, say: Callable[[str], None] = print) -> None:
    """Shorten the first schedule of each kind of violation, and write it down where it can be played again."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, found in total.broken.items():
        seed = found[0][0]
        short = smallest(steps_of(seed, steps), name)
        path = folder / f"{_file(name)}.jsonl"
        path.write_text(dump(short))
        say(f"\n{name}\n  {len(short)} of {steps} steps of seed {seed}; again with --replay {path}")
        say("\n".join(f"    {step}" for step in short))


def _file(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name)[:60].strip("-")


def replay(steps: list[Step], say: Callable[[str], None] = print) -> Played:
    """Play these steps and say what each did."""
    played = play(steps, keeps_log=True)
    say("\n".join(played.log))
    return played
