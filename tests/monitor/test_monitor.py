"""What `mlbot monitor` promises: as many false alarms as you allow, real drift seen, odd input said plainly."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import bot.monitor.drift
from bot.cli import run
from bot.monitor import judge as judging
from bot.monitor.drift import TESTS
from bot.monitor.judge import Settings, judge
from bot.monitor.sample import sample
from bot.records.health import Health
from tests import real_data
from tests.monitor.windows import drawn, source

MONTHLY, WINDOWS = 3.0, 30.0  # one undrifted window in ten may alarm


@pytest.fixture(scope="module")
def flights(tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    root = real_data.fetch(tmp_path_factory.mktemp("data"))
    return pq.read_table(root / "data/flights/2013-01.parquet").drop_columns(["flight_id", "scheduled"])


def health(reference: pa.Table, current: pa.Table, **settings) -> Health:
    return judge("flights", source(reference), source(current), Settings(MONTHLY, WINDOWS, **settings))


def replaced(table: pa.Table, column: str, values) -> pa.Table:
    return table.set_column(table.column_names.index(column), column, pa.array(values, table[column].type))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "permutations_for", lambda alpha: 99)


def test_drift_of_one_column_is_seen_and_named(flights, quick):
    reference, current = drawn(flights, 0, 2000, 1000)
    minutes = current["sched_dep_minute"].to_numpy()
    found = health(reference, replaced(current, "sched_dep_minute", minutes + 60))
    assert found.status == "alarm"
    assert found.drift[0].alarm and found.drift[0].column == "sched_dep_minute"
    assert len({one.column for one in found.drift if one.alarm}) <= 2, "another one may look odd by chance"


def test_values_that_go_missing_are_seen(flights, quick):
    reference, current = drawn(flights, 1, 2000, 1000)
    gone = np.random.default_rng(0).random(1000) < 0.08
    values = [None if lost else one for lost, one in zip(gone, current["distance"].to_pylist(), strict=True)]
    found = health(reference, replaced(current, "distance", values))
    assert ("distance", "missing") in {(one.column, one.test) for one in found.drift if one.alarm}


def test_a_shift_of_the_label_is_called_one(flights, quick):
    reference, current = drawn(flights, 2, 2000, 1000)
    outcome = np.where(np.random.default_rng(0).random(1000) < 0.2, "late", current["outcome"].to_pylist())
    found = health(reference, replaced(current, "outcome", outcome.tolist()), target="outcome")
    assert [one.role for one in found.drift if one.alarm] == ["target"]


def test_performance_that_falls_alarms_with_its_interval(flights, quick):
    reference, current = drawn(flights, 3, 2000, 1000)
    tables = [side.append_column("said", side["outcome"]) for side in (reference, current)]
    flipped = np.where(np.random.default_rng(0).random(1000) < 0.1, "on_time", current["outcome"].to_pylist())
    found = health(tables[0], replaced(tables[1], "said", flipped.tolist()), target="outcome", prediction="said")
    (one,) = found.performance
    assert one.alarm and 0 < one.low < one.worse < one.high and found.budget.families == ("drift", "performance")


def test_rows_beyond_the_sample_are_counted_all_the_same(flights, quick, monkeypatch):
    reference, current = drawn(flights, 4, 3000, 3000)
    whole = health(reference, current)
    monkeypatch.setattr(judging, "MOST_SAMPLED", 400)
    sampled = health(reference, current)
    assert (sampled.current.rows, sampled.current.sampled) == (3000, 400)
    effects = [{(one.column, one.test): one.effect for one in found.drift} for found in (whole, sampled)]
    assert effects[0]["temp", "Neyman"] == pytest.approx(effects[1]["temp", "Neyman"], abs=0.02)


def test_a_sample_is_uniform_over_the_stream():
    batches = pa.table({"x": np.arange(20_000)}).to_batches(max_chunksize=700)
    table, seen = sample(batches, 1000, 0)
    assert (seen, table.num_rows) == (20_000, 1000)
    assert abs(table["x"].to_numpy().mean() - 10_000) < 4 * 20_000 / np.sqrt(12 * 1000)


def test_every_test_file_is_listed():
    files = {one.stem for one in Path(bot.monitor.drift.__path__[0]).glob("*.py")} - {"__init__", "interface"}
    assert {one.judge.__module__.rsplit(".", 1)[1] for one in TESTS} == files


def noise(rows: int, seed: int = 0) -> pa.Table:
    generator = np.random.default_rng(seed)
    kind = generator.choice(["a", "b"], rows).tolist()
    return pa.table(
        {"id": pa.array(range(rows)), "x": generator.normal(size=rows), "kind": pa.array(kind, pa.string())}
    )


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    pq.write_table(noise(400), "before.parquet")
    return tmp_path


def monitored(capsys, *words: str) -> tuple[int, dict]:
    code = run(["monitor", "--reference", "before.parquet", "--json", *words])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("table", "code", "note"),
    [
        (noise(0), 5, "no_traffic"),
        (noise(20), 5, "too_few_rows"),
        (noise(50, 1), 0, "few_rows"),
        (noise(400, 1).drop_columns(["kind"]), 4, "column_gone"),
        (noise(400, 1).append_column("new", pa.array(range(400))), 0, "column_new"),
        (replaced(noise(400, 1), "kind", [None] * 400), 4, None),
        (noise(400, 1).set_column(1, "x", pa.array(["word"] * 400)), 4, "type_changed"),
        (noise(400, 1).set_column(1, "x", pa.array([[1]] * 400)), 0, "not_tested"),
    ],
    ids=["no rows", "20 rows", "50 rows", "column gone", "column new", "all missing", "number to text", "lists"],
)
def test_unusual_tables_have_a_stated_end(here, capsys, table, code, note):
    pq.write_table(table, "after.parquet")
    found, record = monitored(capsys, "--current", "after.parquet", "--id", "id")
    assert found == code
    assert note is None or note in {one["code"] for one in record["notes"]}
    assert Health.parse(json.dumps(record).encode(), source="health").status in ("healthy", "alarm", "unknown")


def test_no_labels_is_said_and_the_rest_is_judged(here, capsys):
    pq.write_table(noise(400).append_column("y", pa.array([1.0] * 400)), "before.parquet")
    pq.write_table(noise(400, 1), "after.parquet")
    code, record = monitored(capsys, "--current", "after.parquet", "--id", "id", "--target", "y", "--prediction", "x")
    assert (code, record["performance"]) == (0, [])
    assert "no_labels" in {one["code"] for one in record["notes"]}


def test_a_repeated_id_counts_once(here, capsys):
    pq.write_table(pa.concat_tables([noise(400, 1), noise(400, 1).slice(0, 150)]), "after.parquet")
    code, record = monitored(capsys, "--current", "after.parquet", "--id", "id")
    assert (code, record["current"]["duplicates"]) == (0, 150)


def test_csv_against_parquet(here, capsys):
    pyarrow.csv.write_csv(noise(400, 1), "after.csv")
    assert monitored(capsys, "--current", "after.csv", "--id", "id")[0] == 0


def test_the_table_names_the_false_alarms_that_were_allowed(here, capsys):
    pq.write_table(noise(400, 1), "after.parquet")
    words = ["--false-alarms-per-month", "1", "--windows-per-month", "4"]
    assert (
        run(["monitor", "--reference", "before.parquet", "--current", "after.parquet", "--ignore", "id", *words]) == 0
    )
    assert "expect at most 1 false alarms a month (0.8 by its level): 0.25 a window" in " ".join(
        capsys.readouterr().out.split()
    )


def _cut(path: str) -> None:
    pq.write_table(noise(400), path)
    Path(path).write_bytes(Path(path).read_bytes()[:-200])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--current", "cut.parquet"], "cut short"),
        (["--current", "nowhere.parquet"], "there is no table"),
        (["--current", "before.parquet", "--target", "nothing"], "no column 'nothing'"),
        (["--current", "before.parquet", "--id", "nothing"], "'nothing' is not there"),
        (["--current", "before.parquet", "--alarm-when", "3/2"], "is no rule"),
        (["--current", "before.parquet", "--probability", "yes"], "names no column"),
        (["--current", "before.parquet", "--past", "nowhere.json"], "nowhere.json"),
        (["--current", "before.parquet", "--past", "cut.parquet"], "not a Health record"),
        (["--current", "before.parquet", "--false-alarms-per-month", "30"], "every window may alarm"),
        ([], "two tables are needed"),
    ],
)
def test_bad_input_is_told_apart_from_a_bug(here, capsys, words, said):
    _cut("cut.parquet")
    assert run(["monitor", "--reference", "before.parquet", *words]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("target", "predicted", "task"),
    [
        (["a", "b"], ["a", "b"], "classification"),
        ([True, False], [True, False], "classification"),
        ([0, 1], [0, 1], "classification"),
        ([1.0, 0.0], [0.0, 1.0], "classification"),
        ([0, 1], [0.2, 0.9], "regression"),
        ([1, 5, 3], [1.4, 4.9, 3.0], "regression"),
        (list(range(40)), list(range(40)), "regression"),
        ([0.5, 1.25], [0.5, 1.0], "regression"),
    ],
    ids=[
        "words",
        "truth values",
        "0 and 1",
        "floats of classes",
        "0 and 1 with scores",
        "whole",
        "counts",
        "fractions",
    ],
)
def test_a_target_of_numbers_is_taken_for_what_it_is_and_the_report_says_so(target, predicted, task):
    rows = pa.table({"x": list(range(200)), "y": (target * 200)[:200], "said": (predicted * 200)[:200]})
    found = health(rows, rows, target="y", prediction="said")
    assert found.task == task
    assert [one.metric for one in found.performance] == ["accuracy" if task == "classification" else "mae"]
    is_number = not isinstance(target[0], (str, bool))
    assert ("task_guessed" in {one.code for one in found.notes}) == is_number


def test_what_is_said_of_the_task_holds(here, capsys):
    for name in ("before", "after"):
        pq.write_table(pa.table({"y": [0, 1] * 100, "said": [0, 1] * 100, "x": range(200)}), f"{name}.parquet")
    words = ["--current", "after.parquet", "--target", "y", "--prediction", "said", "--task", "regression"]
    record = monitored(capsys, *words)[1]
    assert (record["task"], record["performance"][0]["metric"]) == ("regression", "mae")
    assert "task_guessed" not in {one["code"] for one in record["notes"]}


def test_a_regression_that_gets_worse_alarms_and_its_error_is_not_guessed_without_labels():
    generator = np.random.default_rng(0)
    truth, error = generator.normal(size=2000), generator.normal(size=2000)
    before = pa.table({"x": generator.normal(size=2000), "y": truth, "said": truth + error})
    after = pa.table({"x": generator.normal(size=2000), "y": truth, "said": truth + 1.3 * error})
    (one,) = health(before, after, target="y", prediction="said").performance
    assert one.alarm and one.metric == "mae" and one.p_value <= 0.01
    unlabelled = health(before, after.drop_columns(["y"]), target="y", prediction="said")
    assert {"no_labels", "not_estimated"} <= {note.code for note in unlabelled.notes}


def test_a_reference_of_fifty_rows_is_judged_with_its_limits_said(flights):
    """Only large drift shows, false alarms come in series: both are said; large drift is seen."""
    reference, current = drawn(flights, 6, 50, 1000)
    found = health(reference, current)
    assert {"few_rows", "reference_small"} <= {one.code for one in found.notes} and found.smallest_detectable > 0.25
    assert found.status == "healthy"
    moved = health(reference, replaced(current, "distance", current["distance"].to_numpy() * 4))
    assert moved.status == "alarm" and moved.drift[0].column == "distance"


def test_probabilities_give_an_estimate_and_never_an_alarm(here, capsys):
    generator = np.random.default_rng(0)

    def answers(rows: int, spread: float) -> pa.Table:
        score = generator.normal(size=rows) * spread
        chance = 1 / (1 + np.exp(-score))
        happened = np.where(generator.random(rows) < chance, "yes", "no").tolist()
        return pa.table({"y": happened, "p": chance, "said": np.where(chance >= 0.5, "yes", "no").tolist()})

    pq.write_table(answers(2000, 2.0), "before.parquet")
    pq.write_table(answers(1000, 1.0).drop_columns(["y"]), "after.parquet")
    words = ["--target", "y", "--prediction", "said", "--probability", "yes=p"]
    code, record = monitored(capsys, "--current", "after.parquet", *words, "--ignore", "p", "--ignore", "said")
    found = {one["metric"]: one for one in record["estimated"]}
    assert set(found) == {"accuracy", "f1", "roc_auc"} and code == 5  # nothing else was there to judge
    assert found["accuracy"]["high"] < found["accuracy"]["reference"]
    run(["monitor", "--reference", "before.parquet", "--current", "after.parquet", *words])
    assert "ESTIMATED without labels: accuracy" in capsys.readouterr().out


def test_past_windows_are_read_from_the_records_that_json_prints(here, capsys):
    shifted = noise(400, 1)
    pq.write_table(replaced(shifted, "x", shifted["x"].to_numpy() + 1), "after.parquet")
    words = ["--current", "after.parquet", "--ignore", "id", "--alarm-when", "2/3"]
    code, first = monitored(capsys, *words)
    assert (code, first["raised"], first["status"]) == (0, True, "healthy")
    Path("first.json").write_text(json.dumps(first))
    assert monitored(capsys, *words, "--past", "first.json")[0] == 4
