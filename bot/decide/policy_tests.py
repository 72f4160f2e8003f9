"""The policies' own tests -> what came out, and which rules they reach."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from bot.decide.decide import decide
from bot.decide.reasons import REASONS
from bot.decide.rehearse import WEDNESDAY, rehearsed
from bot.errors import UserError
from bot.records.decision import Decision, Node, Status
from bot.specs.policies import Policies
from bot.specs.policies.tests import PolicyTest


@dataclass(frozen=True)
class Outcome:
    """One test: `problems` are sentences, empty when it passed; `decision` is None when it could not be judged."""

    test: PolicyTest
    decision: Decision | None
    problems: tuple[str, ...]


@dataclass
class Reached:
    """How often a rule came out how, over all tests."""

    counts: dict[Status, int] = field(default_factory=dict)

    @property
    def is_covered(self) -> bool:
        """Seen both approving and blocking."""
        return self.counts.get("approved", 0) > 0 and any(
            self.counts.get(status, 0) > 0 for status in ("pending", "rejected", "error")
        )


def run(tests: Iterable[PolicyTest], policies: Policies) -> list[Outcome]:
    """Judge each test."""
    return [_run(test, policies) for test in tests]


def _run(test: PolicyTest, policies: Policies) -> Outcome:
    now = datetime.fromisoformat(test.at) if test.at else WEDNESDAY
    try:
        decision = decide(rehearsed(test.given, policies, now), policies, now)
    except UserError as error:
        return Outcome(test, None, (str(error),))
    return Outcome(test, decision, tuple(_problems(test, decision)))


def _problems(test: PolicyTest, decision: Decision) -> Iterator[str]:
    expect = test.expect
    if decision.status != expect.status:
        yield f"expected {expect.status}, got {decision.status}: {decision.headline}"
    found = {node.reason_code for node in nodes(decision.tree)}
    for code in expect.codes:
        if code not in REASONS:
            yield f"`{code}` is not a reason code"
        elif code not in found:
            yield f"reason code `{code}` is not in the tree; it has {', '.join(sorted(found))}"
    if expect.risk_tier is not None and decision.risk_tier != expect.risk_tier:
        yield f"expected risk tier {expect.risk_tier}, got {decision.risk_tier}"
    who = {login for one in decision.unblock for login in one.who}
    if expect.unblock_by is not None and who != set(expect.unblock_by):
        yield f"expected to be unblocked by {', '.join(expect.unblock_by)}; got {', '.join(sorted(who))}"


def nodes(tree: Node) -> Iterator[Node]:
    """A tree's nodes, parents first."""
    yield tree
    for child in tree.children:
        yield from nodes(child)


def coverage(outcomes: Iterable[Outcome], policies: Policies) -> dict[str, Reached]:
    """By rule, veto and separation of duties: how often it came out how."""
    approvals = policies.approvals
    names = [one.name for one in approvals.rules] + [one.name for one in approvals.vetoes]
    names += [one.name for one in approvals.separation_of_duties]
    found = {name: Reached() for name in names}
    for outcome in outcomes:
        for node in nodes(outcome.decision.tree) if outcome.decision else ():
            if node.name in found:
                counts = found[node.name].counts
                counts[node.status] = counts.get(node.status, 0) + 1
    return found
