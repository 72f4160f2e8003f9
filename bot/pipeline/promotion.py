"""What a promotion is asked about: by whom, for which models, with which bytes."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from fnmatch import fnmatchcase

from bot.chatops.parse import parse
from bot.decide.attestation import summary
from bot.decide.break_glass import request_id
from bot.decide.reading import opinion_id
from bot.errors import UserError
from bot.ledger import Ledger
from bot.pipeline.job import Job
from bot.pipeline.judge import Judged, head_of, merged_inputs, policies_of
from bot.ports import Ports
from bot.promote.step import promotions
from bot.records.command import Command
from bot.records.decision import Decision
from bot.records.evaluation import Evaluation
from bot.records.event import CommentCreated
from bot.records.facts import Asked, Facts
from bot.records.ledger import Evaluated, Head
from bot.records.release import Approver, Release


def requested(command: Command, number: int, job: Job) -> Command:
    """What a confirmation of break-glass confirms: the request itself; any other command as it is.

    Raises UserError (code `target_unknown`) when nobody asked for it on this pull request.
    """
    name = command.options.get("confirm")
    if name is None:
        return command
    prefix = policies_of(job).commands.prefix
    for comment in job.ports.pull_requests.comments(number):
        if "break-glass" not in comment.body.lower():
            continue
        for index, one in enumerate(parse(comment.body, prefix).commands):
            is_request = one.verb == "break-glass" and "confirm" not in one.options
            if is_request and request_id(number, opinion_id(comment.id, index)) == name:
                return one
    raise UserError(
        f"nobody asked for {name} on #{number}", hint="The bot's reply names the id.", code="target_unknown"
    )


def asked_of(command: Command, event: CommentCreated, judged: Judged, job: Job) -> Asked:
    """The question that a /promote or /rollback puts."""
    stored = next(one for one in job.ports.pull_requests.comments(event.number) if one.id == event.comment_id)
    head = head_of(event.number, judged.facts.pull_request.head_sha, job)
    return asked(command, event.author.id, stored.created_at.isoformat(), head)


def asked(command: Command, by: int | None, at: str | None, head: Head | None) -> Asked:
    """The question by its parts; a pattern that matches no model is refused."""
    models = chosen(command.models, head)
    action = "rollback" if command.verb == "rollback" else "promote"
    digests = {name: one.artifact_digest for name, one in models.items() if one.artifact_digest}
    return Asked(
        action=action, by=by, at=at, reason=command.reason, models=tuple(models),
        artifact_digests={} if action == "rollback" else digests,
    )  # fmt: skip


def chosen(patterns: Iterable[str], head: Head | None) -> dict[str, Evaluated]:
    """Models of a head by name or pattern, all without one."""
    models = head.models if head else {}
    patterns = tuple(patterns)
    found = {name: one for name, one in models.items() if not patterns or any(fnmatchcase(name, p) for p in patterns)}
    if patterns and not found:
        hint = f"Models of this pull request: {', '.join(models) or 'none'}."
        raise UserError(f"no model is called {' '.join(patterns)}", hint=hint, code="no_model")
    return found


def merged_of(number: int, job: Job) -> dict[str, str]:
    """Inputs digests at the merge commit, empty while the pull request is not merged."""
    found = job.ports.pull_requests.get(number)
    head = head_of(number, found.head_sha, job)
    if head is None or found.merge_commit_sha is None:
        return {}
    return merged_inputs(head, found.merge_commit_sha, job)


def evaluation_and_pointer(model: str, one: Evaluated, job: Job) -> tuple[Evaluation, str]:
    """What was evaluated and where its bytes are. Raises UserError when the ledger does not hold it."""
    if one.evaluation_digest is None:
        raise UserError(f"{model} has no evaluation", hint="/retrain", code="evaluation_missing")
    where = (model, one.inputs_digest, one.evaluation_digest)
    ledger = Ledger(job.ports.ledger)
    evaluation, pointer = ledger.evaluation(*where), ledger.pointer(*where)
    if evaluation is None or pointer is None:
        raise UserError(f"the ledger does not hold the evaluation of {model}", code="evaluation_missing")
    return evaluation, pointer


def brought_by(model: str, environment: str, commit: str, one: Evaluated, job: Job) -> Release | None:
    """The promotion of these bytes from this commit that the ledger holds, None when there is none."""
    return next(
        (
            release for release in promotions(model, job.ports)
            if (release.environment, release.action, release.commit) == (environment, "promote", commit)
            and release.artifact_digest == one.artifact_digest
        ),
        None,
    )  # fmt: skip


def overtaken_by(model: str, environment: str, commit: str, job: Job) -> Release | None:
    """A promotion to the environment from a later merge, which an earlier one must not undo; None without one."""
    return next(
        (
            release for release in promotions(model, job.ports)
            if (release.environment, release.action) == (environment, "promote") and release.commit != commit
            and _is_before(commit, release.commit, job)
        ),
        None,
    )  # fmt: skip


def _is_before(commit: str, later: str, job: Job) -> bool:
    try:
        return job.ports.git.is_ancestor(commit, later)
    except UserError:
        return False  # a commit that is not in this checkout


def approvers(model: str, decision: Decision, facts: Facts) -> tuple[Approver, ...]:
    """The people whose approvals count for a model, each once, in the role that the opinion was recorded with."""
    counted = {one for part in decision.models if part.model == model for one in part.approvals}
    logins = {one.account.id: one.account.login for one in facts.actors}
    found = {}
    for one in facts.opinions:
        if one.id in counted:
            role = ", ".join(one.recorded_roles or ())
            found[one.actor] = Approver(id=one.actor, login=logins.get(one.actor, "?"), role=role)
    return tuple(found[key] for key in sorted(found))


def summarizer(ports: Ports, sha: str) -> functools.partial:  # type: ignore[type-arg]
    """Makes the attestation of a decision by the policies at `sha`, which is signed with a release."""
    run = ports.run
    server = run.url.partition(f"/{run.repository}/")[0] if run.url else ""
    where = f"{server}/{run.repository}" if run.repository else "local"
    uri = f"git+{where}@{sha}#policies"
    return functools.partial(summary, repository=run.repository or "local", policy_uri=uri, verifier=where)
