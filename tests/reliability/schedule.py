"""A schedule: a seed, or a list of steps that can be written down, shortened and played again."""

from __future__ import annotations

import json
import random
from dataclasses import asdict, dataclass

from tests.reliability.chaos import KINDS
from tests.reliability.people import ACTS, LOGINS

FATES = ("lost", "repeated", "held", "delayed", "reordered")
EVENTS = (
    "pull_request",
    "pull_request_review",
    "issue_comment",
    "push",
    "workflow_run",
    "workflow_dispatch",
    "schedule",
)
# what a step is, and how often
SHARES = {"person": 40, "work": 30, "drain": 14, "time": 8, "fault": 12, "astray": 5, "release": 1}
SPANS_S = (1, 20, 60, 300, 1800, 3700, 7300, 90_000)


@dataclass(frozen=True)
class Step:
    """`do` is what happens, `who` and `number` to whom; `seed` decides whatever else there is to decide."""

    do: str
    who: str = ""
    number: int = 0
    seed: int = 0
    kind: str = ""

    def __str__(self) -> str:
        return " ".join(
            str(one) for one in (self.do, self.who, f"#{self.number}" if self.number else "", self.kind) if one
        )


def steps_of(seed: int, count: int) -> list[Step]:
    """The schedule of a seed."""
    rng = random.Random(seed)
    found = [Step("open", "dana", 1, rng.randrange(2**31)), Step("drain")]
    while len(found) < count:
        found.append(_step(rng))
    return found[:count]


def _step(rng: random.Random) -> Step:
    what = rng.choices(list(SHARES), list(SHARES.values()))[0]
    seed, number = rng.randrange(2**31), rng.choice((1, 1, 1, 1, 2, 2, 3))
    if what == "person":
        names, weights = list(ACTS), [weight for _, weight in ACTS.values()]
        return Step(rng.choices(names, weights)[0], rng.choice(LOGINS), number, seed)
    if what == "fault":
        return Step("fault", seed=seed, kind=rng.choice(list(KINDS)), number=rng.choice((0, 0, 1, 1, 2, 3, 4, 6)))
    if what == "astray":
        return Step("astray", rng.choice(EVENTS), 0, seed, rng.choice(FATES))
    if what == "time":
        return Step("time", number=rng.choice(SPANS_S), seed=seed)
    return Step(what, seed=seed)


def dump(steps: list[Step]) -> str:
    """One step a line."""
    return "\n".join(json.dumps({k: v for k, v in asdict(one).items() if v}, sort_keys=True) for one in steps) + "\n"


def parse(text: str) -> list[Step]:
    return [Step(**json.loads(line)) for line in text.splitlines() if line.strip()]
