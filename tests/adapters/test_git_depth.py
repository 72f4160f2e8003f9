"""A job's checkout holds one commit; what its answers hang on is fetched, and a boundary changes none of them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bot.adapters.git import GitBranch, LocalGit
from bot.adapters.git_depth import fetch_for_job
from bot.errors import UserError
from bot.records.ledger import LEDGER
from tests.repositories import Repository

PATH = "promotions/churn/000001-production.json"


def run(*words: str | Path) -> str:
    return subprocess.run(["git", *map(str, words)], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def job(tmp_path: Path) -> LocalGit:
    """A shallow checkout, as actions/checkout makes it, of a repository with a pull request and a ledger."""
    origin = tmp_path / "origin"
    run("init", "-q", "--bare", "-b", "main", origin)
    for name in ("allowFilter", "allowAnySHA1InWant"):
        run("-C", origin, "config", f"uploadpack.{name}", "true")
    repository = Repository(tmp_path / "bot")
    repository.git.remotes.create("origin", str(origin))
    git = LocalGit(tmp_path / "bot")
    ledger, main = GitBranch(git, LEDGER, append_only=True), GitBranch(git, "main")
    main.commit({"models/churn/model.yaml": b"1"}, "first")
    base = main.commit({"models/churn/model.yaml": b"2"}, "second")
    run("-C", git.path, "push", "-q", "origin", f"{base}:refs/pull/4/head")
    main.commit({"README.md": b"3"}, "third")
    for number in range(30):
        ledger.commit({f"facts/{number}/x.json": b"x" * 5000}, f"decide {number}")
    ledger.commit({PATH: b"{}"}, "promote")
    ledger.commit({"facts/99/x.json": b"{}"}, "decide 99")
    run("clone", "-q", "--depth=1", "--branch=main", f"file://{origin}", tmp_path / "job")
    return LocalGit(tmp_path / "job")


def test_where_commits_part_is_told_as_in_a_whole_clone(job: LocalGit) -> None:
    fetch_for_job(job, "main")
    job.fetch("+refs/pull/4/head:refs/mlbot/pull/4")
    head = job.resolve("refs/mlbot/pull/4")
    assert job.merge_base(job.resolve("HEAD"), head) == head
    assert job.read(head, "models/churn/model.yaml") == b"2"
    assert [one.path for one in job.changes(head, job.resolve("HEAD"))] == ["README.md"]


def test_without_that_fetch_it_is_an_error_and_no_wrong_answer(job: LocalGit) -> None:
    job.fetch("--depth=1", "+refs/pull/4/head:refs/mlbot/pull/4")
    with pytest.raises(UserError, match="part is not in this clone") as caught:
        job.merge_base(job.resolve("HEAD"), job.resolve("refs/mlbot/pull/4"))
    assert caught.value.code == "shallow"


def test_the_ledger_comes_without_its_past_until_somebody_asks_for_that(job: LocalGit) -> None:
    fetch_for_job(job, "main")
    ledger = GitBranch(job, LEDGER, append_only=True)
    assert ledger.paths("promotions/") == [PATH] and ledger.get(PATH) == b"{}"
    assert run("-C", job.path, "rev-list", "--count", f"origin/{LEDGER}") == "1"
    blobs = run("-C", job.path, "cat-file", "--batch-check=%(objecttype)", "--batch-all-objects").split().count("blob")
    assert blobs < 5  # and no content that nobody read
    assert [message for _, _, message in ledger.log(PATH)] == ["promote"]
    assert len(ledger.written("facts/")) == 31
    assert run("-C", job.path, "rev-list", "--count", f"origin/{LEDGER}") == "32"


def test_what_is_written_on_a_tip_without_a_past_is_pushed(job: LocalGit) -> None:
    fetch_for_job(job, "main")
    ledger = GitBranch(job, LEDGER, append_only=True)
    assert ledger.commit({"facts/100/x.json": b"{}"}, "decide 100") is not None
    other = GitBranch(LocalGit(job.path.parent / "bot"), LEDGER)
    other.refresh()
    assert other.get("facts/100/x.json") == b"{}"
    assert len(other.log()) == 33


def test_a_repository_without_branches_of_the_bot_is_fetched_all_the_same(job: LocalGit) -> None:
    run("-C", job.path.parent / "origin", "update-ref", "-d", f"refs/heads/{LEDGER}")
    fetch_for_job(job, "main")
    ledger = GitBranch(job, LEDGER, append_only=True)
    assert (ledger.head(), ledger.log(), ledger.paths()) == (None, [], [])
    assert ledger.commit({PATH: b"{}"}, "promote") is not None


def test_a_whole_clone_stays_whole(job: LocalGit) -> None:
    bot = LocalGit(job.path.parent / "bot")
    fetch_for_job(bot, "main")
    assert not bot.repository.is_shallow
    assert "promisor" not in run("-C", bot.path, "config", "--list")


def test_records_that_are_read_together_are_fetched_together(job: LocalGit, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch_for_job(job, "main")
    ledger, fetched, really = GitBranch(job, LEDGER), list[str](), job.run

    def counted(*arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        fetched.extend(["x"] if "fetch" in arguments else [])
        return really(*arguments, stdin=stdin)

    monkeypatch.setattr(job.objects, "_run", counted)
    paths = ledger.paths("facts/")
    ledger.prefetch([*paths, "facts/none/x.json"])
    assert len([ledger.get(path) for path in paths]) == 31
    assert len(fetched) == 1
