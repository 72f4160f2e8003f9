"""`mlbot withdraw`: take a model out of an environment altogether."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="withdraw")
@click.argument("environment")
@click.argument("model")
@click.option("--reason", required=True, help="Why; it is kept for the audit.")
@click.option("--repo", default=".", type=click.Path(path_type=Path), help="A clone of the repository.")
def command(environment: str, model: str, reason: str, repo: Path) -> None:
    """Take MODEL out of ENVIRONMENT: nothing of it is live there until somebody promotes it again."""
    from bot.cli.clone import clone_ports, known_environment, tell_views, typing_person
    from bot.promote.step import withdraw

    by = typing_person(repo)
    ports = clone_ports(repo)
    known_environment(environment, ports)
    done = withdraw(environment, model, reason=reason, by=by, ports=ports)
    click.echo(f"{done.model} {done.version} was withdrawn from {done.environment}; nothing of it is live there.")
    tell_views(ports)
