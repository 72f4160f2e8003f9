"""The stage of the story: a sandbox with its people, what they do there, and what must be seen afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import WorldError
from bot.records.decision import Node
from bot.sandbox.people import BOT
from bot.sandbox.rehearsal.evidence import Evidence
from bot.sandbox.rehearsal.programs import Programs
from bot.sandbox.rehearsal.teller import Teller
from bot.sandbox.store import Run
from bot.sandbox.world import Sandbox

if TYPE_CHECKING:
    from github.PullRequest import PullRequest
    from github.Repository import Repository

VERDICT = "mlbot/verdict"
SCIENTIST, OWNER, VALIDATOR, MANAGER = "dana", "owen", "vera", "rhea"
MODEL = "flight-delays"
SPEC = f"models/{MODEL}/model.yaml"
MODELS = ("accident-severity", "bike-rentals", MODEL)
TAIL = 25
QUIET_S = 240.0


@dataclass
class Scene:
    """Everything that an act needs."""

    sandbox: Sandbox
    teller: Teller
    programs: Programs
    evidence: Evidence
    template: Mapping[str, bytes]

    @property
    def directory(self) -> Path:
        return self.sandbox.directory

    # --- people act

    def repository(self, login: str) -> Repository:
        """The repository as a person sees it."""
        return self.sandbox.github(login).get_repo(self.sandbox.repository)

    def pull(self, number: int, login: str = MANAGER) -> PullRequest:
        """A pull request as a person sees it."""
        return self.repository(login).get_pull(number)

    def comment(self, login: str, number: int, body: str) -> None:
        """Somebody writes under a pull request."""
        self.pull(number, login).create_issue_comment(body)

    def review(self, login: str, number: int, body: str) -> None:
        """Somebody approves in a review of the live head."""
        pull = self.pull(number, login)
        pull.create_review(self.repository(login).get_commit(pull.head.sha), body, "APPROVE")

    def settle(self) -> list[Run]:
        """Wait for every workflow run. Raises WorldError with a log's tail when one of them failed."""
        runs = self.sandbox.settle(QUIET_S)
        self.evidence.refresh()
        for run in runs:
            if run.conclusion not in ("success", "skipped", "cancelled"):
                raise self.failed(run, f"the workflow {run.name} ended with {run.conclusion}")
        return runs

    def ran(self, runs: Iterable[Run], file: str) -> Run:
        """The last of these runs of a workflow file that did something. Raises WorldError when there is none."""
        found = [run for run in runs if run.file == file and run.conclusion == "success"]
        if not found:
            raise WorldError(f"{file} did not run", hint=f"See {self.directory / 'runs'}.", code="not_run")
        return found[-1]

    def failed(self, run: Run, why: str) -> WorldError:
        """The error that shows the end of the failed job's log, and where the rest is."""
        path = Path(run.log) if run.log else self.sandbox.folder(run) / "log.txt"
        lines = path.read_text(errors="replace").splitlines() if path.is_file() else [run.problem]
        return WorldError(
            "\n".join([f"{why}; its log ends:", *_tail(run, lines)]), hint=f"The whole log: {path}", code="run_failed"
        )

    # --- what must be seen

    def must(self, is_true: bool, otherwise: str) -> None:
        """A step did not happen as it should have: WorldError."""
        if not is_true:
            raise WorldError(otherwise, hint=f"Everything is in {self.directory}.", code="story_broken")

    def deployed(self, number: int, environment: str, model: str) -> str:
        """The state of the newest GitHub Deployment of a model, as the repository's page shows it."""
        repository = self.repository(MANAGER)
        listed = repository.get_deployments(environment=environment)
        found = [one for one in listed if model in one.payload["models"]]
        self.must(bool(found), f"GitHub shows no deployment of {model} to {environment} for #{number}")
        return next((status.state for status in found[0].get_statuses()), "none")

    def sticky(self, number: int) -> str:
        """The report comment. Raises WorldError unless there is exactly one."""
        bodies = [one.body for one in self.pull(number).get_issue_comments() if one.user.login == BOT.login]
        found = [body for body in bodies if body.startswith("<!-- mlbot:report:")]
        self.must(len(found) == 1, f"#{number} has {len(found)} report comments, not one")
        return found[0]

    def evaluation_id(self, number: int) -> str:
        """What people approve by, as the report comment says it."""
        found = re.search(r"E-[a-z2-7]{16}", self.sticky(number))
        self.must(found is not None, f"the report of #{number} names no evaluation id")
        assert found is not None
        return found.group()

    def replies(self, number: int) -> list[str]:
        """The bot's other comments."""
        bodies = [one.body for one in self.pull(number).get_issue_comments() if one.user.login == BOT.login]
        return [body for body in bodies if not body.startswith("<!-- mlbot:report:")]

    def verdict(self, number: int) -> tuple[str, str]:
        """State and description of the commit status `mlbot/verdict` at the head."""
        pull = self.pull(number)
        statuses = self.repository(MANAGER).get_commit(pull.head.sha).get_combined_status().statuses
        found = next((one for one in statuses if one.context == VERDICT), None)
        self.must(found is not None, f"the head of #{number} has no status {VERDICT}")
        assert found is not None
        return found.state, found.description or ""

    def refused(self, number: int, code: str) -> str:
        """What the decisions about the merge say with this reason code, the innermost node of the newest first."""
        decisions = [one for one in self.evidence.decisions(number) if one.subject == "merge"]
        found = [node for one in decisions for node in _nodes(one.tree) if node.reason_code == code]
        self.must(bool(found), f"no decision about #{number} says {code}")
        return found[-1].sentence


def _tail(run: Run, lines: list[str]) -> list[str]:
    """The last lines up to the first failed job's failed step; of the whole run when no job failed."""
    failed = next((f"[{job.name}]" for job in run.jobs if job.result == "failure"), "")
    own = [line for line in lines if line.startswith(failed)] or lines
    ends = [index for index, line in enumerate(own) if "\u274c" in line]
    return own[: ends[-1] + 1 if ends else None][-TAIL:]


def _nodes(tree: Node) -> Iterable[Node]:
    yield tree
    for child in tree.children:
        yield from _nodes(child)
