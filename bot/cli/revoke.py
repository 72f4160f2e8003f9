"""`mlbot revoke`: forbid an artifact everywhere, for good."""

from __future__ import annotations

from pathlib import Path

import click

from bot.errors import UserError

FEWEST_DIGITS = 12  # as many as the tables of `mlbot environments` and `mlbot history` show


@click.command(name="revoke")
@click.argument("artifact", metavar="DIGEST")
@click.option("--reason", required=True, help="Why; it is kept for the audit.")
@click.option("--repo", default=".", type=click.Path(path_type=Path), help="A clone of the repository.")
def command(artifact: str, reason: str, repo: Path) -> None:
    """Forbid the artifact DIGEST: nothing promotes it any more, no rollback goes to it, no server answers with it.

    DIGEST is the artifact's digest, or its first 12 digits or more. Where it is live it has to be taken back as well.
    """
    from bot.cli.clone import clone_ports, typing_person
    from bot.promote.step import known_artifact, live_releases, revoke

    if len(artifact.removeprefix("sha256:")) < FEWEST_DIGITS:
        hint = "`mlbot environments` and `mlbot history MODEL` show them."
        raise UserError(f"{artifact!r} is too short to name an artifact", hint=hint, code="artifact_unknown")
    if not reason.strip():
        raise UserError("a revocation needs a reason", hint="Add --reason and why.", code="reason_missing")
    by = typing_person(repo)
    ports = clone_ports(repo)
    done = revoke(known_artifact(artifact, ports), by=by, reason=reason, ports=ports)
    click.echo(f"{done.sentence}.")
    click.echo("Nothing promotes it any more, no rollback goes to it, and no server answers with it.")
    for release in live_releases(ports):
        if release.artifact_digest == done.artifact_digest:
            where = f"{release.environment} {release.model}"
            click.echo(f"It is live in {release.environment}: mlbot rollback {where} --reason ... takes it back.")
