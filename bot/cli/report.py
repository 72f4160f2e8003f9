"""`mlbot report`: evaluations (and a plan, and a decision) from files, as Markdown, HTML, JSON or for the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.errors import UserError

if TYPE_CHECKING:
    from bot.records.report import Report

FORMATS = ("terminal", "markdown", "html", "json")


@click.command("report")
@click.argument("evaluations", nargs=-1, type=click.Path(path_type=Path))
@click.option("--plan", type=click.Path(path_type=Path), help="A plan.json: what changed, what is skipped and why.")
@click.option("--decision", type=click.Path(path_type=Path), help="A decision.json: the verdict and what is missing.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="terminal", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="Write here instead of to standard output.")
@click.option("--details", is_flag=True, help="With --format terminal: every section of every model.")
def command(
    evaluations: tuple[Path, ...], plan: Path | None, decision: Path | None, form: str, out: Path | None, details: bool
) -> None:
    """Render EVALUATION files (or folders that hold an evaluation.json), with no network and no repository."""
    if not evaluations and plan is None:
        raise UserError(
            "nothing to report: no evaluation and no plan is named",
            hint="mlbot report out/churn/evaluation.json, or a folder that `mlbot evaluate` wrote.",
            code="nothing_to_report",
        )
    text = _rendered(_gathered(evaluations, plan, decision), form, details)
    if out is None:
        click.echo(text, nl=False)
    else:
        _write(out, text)


def _gathered(evaluations: tuple[Path, ...], plan: Path | None, decision: Path | None) -> Report:
    from bot.records.decision import Decision
    from bot.records.evaluation import Evaluation
    from bot.records.plan import Plan
    from bot.records.report import Report

    read = [Evaluation.parse(_bytes(path), source=str(path)) for path in evaluations]
    names = [one.model for one in read]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UserError(f"two of the files are evaluations of {twice!r}", hint="Name one file a model.", code="twice")
    judged = Decision.parse(_bytes(decision), source=str(decision)) if decision else None
    return Report(
        number=judged.number if judged else None,
        plan=Plan.parse(_bytes(plan), source=str(plan)) if plan else None,
        evaluations={one.model: one for one in read},
        decision=judged,
        evaluation_id=judged.evaluation_id if judged else None,
    )


def _bytes(path: Path) -> bytes:
    found = path / "evaluation.json" if path.is_dir() else path
    try:
        return found.read_bytes()
    except OSError as error:
        raise UserError(f"{found} cannot be read: {error.strerror}", code="file_missing") from None


def _rendered(report: Report, form: str, details: bool) -> str:
    if form == "json":
        from bot.report.withhold import released

        return released(report).model_dump_json(indent=2) + "\n"
    if form == "terminal":
        from bot.report.terminal import table

        return table(report, details_of=details)
    if form == "html":
        from bot.report.html import page

        return page(report)
    from bot.report.markdown import summary

    return summary(report)


def _write(out: Path, text: str) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{out} cannot be written: {error.strerror}", code="file_not_written") from None
    click.echo(f"{out}", err=True)
