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
from bot.monitor.judge import Settings, Source, judge
from bot.monitor.sample import sample
from bot.records.health import Health
from tests import real_data

MONTHLY, WINDOWS = 3.0, 30.0  # one undrifted window in ten may alarm


@pytest.fixture(scope="module")
def flights(tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    root = real_data.fetch(tmp_path_factory.mktemp("data"))
    return pq.read_table(root / "data/flights/2013-01.parquet").drop_columns(["flight_id", "scheduled"])


def source(table: pa.Table, name: str = "table") -> Source:
    return Source(name, lambda: iter(table.to_batches(max_chunksize=500)))


def health(reference: pa.Table, current: pa.Table, **settings) -> Health:
    return judge("flights", source(reference), source(current), Settings(MONTHLY, WINDOWS, **settings))


def split(table: pa.Table, seed: int, n: int, m: int) -> tuple[pa.Table, pa.Table]:
    rows = np.random.default_rng(seed).permutation(table.num_rows)
    return table.take(rows[:n]), table.take(rows[n : n + m])


def replaced(table: pa.Table, column: str, values) -> pa.Table:
    return table.set_column(table.column_names.index(column), column, pa.array(values, table[column].type))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "permutations_for", lambda alpha: 99)


@pytest.mark.parametrize(("n", "m"), [(1000, 200), (300, 600)])
def test_undrifted_windows_alarm_as_seldom_as_the_user_says(flights, quick, n, m):
    """40 random windows of 26 real columns without an effect floor: 4 alarms are expected, 10 are very unlikely."""
    windows = 40
    alarms = sum(health(*split(flights, seed, n, m), least_effect=0.0).status == "alarm" for seed in range(windows))
    assert alarms < 10


def test_drift_of_one_column_is_seen_and_named(flights, quick):
    reference, current = split(flights, 0, 2000, 1000)
    minutes = current["sched_dep_minute"].to_numpy()
    found = health(reference, replaced(current, "sched_dep_minute", minutes + 60))
    assert found.status == "alarm"
    assert {one.column for one in found.drift if one.alarm} == {"sched_dep_minute"}


def test_values_that_go_missing_are_seen(flights, quick):
    reference, current = split(flights, 1, 2000, 1000)
    gone = np.random.default_rng(0).random(1000) < 0.08
    values = [None if lost else one for lost, one in zip(gone, current["distance"].to_pylist(), strict=True)]
    found = health(reference, replaced(current, "distance", values))
    assert ("distance", "missing") in {(one.column, one.test) for one in found.drift if one.alarm}


def test_a_shift_of_the_label_is_called_one(flights, quick):
    reference, current = split(flights, 2, 2000, 1000)
    outcome = np.where(np.random.default_rng(0).random(1000) < 0.2, "late", current["outcome"].to_pylist())
    found = health(reference, replaced(current, "outcome", outcome.tolist()), target="outcome")
    assert [one.role for one in found.drift if one.alarm] == ["target"]


def test_performance_that_falls_alarms_with_its_interval(flights, quick):
    reference, current = split(flights, 3, 2000, 1000)
    tables = [side.append_column("said", side["outcome"]) for side in (reference, current)]
    flipped = np.where(np.random.default_rng(0).random(1000) < 0.1, "on_time", current["outcome"].to_pylist())
    found = health(tables[0], replaced(tables[1], "said", flipped.tolist()), target="outcome", prediction="said")
    (one,) = found.performance
    assert one.alarm and 0 < one.low < one.worse < one.high and found.budget.families == ("drift", "performance")


def test_rows_beyond_the_sample_are_counted_all_the_same(flights, quick, monkeypatch):
    reference, current = split(flights, 4, 3000, 3000)
    whole = health(reference, current)
    monkeypatch.setattr(judging, "MOST_SAMPLED", 400)
    sampled = health(reference, current)
    assert (sampled.current.rows, sampled.current.sampled) == (3000, 400)
    effects = [{(one.column, one.test): one.effect for one in found.drift} for found in (whole, sampled)]
    assert effects[0]["temp", "Kolmogorov-Smirnov"] == pytest.approx(effects[1]["temp", "Kolmogorov-Smirnov"], abs=0.02)


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
        (noise(400, 1).set_column(1, "x", pa.array(["word"] * 400)), 4, None),
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
    assert "expect at most 1 false alarms a month: 0.25 a window" in " ".join(capsys.readouterr().out.split())


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
        (["--current", "before.parquet", "--false-alarms-per-month", "30"], "every window may alarm"),
        ([], "two tables are needed"),
    ],
)
def test_bad_input_is_told_apart_from_a_bug(here, capsys, words, said):
    _cut("cut.parquet")
    assert run(["monitor", "--reference", "before.parquet", *words]) == 1
    assert said in capsys.readouterr().err
