"""`mlbot environments`: what is live where."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="environments")
@click.option("--repo", default=".", type=click.Path(path_type=Path), help="A clone of the repository.")
@click.option("--offline", is_flag=True, help="Do not fetch; say what was live at the last fetch.")
@click.option("--json", "as_json", is_flag=True, help="Print the releases as a JSON list.")
def command(repo: Path, offline: bool, as_json: bool) -> None:
    """What is live where: environments in the policy's order, models by name."""
    from bot.cli.clone import clone_ports, environment_order, table
    from bot.promote.evidence import lost_sentence
    from bot.promote.reading import lost_releases, revocation_of
    from bot.promote.step import live_releases
    from bot.records.base import canonical_json

    ports = clone_ports(repo, fetch=not offline)
    order = list(environment_order(ports))
    live = live_releases(ports)
    live.sort(key=lambda one: (order.index(one.environment) if one.environment in order else len(order), one.model))
    if as_json:
        click.echo(canonical_json([one.model_dump(mode="json") for one in live]))
    else:
        click.echo(table(live) if live else "Nothing is live in any environment.")
    for release in live:
        revocation = revocation_of(release.artifact_digest, ports)
        if revocation is not None:
            hint = f"`mlbot rollback {release.environment} {release.model} --reason ...`"
            click.echo(f"warning: {revocation.sentence}, and is live in {release.environment}; {hint}", err=True)
    for lost in lost_releases(ports):
        click.echo(f"warning: {lost_sentence(lost)}; `mlbot verify` says what to do", err=True)
