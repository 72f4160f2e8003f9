"""Each gate's three verdicts, by table: evidence, gate, verdict and reason code."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.evaluate.evidence import Evidence
from bot.evaluate.gates import judge
from bot.evaluate.gates.reasons import REASONS
from bot.evaluate.metrics import METRICS
from bot.records.evaluation import Budget, MissingBaseline
from bot.records.measured import Difference, Estimate, Gap, Sliced
from tests.builders import a_training
from tests.evaluate.worlds import some_gates


def an_estimate(value: float, reach: float = 0.01) -> Estimate:
    return Estimate(value, value - reach, value + reach, reach / 1.96, "test")


def a_difference(value: float, reach: float = 0.01, champion: float = 0.8) -> Difference:
    return Difference(champion + value, champion, value, value - reach, value + reach, reach / 1.96, 0.5, "test")


UNTOLD = {("roc_auc", "production"): Difference(0.8, 0.8, 0.0, None, None, None, None, "fewer than 10 rows of a class")}


def slices(*differences: float, reach: float = 0.01) -> dict[str, tuple[Sliced, ...]]:
    """Slices of ROC AUC 0.8 in production, the candidate this much better, 500 rows each."""
    each = [(an_estimate(0.8 + one, reach), {"production": a_difference(one, reach)}) for one in differences]
    return {"roc_auc": tuple(Sliced("country", f"country = {k}", 500, *one) for k, one in enumerate(each))}


def evidence(difference: float = 0.0, reach: float = 0.01, **changes: object) -> Evidence:
    """A binary model at ROC AUC 0.90 and log loss 0.30, against production."""
    base = Evidence(
        training=a_training(),
        primary="roc_auc",
        n_test=2000,
        metrics={name: METRICS[name] for name in ("roc_auc", "log_loss", "accuracy")},
        estimates={"roc_auc": an_estimate(0.9), "log_loss": an_estimate(0.3)},
        differences={
            ("roc_auc", "production"): a_difference(difference, reach),
            ("log_loss", "production"): a_difference(difference, reach, champion=0.5),
            ("roc_auc", "dummy"): a_difference(0.4),
        },
        missing={},
        slices=slices(0.0, 0.02),
        gaps={("country", "demographic_parity_difference"): Gap("country", "dp", 0.1, 0.08, 0.12, 0.01, ("DE", "FR"))},
        operating={"artifact_bytes": 1000.0},
        baseline_operating={"production": {"artifact_bytes": 800.0}},
        accuracies={"": (0.85, 0, 0), "production": (0.85, 0.80, 0.09)},
        contract=True,
        newest_age_days=10.0,
        overlap=0.001,
    )
    return replace(base, **changes)


EMPTY = {"production": MissingBaseline(environment="production", reason="x", code="nothing_deployed")}
LOST = {"production": MissingBaseline(environment="production", reason="gone", code="not_scored")}
NOT_WORSE = "kind: non_inferiority, against: production, margin: 0.02"
BETTER = "kind: superiority, against: production"
SLICES = "kind: slice_non_inferiority, against: production, margin: 0.05"
SIZE = "kind: operating, name: artifact_bytes"
GAP = "kind: group_gap, column: country, measure: demographic_parity_difference"
CONDITION = 'kind: condition, reliability: 0.9, steps: 1, condition: "n - o > 0.02 +/- 0.07"'

TABLE = [
    ("kind: floor, value: 0.8", {}, "pass", "gate_passed"),
    ("kind: floor, value: 0.89", {}, "pass", "gate_passed"),
    ("kind: floor, value: 0.895", {}, "inconclusive", "evidence_insufficient"),
    ("kind: floor, value: 0.95", {}, "fail", "metric_below_floor"),
    ("kind: floor, value: 0.8, metric: mcc", {}, "inconclusive", "metric_undefined"),
    ("kind: ceiling, value: 0.35, metric: log_loss", {}, "pass", "gate_passed"),
    ("kind: ceiling, value: 0.305, metric: log_loss", {}, "inconclusive", "evidence_insufficient"),
    ("kind: ceiling, value: 0.2, metric: log_loss", {}, "fail", "metric_above_ceiling"),
    (NOT_WORSE, {"difference": 0.0}, "pass", "gate_passed"),
    (NOT_WORSE, {"difference": -0.015}, "inconclusive", "evidence_insufficient"),
    (NOT_WORSE, {"difference": -0.05}, "fail", "metric_regressed"),
    (NOT_WORSE + ", metric: log_loss", {"difference": 0.05}, "fail", "metric_regressed"),
    (NOT_WORSE + ", metric: log_loss", {"difference": -0.05}, "pass", "gate_passed"),
    ("kind: non_inferiority, against: production, margin_share: 0.1", {"difference": -0.05}, "pass", "gate_passed"),
    (NOT_WORSE, {"missing": EMPTY, "differences": {}}, "pass", "no_champion"),
    (NOT_WORSE + ", first: fail", {"missing": EMPTY, "differences": {}}, "fail", "no_champion"),
    (NOT_WORSE, {"missing": LOST, "differences": {}}, "inconclusive", "baseline_missing"),
    (NOT_WORSE, {"differences": {}}, "inconclusive", "baseline_missing"),
    (BETTER, {"difference": 0.02}, "pass", "gate_passed"),
    (BETTER, {"difference": 0.005}, "inconclusive", "evidence_insufficient"),
    (BETTER, {"difference": -0.02}, "fail", "superiority_refuted"),
    (BETTER, {"difference": 0.0, "reach": 0.0}, "fail", "superiority_refuted"),
    (BETTER + ", metric: log_loss", {"difference": -0.02}, "pass", "gate_passed"),
    ("kind: superiority, against: dummy, margin: 0.1", {}, "pass", "gate_passed"),
    ("kind: slice_floor, value: 0.7", {}, "pass", "gate_passed"),
    ("kind: slice_floor, value: 0.85", {}, "fail", "slice_below_floor"),
    ("kind: slice_floor, value: 0.805", {}, "inconclusive", "evidence_insufficient"),
    ("kind: slice_floor, value: 0.7", {"slices": {}}, "inconclusive", "slices_missing"),
    ("kind: slice_floor, value: 0.7, columns: [city]", {}, "inconclusive", "slices_missing"),
    ("kind: slice_floor, value: 0.7, metric: mcc", {}, "inconclusive", "metric_undefined"),
    (SLICES + ", metric: mcc", {}, "inconclusive", "metric_undefined"),
    (SLICES, {}, "pass", "gate_passed"),
    (SLICES, {"slices": slices(0.0, -0.2)}, "fail", "slice_regressed"),
    (SLICES, {"slices": slices(0.0, -0.05)}, "inconclusive", "evidence_insufficient"),
    (SLICES, {"missing": EMPTY, "slices": {}}, "pass", "no_champion"),
    (NOT_WORSE, {"differences": UNTOLD}, "inconclusive", "interval_unknown"),
    (SLICES, {"missing": LOST}, "inconclusive", "baseline_missing"),
    (GAP + ", value: 0.2", {}, "pass", "gate_passed"),
    (GAP + ", value: 0.11", {}, "inconclusive", "evidence_insufficient"),
    (GAP + ", value: 0.05", {}, "fail", "group_gap_exceeded"),
    (GAP + ", value: 0.05", {"gaps": {}}, "inconclusive", "group_column_missing"),
    (SIZE + ", value: 1000.0", {}, "pass", "gate_passed"),
    (SIZE + ", value: 999.0", {}, "fail", "operating_exceeded"),
    (SIZE + ", times: 1.3, against: production", {}, "pass", "gate_passed"),
    (SIZE + ", times: 1.1, against: production", {}, "fail", "operating_exceeded"),
    (SIZE + ", times: 1.1, against: production", {"missing": EMPTY}, "pass", "no_champion"),
    ("kind: operating, name: row_p99_ms, value: 9.0", {}, "inconclusive", "operating_unknown"),
    ("kind: data_contract", {}, "pass", "gate_passed"),
    ("kind: data_contract", {"contract": False}, "fail", "contract_violated"),
    ("kind: data_contract", {"contract": None}, "inconclusive", "contract_missing"),
    ("kind: architecture, allowed: [aarch64]", {}, "pass", "gate_passed"),
    ("kind: architecture, allowed: [x86_64]", {}, "fail", "architecture_refused"),
    ("kind: maximum_age, days: 30.0", {}, "pass", "gate_passed"),
    ("kind: maximum_age, days: 3.0", {}, "fail", "data_too_old"),
    ("kind: maximum_age, days: 3.0", {"newest_age_days": None}, "inconclusive", "age_unknown"),
    ("kind: train_test_overlap, value: 0.01", {}, "pass", "gate_passed"),
    ("kind: train_test_overlap, value: 0.0", {}, "fail", "overlap_exceeded"),
    ("kind: train_test_overlap, value: 0.0", {"overlap": None}, "inconclusive", "overlap_unknown"),
    (CONDITION, {}, "inconclusive", "evidence_insufficient"),
    (CONDITION + ", mode: fn_free", {}, "pass", "gate_passed"),
    (CONDITION, {"accuracies": {"production": (0.9, 0.8, 0.1)}}, "pass", "gate_passed"),
    (CONDITION, {"accuracies": {"production": (0.7, 0.8, 0.1)}}, "fail", "condition_failed"),
    (CONDITION, {"n_test": 100}, "inconclusive", "testset_too_small"),
    (CONDITION, {"accuracies": {}}, "inconclusive", "condition_unsupported"),
    (CONDITION, {"missing": EMPTY}, "pass", "no_champion"),
    ('kind: condition, condition: "n > 0.7 +/- 0.1", reliability: 0.9', {"missing": LOST}, "pass", "gate_passed"),
]


@pytest.mark.parametrize(("gate", "changes", "verdict", "code"), TABLE)
def test_verdicts(gate: str, changes: dict, verdict: str, code: str) -> None:
    (placed,) = some_gates(f"{{id: g, {gate}}}").gates
    found = judge(placed, evidence(**changes), "block")
    assert (found.verdict, found.reason_code) == (verdict, code), found.sentence
    assert (found.gate, found.file, found.line, found.blocks) == ("g", "policies/gates.yaml", 3, True)
    assert found.sentence.endswith(".") and ".." not in found.sentence
    assert found.next_step == ("" if found.verdict == "pass" else REASONS[code])


def test_every_reason_code_is_on_the_list_and_has_a_test() -> None:
    budget_codes = {"testset_exhausted"}
    assert {code for _, _, _, code in TABLE} | budget_codes == set(REASONS)
    assert all(hint.endswith(".") for code, hint in REASONS.items() if code != "gate_passed")


@pytest.mark.parametrize(
    ("gate", "policy", "blocks"),
    [
        ("", "block", True),
        ("", "allow", False),
        (", inconclusive: allow", "block", False),
        (", inconclusive: block", "allow", True),
        (", blocking: false", "block", False),
    ],
)
def test_the_policy_says_what_inconclusive_does(gate: str, policy: str, blocks: bool) -> None:
    (placed,) = some_gates(f"{{id: g, {NOT_WORSE}{gate}}}").gates
    assert judge(placed, evidence(-0.015), policy).blocks is blocks


def test_an_allowed_inconclusive_gate_still_blocks_when_it_fails() -> None:
    (placed,) = some_gates(f"{{id: g, {NOT_WORSE}, inconclusive: allow}}").gates
    assert judge(placed, evidence(-0.05), "block").blocks is True


def test_inconclusive_says_how_many_rows_would_settle_it() -> None:
    """At half the half-width four times the rows reach the limit; 80 % power takes 2.04 times that."""
    (placed,) = some_gates(f"{{id: g, {NOT_WORSE}}}").gates
    found = judge(placed, evidence(-0.015), "block")
    assert found.rows_needed == pytest.approx((4 * 2.043 - 1) * 2000, rel=0.05)
    assert f"{found.rows_needed:,} more labelled rows" in found.sentence


def test_a_value_on_the_limit_is_not_promised_to_be_settled() -> None:
    (placed,) = some_gates("{id: g, kind: floor, value: 0.9}").gates
    found = judge(placed, evidence(), "block")
    assert found.rows_needed is None and "No reasonable number" in found.sentence


def test_the_worst_slice_is_named_first_and_holm_spares_a_lucky_worst() -> None:
    """Of 40 slices without a real loss the worst lies two standard errors down: not one of them fails."""
    (placed,) = some_gates("{id: g, kind: slice_non_inferiority, against: production, margin: 0.0}").gates
    unlucky = slices(*[0.01] * 39, -0.0115)
    assert judge(placed, evidence(slices=unlucky), "block").verdict == "inconclusive"
    assert judge(placed, evidence(slices=unlucky, correction="none"), "block").verdict == "fail"
    assert (
        "Worst slice: roc_auc against production on country = 39"
        in judge(placed, evidence(slices=unlucky), "block").sentence
    )


def judged(line: str, **changes: object):
    """The result of one gate."""
    (placed,) = some_gates(f"{{id: x, {line}}}").gates
    return judge(placed, evidence(**changes), "block")


def test_data_that_are_young_enough_say_until_when() -> None:
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    result = judged("kind: maximum_age, days: 30.0", judged_at=now)
    assert (result.valid_until, result.sentence) == (
        "2026-12-13T12:00:00Z",
        "The newest row is 10 days old, at most 30; that holds until 2026-12-13.",
    )
    assert judged("kind: maximum_age, days: 3.0", judged_at=now).valid_until is None
    assert judged("kind: maximum_age, days: 1e9", judged_at=now).verdict == "pass"


def test_a_condition_that_cannot_be_told_says_how_many_rows_and_labels_would_settle_it() -> None:
    few = judged('kind: condition, reliability: 0.99, steps: 1, condition: "n - o > 0.02 +/- 0.03"')
    assert few.rows_needed is not None and few.reason_code == "testset_too_small"
    assert f"{few.rows_needed:,} rows more would settle it" in few.sentence
    labels = math.ceil(few.rows_needed * 0.09)
    assert f"those need a label on which the models differ: about {labels:,}." in few.sentence
    unclear = judged('kind: condition, reliability: 0.9, steps: 1, condition: "n - o > 0.02 +/- 0.07"')
    assert unclear.reason_code == "evidence_insufficient" and unclear.rows_needed is not None
    assert "With +/- 0.03 it could be told on" in unclear.sentence
    on_it = judged('kind: condition, reliability: 0.9, steps: 1, condition: "n - o > 0.05 +/- 0.07"')
    assert on_it.rows_needed is None and "on the threshold itself" in on_it.sentence


def test_a_condition_counts_rows_of_a_group_as_one() -> None:
    (placed,) = some_gates(f"{{id: g, {CONDITION}}}").gates
    alone, grouped = (judge(placed, evidence(n_test=n, independent=k), "block") for n, k in ((5000, None), (5000, 20)))
    assert alone.reason_code != "testset_too_small" and grouped.reason_code == "testset_too_small"
    assert "which count as 20" in grouped.sentence


def test_a_condition_promises_nothing_beyond_its_steps_or_after_its_first_pass() -> None:
    """ease.ml/ci, `first_change`: a new test set is required after the first pass."""
    wide = 'kind: condition, reliability: 0.9, condition: "n - o > 0.01 +/- 0.03"'

    def used(n: int) -> tuple[Budget, ...]:
        return (Budget(test_rows_digest="x", metric="roc_auc", used=n, allowed=None),)

    assert judged(f"{wide}, steps: 3", budget=used(3)).reason_code != "testset_exhausted"
    spent = judged(f"{wide}, steps: 3", budget=used(4))
    assert (spent.verdict, spent.reason_code) == ("fail", "testset_exhausted") and "number 4" in spent.sentence
    once = f"{wide}, steps: 9, adaptivity: first_change"
    assert judged(once, budget=used(2)).reason_code != "testset_exhausted"
    retired = judged(once, budget=used(2), passed=("x",))
    assert retired.reason_code == "testset_exhausted" and "retired" in retired.sentence
    assert judged(f"{wide}, steps: 9", budget=used(2), passed=("x",)).reason_code != "testset_exhausted"
