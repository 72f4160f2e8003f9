"""This repository in a rehearsal, with a signing key, and the few things that stories do in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bot.adapters.signing import generate
from bot.sandbox.people import DEFAULT_PEOPLE, Person
from bot.sandbox.store import Run
from bot.sandbox.world import Sandbox

ROOT = Path(__file__).parents[2]
BIKES = "models/bike-rentals/model.yaml"
NOTES = 1  # the pull request of `notes`


@contextmanager
def rehearsal(
    folder: Path,
    files: Mapping[str, bytes | None] | None = None,
    strangers: Iterable[Person] = (),
    *,
    protected: bool = True,
) -> Iterator[Sandbox]:
    """A sandbox made from this repository, with other `files` laid over it, and `strangers` besides its people.

    Its rulesets are those of docs/rulesets, unless it is not `protected`.
    """
    private, public = generate()
    with Sandbox.start(
        folder,
        template=ROOT,
        people=(*DEFAULT_PEOPLE, *strangers),
        extra_files={"policies/keys/mlbot.pub": public, **(files or {})},
        secrets={"mlbot": {"MLBOT_SIGNING_KEY": private.decode()}},
        rulesets=None if protected else (),
    ) as started:
        yield started


def bikes(iterations: int) -> bytes:
    """The smallest model's spec with another number of iterations."""
    return re.sub(r"max_iter: \d+", f"max_iter: {iterations}", (ROOT / BIKES).read_text()).encode()


def say(sandbox: Sandbox, login: str, number: int, body: str) -> int:
    """A comment, and everything that it starts; its id."""
    issue = sandbox.github(login).get_repo(sandbox.repository).get_issue(number)
    comment = issue.create_comment(body)
    sandbox.settle()
    return int(comment.id)


def approve_by_review(sandbox: Sandbox, login: str, number: int) -> None:
    """An approving review of the live head, and everything that it starts."""
    repository = sandbox.github(login).get_repo(sandbox.repository)
    found = repository.get_pull(number)
    found.create_review(event="APPROVE", commit=repository.get_commit(found.head.sha))
    sandbox.settle()


def merge(sandbox: Sandbox, login: str, number: int) -> None:
    """Merge the live head, and everything that it starts."""
    found = sandbox.github(login).get_repo(sandbox.repository).get_pull(number)
    found.merge(sha=found.head.sha)
    sandbox.settle()


def bot_said(sandbox: Sandbox, number: int) -> list[str]:
    """The bot's comments, oldest first; the report is the first."""
    issue = sandbox.github("dana").get_repo(sandbox.repository).get_issue(number)
    return [one.body for one in issue.get_comments() if one.user.type == "Bot"]


def evaluation_id(sandbox: Sandbox, number: int) -> str:
    """The id that the report tells people to approve."""
    found = re.search(r"E-[a-z2-7]{16}", bot_said(sandbox, number)[0])
    assert found is not None, bot_said(sandbox, number)[0][:2000]
    return found.group(0)


def verdict(sandbox: Sandbox, number: int) -> str:
    """The state of the status `mlbot/verdict` on the live head, `none` without one."""
    repository = sandbox.github("dana").get_repo(sandbox.repository)
    statuses = repository.get_commit(repository.get_pull(number).head.sha).get_combined_status().statuses
    return next((one.state for one in statuses if one.context == "mlbot/verdict"), "none")


def rerun(sandbox: Sandbox, run: Run) -> None:
    """Somebody presses "Re-run all jobs"."""
    sandbox.github("rhea").get_repo(sandbox.repository).get_workflow_run(run.id).rerun()
    sandbox.settle()


def ledger(sandbox: Sandbox) -> list[str]:
    """Paths of the facts."""
    sandbox.git("dana", "fetch", "-q", "origin", cwd=sandbox.clone)
    tree = sandbox.git("dana", "ls-tree", "-r", "--name-only", "origin/mlbot/ledger", cwd=sandbox.clone)
    return [path for path in tree.splitlines() if path.endswith(".json")]


def live(sandbox: Sandbox) -> list[str]:
    """Paths of what is live anywhere."""
    sandbox.git("dana", "fetch", "-q", "--prune", "origin", cwd=sandbox.clone)
    branches = sandbox.git("dana", "branch", "-r", cwd=sandbox.clone)
    if "origin/mlbot/environments" not in branches:
        return []
    tree = sandbox.git("dana", "ls-tree", "-r", "--name-only", "origin/mlbot/environments", cwd=sandbox.clone)
    return [path for path in tree.splitlines() if path.endswith("release.json")]


def notes(folder: Path) -> None:
    """A stopped sandbox whose pull request NOTES, of documentation, owen approved; for `made_once`."""
    with rehearsal(folder) as sandbox:
        sandbox.propose("dana", "notes", {"docs/notes.md": b"notes\n"}, "Notes")
        sandbox.settle()
        approve_by_review(sandbox, "owen", NOTES)
        if verdict(sandbox, NOTES) != "success":
            raise RuntimeError(bot_said(sandbox, NOTES))
