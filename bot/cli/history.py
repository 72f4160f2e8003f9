"""`mlbot history`: who let which version out, when, on what evidence."""

from __future__ import annotations

from pathlib import Path

import click

from bot.errors import UserError


@click.command(name="history")
@click.argument("model")
@click.option("--environment", help="Only this environment.")
@click.option("--at", metavar="TIME", help="Only what was live at this time (RFC 3339, such as 2026-03-01T00:00:00Z).")
@click.option("--repo", default=".", type=click.Path(path_type=Path), help="A clone of the repository.")
@click.option("--offline", is_flag=True, help="Do not fetch.")
@click.option("--json", "as_json", is_flag=True, help="Print the releases as a JSON list.")
def command(model: str, environment: str | None, at: str | None, repo: Path, offline: bool, as_json: bool) -> None:
    """Every change of every environment of MODEL, oldest first, from the ledger."""
    from bot.cli.clone import clone_ports, table
    from bot.promote.lineage import live_at
    from bot.promote.step import promotions
    from bot.records.base import canonical_json

    ports = clone_ports(repo, fetch=not offline)
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
