"""What every job has: ports, its folder, the few values that a workflow passes, and a way to say what happened."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from bot.errors import Parts, UserError
from bot.pipeline.trial import Reseeded, seed_of
from bot.ports import Git, Ports
from bot.records.event import Dispatched, Event, PullRequestChanged
from bot.words import Markdown, one_line


@dataclass(frozen=True)
class Job:
    """One job of a workflow. `inputs` are what jobs of a run are handed by it: model, plan_digest, train_result, seed.

    `out` is the folder that jobs of one run hand over. `set_output` and `summarize` are GitHub's. `limited` bounds in
    seconds what is done inside: WorldError (code `timeout`).
    """

    ports: Ports
    out: Path
    inputs: Mapping[str, str]
    set_output: Callable[[str, str], None]
    summarize: Callable[[Markdown], None]
    say: Callable[[str], None]
    limited: Callable[[float], AbstractContextManager[None]] = lambda _seconds: nullcontext()

    @property
    def default_sha(self) -> str:
        """The commit of the default branch that was checked out: code, policies and remotes come from here."""
        return self.ports.git.resolve("HEAD")


def tell_views(job: Job) -> None:
    """Name what could not be shown, in the log and in the job summary, in GitHub's words. What was done stands."""
    failed = job.ports.views.failed
    for name, error in failed:
        job.say(f"::warning::{name}: {one_line(error.message)}")
    if failed:
        what = Markdown("### Not shown\n\nWhat was decided and done stands; the next run tries these again.\n\n")
        job.summarize(what + failures(job.ports.views))


def failures(parts: Parts) -> Markdown:
    """A list of what failed and why, empty for nothing."""
    return Markdown("").join(Markdown("- {}: {}\n").format(name, error.message) for name, error in parts.failed)


def at_head(job: Job, number: int, sha: str) -> Job:
    """The job with a pull request's head fetched as Git objects, and data that its commits carry readable.

    In a trial (the input `seed`) the head's specs name that seed. Raises UserError when `sha` is no commit of the pull
    request's head reference (attack A29).
    """
    from bot.adapters.dvc import DvcData

    ports = job.ports
    reference = f"refs/mlbot/pull/{number}"
    ports.git.fetch(f"+refs/pull/{number}/head:{reference}")
    if not ports.git.is_ancestor(sha, ports.git.resolve(reference)):
        raise UserError(f"{sha} is no commit of #{number}", code="head_missing")
    seed, git = seed_of(job.inputs), ports.git
    if seed is not None:
        git = cast("Git", Reseeded(git, git.resolve(sha), seed))
    return replace(job, ports=replace(ports, git=git, data=DvcData(ports.workspace, ports.git, at=[sha])))


def number_of(event: Event) -> int:
    """The pull request that an event is about. Raises UserError (code `no_number`) when it names none."""
    if isinstance(event, PullRequestChanged):
        return event.number
    if isinstance(event, Dispatched) and re.fullmatch(r"[1-9][0-9]{0,9}", event.inputs.get("number", ""), re.ASCII):
        return int(event.inputs["number"])
    raise UserError(f"this needs a pull request, not {event.kind}", hint="Give the input `number`.", code="no_number")
