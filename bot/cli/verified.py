"""`mlbot verified`: what a verification of a live model found, and what follows from it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.errors import UserError

if TYPE_CHECKING:
    from bot.ports import Ports


@click.command(name="verified")
@click.argument("model")
@click.option("--environment", required=True, help="The environment that was verified, such as staging.")
@click.option("--outcome", required=True, type=click.Choice(["passed", "failed", "error"]), help="What it found.")
@click.option("--because", required=True, help="One sentence, such as `error rate 9 %`; it is kept for the audit.")
@click.option("--digest", metavar="DIGEST", help="What was verified; refused when another artifact is live by now.")
@click.option("--repo", default=".", type=click.Path(path_type=Path), help="A clone of the repository.")
def command(model: str, environment: str, outcome: str, because: str, digest: str | None, repo: Path) -> None:
    """Record what a verification of MODEL in ENVIRONMENT found; the last step of a team's own smoke test.

    `passed` gives a canary all of the traffic, and counts for the next environment's `verification:`. `failed` takes
    back an earlier `passed`, and rolls back where the policy says `automatic_rollback: true`. `error` says that nothing
    was learnt.
    """
    from bot.cli.clone import environments_policy, known_environment, tell_views
    from bot.pipeline.promotion import summarizer
    from bot.promote.evidence import live_release
    from bot.promote.upkeep import follow_up, record_verification
    from bot.records.release import Verification

    ports = _ports(repo)
    known_environment(environment, ports)
    policy = environments_policy(ports)
    live = live_release(model, environment, ports)
    if digest is not None and live.artifact_digest.removeprefix("sha256:") != digest.removeprefix("sha256:"):
        raise UserError(
            f"{model} {live.version} ({live.artifact_digest}) is live in {environment}, not {digest}",
            hint="Nothing was recorded: what was verified is not live any more.",
            code="verified_other",
        )
    found = Verification(
        model=model, environment=environment, counter=live.counter, artifact_digest=live.artifact_digest,
        outcome=outcome, sentence=because, checked_at=ports.clock.now().isoformat(),
    )  # fmt: skip
    record_verification(found, ports)
    click.echo(f"{model} {live.version} in {environment}: {outcome} ({because}).")
    is_enabled = environment in policy and policy[environment].automatic_rollback
    summarize = summarizer(ports, ports.git.resolve("HEAD"))
    said = follow_up(environment, model, ports, is_enabled=is_enabled, summarize=summarize)
    if said is not None:
        click.echo(said)
    tell_views(ports)


def _ports(repo: Path) -> Ports:
    """In a workflow GitHub Deployments follow, too."""
    from bot.cli.clone import clone_ports

    if os.environ.get("GITHUB_ACTIONS") != "true" or not os.environ.get("GITHUB_TOKEN"):
        return clone_ports(repo)
    from bot.adapters.actions import Actions
    from bot.cli.handle import github_ports

    return github_ports(Actions.read(), repo)
