"""What `mlbot monitor MODEL` promises about a model that is live: each kind of trouble has a name, odd input a rule."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from bot.errors import UserError
from bot.records.health import Check, Health
from tests.monitor.world import NOON, World, fresh, turned, world


def moved(table: pa.Table, column: str, by: float) -> pa.Table:
    values = pa.array(table[column].to_numpy() + by, from_pandas=True)
    return table.set_column(table.column_names.index(column), column, values)


def check(found: Health, code: str, column: str | None = None) -> Check:
    return next(one for one in found.checks if one.code == code and one.column == column)


def notes(found: Health) -> dict[str, str]:
    return {one.code: one.sentence for one in found.notes}


def test_a_model_that_does_as_well_as_on_its_test_rows_is_healthy(live: World) -> None:
    rows = fresh()
    live.label(live.serve(rows), rows["outcome"].to_pylist())
    found = live.watch()
    (performance,) = found.performance
    assert (found.status, found.causes, found.version, found.environment) == ("healthy", (), "v2.0.0", "production")
    assert performance.metric == "log_loss" and (performance.n_reference, performance.n_current) == (627, 400)
    assert performance.low < 0 < performance.high
    assert found.budget.families == ("drift", "performance", "labels")
    assert [one.column for one in found.drift if one.role == "target"] == ["outcome", "outcome"]
    assert (found.since, found.until) == ("2026-11-22T12:00:00Z", "2026-11-23T12:00:00Z")


@pytest.mark.parametrize(
    ("hours_later", "is_kept", "hours_back"), [(25, True, 25), (26, False, 24), (49, True, 24), (3, True, 3)]
)
def test_a_late_look_leaves_no_gap_and_one_by_hand_sees_a_whole_window(
    live: World, hours_later: int, is_kept: bool, hours_back: int
) -> None:
    live.serve(fresh())
    live.past = [live.watch()]
    live.clock.at = NOON + timedelta(hours=hours_later)
    found, _ = live.look(is_kept=is_kept)
    assert found.since == f"{live.clock.at - timedelta(hours=hours_back):%Y-%m-%dT%H:%M:%SZ}"


def test_labels_that_turn_are_an_alarm_of_performance_and_not_of_drift(live: World) -> None:
    rows = fresh()
    live.label(live.serve(rows), turned(rows["outcome"], 0.3))
    found = live.watch()
    assert found.causes[0] == "performance"
    assert found.performance[0].alarm and found.performance[0].worse > 0.1


def test_labels_that_become_rarer_are_a_shift_of_the_label(live: World) -> None:
    rows = fresh()
    fewer = [one if number % 2 else "no" for number, one in enumerate(rows["outcome"].to_pylist())]
    live.label(live.serve(rows), fewer)
    found = live.watch()
    assert "drift" in found.causes
    assert {(one.column, one.role) for one in found.drift if one.alarm} == {("outcome", "target")}


def test_inputs_that_move_are_an_alarm_of_drift(live: World) -> None:
    live.serve(moved(fresh(), "noise", 1.0))
    found = live.watch()
    assert found.causes == ("drift",)
    assert "noise" in {one.column for one in found.drift if one.alarm}


def test_rows_of_another_release_are_left_out_and_said(live: World) -> None:
    live.serve(moved(fresh(), "noise", 5.0), _artifact_digest=["sha256:" + "0" * 64] * 400)
    live.serve(fresh(seed=5))
    found = live.watch()
    assert (found.causes, found.current.rows) == ((), 400)
    assert "400 rows" in notes(found)["other_releases"]


def test_windows_do_not_overlap(live: World) -> None:
    """What was judged in a stored record is not judged again."""
    live.serve(fresh(), hours_ago=3)
    first = live.watch()
    live.clock.at = NOON + timedelta(hours=2)
    live.past = [first]
    live.serve(fresh(200, 7), hours_ago=1)
    second = live.watch()
    assert (first.current.rows, second.current.rows, second.since) == (400, 200, first.until)


@pytest.mark.parametrize(("kind", "target"), [("multiclass", "level"), ("regression", "amount")])
def test_other_tasks_are_judged_by_their_own_metric(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, kind: str, target: str
) -> None:
    live = world(tmp_path, tmp_path_factory.mktemp(kind), 1200, kind)
    rows = fresh(300)
    logged = live.serve(rows)
    live.label(logged, rows[target].to_pylist())
    found = live.watch()
    assert (found.status, found.causes) == ("healthy", ())
    assert found.performance[0].metric == ("mae" if kind == "regression" else "log_loss")
    shuffled = np.random.default_rng(0).permutation(300)
    live.label(logged, rows[target].take(pa.array(shuffled)).to_pylist())
    assert live.watch().causes == ("performance",)


# --- what the issue calls bad input


def test_no_labels_ever(live: World) -> None:
    live.serve(fresh())
    found = live.watch()
    assert (found.status, found.performance, found.labels, found.versions) == ("healthy", (), None, ())
    assert "too few rows have a label" in notes(found)["no_labels"]


def test_no_traffic_is_an_alarm_when_the_policy_expects_rows(live: World) -> None:
    found = live.watch()
    assert (found.status, found.causes) == ("alarm", ("traffic",))
    assert check(found, "rows").value == 0 and "no_traffic" in notes(found)
    quiet = live.watch(least_rows=0)
    assert (quiet.status, quiet.causes) == ("unknown", ())


def test_a_column_that_is_gone_from_the_log(live: World) -> None:
    live.serve(fresh(), noise=None)
    found = live.watch()
    assert "inputs" in found.causes and "noise" in notes(found)["column_gone"]


def test_numbers_that_became_words_in_some_files(live: World) -> None:
    live.serve(fresh(200))
    live.serve(fresh(200, 3), noise=["high"] * 200)
    found = live.watch()
    assert "drift" in found.causes
    assert "noise" in {one.column for one in found.drift if one.alarm}


def test_a_clock_that_goes_ahead(live: World) -> None:
    live.serve(fresh(300, 4), hours_ago=-2)
    live.serve(fresh(200))
    found = live.watch()
    assert found.current.rows == 200 and "300 rows come from the future" in notes(found)["clock_skew"]


def test_a_log_file_cut_in_half(live: World) -> None:
    live.serve(fresh(300, 4))
    whole = next(live.log.iterdir())
    live.serve(fresh(200))
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    found = live.watch()
    assert found.current.rows == 200 and whole.name in notes(found)["file_broken"]


def test_repeated_request_ids_count_once(live: World) -> None:
    live.serve(fresh(), ids=[f"r{number // 2}" for number in range(400)])
    file = next(live.log.iterdir())
    shutil.copy(file, file.with_name("copy.parquet"))
    found = live.watch()
    assert found.current.rows == 200 and "600 rows repeat" in notes(found)["duplicates"]


def test_a_reference_of_50_rows_is_judged_and_said_to_be_small(tmp_path: Path, fitted: Callable[[int], Path]) -> None:
    small = world(tmp_path, fitted(190), 190)
    rows = fresh(100)
    small.label(small.serve(rows), rows["outcome"].to_pylist())
    found = small.watch()
    assert found.reference.rows < 60 and "only large drift can be seen" in notes(found)["few_rows"]
    assert found.smallest_detectable is not None and found.smallest_detectable > 0.2
    assert found.performance[0].n_reference == found.reference.rows


@pytest.mark.parametrize(("missing", "said"), [("_at", "no column _at"), ("_request_id", "no column _request_id")])
def test_a_table_that_is_no_log_says_so(live: World, missing: str, said: str) -> None:
    live.serve(fresh(), **{missing: None})
    with pytest.raises(UserError, match=said):
        live.watch()


def test_a_log_may_have_times_as_text_and_be_a_csv(live: World) -> None:
    logged = live.serve(fresh())
    shutil.rmtree(live.log)
    live.log.mkdir()
    texts = pa.array(["2026-11-23T10:00:00Z"] * 400)
    pyarrow.csv.write_csv(logged.set_column(2, "_at", texts), live.log / "log.csv")
    assert live.watch().current.rows == 400


def test_a_log_that_dvc_tracks_is_fetched(live: World) -> None:
    rows = fresh()
    logged = live.serve(rows)
    live.label(logged, rows["outcome"].to_pylist())
    tree = live.ports.data.trees["c" * 40]  # type: ignore[attr-defined]
    tree["data/served/small/log.parquet"] = next(live.log.iterdir()).read_bytes()
    tree["data/labels/labels.csv"] = (live.folder / "labels/labels.csv").read_bytes()
    shutil.rmtree(live.log)
    found = live.watch(predictions="data/served/{model}", labels="data/labels/*.csv")
    assert found.current.rows == 400 and found.labels is not None and found.labels.labelled == 400


# --- labels


def test_labels_late_repeated_corrected_contradicting_and_unknown(live: World) -> None:
    old = live.serve(fresh(50, 8), hours_ago=24 * 40)
    rows = fresh(200)
    logged = live.serve(rows)
    truth = rows["outcome"].to_pylist()
    times = ["2026-11-23T11:00:00Z"] * 200
    live.label(old, ["yes"] * 50, "old.csv", _at=["2026-11-23T11:00:00Z"] * 50)
    live.label(logged, ["maybe", *truth[1:]], "first.csv", _at=times)
    live.label(logged.slice(0, 60), ["maybe", *truth[1:60]], "again.csv", _at=times[:60])
    other = {"yes": "no", "no": "yes"}
    live.label(logged.slice(60, 10), [other[one] for one in truth[60:70]], "clash.csv", _at=times[:10])
    live.label(logged.slice(70, 5), [other[one] for one in truth[70:75]], "newer.csv", _at=["2026-11-23T11:30:00Z"] * 5)
    nobody = pa.table({"_request_id": ["nobody", "no one"]})
    live.label(nobody, ["yes", "no"], "nobody.csv", _at=times[:2])
    found = live.watch()
    assert found.labels is not None
    assert found.labels.model_dump() == {
        "rows": 200, "labelled": 189, "late": 50, "duplicates": 60, "corrected": 5, "conflicting": 10, "orphans": 2,
        "unknown_class": 1,
    }  # fmt: skip


def test_a_request_of_several_rows_is_labelled_by_row(live: World) -> None:
    rows = fresh(300)
    logged = live.serve(rows, ids=["one"] * 300, _row=list(range(300)))
    live.label(logged, rows["outcome"].to_pylist(), _row=list(range(300)))
    found = live.watch()
    assert found.labels is not None and found.labels.labelled == 300
    assert found.causes == ()


def test_labels_without_the_target_say_what_they_need(live: World) -> None:
    logged = live.serve(fresh())
    (live.folder / "labels").mkdir()
    pa.csv.write_csv(pa.table({"_request_id": logged["_request_id"]}), live.folder / "labels/l.csv")
    with pytest.raises(UserError, match="no column outcome"):
        live.watch()


# --- serving inputs


def test_values_that_training_never_saw_and_values_outside_the_contract(live: World) -> None:
    rows = moved(fresh(), "signal", 0.0)
    shop = ["<b>moon</b>" if number < 20 else one for number, one in enumerate(rows["shop"].to_pylist())]
    signal = [99.0 if number < 3 else one for number, one in enumerate(rows["signal"].to_pylist())]
    live.serve(rows.set_column(rows.column_names.index("shop"), "shop", pa.array(shop)), signal=signal)
    found = live.watch()
    unseen, outside = check(found, "unseen_category", "shop"), check(found, "contract_in_range", "signal")
    assert unseen.alarm and unseen.value == pytest.approx(0.05)
    assert not outside.alarm and outside.value == pytest.approx(3 / 400), "one request in a hundred is no state"
    assert "inputs" in found.causes


def test_answers_that_the_artifact_does_not_give_are_skew(live: World) -> None:
    live.serve(fresh(), _proba_no=[0.5] * 400, _proba_yes=[0.5] * 400)
    found = live.watch()
    assert "skew" in found.causes and check(found, "answers_differ").value == pytest.approx(1.0, abs=0.05)


def test_inputs_that_were_worked_out_otherwise_in_training_are_skew(live: World) -> None:
    rows = fresh()
    logged = live.serve(rows)
    noise = np.asarray(rows["noise"].to_numpy()).copy()
    noise[:40] *= 60
    live.label(logged, rows["outcome"].to_pylist(), noise=noise)
    found = live.watch()
    assert check(found, "input_differs", "noise").value == pytest.approx(0.1)
    assert found.causes == ("skew",)


def test_a_sensitive_input_is_not_in_the_log_and_not_missed(live: World) -> None:
    tree = live.ports.git.trees["c" * 40]  # type: ignore[attr-defined]
    schema = tree["models/small/schema.yaml"].replace(b"nullable: true, isin", b"nullable: true, sensitive: true, isin")
    tree["models/small/schema.yaml"] = schema
    live.serve(fresh(), shop=None)
    found = live.watch()
    assert found.causes == () and "column_gone" not in notes(found)
    assert not any(one.code == "answers_differ" for one in found.checks)


# --- earlier versions, the server


def test_every_version_is_scored_on_the_new_rows(live: World, fitted: Callable[[int], Path]) -> None:
    """A live model that answers badly, and one of before that does better on the same rows."""
    before = live.again("v1.0.0", 0, fitted(300))
    rows = fresh()
    logged = live.serve(rows, _proba_no=[0.5] * 400, _proba_yes=[0.5] * 400)
    live.label(logged, rows["outcome"].to_pylist())
    found = live.watch(released=[before, live.release])
    old, new = found.versions
    assert (old.version, old.is_live, old.better_than_live) == ("v1.0.0", False, True)
    assert (new.version, new.is_live, new.better_than_live) == ("v2.0.0", True, False)
    assert old.value < new.value == pytest.approx(np.log(2))


def test_a_version_whose_bytes_are_gone_is_named(live: World, fitted: Callable[[int], Path]) -> None:
    before = live.again("v1.0.0", 0, fitted(300))
    live.ports.artifacts.folders = {  # type: ignore[attr-defined]
        key: files for key, files in live.ports.artifacts.folders.items()  # type: ignore[attr-defined]
        if files["model.skops"] == (live.folder / "artifact/model.skops").read_bytes()
    }  # fmt: skip
    rows = fresh()
    live.label(live.serve(rows), rows["outcome"].to_pylist())
    found = live.watch(released=[before, live.release])
    assert [one.version for one in found.versions] == ["v2.0.0"]
    assert "v1.0.0" in notes(found)["version_not_scored"]


def test_errors_and_latency_come_from_the_servers_own_page(live: World) -> None:
    from bot.serve.metrics import Metrics

    counted = Metrics()
    for number in range(1000):
        counted.served("small", "v2.0.0", 500 if number < 50 else 200, 1, 0.004 if number < 950 else 2.0)
    counted.served("other", "v1.0.0", 500, 1, 9.0)
    (live.folder / "page.txt").write_text(counted.text({}))
    live.serve(fresh())
    found = live.watch(server="page.txt", most_errors=0.01, most_p99=0.1)
    assert found.causes == ("operation",)
    assert check(found, "errors").value == pytest.approx(0.05)
    assert check(found, "p99_seconds").value == 2.5


def test_a_few_errors_among_few_requests_are_chance(live: World) -> None:
    """Three of 100 requests took too long and three failed, where one in 100 may: that comes once in thirteen times."""
    from bot.serve.metrics import Metrics

    counted = Metrics()
    for number in range(100):
        counted.served("small", "v2.0.0", 500 if number < 3 else 200, 1, 0.004 if number < 97 else 2.0)
    (live.folder / "page.txt").write_text(counted.text({}))
    live.serve(fresh())
    assert live.watch(server="page.txt", most_errors=0.01, most_p99=0.1).causes == ()
