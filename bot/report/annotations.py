"""Report -> workflow commands that mark the very line an error or a failed gate is about.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.records.evaluation import Evaluation
from bot.records.plan import Invalid
from bot.records.report import Report
from bot.report.findings import affected, blocking_gates
from bot.report.withhold import released
from bot.words import visible

Level = Literal["error", "warning", "notice"]
MOST = 10  # of a level in a step; GitHub shows no more: https://github.com/orgs/community/discussions/26680


@dataclass(frozen=True)
class Annotation:
    """A note at a file's line; None where there is no line to point at."""

    level: Level
    title: str
    message: str
    file: str | None
    line: int | None = None
    column: int | None = None


def workflow_commands(report: Report) -> list[str]:
    """Workflow commands, one a line, to be printed as they are; at most ten a level, errors first."""
    found = _found(released(report))
    errors = [one for one in found if one.level == "error"][:MOST]
    return [line(one) for one in (*errors, *[one for one in found if one.level == "warning"][:MOST])]


def _found(report: Report) -> list[Annotation]:
    invalid = [one for one in report.plan.entries if isinstance(one, Invalid)] if report.plan else []
    made = [
        Annotation("error", f"{one.model}: invalid", _said(one.message, one.hint or ""), one.file, one.line, one.column)
        for one in invalid
    ]
    for model, one in sorted(report.failures.items()):
        if one.held:
            continue
        said = _said(one.message, one.hint)
        made.append(Annotation("error", f"{model}: training failed", said, one.file, one.line, one.column))
    for model in affected(report):
        if model in report.evaluations:
            made += _gates(report.evaluations[model])
    return made


def _gates(evaluation: Evaluation) -> list[Annotation]:
    level: dict[str, Level] = {"fail": "error", "inconclusive": "warning"}
    words = {"fail": "fails", "inconclusive": "cannot tell"}
    return [
        Annotation(
            level[gate.verdict],
            f"{evaluation.model}: gate {gate.gate} {words[gate.verdict]}",
            _said(gate.sentence, gate.next_step),
            gate.file,
            gate.line,
        )
        for gate in blocking_gates(evaluation)
    ]


def _said(message: str, hint: str) -> str:
    return f"{message}\n{hint}" if hint else message


def line(one: Annotation) -> str:
    """The workflow command: nothing in its texts can end it or begin another."""
    place = [
        *([f"file={_property(one.file)}"] if one.file else []),
        *([f"line={one.line}"] if one.file and one.line else []),
        *([f"col={one.column}"] if one.file and one.line and one.column else []),
        f"title={_property(one.title)}",
    ]
    return f"::{one.level} {','.join(place)}::{_data(one.message)}"


def _data(text: str) -> str:
    shown = visible(text.replace("\r\n", "\n"), keep="\n").replace("##[", "## [")  # the runner's older command syntax
    return shown.replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
