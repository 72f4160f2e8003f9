"""The whole stage on a small table, with predictors that are formulas."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bot.errors import UserError
from bot.evaluate.lent import Loaders
from bot.evaluate.step import evaluate
from bot.records.evaluation import NOTHING_DEPLOYED, Evaluation
from bot.records.training import Training
from bot.specs.gates import read_gates
from tests.evaluate.worlds import CHAMPION, Formula, a_spec, a_table, some_gates, trained

NOT_WORSE = "{id: not_worse, kind: non_inferiority, against: production, margin: 0.02}"
SHIPPED = Path("policies/gates.yaml")


def run(tmp_path: Path, champion: object, candidate: Formula | None = None, gates=None, **changes) -> Evaluation:
    """Evaluate a formula against a champion: a Formula, or a reason."""
    table, where = a_table(), NOTHING_DEPLOYED if champion is None else champion
    training = trained(table)
    if isinstance(champion, Formula):
        where = tmp_path / "champion"
        where.mkdir()
        theirs = training.model_copy(update={"artifact_digest": CHAMPION})
        (where / "training.json").write_bytes(theirs.canonical())

    def load(folder: Path, _: Training | None) -> Formula:
        return champion if folder.name == "champion" else candidate or Formula()

    loaders = Loaders(lambda spec, data, columns: table, load, time.perf_counter)
    gates = gates or some_gates(NOT_WORSE)
    baselines = {"production": where}
    return evaluate(a_spec(), training, tmp_path / "new", tmp_path, baselines, gates, loaders=loaders, **changes)


def test_a_better_candidate_passes_and_says_by_how_much(tmp_path: Path) -> None:
    result = run(tmp_path, Formula(noise=1.5))
    (gate,) = result.gates
    assert (result.verdict, gate.reason_code, gate.line) == ("pass", "gate_passed", 3)
    one = next(one for one in result.comparisons if one.metric == "roc_auc" and one.baseline == "production")
    assert one.low > 0.02 and one.baseline_artifact_digest == CHAMPION and 0 < one.n_differ < one.n
    assert {one.baseline for one in result.comparisons} == {"production", "dummy", "linear"}


def test_a_worse_candidate_fails(tmp_path: Path) -> None:
    result = run(tmp_path, Formula(), candidate=Formula(noise=3.0))
    assert (result.verdict, result.gates[0].reason_code) == ("fail", "metric_regressed")


def test_the_first_model_ever_passes_the_shipped_gates(tmp_path: Path) -> None:
    result = run(tmp_path, None, gates=read_gates(SHIPPED.read_bytes()))
    assert result.verdict == "pass", [gate for gate in result.gates if gate.verdict != "pass"]
    assert {gate.reason_code for gate in result.gates} >= {"no_champion", "gate_passed"}


def test_a_champion_that_cannot_be_scored_is_never_a_pass(tmp_path: Path) -> None:
    result = run(tmp_path, "its artifact is gone")
    assert (result.verdict, result.gates[0].reason_code) == ("inconclusive", "baseline_missing")
    assert "its artifact is gone" in result.gates[0].sentence
    assert result.missing_baselines[0].code == "not_scored"


def test_a_champion_that_needs_a_lost_column_is_named_with_the_reason(tmp_path: Path) -> None:
    class Broken(Formula):
        def probabilities(self, table):
            raise UserError("the column 'income' is not there")

    result = run(tmp_path, Broken())
    assert result.missing_baselines[0].reason == "the column 'income' is not there"


def test_the_record_survives_the_trip_through_json(tmp_path: Path) -> None:
    result = run(tmp_path, Formula(noise=1.0), run={"id": 7})
    assert Evaluation.parse(result.canonical(), source="x") == result


def test_the_same_inputs_give_the_same_numbers(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    one, other = (run(tmp_path / name, Formula(noise=1.0)) for name in "ab")
    assert one.model_copy(update={"operating": {}}) == other.model_copy(update={"operating": {}})


def test_slices_come_worst_first_with_their_crossings(tmp_path: Path) -> None:
    result = run(tmp_path, Formula(noise=1.0))
    differences = [one.comparison.difference for one in result.slices if one.comparison]
    assert differences == sorted(differences)
    names = {one.slice for one in result.slices}
    assert "country = DE" in names and any(name.startswith("country × age = DE, below") for name in names)


def test_a_spent_test_set_closes_the_gate(tmp_path: Path) -> None:
    gates = some_gates(NOT_WORSE, head="version: 1\nbudget: {steps: 7}\n")
    still = run(tmp_path, None, gates=gates, uses={"roc_auc": 6})
    assert (still.verdict, still.budget[0].used, still.budget[0].allowed) == ("pass", 7, 7)
    spent = run(tmp_path, None, gates=gates, uses={"roc_auc": 7})
    assert (spent.verdict, spent.gates[-1].reason_code, spent.gates[-1].line) == ("fail", "testset_exhausted", 2)


@pytest.mark.parametrize("kind", ["row", "thousand"])
def test_latency_is_measured(tmp_path: Path, kind: str) -> None:
    operating = run(tmp_path, None).operating
    assert 0 < operating[f"{kind}_p50_ms"] <= operating[f"{kind}_p99_ms"]


def test_other_test_rows_than_those_left_out_are_refused(tmp_path: Path) -> None:
    training = trained(a_table()).model_copy(update={"test_rows_digest": "sha256:" + "0" * 64})
    loaders = Loaders(lambda spec, data, columns: a_table(), lambda folder, training: Formula(), time.perf_counter)
    with pytest.raises(UserError, match="not those that its training left out"):
        evaluate(a_spec(), training, tmp_path, tmp_path, {}, some_gates(NOT_WORSE), loaders=loaders)
