"""The test-set budget and the Ladder."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri

from bot.errors import Place
from bot.evaluate.budget import budget_gate, budgets
from bot.evaluate.gates import judge
from bot.evaluate.ladder import ladder
from bot.evaluate.reach import at_tail, spent_tail
from bot.records.ledger import testset_folder as folder_of
from bot.records.ledger import testset_use_path as path_of
from bot.specs.gates import BudgetPolicy
from tests.builders import a_digest
from tests.evaluate.test_gates import a_difference, evidence
from tests.evaluate.worlds import some_gates

POLICY = BudgetPolicy(steps=32)
ROWS = a_digest("rows")


@pytest.mark.parametrize(
    ("before", "used", "verdict"), [(0, 1, "pass"), (31, 32, "pass"), (32, 33, "fail"), (90, 91, "fail")]
)
def test_the_last_allowed_use_passes_and_the_next_is_exhausted(before: int, used: int, verdict: str) -> None:
    (budget,) = budgets(ROWS, ["roc_auc"], {"roc_auc": before}, POLICY)
    gate = budget_gate(budget, Place("policies/gates.yaml", 7))
    assert (budget.used, gate.verdict, gate.line, gate.blocks) == (used, verdict, 7, True)
    assert (gate.reason_code == "testset_exhausted") == (verdict == "fail")
    assert f"{used} of 32" in gate.sentence


def test_metrics_have_budgets_of_their_own() -> None:
    one, other = budgets(ROWS, ["roc_auc", "f1"], {"roc_auc": 4}, None)
    assert (one.used, other.used, one.allowed) == (5, 1, None)


def test_a_use_is_one_path_whatever_the_model_is_called_and_however_often_it_is_seen() -> None:
    first, again, other = (path_of(ROWS, "roc_auc", a_digest(name)) for name in ("inputs", "inputs", "more"))
    assert first == again != other
    assert first.startswith(folder_of(ROWS, "roc_auc")) and "sha256:" not in first


@pytest.mark.parametrize(
    ("value", "best", "greater", "shown"),
    [
        (0.80, None, True, "released"),
        (0.82, 0.80, True, "released"),
        (0.805, 0.80, True, "withheld"),
        (0.70, 0.80, True, "withheld"),
        (0.40, 0.50, False, "released"),
        (0.495, 0.50, False, "withheld"),
    ],
)
def test_only_a_step_beyond_chance_is_released(value: float, best: float | None, greater: bool, shown: str) -> None:
    assert ladder(value, best, 0.01, greater_is_better=greater) == shown


def test_the_ladder_defeats_the_boosting_attack() -> None:
    """400 coin flips on 1,000 rows, then the majority of those that looked better than one half (Blum and Hardt 2015).

    Raw digits make the majority look like .646 where it is worth .5; what the Ladder shows stays below .54.
    """
    generator = np.random.default_rng(0)
    truth, tries = generator.integers(0, 2, 1000), generator.integers(0, 2, (400, 1000))
    accuracies = (tries == truth).mean(axis=1)
    raw = ((tries[accuracies > 0.5].mean(axis=0) > 0.5) == truth).mean()
    best, step, seen = None, 0.5 / np.sqrt(1000) * np.sqrt(2), []
    for accuracy in accuracies:
        if ladder(accuracy, best, step, greater_is_better=True) == "released":
            best = accuracy
        seen.append(best)
    shown = np.array(seen)
    rose = np.diff(shown, prepend=0.5) > 0
    attack = ((tries[rose].mean(axis=0) > 0.5) == truth).mean()
    assert raw > 0.62 and attack < 0.56 and shown[-1] < 0.56


def test_all_looks_together_err_at_most_twice_as_often_as_the_first_alone() -> None:
    spent = [spent_tail(look, 0.025) for look in range(1, 10_001)]
    assert spent[0] == 0.025 and sum(spent) <= 0.05 and spent == sorted(spent, reverse=True)


@pytest.mark.parametrize("candidates", [32, 200])
def test_of_many_candidates_that_are_no_better_hardly_ever_one_passes(candidates: int) -> None:
    """Independent candidates are the worst case: 1,000 searches, each stops at its first lucky one."""
    generator, (placed,) = (
        np.random.default_rng(candidates),
        some_gates("{id: g, kind: superiority, against: production}").gates,
    )
    lucky, error, passed = generator.normal(size=(1000, candidates)), 0.01, 0
    beyond = [-ndtri(spent_tail(look, 0.025)) for look in range(1, candidates + 1)]
    for gains in lucky:
        look = int(np.argmax(gains - beyond))
        found = a_difference(float(gains[look]) * error, 1.959964 * error)
        found = at_tail(found, 0.95, spent_tail(look + 1, 0.025))
        seen = evidence(differences={("roc_auc", "production"): found}, look=look + 1)
        passed += judge(placed, seen, "block").verdict == "pass"
    assert passed / 1000 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 1000)


def test_the_report_shows_the_interval_that_the_gate_judges_by() -> None:
    """The fortieth look at an interval that would do at the first."""
    (placed,) = some_gates("{id: g, kind: superiority, against: production}").gates
    first = a_difference(0.012)
    later = at_tail(first, 0.95, spent_tail(40, 0.025))
    assert judge(placed, evidence(differences={("roc_auc", "production"): first}), "block").verdict == "pass"
    seen = evidence(differences={("roc_auc", "production"): later}, look=40)
    found = judge(placed, seen, "block")
    assert found.verdict == "inconclusive" and later.low < 0 < later.high and "−0.009" in found.sentence
