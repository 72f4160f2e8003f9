"""`mlbot handle`: the entry point of every workflow. GITHUB_JOB says which job, the payload what happened."""

from __future__ import annotations

import importlib
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.errors import Parts, UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.adapters.actions import Actions
    from bot.pipeline.job import Job
    from bot.ports import Ports
    from bot.records.event import Event

# As MLBOT_*: the models and the plan of this run, how its trainings ended; and a machine's own scheduler.
PASSED = ("model", "plan_digest", "train_result", "dask")


@click.command(name="handle")
@click.option("--repo", default=".", type=click.Path(path_type=Path), help="The checkout of the default branch.")
def command(repo: Path) -> int:
    """Do what this job of this workflow is for. Runs in GitHub Actions only."""
    from bot.adapters.actions import Actions
    from bot.pipeline import JOBS
    from bot.pipeline.job import tell_views
    from bot.pipeline.overdue import JOBS as CATCHES_UP
    from bot.pipeline.overdue import catch_up
    from bot.receive.step import receive
    from bot.records.event import Ignored

    actions = Actions.read()
    event = receive(actions.event_name, actions.event(), actions.run.workflow)
    if isinstance(event, Ignored):
        click.echo(f"nothing to do: {event.reason}")
        return 0
    if actions.run.job not in JOBS:
        hint = f"Jobs that it knows: {', '.join(JOBS)}."
        raise UserError(f"mlbot has nothing to do in a job named {actions.run.job!r}", hint=hint, code="unknown_job")
    job = make_job(actions, repo, event)
    try:
        importlib.import_module(JOBS[actions.run.job]).run(event, job)
    finally:
        if actions.run.job in CATCHES_UP:
            Parts().attempt("what reconcile owes", lambda: catch_up(job))
        tell_views(job)
    return 0


def make_job(actions: Actions, repo: Path, event: Event) -> Job:
    """The job with adapters on the checkout, GitHub and the bot's branches as they are now."""
    from bot.adapters.deadline import limited
    from bot.pipeline.job import Job
    from bot.words import logged

    out = repo / "out"
    out.mkdir(exist_ok=True)
    inputs = inputs_of(event, os.environ)
    return Job(
        ports=github_ports(actions, repo), out=out, inputs=inputs, set_output=actions.set_output,
        summarize=actions.add_summary, say=lambda text: click.echo(logged(text)), limited=limited,
    )  # fmt: skip


def inputs_of(event: Event, environ: Mapping[str, str]) -> dict[str, str]:
    """The few values that a workflow hands from job to job, and of a dispatch the seed: that is GitHub's to say."""
    from bot.records.event import Dispatched

    given = {name: environ.get(f"MLBOT_{name.upper()}", "") for name in PASSED}
    given["seed"] = event.inputs.get("seed", "") if isinstance(event, Dispatched) else ""
    return {name: text for name, text in given.items() if text}


def github_ports(actions: Actions, repo: Path) -> Ports:
    """Ports of a job, which acts as the team's own app where it is given one. Raises UserError without a token."""
    from bot.adapters.git import STAMPS, GitBranch, LocalGit, credentials
    from bot.adapters.git_depth import fetch_for_job
    from bot.adapters.github import ACTIONS, GitHub
    from bot.adapters.github_app import Login, app_login
    from bot.adapters.identity import signer_at
    from bot.adapters.ledger_branch import LedgerBranch
    from bot.adapters.proposals import GitHubDesk, ProposedBranch
    from bot.adapters.signed_branch import SignedBranch
    from bot.adapters.tracker import GitHubTracker
    from bot.cli.local import local_ports
    from bot.records.ledger import ENVIRONMENTS

    if actions.token is None:
        raise UserError("GITHUB_TOKEN is not set", hint="Pass `GITHUB_TOKEN: ${{ github.token }}` to the step.")
    login = app_login(os.environ, actions.api_url, actions.run.repository)
    login = login or Login(actions.token, lambda: ACTIONS, app_id=None)
    git = LocalGit(repo, credentials(actions.server_url, login.token))
    default = _default_branch(actions)
    ports = local_ports(repo, git)
    github = GitHub(
        api_url=actions.api_url, repository=actions.run.repository, token=login.token, account=login.account,
        app_id=login.app_id, default_branch=default,
    )  # fmt: skip
    signer = signer_at(os.environ, git, git.resolve("HEAD"))
    ports = replace(
        ports, pull_requests=github, conversation=github, training_runs=github, witness=github.witness(),
        run=actions.run, default_branch=default, signer=signer, tracker=GitHubTracker(github, git, default),
    )  # fmt: skip
    fetch_for_job(git, default, f"+{STAMPS}*:{STAMPS}*")
    proposals = ProposedBranch(GitBranch(git, ENVIRONMENTS), GitHubDesk(github))
    ports = replace(ports, ledger=LedgerBranch(git, signer, default, ports.clock.now))
    if signer is None:
        return replace(ports, proposals=proposals)
    return replace(
        ports,
        proposals=SignedBranch(proposals, ENVIRONMENTS, signer),
        environments=SignedBranch(ports.environments, ENVIRONMENTS, signer),
    )


def _default_branch(actions: Actions) -> str:
    import json

    repository = json.loads(actions.event()).get("repository")
    name = repository.get("default_branch") if isinstance(repository, dict) else None
    return name if isinstance(name, str) and name else "main"
