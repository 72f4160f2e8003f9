"""Merge group -> statuses: each of its pull requests is judged again, and it holds nothing that none of them brings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from bot.errors import MlbotError, Parts, UserError
from bot.pipeline.job import Job
from bot.pipeline.judge import Judged, rejudge
from bot.pipeline.queued import group, is_stopped
from bot.plan.kinds import kind_of
from bot.plan.step import plan
from bot.records.event import MergeGroupRequested
from bot.records.ledger import BOT_BRANCHES
from bot.report.status import EVALUATION, VERDICT
from bot.words import shown

GOOD = "every pull request of the group is approved as it is"
STOPPED = "a pull request of the group is no longer approved"
ROOTS = ("policy", "workflow")  # kinds of files that count only as somebody wrote them, never merged by a machine


def verify_group(event: MergeGroupRequested, job: Job) -> None:
    """Judge what is not on the default branch yet, groups before this one included, as pull requests are judged.

    A group that cannot be judged gets an error that says why, so that the queue does not wait for it.
    """
    try:
        why = next(_objections(event, job), None)
    except MlbotError as error:
        _show(event, "error", f"Cannot be judged: {error.message}", job)
        raise
    _show(event, "failure" if why else "success", why or GOOD, job)
    job.say(why or GOOD)
    if why is None and _was_stopped(event.head_sha, job):
        _show(event, "failure", STOPPED, job)
        job.say(STOPPED)


def _was_stopped(sha: str, job: Job) -> bool:
    """Whether somebody's word came while the group was judged, and was shown before the group's own verdict."""
    job.ports.git.fetch(f"+refs/heads/{BOT_BRANCHES}:refs/remotes/origin/{BOT_BRANCHES}")
    return is_stopped(sha, job)


def _objections(event: MergeGroupRequested, job: Job) -> Iterator[str]:
    git = job.ports.git
    git.fetch(event.head_sha)
    base = git.merge_base(job.default_sha, event.head_sha)
    if base is None:
        raise UserError(f"{event.head_sha} did not grow from the default branch", code="head_missing")
    numbers = _members(event, job)
    group(numbers, event.head_sha, job)
    judged = [rejudge(one, job) for one in numbers]
    for one in judged:
        yield from _unapproved(one)
    made = plan(base, event.head_sha, job.ports)
    approved = {model.inputs_digest for one in judged for model in one.decision.models}
    missing = [one.model for one in made.planned if one.inputs_digest not in approved]
    missing += [one.model for one in made.invalid]
    if missing:
        yield f"no approved evaluation of {', '.join(missing)}"
    yield from _unexplained(base, event.head_sha, judged, job)


def _members(event: MergeGroupRequested, job: Job) -> list[int]:
    """The pull requests of a group, as GitHub's queue says; its branch names the last. Raises UserError without any."""
    found = job.ports.pull_requests.queued(job.ports.default_branch, event.head_sha)
    found = list(dict.fromkeys([*found, *([event.number] if event.number is not None else [])]))
    if not found:
        hint = "Put the pull request into the queue again."
        raise UserError("no pull request of this group is known", hint=hint, code="number_missing")
    return found


def _unapproved(judged: Judged) -> Iterator[str]:
    subject, decision = judged.facts.pull_request, judged.decision
    if subject.merged:
        return  # by a group before this one
    if subject.state != "open":
        yield f"#{subject.number} is closed"
    elif decision.status != "approved":
        yield f"#{subject.number}: {decision.headline}"


def _unexplained(base: str, sha: str, judged: Iterable[Judged], job: Job) -> Iterator[str]:
    """Files of the group that no pull request of it changes; policies and workflows that none of them holds so."""
    git, brought = job.ports.git, dict[str, set[str | None]]()
    for one in judged:
        head = one.facts.pull_request.head_sha
        for change in git.changes(git.merge_base(base, head) or base, head):
            brought.setdefault(change.path, set()).add(change.new)
    for change in git.changes(base, sha):
        if change.path not in brought:
            yield f"no pull request of the group changes {change.path}"
        elif kind_of(change.path) in ROOTS and change.new not in brought[change.path]:
            yield f"{change.path} is merged from several changes: nobody has seen it so"


def _show(event: MergeGroupRequested, state: str, said: str, job: Job) -> None:
    """Both statuses; one that is refused does not keep the other back."""
    parts, set_status = Parts(), job.ports.conversation.set_status
    for context in (VERDICT, EVALUATION):
        parts.attempt(context, partial(set_status, event.head_sha, context, state, shown(said), job.ports.run.url))
    parts.finish()
