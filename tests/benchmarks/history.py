"""What a job pays for a long history: `python -m tests.benchmarks.history [FOLDER]` measures, and writes a page.

    python -m tests.benchmarks.history --large 10000 --write     # minutes; docs/performance.md
    python -m tests.benchmarks.history --large 300              # its short form

Each row is a ratio to the same over an empty history, a count, or how it grows from a tenth of the history to the
whole (the exponent), on one machine in one run. Git speaks through `file://`, so that what is fetched is counted.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.adapters.git import GitBranch, LocalGit
from bot.adapters.git_depth import fetch_for_job
from bot.adapters.journal import LAST, Event, Seal, plain, stamp
from bot.adapters.ledger_branch import LedgerBranch, repository_id
from bot.adapters.signed_branch import SignedBranch
from bot.adapters.signing import KeyPair, generate
from bot.adapters.upgrade import lines
from bot.ledger import Environments, Ledger
from bot.records.base import canonical_json
from bot.records.facts import Contributed
from bot.records.ledger import (
    ALL_LISTED,
    ENVIRONMENTS,
    LAYOUT,
    LEDGER,
    TIP,
    approval_path,
    contribution_path,
    decision_path,
    head_path,
    journal_path,
    plan_path,
    promotion_path,
    release_path,
)
from tests.builders import a_decision, a_head, a_plan, a_release

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "performance.md"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MODELS = 200  # in the history; 800 are live for the row about settling
LIVE = 800
TIMES = 3
SHA = "{:040x}"


@dataclass(frozen=True)
class Row:
    """One line of the table. `limit` None is told and not held."""

    what: str
    before: str
    value: float
    limit: float | None
    unit: str = "times"

    def holds(self) -> bool:
        return self.limit is None or self.value <= self.limit

    def text(self) -> str:
        value = f"{self.value:.2f}" if self.value < 100 else f"{self.value:,.0f}"
        limit = "-" if self.limit is None else f"{self.limit:g}"
        return f"| {self.what} | {self.before} | {value} {self.unit} | {limit} |"


def git(*words: str | Path) -> str:
    return subprocess.run(["git", *map(str, words)], check=True, capture_output=True, text=True).stdout


@dataclass
class World:
    """A repository with so many pull requests and as many releases; `origin` is what jobs clone."""

    origin: Path
    keys: KeyPair

    def job(self, folder: Path) -> LocalGit:
        """A job's checkout, as actions/checkout makes it."""
        git("clone", "-q", "--depth=1", "--branch=main", f"file://{self.origin}", folder)
        return LocalGit(folder)


def events_of(number: int, model: str) -> list[Event]:
    """What a pull request leaves behind: a report, a decision, an opinion."""
    sha, at = SHA.format(number), NOW - timedelta(minutes=number)
    decision = a_decision(number=number, head_sha=sha, models=(model,))
    reported = {head_path(number, sha): a_head(number=number, head_sha=sha).canonical()}
    reported[plan_path(number, sha)] = a_plan(model, head_sha=sha).canonical()
    decided = {decision_path(number, decision.digest()): decision.canonical()}
    return [
        Event(at, f"evaluate #{number}", reported),
        Event(at, f"decide #{number}", decided),
        Event(at, "note", {approval_path(number, "c1"): b'{"opinion":"c1"}'}),
    ]


def world(folder: Path, n: int, keys: KeyPair) -> World:
    """A world with `n` pull requests and releases, written in one commit; the content is small, the names are real."""
    git("init", "-q", "--bare", "-b", "main", folder / "origin")
    for name in ("allowFilter", "allowAnySHA1InWant"):
        git("-C", folder / "origin", "config", f"uploadpack.{name}", "true")
    git("init", "-q", "-b", "main", folder / "bot")
    git("-C", folder / "bot", "remote", "add", "origin", folder / "origin")
    here = LocalGit(folder / "bot")
    GitBranch(here, "main").commit({"policies/roles.yaml": b"roles: {}\n"}, "first")
    git("-C", folder / "bot", "fetch", "-q", "origin", "main:refs/remotes/origin/main")
    seal = Seal(keys, LEDGER, repository_id(here, "main"))
    files: dict[str, bytes | None] = dict(plain(LAYOUT, canonical_json({"layout": 2}), NOW, "", seal))
    files |= plain(ALL_LISTED, b"{}", NOW, "", seal)
    for number in range(1, n + 1):
        model, at = f"m{number % MODELS:03d}", stamp(NOW - timedelta(minutes=number))
        files[journal_path(number)] = lines(events_of(number, model), number, seal)
        release = a_release(model, counter=number // MODELS + 1, pull_request=number)
        facts = {
            promotion_path(model, release.counter, "production"): release.canonical(),
            contribution_path(model, at, number, SHA.format(0), SHA.format(number)): Contributed(
                model=model, number=number, at=at, people=(number % 50 + 1,)
            ).canonical(),
        }
        for path, data in facts.items():
            files |= plain(path, data, NOW, "", seal)
    ledger = GitBranch(here, LEDGER)
    files[TIP] = canonical_json(seal.close(LAST, {}, {"parent": ""}))
    ledger.commit(files, "history")
    environments = SignedBranch(GitBranch(here, ENVIRONMENTS), ENVIRONMENTS, keys)
    environments.commit(
        {release_path("production", f"m{one:03d}"): a_release(f"m{one:03d}").canonical() for one in range(LIVE)}, "live"
    )
    git("-C", folder / "origin", "repack", "-adq")
    return World(folder / "origin", keys)


def best(act: Callable[[], object]) -> float:
    """Processor seconds, those of Git on both sides among them, of the cheapest of TIMES."""
    times = []
    for _ in range(TIMES):
        start = sum(os.times()[:4])
        act()
        times.append(sum(os.times()[:4]) - start)
    return max(min(times), 0.01)  # the clock's resolution


def size_of(folder: Path) -> int:
    """Bytes of the objects that a clone holds."""
    return sum(file.stat().st_size for file in (folder / ".git" / "objects").rglob("*") if file.is_file())


@dataclass
class Cost:
    """What one world costs."""

    status_s: float
    fetched: int
    contributors_s: float
    settled_s: float
    judged_s: float


def measure(made: World, n: int, folder: Path) -> Cost:
    """All rows over one history."""
    sizes = list[int]()

    def status() -> None:
        """Checkout, what a job fetches, everything that is known of one pull request, and a note that is pushed."""
        with tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as name:
            clone = Path(name, "job")
            job = made.job(clone)
            fetch_for_job(job, "main")
            branch = LedgerBranch(job, made.keys, "main", lambda: NOW + timedelta(seconds=len(sizes)))
            ledger, number = Ledger(branch), max(n // 2, 1)
            ledger.heads(number), ledger.decisions(number), ledger.reports(number)  # type: ignore[func-returns-value]
            ledger.plan(number, SHA.format(number)), ledger.revoked(), ledger.delegations()  # type: ignore[func-returns-value]
            before = size_of(clone)
            note = approval_path(number, f"c{time.time_ns()}")
            branch.commit({note: b"{}"}, "note")
            sizes.append(before)

    times = best(status)
    whole = LocalGit(made.origin.parent / "bot")
    for name in (LEDGER, ENVIRONMENTS):
        GitBranch(whole, name).refresh()
    model = "m001"

    def fresh() -> Ledger:
        return Ledger(LedgerBranch(whole, made.keys, "main", lambda: NOW))

    def contributors() -> None:
        fresh().contributed(model, NOW - timedelta(days=3650))
        fresh().unlisted(NOW - timedelta(days=3650))

    def settle() -> None:
        branch = SignedBranch(GitBranch(whole, ENVIRONMENTS), ENVIRONMENTS, made.keys)
        Environments(branch).states([f"m{one:03d}" for one in range(LIVE)])

    def judge() -> None:
        ledger = fresh()
        ledger.releases(model), ledger.verifications(model), ledger.newest_counters(model)  # type: ignore[func-returns-value]
        SignedBranch(GitBranch(whole, ENVIRONMENTS), ENVIRONMENTS, made.keys).get(release_path("production", model))

    return Cost(times, max(sizes), best(contributors), best(settle), best(judge))


def rows(empty: Cost, tenth: Cost, whole: Cost, n: int) -> list[Row]:
    """The table."""

    def grows(pick: Callable[[Cost], float]) -> float:
        return math.log(pick(whole) / pick(tenth)) / math.log(10)

    size = f"{n:,} pull requests and {n:,} releases"
    return [
        Row(f"`/status`, its Git side, {size}, over an empty history", "2.6 to 3 at 1,000 / 2,000",
            whole.status_s / empty.status_s, 1.2),
        Row("bytes that its job fetches", "41 MB at 1,000 / 2,000", whole.fetched / 1e6, 1.0, "MB"),
        Row("what a promotion is judged by, read, over an empty history", "not known",
            whole.judged_s / empty.judged_s, None),
        Row(f"`not_contributor_within`, {n:,} pull requests", "100 s at 1,000", whole.contributors_s, 1.0, "s"),
        Row(f"the states of {LIVE} live models", "4.6 s", whole.settled_s, 0.5, "s"),
        Row("growth exponent of `/status`", "up to 1.5", grows(lambda one: one.status_s), 0.2, ""),
        Row("growth exponent of its bytes", "1.1", grows(lambda one: one.fetched), None, ""),
        Row("growth exponent of `not_contributor_within`", "1.9", grows(lambda one: one.contributors_s), None, ""),
    ]  # fmt: skip


HEAD = """# What a long history costs

Written by `python -m tests.benchmarks.history --write`: each figure is a ratio, a count, or the exponent with which it
grows from a tenth of the history to the whole, on one machine in one run. "Before" is the first layout of the ledger
(one file a fact), measured in November 2026. The ledger must have the second layout: `mlbot ledger upgrade`.

| what | before | now | at most |
|---|---|---|---|
"""


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and write the page when asked. 1 when a row is beyond its limit."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.history")
    parser.add_argument("--large", type=int, default=10_000)
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    given = parser.parse_args(arguments)
    private, public = generate()
    keys = KeyPair(private, {"mlbot.pub": public})
    costs = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:  # git tidies up behind itself
        for n in (0, given.large // 10, given.large):
            folder = Path(name, str(n))
            folder.mkdir()
            costs.append(measure(world(folder, n, keys), n, folder))
    found = rows(*costs, given.large)
    text = "\n".join(row.text() for row in found) + "\n"
    sys.stdout.write(text)
    if given.write:
        PAGE.write_text(HEAD + text, encoding="utf-8")
    return 0 if all(row.holds() for row in found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
