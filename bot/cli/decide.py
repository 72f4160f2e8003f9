"""`mlbot decide`: judge a facts record by the policies, with no network."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from bot.cli.policy_files import read_folder
from bot.errors import UserError
from bot.records.decision import Decision

EXITS = {"approved": 0, "not_applicable": 0}


@click.command("decide")
@click.option("--facts", "facts_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Facts JSON.")
@click.option(
    "--policies", type=click.Path(exists=True, file_okay=False, path_type=Path), default="policies", show_default=True
)
@click.option("--now", default=None, metavar="TIME", help="Judge at this time (RFC 3339) instead of now.")
@click.option("--explain", "wants_tree", is_flag=True, help="Print the whole tree with reason codes.")
@click.option("--rule", default=None, help="With --explain: only nodes of this name.")
@click.option("--json", "wants_json", is_flag=True, help="Print the Decision record.")
@click.option(
    "--replay", "replayed", default=None, metavar="DIGEST", help="Judge a stored decision again, from the ledger."
)
@click.option(
    "--repo", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".", help="For --replay."
)
def command(
    facts_file: Path | None,
    policies: Path,
    now: str | None,
    wants_tree: bool,
    rule: str | None,
    wants_json: bool,
    replayed: str | None,
    repo: Path,
) -> int:
    """Judge facts by policies. Exit 0 when approved, 1 when not."""
    if replayed is not None:
        from bot.cli.replay import replay

        return replay(replayed, repo, wants_json=wants_json)
    if facts_file is None:
        raise UserError("nothing to judge", hint="Pass --facts FILE, or --replay DIGEST.")
    from bot.decide.decide import decide
    from bot.records.facts import Facts

    facts = Facts.parse(facts_file.read_bytes(), source=str(facts_file))
    decision = decide(facts, read_folder(policies), moment_of(now))
    show(decision, wants_tree=wants_tree, rule=rule, wants_json=wants_json)
    return EXITS.get(decision.status, 1)


def show(decision: Decision, *, wants_tree: bool, rule: str | None = None, wants_json: bool) -> None:
    """Print a decision as JSON, as a tree, or as its headline with what would unblock it."""
    from bot.decide.explain import explain

    if wants_json:
        click.echo(decision.model_dump_json(indent=2))
    elif wants_tree:
        click.echo(explain(decision, rule=rule), nl=False)
    else:
        click.echo(decision.headline)
        for one in decision.unblock:
            click.echo(
                f"  {', '.join(one.who) or 'anybody'}: {one.action}" + (f"  ({one.command})" if one.command else "")
            )


def moment_of(text: str | None) -> datetime:
    """The time that was asked for, or now."""
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UserError(f"{text!r} is not a time", hint="Write 2026-03-04T12:00:00Z.") from None
    if moment.tzinfo is None:
        raise UserError(f"{text!r} has no time zone", hint="Write 2026-03-04T12:00:00Z.")
    return moment
