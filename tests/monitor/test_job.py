"""The monitor workflow's job on a world in memory: issue, retraining pull request, evaluation, closing, crash."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from bot.errors import UserError, WorldError
from bot.monitor.step import history
from bot.pipeline.job import Job
from bot.pipeline.monitor_job import run
from bot.pipeline.retraining import draft
from bot.ports import Thread
from bot.records.event import Account, Scheduled
from bot.specs.pointer import read_pointer
from tests.fakes.conversation import FakeConversation
from tests.monitor.test_release import moved
from tests.monitor.world import COMMIT, World, fresh, turned

POLICIES = Path(__file__).parents[2] / "policies"
WATCHED = """
    monitor:
      predictions: log/{model}
      labels: labels
      on_alarm: [issue, retraining_pull_request, rollback_proposal]
      least_retraining_rows: 100
      least_rows: 0
      budget_a_month: 9
"""


def a_job(live: World, said: list[str], monitor: str = WATCHED) -> Job:
    files = {f"policies/{path.name}": path.read_bytes() for path in POLICIES.glob("*.yaml")}
    text = files["policies/environments.yaml"].decode()
    text = text.replace(
        "    rollback: {roles: [release-manager]}\n", "    rollback: {roles: [release-manager]}" + monitor
    )
    tree = live.ports.git.trees[COMMIT]  # type: ignore[attr-defined]
    tree |= {**files, "policies/environments.yaml": text.encode()}
    talk = live.ports.conversation or FakeConversation(workflows=frozenset({"pull-request.yml"}))
    live.ports = replace(live.ports, conversation=talk)
    return Job(live.ports, live.folder / "out", {}, lambda *_: None, said.append, said.append)


def look(live: World, said: list[str] | None = None, monitor: str = WATCHED) -> list[str]:
    """One run of the workflow; what the tracker was asked to write."""
    before = len(live.tracker.writes)
    run(Scheduled(schedule="41 5 * * *"), a_job(live, said if said is not None else [], monitor))
    return live.tracker.writes[before:]


def next_day(live: World) -> None:
    live.clock.at += timedelta(days=1)
    live.tracker.clock = live.clock.at


def test_concept_drift_opens_an_issue_and_a_retraining_pull_request_and_both_close_when_it_is_gone(live: World) -> None:
    rows = fresh()
    live.label(live.serve(rows), turned(rows["outcome"], 0.4))
    said: list[str] = []
    assert look(live, said) == ["open 1", "open 2"], said
    issue, pull = live.tracker.threads[1], live.tracker.threads[2]
    assert issue.title == "small in production: it does worse than on its test rows"
    assert "log_loss" in issue.body and "false alarms a month" in issue.body
    assert pull.is_pull_request and pull.title == "Retrain small on 400 new rows"
    assert live.ports.conversation.dispatched == [("pull-request.yml", {"number": "2"})]  # type: ignore[attr-defined]
    next_day(live)
    assert look(live) == ["edit 1"], "no traffic since: nothing is gone, nothing is opened twice"
    next_day(live)
    live.clock.at += timedelta(days=40)  # the turned labels are old by now
    healthy = fresh(300, 77)
    live.label(live.serve(healthy), healthy["outcome"].to_pylist(), "later.csv")
    assert sorted(look(live)) == ["close 1", "close 2"]
    assert "The cause is gone" in live.tracker.said[1]
    assert [one.status for one in history("small", "production", live.ports)] == ["alarm", "alarm", "healthy"]


def test_the_pull_request_moves_the_data_pointer_and_keeps_what_was_there(live: World, tmp_path: Path) -> None:
    rows = fresh()
    live.label(live.serve(rows), turned(rows["outcome"], 0.4), amount=[1.5] * 400)
    look(live)
    (files,) = live.tracker.commits.values()
    assert set(files) == {"data.dvc"}
    out = read_pointer(files["data.dvc"] or b"", "data.dvc", path="data")
    tree = live.ports.data.trees[out.md5]  # type: ignore[attr-defined]
    table = pq.read_table(io.BytesIO(tree["data/rows.parquet"]))
    assert table.num_rows == 2800 and table["amount"].to_pylist()[-1] == 1.5
    assert len(set(table["id"].to_pylist())) == 2800
    assert table.schema.field("id").type == "int64" and table["level"].null_count == 400


def test_a_job_that_died_after_it_opened_the_pull_request_asks_for_its_evaluation_later(live: World) -> None:
    rows = fresh()
    live.label(live.serve(rows), turned(rows["outcome"], 0.4))
    talk = FakeConversation(workflows=frozenset({"pull-request.yml"}))
    live.ports = replace(live.ports, conversation=talk)
    look(live)
    talk.dispatched.clear()  # as if it had died before
    next_day(live)
    look(live)
    assert talk.dispatched == [("pull-request.yml", {"number": "2"})]
    live.ports.ledger.commit({"heads/2/" + "a" * 40 + ".json": b"{}"}, "evaluated")
    talk.dispatched.clear()
    next_day(live)
    look(live)
    assert talk.dispatched == []


def test_what_an_app_of_the_teams_own_opens_starts_its_evaluation_itself(
    live: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = fresh()
    live.label(live.serve(rows), turned(rows["outcome"], 0.4))
    monkeypatch.setattr(FakeConversation, "me", lambda _: Account(id=7, login="acme-models[bot]", kind="Bot"))
    assert look(live) == ["open 1", "open 2"]
    assert live.ports.conversation.dispatched == []  # type: ignore[attr-defined]


def test_rows_that_the_data_hold_already_open_no_second_pull_request(live: World) -> None:
    rows = fresh()
    logged = live.serve(rows)
    live.label(logged, turned(rows["outcome"], 0.4))
    _, labelled = live.look()
    first = draft("small", labelled, 100, live.ports)
    pointer = read_pointer(first.files["data.dvc"], "data.dvc", path="data").md5
    live.ports.data.trees[COMMIT] = live.ports.data.trees[pointer]  # type: ignore[attr-defined]
    with pytest.raises(UserError, match="0 labelled rows are new to the data"):
        draft("small", labelled, 100, live.ports)


def test_a_repository_that_lets_actions_open_no_pull_request_is_told_where_to_allow_it(live: World) -> None:
    rows = fresh()
    live.label(live.serve(rows), turned(rows["outcome"], 0.4))
    live.tracker.forbidden = True
    said: list[str] = []
    assert look(live, said) == ["open 1"]
    assert any("let GitHub Actions create pull requests" in one for one in said)


def test_an_older_version_that_does_better_is_proposed(live: World, fitted) -> None:  # type: ignore[no-untyped-def]
    live.again("v1.0.0", 0, fitted(300))
    rows = fresh()
    live.label(live.serve(rows, _proba_no=[0.5] * 400, _proba_yes=[0.5] * 400), rows["outcome"].to_pylist())
    look(live)
    proposal = next(one for one in live.tracker.threads.values() if "does better" in one.title)
    assert proposal.title == "small in production: v1.0.0 does better than v2.0.0"
    assert "/rollback production small --reason" in proposal.body and "pull request 7" in proposal.body


def test_one_model_that_cannot_be_judged_does_not_stop_the_others_and_fails_the_job(live: World) -> None:
    broken = live.release.model_copy(update={"model": "lost"})
    live.ports.environments.commit({"production/lost/release.json": broken.canonical()}, "release")
    live.serve(fresh())
    with pytest.raises(UserError, match="lost in production"):
        look(live)
    assert len(history("small", "production", live.ports)) == 1


def test_one_odd_window_is_no_alarm_where_two_must_agree(live: World) -> None:
    monitor = WATCHED + "      persistence: {needed: 2, of: 2}\n"
    for expected in ([], ["open 1"]):
        live.serve(moved(fresh(400, 3 + len(expected)), "noise", 2.0))
        assert look(live, monitor=monitor) == expected
        next_day(live)
    first, second = history("small", "production", live.ports)
    assert (first.status, first.raised) == ("healthy", True)
    assert second.persistence is not None and second.causes == ("drift",) and second.persistence.raised == 2


def test_an_environment_without_monitor_is_said_to_be_unwatched(live: World) -> None:
    said: list[str] = []
    assert look(live, said, monitor="\n") == []
    assert any("is not watched" in one for one in said)


def test_values_of_callers_cannot_speak_in_the_issue(live: World) -> None:
    """A category comes from whoever asks the model: it must not become a mention, a link or a command."""
    rows = fresh()
    bad = "@everyone <img src=x> \n/approve [x](http://evil)"
    shop = [bad if number < 40 else one for number, one in enumerate(rows["shop"].to_pylist())]
    live.serve(rows, shop=shop)
    look(live)
    body = next(one.body for one in live.tracker.threads.values() if "inputs" in one.title)
    assert "everyone" in body
    assert "@everyone" not in body and "<img" not in body and "](http" not in body
    assert not any(line.lstrip().startswith("/approve") for line in body.splitlines())


def test_csv_data_gain_rows_at_their_end(live: World, tmp_path: Path) -> None:
    spec = live.ports.git.trees[COMMIT]["models/small/model.yaml"]  # type: ignore[attr-defined]
    live.ports.git.trees[COMMIT]["models/small/model.yaml"] = spec.replace(b".parquet", b".csv")  # type: ignore[attr-defined]
    old = b"id,signal,noise,shop,outcome\n1,0.5,0.5,north,yes\n2,0.5,0.5,south,no"
    live.ports.data.trees["*"] = live.ports.data.trees[COMMIT] = {"data/rows.csv": old}  # type: ignore[attr-defined]
    rows = fresh()
    live.label(live.serve(rows), rows["outcome"].to_pylist())
    live.ports.data.trees["before"] = {}  # type: ignore[attr-defined]
    labelled = live_rows(live)
    found = draft("small", labelled, 100, live.ports)
    tree = live.ports.data.trees[read_pointer(found.files["data.dvc"], "d", path="data").md5]  # type: ignore[attr-defined]
    text = tree["data/rows.csv"].decode()
    assert text.startswith(old.decode() + "\n")
    table = list(csv.DictReader(io.StringIO(text)))
    assert len(table) == 402 and {one["outcome"] for one in table} == {"yes", "no"}


def live_rows(live: World):  # type: ignore[no-untyped-def]
    """Labelled rows as the monitor hands them on, without judging."""
    import pyarrow as pa

    logged = pq.read_table(next(live.log.iterdir()))
    return logged.append_column("outcome", pa.array(fresh()["outcome"].to_pylist()))


def test_where_github_does_not_list_issues_every_model_is_judged_and_nobody_is_told(live: World) -> None:
    """Nothing is kept, so that the same window is told of by the next run."""
    rows = fresh()
    live.label(live.serve(rows), turned(rows["outcome"], 0.4))
    listing = live.tracker.own

    def own(since: datetime) -> list[Thread]:
        raise WorldError("GitHub failed: Bad gateway (502)")

    live.tracker.own = own  # type: ignore[method-assign]
    said: list[str] = []
    with pytest.raises(UserError, match="502"):
        look(live, said)
    assert any("nobody is told" in line for line in said) and history("small", "production", live.ports) == []
    live.tracker.own = listing  # type: ignore[method-assign]
    assert look(live) == ["open 1", "open 2"]
