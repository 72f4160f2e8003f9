"""Whoever may write to the feed of labels lies about what happened: it proposes, and nothing moves by itself."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from bot.records.ledger import promotion_path
from tests.monitor.test_job import look
from tests.monitor.world import World, fresh, turned, world


@pytest.fixture
def live(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    return world(tmp_path, tmp_path_factory.mktemp("fitted"))


def test_labels_that_are_all_turned_open_an_issue_and_a_pull_request_and_move_no_model(live: World) -> None:
    """The pull request changes a data pointer only, is evaluated like any other, and needs the same people."""
    before = dict(live.ports.environments.files)  # type: ignore[attr-defined]
    rows = fresh()
    live.label(live.serve(rows), turned(rows["outcome"], 1.0))
    assert look(live) == ["open 1", "open 2"]
    assert live.ports.environments.files == before  # type: ignore[attr-defined]
    assert live.ports.ledger.paths("promotions/") == [promotion_path("small", 2, "production")]
    assert [set(files) for files in live.tracker.commits.values()] == [{"data.dvc"}]
    assert live.ports.conversation.dispatched == [("pull-request.yml", {"number": "2"})]  # type: ignore[attr-defined]


def test_labels_of_requests_that_nobody_made_are_not_scored_and_bring_no_row(live: World) -> None:
    rows = fresh()
    live.serve(rows)
    made_up = pa.table({"_request_id": [f"forged-{row}" for row in range(len(rows))]})
    live.label(made_up, turned(rows["outcome"], 1.0))
    found = live.watch()
    assert found.performance == () and found.labels is not None and found.labels.orphans == len(rows)
    assert look(live) == [] and not live.tracker.commits


def test_a_contradiction_takes_the_row_out_and_decides_nothing(live: World) -> None:
    """Two words of one age, one of them forged: neither is believed, and the count of such rows is shown."""
    rows = fresh()
    logged = live.serve(rows)
    live.label(logged, rows["outcome"].to_pylist(), "true.csv")
    live.label(logged, turned(rows["outcome"], 1.0), "forged.csv")
    found = live.watch()
    assert found.performance == () and found.labels is not None and found.labels.conflicting == len(rows)
    assert look(live) == [] and not live.tracker.commits
