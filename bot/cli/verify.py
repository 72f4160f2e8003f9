"""`mlbot verify`: the chain from live bytes back to the merged pull request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bot.ports import Ports
    from bot.promote.evidence import Recompute

MARKS = {True: "ok     ", False: "BROKEN ", None: "-      "}


@click.command(name="verify")
@click.argument("model")
@click.option("--environment", required=True, help="The environment, such as production.")
@click.option("--repo", default=".", type=click.Path(path_type=Path), help="A clone of the repository.")
@click.option("--offline", is_flag=True, help="Do not fetch.")
@click.option("--json", "as_json", is_flag=True, help="Print the links as JSON.")
def command(model: str, environment: str, repo: Path, offline: bool, as_json: bool) -> int:
    """Check that what is live in ENVIRONMENT is what was evaluated, approved and merged, link by link.

    Exit 1 when a link is broken; the line says which and how.
    """
    from bot.cli.clone import clone_ports, known_environment
    from bot.promote.evidence import live_release, verify

    ports = clone_ports(repo, fetch=not offline)
    known_environment(environment, ports)
    release = live_release(model, environment, ports)
    links = verify(release, ports, recompute=recomputed(ports))
    broken = [link for link in links if link.ok is False]
    if as_json:
        rows = [{"link": link.name, "ok": link.ok, "sentence": link.sentence} for link in links]
        click.echo(json.dumps({"release": release.model_dump(mode="json"), "ok": not broken, "links": rows}))
        return 1 if broken else 0
    click.echo(f"{release.model} {release.version} in {release.environment} ({release.artifact_digest})")
    for link in links:
        click.echo(f"  {MARKS[link.ok]} {link.name}: {link.sentence}")
    click.echo("The chain is broken." if broken else "The chain holds.")
    return 1 if broken else 0


def recomputed(ports: Ports) -> Recompute:
    """Computes a release's inputs digest again; None where the libraries are not those of the training."""
    from bot.plan.step import library_versions, plan_one
    from bot.promote.reading import evaluation_of
    from bot.records.release import Release

    def recompute(release: Release) -> str | None:
        trained = evaluation_of(release, ports).training.machine.packages
        here = library_versions(ports.workspace)
        if any(trained.get(name, version) != version for name, version in here.items()):
            return None
        return plan_one(release.model, release.commit, ports).inputs_digest

    return recompute
