"""What a job fetches hangs on the change and not on the history, in short; `history.py` has the whole table."""

from __future__ import annotations

from pathlib import Path

from bot.adapters.git import GitBranch
from bot.adapters.git_depth import fetch_for_job
from bot.adapters.ledger_branch import LedgerBranch
from bot.adapters.signing import KeyPair, generate
from bot.ledger import Ledger
from bot.records.ledger import LEDGER, approval_path
from tests.benchmarks.history import NOW, size_of, world


def test_three_times_the_history_is_not_three_times_fetched(tmp_path: Path) -> None:
    private, public = generate()
    keys = KeyPair(private, {"mlbot.pub": public})
    sizes = {}
    for n in (200, 600):
        folder = tmp_path / str(n)
        folder.mkdir()
        made = world(folder, n, keys)
        job = made.job(folder / "job")
        fetch_for_job(job, "main")
        ledger = Ledger(LedgerBranch(job, keys, "main", lambda: NOW))
        assert len(ledger.heads(n // 2).whole) == len(ledger.decisions(n // 2).whole) == 1
        sizes[n] = size_of(folder / "job")
        ledger.branch.commit({approval_path(n // 2, "c9"): b"{}"}, "note")
        assert GitBranch(job, LEDGER).head() == ledger.branch.head()
    assert sizes[600] < 1.3 * sizes[200] < 1e6, sizes
