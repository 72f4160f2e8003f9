"""One change from a push to production with the real engine: jobs die on the way, and nothing is asked too often."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.sandbox.store import Run
from bot.sandbox.world import Sandbox
from tests.stories.world import (
    BIKES,
    ROOT,
    approve_by_review,
    bikes,
    bot_said,
    evaluation_id,
    ledger,
    live,
    rehearsal,
    rerun,
    say,
    verdict,
)

pytestmark = [
    pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("life"),
]  # fmt: skip
ENVIRONMENTS = "policies/environments.yaml"
REQUIRED = ("mlbot/evaluation", "mlbot/verdict")
BUDGET = {"push": 15, "comment": 8, "no command": 0, "review": 8, "promotion": 12}


def reproduced_first() -> bytes:
    """This repository's environments, in which production waits for another run that comes to the same."""
    text = (ROOT / ENVIRONMENTS).read_text()
    return text.replace(
        "    promote_from: [staging]\n", "    promote_from: [staging]\n    verification: {reproduced: 1}\n"
    ).encode()


def verdict_of(sandbox: Sandbox, sha: str) -> str:
    """The state of `mlbot/verdict` on a commit."""
    found = sandbox.github("dana").get_repo(sandbox.repository).get_commit(sha).get_combined_status().statuses
    return next((one.state for one in found if one.context == "mlbot/verdict"), "none")


@dataclass
class Life:
    """What happened: runs by what they are for, and what was seen on the way."""

    sandbox: Sandbox
    number: int = 0
    runs: dict[str, Run] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    seen: dict[str, object] = field(default_factory=dict)

    def note(self, name: str, file: str) -> Run:
        """Wait for quiet; the newest run of a file, under this name."""
        self.sandbox.settle()
        self.runs[name] = [run for run in self.sandbox.runs if run.file == file][-1]
        return self.runs[name]

    def again(self, name: str) -> None:
        """Run a run again that ended badly."""
        self.attempts[name] = len(self.sandbox.requests(self.runs[name]))
        rerun(self.sandbox, self.runs[name])

    def asked(self, name: str) -> list[str]:
        """API requests of a run, of its last attempt."""
        asked = self.sandbox.requests(self.runs[name])[self.attempts.get(name, 0) :]
        return [f"{method} {path}" for method, path, _ in asked]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """The whole story, told once."""
    with rehearsal(tmp_path_factory.mktemp("life") / "world", {ENVIRONMENTS: reproduced_first()}) as sandbox:
        told = Life(sandbox)
        trained(told)
        talked_about(told)
        merged(told)
        promoted(told)
        yield told


def trained(life: Life) -> None:
    """A newer head supersedes the first one's training; the report job dies after the comment, and is run again."""
    sandbox = life.sandbox
    life.number = number = sandbox.propose("dana", "tune", {BIKES: bikes(61)}, "Tune")
    life.runs["superseded"] = run = sandbox.wait_for("the first run", file="pull-request.yml")
    sandbox.wait_for_log(run, "train bike-rentals")
    sandbox.commit("dana", "tune", {BIKES: bikes(62)}, "one more thing")
    sandbox.fail_next("POST", "/statuses/", 500, times=10)  # two statuses, five tries each
    run = life.note("push", "pull-request.yml")
    life.seen["died"] = (run.conclusion, verdict(sandbox, number), len(bot_said(sandbox, number)))
    life.again("push")
    life.seen["healed"] = (run.conclusion, verdict(sandbox, number), len(bot_said(sandbox, number)))


def talked_about(life: Life) -> None:
    """Somebody chats, the author tries to approve, a validator and an owner do."""
    sandbox, number = life.sandbox, life.number
    approve = f"/approve {evaluation_id(sandbox, number)}"
    for name, login, body in (
        ("no command", "vera", "hello"), ("refused", "dana", approve), ("comment", "vera", approve),
    ):  # fmt: skip
        say(sandbox, login, number, body)
        life.note(name, "chatops.yml")
    group = sandbox.merge_group(number)
    life.note("early group", "reviewed.yml")
    life.seen["early group"] = sandbox.finish_merge_group(group, REQUIRED)
    approve_by_review(sandbox, "owen", number)
    life.note("review", "reviewed.yml")


def merged(life: Life) -> None:
    """Held while its group is green, it does not land; at last the merge queue brings it in.

    The promotion is killed in its middle and run again.
    """
    sandbox = life.sandbox
    group = sandbox.merge_group(life.number)
    life.note("green group", "reviewed.yml")
    life.seen["green group"] = verdict_of(sandbox, group.sha)
    say(sandbox, "vera", life.number, "/hold --reason wait")
    life.note("hold", "chatops.yml")
    life.seen["held group"] = (verdict_of(sandbox, group.sha), sandbox.finish_merge_group(group, REQUIRED))
    say(sandbox, "vera", life.number, "/unhold")
    life.note("unhold", "chatops.yml")
    group = sandbox.merge_group(life.number)
    life.note("group", "reviewed.yml")
    life.seen["group"] = sandbox.finish_merge_group(group, REQUIRED)
    run = sandbox.wait_for("the promotion", file="promote.yml")
    sandbox.wait_for_request(run, "/deployments", timeout_s=240)
    sandbox.kill(run)
    life.note("merge", "promote.yml")
    life.seen["killed"] = (run.conclusion, live(sandbox))
    life.again("merge")


def promoted(life: Life) -> None:
    """A person brings it to production, once another run has come to the same; clocks find nothing to do.

    Asked for too early, the release asks for that run by itself.
    """
    sandbox = life.sandbox
    move_tag(sandbox, "bike-rentals@v1.0.0")
    promote = f"/promote {evaluation_id(sandbox, life.number)} to production"
    say(sandbox, "rhea", life.number, promote)
    life.note("too early", "chatops.yml")
    life.seen["too early"] = (bot_said(sandbox, life.number)[-2:], live(sandbox))
    life.note("asked by itself", "reproduce.yml")
    say(sandbox, "rhea", life.number, promote)
    life.note("promote comment", "chatops.yml")
    life.note("promotion", "promote.yml")
    life.seen["facts"] = ledger(sandbox)
    for file in ("reproduce.yml", "reconcile.yml"):
        sandbox.schedule(file)
        life.note(file, file)


def move_tag(sandbox: Sandbox, name: str) -> None:
    """Somebody who may push points a version tag to another commit."""
    sandbox.git("dana", "fetch", "-q", "--tags", "origin")
    root = sandbox.git("dana", "rev-list", "--max-parents=0", "origin/main").split()[0]
    sandbox.git("dana", "tag", "--force", "-a", "-m", "mine", name, root)
    sandbox.git("dana", "push", "-q", "--force", "origin", f"refs/tags/{name}")


def test_a_newer_head_cancels_the_training_of_the_older_one(life: Life) -> None:
    assert life.runs["superseded"].conclusion == "cancelled"
    assert life.runs["push"].id != life.runs["superseded"].id


def test_a_report_job_that_died_half_way_is_finished_by_running_it_again(life: Life) -> None:
    assert life.seen["died"] == ("failure", "none", 1)
    assert life.seen["healed"] == ("success", "pending", 1)
    results = {job.name.split("/")[1].split()[0]: job.result for job in life.runs["push"].jobs}
    assert results == {"plan": "success", "report": "success"}, "nothing is trained again"


@pytest.mark.parametrize(
    ("budget", "run"),
    [
        ("push", "push"), ("comment", "comment"), ("comment", "refused"), ("comment", "promote comment"),
        ("no command", "no command"), ("review", "review"), ("promotion", "merge"), ("promotion", "promotion"),
    ],
)  # fmt: skip
def test_an_event_asks_github_no_more_often_than_promised(life: Life, budget: str, run: str) -> None:
    asked = life.asked(run)
    assert len(asked) <= BUDGET[budget], asked


def test_a_comment_without_a_command_starts_no_job(life: Life) -> None:
    assert life.runs["no command"].conclusion == "skipped" and not life.runs["no command"].jobs


def test_the_merge_queue_takes_what_was_approved_and_nothing_else(life: Life) -> None:
    assert (life.seen["early group"], life.seen["group"]) == (False, True)
    assert (life.seen["green group"], life.seen["held group"]) == ("success", ("failure", False))


def test_a_promotion_that_was_killed_ends_as_if_it_had_not_been(life: Life) -> None:
    assert life.seen["killed"] == ("failure", ["staging/bike-rentals/release.json"])
    assert life.runs["merge"].conclusion == "success"
    facts = [path for path in life.seen["facts"] if path.startswith("promotions/")]  # type: ignore[attr-defined]
    assert facts == [
        f"promotions/bike-rentals/00000{n}-{where}.json" for n, where in ((1, "staging"), (2, "production"))
    ]
    tags = life.sandbox.git("dana", "ls-remote", "--tags", "origin").splitlines()
    names = sorted(line.split("refs/tags/")[1] for line in tags if not line.endswith("^{}"))
    assert names == ["bike-rentals#production#2", "bike-rentals#staging#1", "bike-rentals@v1.0.0"]
    deployments = life.sandbox.github("dana").get_repo(life.sandbox.repository).get_deployments()
    assert sorted(one.environment for one in deployments) == ["production", "staging"]


def test_a_tag_that_was_moved_after_the_approval_moves_no_model(life: Life) -> None:
    life.sandbox.git("dana", "fetch", "-q", "origin")
    where = (f"origin/mlbot/environments:{name}/bike-rentals/release.json" for name in ("staging", "production"))
    staging, production = (json.loads(life.sandbox.git("dana", "show", path)) for path in where)
    for name in ("artifact_digest", "evaluation_digest", "version", "commit"):
        assert staging[name] == production[name]


def test_a_release_that_must_be_reproduced_asks_for_it_and_goes_out_once_another_run_came_to_the_same(
    life: Life,
) -> None:
    said, before = life.seen["too early"]  # type: ignore[misc]
    assert before == ["staging/bike-rentals/release.json"], "the first `/promote` moved nothing"
    assert any("0 of 1 other runs trained bike-rentals again" in one for one in said), said
    run = life.runs["asked by itself"]
    assert (run.event, run.conclusion) == ("workflow_dispatch", "success"), run.problem
    life.sandbox.git("dana", "fetch", "-q", "origin")
    (path,) = [one for one in life.seen["facts"] if one.startswith("reproductions/")]  # type: ignore[attr-defined]
    fact = json.loads(life.sandbox.git("dana", "show", f"origin/mlbot/ledger:{path}"))
    assert (fact["outcome"], fact["run"]["id"], fact["runner"]) == ("same", run.id, "ubuntu-22.04-arm")
    line = [Path(sys.executable).with_name("mlbot"), "verify", "bike-rentals", "--environment", "production"]
    done = subprocess.run(line, cwd=life.sandbox.clone, capture_output=True, text=True, check=False)
    assert f"reproduced: run {run.id} on ubuntu-22.04-arm" in done.stdout, done.stdout + done.stderr


def test_what_is_live_comes_out_again_and_a_quiet_hour_changes_nothing(life: Life) -> None:
    for file in ("reproduce.yml", "reconcile.yml"):
        assert life.runs[file].conclusion == "success", life.runs[file].problem
    assert re.search(
        r"reproduced|same", life.sandbox.folder(life.runs["reproduce.yml"]).joinpath("log.txt").read_text()
    )
    assert [path for path in ledger(life.sandbox) if path.startswith("promotions/")] == [
        path
        for path in life.seen["facts"]
        if path.startswith("promotions/")  # type: ignore[attr-defined]
    ]
