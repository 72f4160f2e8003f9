"""`mlbot ledger`: the newest layout says the same, and what was deleted or rewritten comes back from a clone."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.adapters.git import GitBranch, LocalGit
from bot.cli import run
from bot.ledger import Ledger
from bot.records.ledger import ALL_LISTED, LEDGER, revocation_path
from tests.cli.test_decide_verbs import clone as clone
from tests.cli.test_decide_verbs import git, stored


def said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = run(arguments)
    found = capsys.readouterr()
    return code, found.out, found.err


def test_an_upgraded_ledger_replays_the_same_decisions_byte_for_byte(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here, decision = ["--repo", str(clone)], stored(clone)
    asked = [
        ["decide", "--replay", decision, "--json", *here],
        ["policy", "backtest", "--policies", str(clone / "policies"), *here],
        ["history", "churn", "--decisions", *here],
    ]
    before = [said(arguments, capsys) for arguments in asked]
    code, out, _ = said(["ledger", "upgrade", *here], capsys)
    assert code == 0 and out.startswith("mlbot/ledger has layout 2 since ")
    raw = GitBranch(LocalGit(clone), LEDGER)
    assert raw.paths() == sorted(["layout.json", "layout.json.sig", "pulls/0/7.jsonl", "tip.json",
                                  ALL_LISTED, f"{ALL_LISTED}.sig"])  # fmt: skip
    assert [said(arguments, capsys) for arguments in asked] == before
    assert said(["ledger", "upgrade", *here], capsys)[0] == 1


@pytest.mark.parametrize("harm", ["deleted", "rewritten"])
def test_a_ledger_that_was_deleted_or_rewritten_is_put_back_from_a_clone(
    clone: Path, capsys: pytest.CaptureFixture[str], harm: str
) -> None:
    branch = GitBranch(LocalGit(clone), LEDGER)
    first = branch.head()
    branch.commit({revocation_path("sha256:" + "1" * 64): b"{}"}, "revoke")
    whole = branch.head()
    assert said(["ledger", "restore", "--repo", str(clone)], capsys)[0] == 0
    change = ["-d"] if harm == "deleted" else []
    git(clone.parent / "o.git", "update-ref", *change, f"refs/heads/{LEDGER}", *([] if change else [str(first)]))
    code, out, _ = said(["ledger", "restore", "--repo", str(clone)], capsys)
    assert code == 1 and f"mlbot/ledger was {harm}" in out
    assert said(["ledger", "restore", "--push", "--repo", str(clone)], capsys)[0] == 0
    assert str(LocalGit(clone.parent / "o.git").repository.references[f"refs/heads/{LEDGER}"].target) == whole
    assert len(Ledger(GitBranch(LocalGit(clone), LEDGER)).revoked()) == 1
