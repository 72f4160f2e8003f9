"""The whole stage on a small table, with predictors that are formulas."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from bot.errors import UserError
from bot.evaluate.lent import Before, Loaders
from bot.evaluate.step import evaluate
from bot.records.evaluation import NOTHING_DEPLOYED, Evaluation
from bot.records.plan import DataFile
from bot.records.training import Training
from bot.specs.contract import read_contract
from bot.specs.gates import read_gates
from tests.evaluate.worlds import CHAMPION, SPEC, Formula, a_spec, a_table, some_gates, trained

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


def without_times(found: Evaluation) -> Evaluation:
    """The evaluation without what a clock measured."""
    assert found.measured is not None
    timeless = {name: one.model_copy(update={"operating": {}}) for name, one in found.measured.baselines.items()}
    measured = found.measured.model_copy(update={"baselines": timeless})
    return found.model_copy(update={"operating": {}, "measured": measured})


def test_the_same_inputs_give_the_same_numbers(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    one, other = (run(tmp_path / name, Formula(noise=1.0)) for name in "ab")
    assert without_times(one) == without_times(other)


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


def test_changed_data_are_reported_and_twins_of_training_rows_counted(tmp_path: Path) -> None:
    table, training = a_table(), trained(a_table())
    old = table.slice(100)
    loaders = Loaders(
        lambda spec, data, columns: old if data.name == "old" else table,
        lambda folder, training: Formula(),
        time.perf_counter,
    )
    before = Before((DataFile(path="data/churn.parquet", md5="f" * 32),), tmp_path / "old")
    result = evaluate(
        a_spec(), training, tmp_path, tmp_path / "new", {}, some_gates(NOT_WORSE), loaders=loaders, before=before
    )
    sections = {one.id: one for one in result.sections}
    assert ("added", "100", "") in sections["data_rows"].rows
    assert sections["data_readers"].rows == (("churn", "3"),)
    assert sections["train_test_overlap"].rows[1] == ("the same inputs", "0", "0.00%")


def test_equal_data_make_no_change_report(tmp_path: Path) -> None:
    training = trained(a_table())
    loaders = Loaders(lambda spec, data, columns: a_table(), lambda folder, training: Formula(), time.perf_counter)
    before = Before(training.data_files, tmp_path)
    result = evaluate(a_spec(), training, tmp_path, tmp_path, {}, some_gates(NOT_WORSE), loaders=loaders, before=before)
    assert not {"data_rows", "data_files"} & {one.id for one in result.sections}


@pytest.mark.parametrize(
    ("best", "shown"), [({}, "released"), ({"roc_auc": 0.5}, "released"), ({"roc_auc": 0.99}, "withheld")]
)
def test_the_ladder_releases_only_what_beats_the_best_so_far(tmp_path: Path, best: dict, shown: str) -> None:
    gates = some_gates(NOT_WORSE, head="version: 1\nbudget: {steps: 7, ladder: true}\n")
    assert run(tmp_path, None, gates=gates, best=best).budget[0].ladder == shown


def test_a_contract_that_does_not_hold_fails_its_gate_and_is_shown(tmp_path: Path) -> None:
    contract = read_contract(b"columns: {age: {dtype: float64, checks: {less_than: 45}}}", "schema.yaml")
    gates = some_gates(NOT_WORSE, "{id: contract, kind: data_contract}")
    result = run(tmp_path, None, gates=gates, contract=contract)
    assert (result.verdict, result.gates[1].reason_code) == ("fail", "contract_violated")
    section = next(one for one in result.sections if one.id == "data_contract")
    assert section.rows[0][0].startswith("age: ")


TASKS = {
    "multiclass": b"task: multiclass\nmetrics: {primary: log_loss, also: [f1_macro, cost], "
    b"cost: {DE: {FR: 2}, FR: {DE: 1}}}\n",
    "regression": b"task: regression\nmetrics: {primary: neg_mean_absolute_error, also: [rmse, pinball_0.9], "
    b"unit: EUR}\n",
}


@pytest.mark.parametrize("task", list(TASKS))
def test_other_tasks_are_evaluated_the_same_way(tmp_path: Path, task: str) -> None:
    target = b"country" if task == "multiclass" else b"spend"
    lines = [line for line in SPEC.splitlines() if not line.startswith((b"task", b"metrics", b"slices", b"estimator"))]
    text = (
        b"\n".join(lines)
        .replace(b"target: left", b"target: " + target)
        .replace(b"numeric: [age, spend]", b"numeric: [age]")
    )
    text = text.replace(b", categorical: [country]", b"") + b"\nslices: [left]\n" + TASKS[task]
    name = b"LogisticRegression" if task == "multiclass" else b"Ridge"
    spec, table = a_spec(text + b"estimator: " + name + b"\n"), a_table(1500)
    classes = ("DE", "FR", "IT") if task == "multiclass" else None
    training = trained(table, spec, task=task, classes=classes, threshold=None, inputs=("age",), target=target.decode())
    training = training.model_copy(update={"columns": training.columns[:1]})

    class Constant:
        inputs = ("age",)

        def __init__(self, by: float) -> None:
            self.by, self.classes = by, classes

        def probabilities(self, rows):
            first = np.clip(0.3 + self.by * rows["age"].to_numpy() / 1000, 0, 1)
            return None if classes is None else np.stack([first, (1 - first) / 2, (1 - first) / 2], axis=1)

        def predict(self, rows):
            return self.by * rows["age"].to_numpy() / 40 if classes is None else np.full(len(rows), "DE")

    folder = tmp_path / "champion"
    folder.mkdir()
    (folder / "training.json").write_bytes(training.canonical())
    loaders = Loaders(
        lambda spec, data, columns: table,
        lambda where, _: Constant(9.0 if where.name == "champion" else 0.1),
        time.perf_counter,
    )
    result = evaluate(
        spec, training, tmp_path, tmp_path, {"production": folder}, read_gates(SHIPPED.read_bytes()), loaders=loaders
    )
    production = {one.metric: one for one in result.comparisons if one.baseline == "production"}
    assert set(production) == ({"log_loss", "f1_macro", "cost"} if classes else {"mae", "rmse", "pinball_0.9"})
    assert production["log_loss" if classes else "mae"].high < 0
    assert result.primary_metric == ("log_loss" if classes else "mae")
    units = {one.name: one.unit for one in result.metrics}
    assert units.items() >= ({"log_loss": "nats"} if classes else {"mae": "EUR", "rmse": "EUR", "mape": ""}).items(), (
        units
    )
    gates = {gate.gate: gate for gate in result.gates}
    name = "not_worse_than_production" + ("" if classes else "_regression")
    assert gates[name].reason_code == "gate_passed"
    assert Evaluation.parse(result.canonical(), source="x") == result


class Broken(Formula):
    """Answers one row with a value that is not finite."""

    def probabilities(self, table):
        found = super().probabilities(table)
        found[0] = np.nan
        return found


def test_a_candidate_whose_answers_are_not_finite_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"answers 1 of .* test rows with a value that is not finite"):
        run(tmp_path, None, candidate=Broken())


def test_a_champion_whose_answers_are_not_finite_is_not_compared_with(tmp_path: Path) -> None:
    result = run(tmp_path, Broken())
    assert (result.verdict, result.missing_baselines[0].code) == ("inconclusive", "not_scored")


def test_a_champion_of_another_split_is_named(tmp_path: Path) -> None:
    table = a_table()
    training, folder = trained(table), tmp_path / "champion"
    folder.mkdir()
    theirs = training.model_copy(update={"test_rows_digest": "sha256:" + "1" * 64})
    (folder / "training.json").write_bytes(theirs.canonical())
    loaders = Loaders(lambda spec, data, columns: table, lambda where, _: Formula(), time.perf_counter)
    where = {"production": folder}
    result = evaluate(a_spec(), training, tmp_path, tmp_path, where, some_gates(NOT_WORSE), loaders=loaders)
    assert "other_split" in {one.id for one in result.sections}


@pytest.mark.parametrize(("base", "named"), [(150, False), (140, True), (None, True)])
def test_a_champion_of_the_same_split_of_fewer_rows_is_not_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: int | None, named: bool
) -> None:
    """The champion was trained when the data had 150 rows; the base commit's data are those, others, or not at hand."""
    from bot.evaluate import step

    table, folder = a_table(), tmp_path / "champion"
    training, theirs = trained(table), trained(table.slice(0, 150))
    folder.mkdir()
    (folder / "training.json").write_bytes(theirs.canonical())
    known = None if base is None else table["id"].slice(0, base)
    monkeypatch.setattr(step, "known_ids", lambda *_: known)
    loaders = Loaders(lambda spec, data, columns: table, lambda where, _: Formula(), time.perf_counter)
    where = {"production": folder}
    result = evaluate(a_spec(), training, tmp_path, tmp_path, where, some_gates(NOT_WORSE), loaders=loaders)
    assert ("other_split" in {one.id for one in result.sections}) is named


def test_a_slice_of_one_class_has_no_value_and_a_note(tmp_path: Path) -> None:
    spec = a_spec(SPEC.replace(b"slices: [country, {columns: age, bins: 2}]", b"slices: [left]"))
    loaders = Loaders(lambda spec, data, columns: a_table(), lambda where, _: Formula(), time.perf_counter)
    training = trained(a_table(), spec)
    result = evaluate(spec, training, tmp_path, tmp_path, {}, some_gates(NOT_WORSE), loaders=loaders)
    assert [(one.value, one.note) for one in result.slices] == [(None, "one class only")] * 2


def grouped_by(column: bytes):
    with_group = SPEC.replace(b"row_id: id}", b"row_id: id, group: " + column + b"}")
    return a_spec(with_group.replace(b"method: random", b"method: group"))


def test_rows_of_few_groups_prove_nothing(tmp_path: Path) -> None:
    spec = grouped_by(b"country")
    table = a_table()
    letters = np.random.default_rng(0).choice(list("ABCDEF"), len(table))
    table = table.set_column(3, "country", pa.array(letters.astype(str)))
    loaders = Loaders(lambda spec, data, columns: table, lambda where, _: Formula(), time.perf_counter)
    training = trained(table, spec)
    with pytest.raises(UserError, match="fewer than 5 groups of country"):
        evaluate(spec, training, tmp_path, tmp_path, {}, some_gates(NOT_WORSE), loaders=loaders)


def test_a_slice_of_few_groups_is_not_judged(tmp_path: Path) -> None:
    spec = grouped_by(b"person")
    table = a_table()
    number = np.arange(len(table))
    german = table["country"].to_numpy(zero_copy_only=False) == "DE"
    person = np.where(german, number % 4, 4 + number // 4)
    table = table.append_column("person", pa.array(person))
    loaders = Loaders(lambda spec, data, columns: table, lambda where, _: Formula(), time.perf_counter)
    result = evaluate(spec, trained(table, spec), tmp_path, tmp_path, {}, some_gates(NOT_WORSE), loaders=loaders)
    assert {one.note for one in result.slices if one.slice == "country = DE"} == {"fewer than 5 groups"}
    assert any(one.value is not None for one in result.slices if one.slice == "country = FR")
