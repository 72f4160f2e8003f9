"""Everything that the judge says over all scenarios, as one reviewable list: a changed word shows in the diff.

Written anew by `python -m tests.decide.test_sentences > tests/decide/sentences.txt`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bot.decide.allowed import command_node
from bot.decide.case import Case
from bot.decide.decide import decide
from bot.decide.evaluation import evaluation_node
from bot.decide.policy_tests import nodes
from bot.errors import UserError
from bot.records.decision import Decision
from tests.decide import test_orders, test_promotion, test_scenarios, test_views
from tests.decide.policies import P
from tests.decide.world import NOW, facts, p1

FILE = Path(__file__).parent / "sentences.txt"


def decisions() -> Iterator[Decision]:
    """Of every row of every table."""
    groups = (
        test_scenarios.IDENTITY,
        test_scenarios.OPINIONS,
        test_scenarios.PUSHES,
        test_scenarios.FILES,
        test_scenarios.EVIDENCE,
    )
    for row in (row for group in groups for row in group):
        yield decide(row.facts(), row.policy, row.now)
    for _, found, changes, _, _ in test_promotion.ROWS:
        yield test_promotion.verdict(found, **changes)
    for _, now, _ in test_promotion.WINDOWS:
        found, office = test_promotion.long_ago(), test_promotion.ENVIRONMENTS + test_promotion.OFFICE
        yield test_promotion.verdict(found, office, now=now)
    for _, said, changes, _, _ in test_promotion.BROKEN:
        found = test_promotion.wanted(*said, **{"environments": (test_promotion.live(1),), **changes})
        yield test_promotion.verdict(found, test_promotion.BUNDLE)
        yield test_promotion.verdict(found, test_promotion.BUNDLE.replace("max_duration: 4h", "max_duration: 9m"))
    for _, found, environments, _, _ in test_promotion.BACK:
        yield test_promotion.verdict(found, environments)
    for _, delegated, _ in test_orders.LENT:
        yield decide(facts(test_orders.review(51), **delegated), p1(approvals=test_orders.LENDING), NOW)
    yield decide(facts(subject="moon"), p1(), NOW)


def lines() -> list[str]:
    """One line a different node, headline or action, sorted."""
    found: set[str] = set()
    for decision in decisions():
        flags = f" {','.join(decision.flags)}" if decision.flags else ""
        found.add(f"headline | {decision.status} | {decision.reason_code} | {decision.headline}{flags}")
        for node in nodes(decision.tree):
            who = ", ".join(node.who_can)
            found.add(f"{node.name} | {node.status} | {node.reason_code} | {node.sentence} | {who}")
        for one in decision.unblock:
            found.add(f"unblock | {', '.join(one.who)} | {one.action} | {one.command}")
        for verdict in decision.models:
            approved = ", ".join(f"{one.login} as {one.role}" for one in verdict.approved_by)
            found.add(f"model | {verdict.model} | {verdict.status} | {verdict.risk_tier} | {approved}")
    found |= {f"command | {line}" for line in _commands()} | {f"order | {line}" for line in _orders()}
    case = Case(facts(models=()), P["evaluated"], NOW)
    node = evaluation_node(case.scopes[0], case)
    found.add(f"{node.name} | {node.status} | {node.reason_code} | {node.sentence}")
    return sorted(found)


def _commands() -> Iterator[str]:
    for _, verb, who, changes, _ in test_views.ROWS:
        case = Case(facts(**changes), p1(commands=test_views.TABLE), NOW)
        node = command_node(verb, who, case)
        yield f"{node.name} | {node.status} | {node.reason_code} | {node.sentence} | {', '.join(node.who_can)}"


def _orders() -> Iterator[str]:
    for attempt in test_orders.attempts():
        try:
            written = attempt()
        except UserError as error:
            yield f"{error.code} | {error.message} | {error.hint}"
            continue
        if written is not None:
            files = {**written.ledger, **written.environments}
            said = " ".join(f"{path}={data.decode() if data else data}" for path, data in files.items())
            yield f"{written.sentence} | {said}"


def test_every_sentence_is_as_recorded() -> None:
    assert lines() == FILE.read_text().splitlines()


if __name__ == "__main__":
    print("\n".join(lines()))
