"""A schedule -> the health of everything that is live and watched, and what follows: issues, retraining, a proposal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.errors import MlbotError, Parts, UserError
from bot.ledger import Ledger
from bot.monitor.follow import MONTH, RETRAIN, ROLLBACK, Act, Situation, Words, better, follow, marker
from bot.monitor.step import keep
from bot.pipeline.job import Job
from bot.pipeline.monitoring import Look, look, watched
from bot.pipeline.retraining import Draft, draft
from bot.ports import Thread, Tracker
from bot.promote.reading import live_releases, promotions
from bot.records.event import Dispatched, Event
from bot.records.health import Health
from bot.report.health import issue, page, retraining, rollback, sentence, summary, title_of
from bot.words import Markdown, Plain

EVALUATION = "pull-request.yml"
ACTIONS = "github-actions[bot]"  # who GITHUB_TOKEN acts as; what an app of the team's own opens starts workflows
MOST_BODY = 60_000  # GitHub takes 65,536 characters


def run(event: Event, job: Job) -> None:
    """Judge each live model that the policy watches; one that cannot be judged does not stop the others."""
    policies = watched(job.ports, job.default_sha)
    only = event.inputs.get("model", "") if isinstance(event, Dispatched) else ""
    live = live_releases(job.ports)
    if only and only not in {one.model for one in live}:
        hint = f"Live: {', '.join(sorted({one.model for one in live})[:20]) or 'nothing'}."
        raise UserError(f"no model called {only[:64]!r} is live", hint=hint, code="no_model")
    listed = Parts()
    threads = listed.attempt("issues", lambda: _threads(job))
    failed = [f"issues: {error}" for _, error in listed.failed]
    for release in live:
        if only and release.model != only:
            continue
        monitor = policies.get(release.environment)
        if monitor is None:
            job.say(f"{release.model} in {release.environment} is not watched: its environment has no `monitor:`")
            continue
        try:
            after(look(release, monitor, job.ports, job.ports.workspace, is_kept=True), threads, job)
        except MlbotError as error:
            failed.append(f"{release.model} in {release.environment}: {error}")
            job.say(f"::error::{failed[-1].splitlines()[0]}")
    if failed:
        raise UserError("\n".join(failed), hint="The others were judged.", code="not_judged")


def after(seen: Look, threads: Sequence[Thread] | None, job: Job) -> None:
    """Everything that follows one look. The record is stored last: after a crash the same window is judged again.

    `threads` are the bot's own; what is opened for one model is not about another. None: GitHub did not list them, so
    nothing is opened, closed or kept, and the next run judges the same window.
    """
    if threads is None:
        _tell(seen, ["::warning::nobody is told, since GitHub does not list the bot's issues"], job)
        return
    found, why_not = _draft(seen, job)
    now = job.ports.clock.now()
    given = Situation(seen.health, seen.monitor, seen.past, threads, now, _words(seen, found), why_not)
    acts, said = follow(given)
    for act in acts:
        try:
            said += _do(act, seen.health, found, _tracker(job), job)
        except UserError as error:
            said.append(_refused(act, error))
    _evaluate_what_was_missed(threads, seen.health, job)
    keep(seen.health, job.ports)
    _tell(seen, said, job)


def _tracker(job: Job) -> Tracker:
    if job.ports.tracker is None:
        raise UserError("nobody can be told: this job has no tracker", code="port_absent")
    return job.ports.tracker


def _threads(job: Job) -> Sequence[Thread]:
    return _tracker(job).own(job.ports.clock.now() - MONTH)


def _draft(seen: Look, job: Job) -> tuple[Draft | None, str]:
    """What a retraining pull request would hold, or why there is none."""
    if "retraining_pull_request" not in seen.monitor.on_alarm or not seen.health.causes:
        return None, ""
    if seen.rows is None:
        return None, "no logged row has a label"
    try:
        return draft(seen.release.model, seen.rows, seen.monitor.least_retraining_rows, job.ports), ""
    except UserError as error:
        return None, error.message


def _words(seen: Look, found: Draft | None) -> dict[str, Words]:
    health = seen.health
    made: dict[str, Words] = {one: Words(title_of(health, one), issue(health, one)) for one in health.causes}
    if found is not None:
        made[RETRAIN] = Words(*retraining(health, found.rows, found.path, found.moved))
    best = better(health)
    if best is not None:
        made[ROLLBACK] = Words(*rollback(health, best, seen.release.pull_request))
    return made


def _do(act: Act, health: Health, found: Draft | None, tracker: Tracker, job: Job) -> list[str]:
    """Carry out one act; what happened, in sentences."""
    if act.kind == "close" and act.number is not None:
        tracker.close(act.number, Markdown.escape(act.why))
        return [f"#{act.number} closed: {act.about} is gone"]
    if act.words is None:
        return []
    title = act.words.title
    body = (marker(health, act.about) + Markdown("\n") + act.words.body)[:MOST_BODY]
    if act.kind == "edit" and act.number is not None:
        tracker.edit(act.number, title, body)
        return [f"#{act.number} brought up to date: {title}"]
    if act.about != RETRAIN:
        return [f"#{tracker.open_issue(title, body).number} opened: {title}"]
    return _retrain(found, title, body, tracker, job) if found is not None else []


def _retrain(found: Draft, title: Plain, body: Markdown, tracker: Tracker, job: Job) -> list[str]:
    """Opened with GITHUB_TOKEN a pull request starts no workflow: its evaluation is dispatched."""
    made = tracker.open_pull_request(found.branch, found.base, found.files, title, title, body)
    if job.ports.conversation.me().login == ACTIONS:
        job.ports.conversation.dispatch(EVALUATION, {"number": str(made.number)})
    return [f"#{made.number} opened: {title}"]


def _refused(act: Act, error: UserError) -> str:
    """What could not be done, as a warning of the run; the record is kept all the same."""
    hint = error.hint or ""
    if error.code == "forbidden" and act.about == RETRAIN:
        hint = "Settings, Actions, General: let GitHub Actions create pull requests."
    return f"::warning::{act.about}: {error.message}. {hint}".strip()


def _evaluate_what_was_missed(threads: Iterable[Thread], health: Health, job: Job) -> None:
    """A job that died after it opened a pull request has not asked for its evaluation."""
    for thread in threads:
        is_ours = thread.is_pull_request and thread.state == "open" and thread.body.startswith(marker(health, RETRAIN))
        if is_ours and not Ledger(job.ports.ledger).is_reported(thread.number):
            job.ports.conversation.dispatch(EVALUATION, {"number": str(thread.number)})


def _tell(seen: Look, said: Iterable[str], job: Job) -> None:
    health = seen.health
    job.say(sentence(health))
    for line in said:
        job.say(line if line.startswith("::") else f"  {line}")
    lines = [Markdown("\n- {}").format(line.removeprefix("::warning::")) for line in said]
    job.summarize(summary(health) + Markdown("").join(lines) + Markdown("\n"))
    folder = job.out / "health"
    folder.mkdir(parents=True, exist_ok=True)
    at = folder / f"{health.environment}-{health.model}.html"
    at.write_text(page([*seen.past, health], promotions(health.model, job.ports)), encoding="utf-8")
