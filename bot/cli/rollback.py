"""`mlbot rollback`: take an environment back."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="rollback")
@click.argument("environment")
@click.argument("model")
@click.option("--reason", required=True, help="Why; it is kept for the audit.")
@click.option("--to", "to_version", metavar="VERSION", help="Go back to this version; the last known good by default.")
@click.option("--repo", default=".", type=click.Path(path_type=Path), help="A clone of the repository.")
def command(environment: str, model: str, reason: str, to_version: str | None, repo: Path) -> None:
    """Take MODEL in ENVIRONMENT back to the last known good version, in one commit."""
    from bot.cli.clone import clone_ports, known_environment, tell_views, typing_person
    from bot.pipeline.promotion import summarizer
    from bot.promote.step import digest_of_version, revoked_digests, rollback

    by = typing_person(repo)
    ports = clone_ports(repo)
    known_environment(environment, ports)
    to_digest = digest_of_version(model, environment, to_version, ports) if to_version else None
    done = rollback(
        environment, model, reason=reason, by=by, to_digest=to_digest, ports=ports,
        revoked=revoked_digests(model, ports), summarize=summarizer(ports, ports.git.resolve("HEAD")),
    )  # fmt: skip
    click.echo(f"{done.model} {done.version} is live in {done.environment} again ({done.artifact_digest}).")
    click.echo("The environment holds: nothing is promoted by itself until a person promotes the newest candidate.")
    tell_views(ports)
