"""`delivery: pull_request` with the real engine: proposed, declined, asked for again, merged, live and served."""

from __future__ import annotations

import html
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.world import Sandbox
from tests.serve.test_cli import MLBOT
from tests.stories.world import (
    BIKES,
    ROOT,
    approve_by_review,
    bikes,
    bot_said,
    evaluation_id,
    live,
    merge,
    rehearsal,
    rerun,
    say,
)

pytestmark = [
    pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("proposals"),
]  # fmt: skip
POLICY = "policies/environments.yaml"
BRANCH = "mlbot-promotions/staging/bike-rentals"


def proposed_policy() -> bytes:
    """This repository's policy, with a staging that is delivered by pull requests."""
    text = (ROOT / POLICY).read_text()
    changed = text.replace("    auto_promote: merge\n", "    auto_promote: merge\n    delivery: pull_request\n")
    assert changed != text
    return changed.encode()


@dataclass
class Told:
    """What was seen at each point of the story."""

    sandbox: Sandbox
    number: int = 0
    seen: dict[str, Any] = field(default_factory=dict)

    def look(self, name: str) -> None:
        """The proposals as (number, state), what is live, the first line of each comment about a promotion."""
        found = proposals(self.sandbox)
        said = [body.splitlines()[1] for body in bot_said(self.sandbox, self.number) if "mlbot:promotion" in body]
        runs = [run for run in self.sandbox.runs if run.file in ("promote.yml", "reconcile.yml")]
        self.seen[name] = {
            "proposals": [(one.number, "merged" if one.merged else one.state) for one in found],
            "live": live(self.sandbox), "said": said, "ended": runs[-1].conclusion,
        }  # fmt: skip


def proposals(sandbox: Sandbox) -> list[Any]:
    """Pull requests into the environments branch, oldest first."""
    found = sandbox.github("dana").get_repo(sandbox.repository).get_pulls(state="all", base="mlbot/environments")
    return sorted(found, key=lambda one: one.number)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """The whole story, told once."""
    with rehearsal(tmp_path_factory.mktemp("proposals") / "world", {POLICY: proposed_policy()}) as sandbox:
        story = Told(sandbox)
        asked_by_the_merge(story)
        refused(story)
        asked_again(story)
        yield story


def asked_by_the_merge(story: Told) -> None:
    sandbox = story.sandbox
    story.number = number = sandbox.propose("dana", "tune", {BIKES: bikes(61)}, "Tune")
    sandbox.settle()
    say(sandbox, "vera", number, f"/approve {evaluation_id(sandbox, number)}")
    approve_by_review(sandbox, "owen", number)
    merge(sandbox, "rhea", number)
    story.look("not permitted")
    promotion = [run for run in sandbox.runs if run.file == "promote.yml"][-1]
    sandbox.repo.runs_approve = True
    for name in ("permitted", "run again"):
        rerun(sandbox, promotion)
        story.look(name)


def refused(story: Told) -> None:
    sandbox = story.sandbox
    sandbox.github("owen").get_repo(sandbox.repository).get_pull(proposals(sandbox)[0].number).edit(state="closed")
    sandbox.settle()
    sandbox.schedule("reconcile.yml")
    sandbox.settle()
    story.look("refused")


def asked_again(story: Told) -> None:
    sandbox = story.sandbox
    say(sandbox, "rhea", story.number, f"/promote {evaluation_id(sandbox, story.number)} to staging")
    story.look("asked again")
    merge(sandbox, "owen", proposals(sandbox)[-1].number)
    sandbox.schedule("reconcile.yml")
    sandbox.settle()
    story.look("live")


def test_a_repository_that_lets_the_bot_open_nothing_says_what_to_change(told: Told) -> None:
    seen = told.seen["not permitted"]
    assert (seen["ended"], seen["proposals"], seen["live"]) == ("failure", [], [])
    assert "was not promoted to staging: GitHub lets the bot open no pull request. Settings, Actions" in seen["said"][0]


def test_the_merge_proposes_once_and_nothing_is_live(told: Told) -> None:
    for name in ("permitted", "run again"):
        seen = told.seen[name]
        assert (seen["ended"], seen["proposals"], seen["live"]) == ("success", [(2, "open")], [])
        assert [html.unescape(line) for line in seen["said"]] == [
            f"- bike-rentals v1.0.0 is live in staging once somebody merges `{BRANCH}`."
        ]


def test_a_closed_proposal_stays_closed_until_somebody_asks_again(told: Told) -> None:
    """The reconcile looks at the last merge every hour; a no is an answer and no failure."""
    seen = told.seen["refused"]
    assert (seen["ended"], seen["proposals"], seen["live"]) == ("success", [(2, "closed")], [])
    said = re.sub("<[^>]*>", "", html.unescape(seen["said"][0]))
    assert "was not promoted to staging: #2 proposed it and was closed. Ask for it with `/promote`" in said
    assert told.seen["asked again"]["proposals"] == [(2, "closed"), (3, "open")]
    assert told.seen["asked again"]["live"] == []


def test_after_the_merge_it_is_live_registered_attested_and_served(told: Told, tmp_path: Path) -> None:
    assert told.seen["live"]["proposals"] == [(2, "closed"), (3, "merged")]
    assert told.seen["live"]["live"] == ["staging/bike-rentals/release.json"]
    sandbox = told.sandbox
    tags = sandbox.git("dana", "ls-remote", "--tags", "--refs", "origin").splitlines()
    assert [line.split("refs/tags/")[1] for line in tags] == ["bike-rentals#staging#1", "bike-rentals@v1.0.0"]
    deployments = sandbox.github("dana").get_repo(sandbox.repository).get_deployments()
    assert [one.environment for one in deployments] == ["staging"]
    links = tmp_path / "links"
    words = ["serve", "--environment", "staging", "--verify", "--directory", str(links), "--repo", str(sandbox.clone)]
    done = subprocess.run([*MLBOT, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (links / "bike-rentals" / "model.skops").is_file()
