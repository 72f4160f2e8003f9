"""`mlbot plan`: which models a change affects, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bot.records.plan import Plan


@click.command(name="plan")
@click.option("--base", metavar="REV", show_default="origin's default branch", help="Compare with this revision.")
@click.option("--head", metavar="REV", default="HEAD", show_default=True, help="The change.")
@click.option("--all", "everything", is_flag=True, help="Every model at --head, whatever changed.")
@click.option("--repo", default=".", type=click.Path(exists=True, path_type=Path), help="A clone.")
@click.option("--json", "as_json", is_flag=True, help="Print the Plan record.")
def command(base: str | None, head: str, everything: bool, repo: Path, as_json: bool) -> int:
    """Print the models that a change affects, those it does not, and why.

    Compares --head with its merge base with --base. Reads Git objects only: uncommitted files do not count. Exit 1 when
    a model cannot be read.
    """
    from bot.cli.local import local_ports
    from bot.plan.step import plan, plan_all

    ports = local_ports(repo)
    if everything:
        made = plan_all(head, ports)
    else:
        base = base or f"origin/{ports.git.default_branch()}"  # type: ignore[attr-defined]
        made = plan(base, head, ports)
    click.echo(made.canonical() if as_json else "\n".join(lines(made)))
    return 1 if made.invalid else 0


def lines(plan: Plan) -> list[str]:
    """The plan for a terminal."""
    found = [f"{plan.base_sha[:10]}..{plan.head_sha[:10]}: {', '.join(plan.change_kinds) or 'nothing'} changed"]
    for entry in plan.entries:
        if entry.kind == "planned":
            stored = ", stored evaluation" if entry.known_evaluation else ""
            found.append(f"  evaluate  {entry.model}  (inputs {entry.inputs_digest[7:19]}{stored})")
            found.extend(f"            - {reason.sentence}" for reason in entry.reasons)
        elif entry.kind == "invalid":
            place = ":".join(str(part) for part in (entry.file, entry.line, entry.column) if part is not None)
            found.append(f"  INVALID   {entry.model}  {place}: {entry.message}")
            found.extend([f"            {entry.hint}"] if entry.hint else [])
    skipped = [entry for entry in plan.entries if entry.kind == "skipped"]
    found.extend(f"  skip      {entry.model}  {entry.reason.sentence}" for entry in skipped[:20])
    found.extend([f"  skip      {len(skipped) - 20} more"] if len(skipped) > 20 else [])
    found.append(f"{len(plan.planned)} to evaluate, {len(plan.invalid)} invalid, {len(skipped)} skipped")
    return found
