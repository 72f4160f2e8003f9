"""Report -> the two commit statuses: `mlbot/evaluation` (were the numbers made) and `mlbot/verdict` (may it go in)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bot.records.decision import Decision
from bot.records.numbers import counted
from bot.records.report import Report
from bot.report.blocks import Link, Name, Part, Strong
from bot.report.findings import affected, state
from bot.report.markdown_blocks import CLOSING
from bot.report.overview import overview
from bot.report.withhold import released
from bot.words import Plain, one_line, shown

EVALUATION, VERDICT = "mlbot/evaluation", "mlbot/verdict"
DESCRIPTION_LIMIT = 140  # https://docs.github.com/rest/commits/statuses
Value = Literal["error", "failure", "pending", "success"]
VERDICTS: dict[str, Value] = {
    "approved": "success",
    "not_applicable": "success",
    "pending": "pending",
    "rejected": "failure",
    "error": "error",
}


@dataclass(frozen=True)
class Status:
    """A commit status; `description` is at most 140 characters."""

    context: str
    state: Value
    description: Plain
    url: str | None


def statuses(report: Report, shared: Sequence[Shared] = ()) -> tuple[Status, Status]:
    """The evaluation's and the verdict's status for the head of the pull request.

    `shared` are the open pull requests with the same head and base, this one included, if there are others.
    """
    shown = released(report)
    evaluation, verdict = evaluation_status(shown), verdict_status(shown)
    if not shared:
        return evaluation, verdict
    return shared_status(evaluation, shared, _evaluation_of), shared_status(verdict, shared, verdict_of)


def evaluation_status(report: Report) -> Status:
    """Success when every affected model has its numbers, whatever they say."""
    models = affected(report)
    states = [state(report, model) for model in models]
    broken = sum(now in ("failed", "invalid", "no_data") for now in states)
    running = sum(now in ("running", "held") for now in states)
    if broken:
        return _status(
            report, EVALUATION, "failure", f"{broken} of {counted(len(models), 'model')} could not be evaluated"
        )
    if running:
        return _status(report, EVALUATION, "pending", f"{running} of {counted(len(models), 'model')} still to evaluate")
    return _status(report, EVALUATION, "success", plain(overview(report).headline))


def verdict_status(report: Report) -> Status:
    """The decision in GitHub's words; pending before there is one."""
    if report.decision is None:
        return _status(report, VERDICT, "pending", "Not decided yet")
    return _status(report, VERDICT, VERDICTS[report.decision.status], report.decision.headline)


@dataclass(frozen=True)
class Shared:
    """What is known of a pull request that has the same head commit and base branch as another.

    `decision` None: not decided yet; `report` None: not evaluated yet. `counts` says that its author may write to the
    repository: anybody can propose a commit that is somebody else's.
    """

    number: int
    decision: Decision | None
    counts: bool
    report: Report | None = None


def shared_status(own: Status, shared: Sequence[Shared], says: Callable[[Shared], tuple[Value, str]]) -> Status:
    """A status of a commit: the worst of the pull requests that have it and count; the others are named.

    A status belongs to a commit, so what is right for one pull request must not open the other. Where nobody's counts,
    everybody's does. Whoever of them is judged, the status says the same, so that none writes over another's.
    """
    everybody = sorted(shared, key=lambda one: one.number)
    counted_ = [one for one in everybody if one.counts] or everybody
    worst = min(counted_, key=lambda one: (_ORDER.index(says(one)[0]), one.number))
    value, words = says(worst)
    said = f"#{worst.number}: {one_line(words)}"
    named = [f"#{one.number}" + (" not counted" if one not in counted_ else "") for one in everybody if one != worst]
    added = shown(f"[same commit: {', '.join(named)}]", DESCRIPTION_LIMIT)
    added = added if len(added) < DESCRIPTION_LIMIT // 2 else shown(f"[same commit: {len(named)} more]")
    if not named:
        return replace(own, state=value, description=shown(said, DESCRIPTION_LIMIT))
    return replace(own, state=value, description=shown(said, DESCRIPTION_LIMIT - 1 - len(added)) + Plain(" ") + added)


_ORDER: tuple[Value, ...] = ("failure", "error", "pending", "success")


def verdict_of(one: Shared) -> tuple[Value, str]:
    """State and words of the verdict on one of several pull requests."""
    return (VERDICTS[one.decision.status], one.decision.headline) if one.decision else ("pending", "Not decided yet")


def _evaluation_of(one: Shared) -> tuple[Value, str]:
    if one.report is None:
        return "pending", "Not evaluated yet"
    found = evaluation_status(released(one.report))
    return found.state, found.description


def _status(report: Report, context: str, value: Value, description: str) -> Status:
    url = (report.run.page_url or report.run.url) if report.run else None
    return Status(context, value, shown(description, DESCRIPTION_LIMIT), url)


def plain(several: tuple[Part, ...]) -> str:
    """Parts as plain text."""
    text = ""
    for one in several:
        word = _text(one)
        if word:
            text += word if not text or word.startswith(CLOSING) else f" {word}"
    return text


def _text(one: Part) -> str:
    if isinstance(one, str):
        return one
    if isinstance(one, Name | Strong):
        return one.text
    return one.label if isinstance(one, Link) else ""
