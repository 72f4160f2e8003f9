"""`mlbot history`: who let which version out, when, on what evidence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.errors import UserError

if TYPE_CHECKING:
    from bot.ports import Ports


@click.command(name="history")
@click.argument("model")
@click.option("--environment", help="Only this environment.")
@click.option("--at", metavar="TIME", help="Only what was live at this time (RFC 3339, such as 2026-03-01T00:00:00Z).")
@click.option("--decisions", is_flag=True, help="Every verdict on MODEL instead, with the digest to replay it by.")
@click.option("--repo", default=".", type=click.Path(path_type=Path), help="A clone of the repository.")
@click.option("--offline", is_flag=True, help="Do not fetch.")
@click.option("--json", "as_json", is_flag=True, help="Print the releases as a JSON list.")
def command(
    model: str, environment: str | None, at: str | None, decisions: bool, repo: Path, offline: bool, as_json: bool
) -> None:
    """Every change of every environment of MODEL, oldest first, from the ledger."""
    from bot.cli.clone import clone_ports, table
    from bot.promote.lineage import live_at
    from bot.promote.step import promotions
    from bot.records.base import canonical_json

    ports = clone_ports(repo, fetch=not offline)
    if decisions:
        click.echo(_verdicts(model, environment, ports, as_json=as_json))
        return
    releases = promotions(model, ports)
    if not releases:
        raise UserError(f"{model} was never promoted", hint="`mlbot environments` lists what is live.")
    if environment is not None:
        releases = [release for release in releases if release.environment == environment]
    if at is not None:
        releases = live_at(releases, at)
    if as_json:
        click.echo(canonical_json([release.model_dump(mode="json") for release in releases]))
    else:
        click.echo(table(releases) if releases else "Nothing was live.")


def _verdicts(model: str, subject: str | None, ports: Ports, *, as_json: bool) -> str:
    """Decisions about the model, oldest first; `subject` is an environment or `merge`, None for all."""
    from bot.cli.clone import columns
    from bot.decide.step import pasts
    from bot.records.base import canonical_json

    about = [one for one in pasts(ports.ledger) if model in {part.model for part in one.decision.models}]
    kept = [one for one in about if subject in (None, one.decision.subject)]
    if not kept:
        raise UserError(f"the ledger has no verdict on {model}", hint="`ls models` shows what could have one.")
    kept.sort(key=lambda one: one.decision.decided_at)
    if as_json:
        return canonical_json([one.decision.model_dump(mode="json") for one in kept]).decode()
    rows = [
        (found.decided_at, f"#{found.number}", found.subject, found.status, found.reason_code, one.digest[:16])
        for one in kept
        for found in (one.decision,)
    ]
    return columns([("when", "pull request", "about", "verdict", "reason", "decision"), *rows])
