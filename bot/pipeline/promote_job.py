"""A merge or a request -> releases: the policy is asked here again, and only its approval moves bytes."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace

from bot.chatops.parse import parse
from bot.decide.orders import break_glass_used, checked
from bot.errors import MlbotError, Parts, UserError, WorldError
from bot.ledger import Ledger
from bot.pipeline.asking_again import ask_again
from bot.pipeline.dispatched import PROMOTION, asker
from bot.pipeline.job import Job, number_of
from bot.pipeline.judge import Judged, head_of, judge, merged_inputs, policies_of, rejudge_open
from bot.pipeline.merges import settle_merges
from bot.pipeline.probes import probed
from bot.pipeline.promotion import (
    approvers,
    asked,
    brought_by,
    evaluation_and_pointer,
    overtaken_by,
    requested,
    summarizer,
)
from bot.ports import Ports, PullRequest
from bot.promote.step import Probe, promote, revoked_digests, rollback, settle_all, show_views, states_of
from bot.records.command import Command
from bot.records.evaluation import Evaluation
from bot.records.event import Account, Dispatched, Event, Pushed
from bot.records.facts import Asked
from bot.records.ledger import Head, proposal_branch
from bot.records.release import Approver, Release
from bot.words import Markdown, prose

# How the line begins that names a tag or a deployment which is not there yet; it is taken out once it is.
VIEW_MISSING = "Not shown yet:"
AGAIN = "The next run tries again."
ANSWER = "<!-- mlbot:promotion"
LINE_END = Markdown("\n")


@dataclass(frozen=True)
class Told:
    """A sentence for the pull request, names and commands between backquotes; `error` is what the job ends with."""

    sentence: str
    error: MlbotError | None = None


VERBS = {"promote": ("promote", "break-glass"), "rollback": ("rollback",)}


def run(event: Event, job: Job) -> None:
    """A push promotes what it merged to the environments that promote by themselves; a dispatch does what it names."""
    if isinstance(event, Pushed):
        _moved(event, job)
        return
    if not isinstance(event, Dispatched):
        raise UserError(f"not a promotion: {event.kind}", code="wrong_event")
    number = number_of(event)
    if event.inputs.get("environment"):
        _as_asked(number, event, job)
        return
    named = [name for name in ("model", "comment_id") if event.inputs.get(name)]
    if named or event.inputs.get("action", "promote") != "promote":
        said = f"{named[0] if named else 'a rollback'} needs an environment"
        raise UserError(said, hint="Name it, or leave out what is asked of it.", code="target_missing")
    by_itself(number, job)


def _moved(event: Pushed, job: Job) -> None:
    """What was merged is promoted; where policies changed, every open pull request is judged by the new ones."""
    parts = Parts()
    settle_merges(by_itself, job, parts, is_kept=False)
    if _changes_policies(event, job):
        rejudge_open(job, parts)
    for name, error in parts.failed:
        job.say(f"{name}: {error.message}")
    parts.finish()


def _changes_policies(event: Pushed, job: Job) -> bool:
    try:
        return bool(job.ports.git.changes(event.before, event.after, under=["policies"]))
    except UserError:
        return True  # a new branch, or commits that are not here any more


def by_itself(number: int, job: Job) -> None:
    """To each environment that the policy promotes to on a merge; what this merge brought there before stays said."""
    found, head = _merged(number, job)
    if head is None or found.merge_commit_sha is None:
        job.say(f"#{number} was merged without an evaluation of its head; nothing is promoted")
        return
    if not head.models:
        job.say(f"#{number} changes no model")
        return
    told: list[Told] = []
    for name, environment in policies_of(job).environments.environments.items():
        if environment.auto_promote == "merge":
            brought = functools.partial(_brought, name, head, found, job)
            told += _or_why_not(name, brought)
    _tell(number, told + _shown(head.models, job), "merge", job)


def _or_why_not(environment: str, act: Callable[[], list[Told]]) -> list[Told]:
    """What became of one environment; that it failed keeps no other back."""
    tried = Parts()
    told = tried.attempt(environment, act) or []
    return told + [Told(f"Nothing was promoted to {environment}: {error.message}", error) for _, error in tried.failed]


def _brought(environment: str, head: Head, found: PullRequest, job: Job) -> list[Told]:
    """Each model of a merge once: what was rolled back or replaced since is not brought again."""
    commit = found.merge_commit_sha or ""
    before = {name: brought_by(name, environment, commit, head.models[name], job) for name in sorted(head.models)}
    told = [Told(_standing(release, job)) for release in before.values() if release is not None]
    left = {name: one for name, one in head.models.items() if before[name] is None}
    for name in sorted(left):
        later = overtaken_by(name, environment, commit, job)
        if later is not None:
            told.append(Told(_overtaken(name, environment, later)))
            del left[name]
    if left:
        rest = head.model_copy(update={"models": left})
        question = asked(Command(verb="promote"), None, None, rest)
        judged = judge(found.number, environment, job, asked=question, merged=merged_inputs(rest, commit, job))
        told += _act(judged, Command(verb="promote", environment=environment), rest, found, None, None, job)
    return told


def _overtaken(name: str, environment: str, later: Release) -> Markdown:
    of = Markdown(" of #{}").format(later.pull_request) if later.pull_request else Markdown("")
    said = Markdown("{} of this merge is not brought to {}: {}{} came after it.")
    return said.format(name, environment, later.version, of)


def _as_asked(number: int, event: Dispatched, job: Job) -> None:
    """What a person's comment asks for; without a comment, what the person who dispatched asks for."""
    tried = Parts()
    told = tried.attempt("request", lambda: _answer(number, event, job))
    if told is not None:
        trigger, said = told
        _tell(number, said, trigger, job)
        return
    ((_, error),) = tried.failed
    hint = f" {error.hint}" if error.hint else ""
    said = [Told(f"Nothing was done: {error.message}{hint}", error)]
    _tell(number, said, f"run {job.ports.run.id}", job)  # never in the place of what a comment was answered


def _answer(number: int, event: Dispatched, job: Job) -> tuple[str, list[Told]]:
    """What makes a second delivery the same request, and what became of it. Raises MlbotError when nothing did."""
    found, head = _merged(number, job)
    who = asker(event, number, PROMOTION, job)
    if who is None:
        raise UserError("the bot asks for no promotion by itself", code="promoter_missing")
    command, by, at, trigger = _request(number, event, who, job)
    question: Asked = asked(command, by.id, at, head)
    merged = merged_inputs(head, found.merge_commit_sha, job) if head and found.merge_commit_sha else {}
    environment = command.environment or ""
    judged = judge(number, environment, job, actor=who, asked=question, merged=merged)
    checked(command.verb, who.id, judged.case)  # also in a dispatch by hand: the role of what it stands for
    told = _act(judged, command, head, found, by, trigger, job)
    return trigger, told + _shown(question.models, job)


def _merged(number: int, job: Job) -> tuple[PullRequest, Head | None]:
    found = job.ports.pull_requests.get(number)
    return found, head_of(number, found.head_sha, job)


def _request(number: int, event: Dispatched, who: Account, job: Job) -> tuple[Command, Approver, str | None, str]:
    """Command, who gave it, when, and a trigger that makes a second delivery the same request."""
    action = event.inputs.get("action", "promote")
    comment_id = event.inputs.get("comment_id", "")
    if not comment_id:
        command = Command(
            verb="rollback" if action == "rollback" else "promote", environment=event.inputs["environment"],
            models=tuple(event.inputs.get("model", "").split()), options={"reason": event.inputs.get("reason", "")},
        )  # fmt: skip
        by = Approver(id=who.id, login=who.login, role="dispatched")
        return command, by, None, f"run {job.ports.run.id}"
    comments = [one for one in job.ports.pull_requests.comments(number) if str(one.id) == comment_id]
    if not comments or comments[0].is_edited or comments[0].author.id != who.id:
        raise UserError(f"comment {comment_id} is gone or was edited", code="edited")
    wanted = (event.inputs["environment"], tuple(event.inputs.get("model", "").split()))
    refused = _refused(number, comments[0].id, job)
    for index, said in enumerate(parse(comments[0].body, policies_of(job).commands.prefix).commands):
        if index in refused:
            continue
        command = requested(said, number, job)
        if command.verb in VERBS.get(action, ()) and (command.environment, command.models) == wanted:
            by = Approver(id=who.id, login=who.login, role="asked for it")
            trigger = " ".join(["comment", comment_id, *command.models])  # a comment may hold several commands
            return command, by, comments[0].created_at.isoformat(), trigger
    hint = "What was refused once is asked for in a new comment." if refused else None
    raise UserError(f"comment {comment_id} does not ask for this", hint=hint, code="ref_changed")


def _refused(number: int, comment_id: int, job: Job) -> Collection[int]:
    """Places of the commands that were refused when the comment was written: only its author asks again."""
    note = Ledger(job.ports.ledger).handled(number, comment_id)
    return json.loads(note)["refused"] if note else ()


def _act(
    judged: Judged, command: Command, head: Head | None, found: PullRequest, by: Approver | None,
    trigger: str | None, job: Job,
) -> list[Told]:  # fmt: skip
    environment = command.environment or ""
    if judged.decision.status != "approved":
        asked_again, again = Parts(), "It is being trained again in another run, which says here what it came to."
        if asked_again.attempt("reproduction", lambda: ask_again(judged, job)):
            return [Told(f"Not promoted to {environment} yet: {judged.decision.headline} {again}")]
        return [Told(f"Not promoted to {environment} ({judged.decision.reason_code}): {judged.decision.headline}")]
    names = judged.facts.asked.models
    if command.verb == "rollback":
        done = {name: _tried(functools.partial(_rolled_back, name, command, by, trigger, job)) for name in names}
    elif head is None:
        raise UserError(f"#{found.number} has no evaluation", code="evaluation_missing")
    else:
        stored = {name: evaluation_and_pointer(name, head.models[name], job) for name in names}
        probe = probed(environment, stored.values(), job)
        one = functools.partial(_promoted, judged, command, found, by, trigger, probe, job)
        done = {name: _tried(functools.partial(one, *stored[name])) for name in names}
    live = [one.model for one in done.values() if isinstance(one, Release)]
    told = [_outcome(name, one, command, head, job) for name, one in done.items()]
    facts, used = Parts(), break_glass_used(judged.case)
    facts.attempt("releases", lambda: settle_all(live, job.ports, summarizer(job.ports, job.default_sha)))
    if used is not None:
        said = f"break-glass promotion of #{found.number} to {environment}"
        facts.attempt("break-glass", lambda: Ledger(job.ports.ledger).write(used.ledger, said))
        told.append(Told(used.sentence))
    told += [Told(f"The ledger does not hold that yet: {one.message} {AGAIN}", one) for _, one in facts.failed]
    return told


def _tried(act: Callable[[], Release]) -> Release | MlbotError:
    """What became of one model; that it failed keeps no other back."""
    try:
        return act()
    except MlbotError as error:
        return error


def _shown(models: Iterable[str], job: Job) -> list[Told]:
    """Tags and one deployment of what went live; what of them is missing. A release is live without them."""
    before = len(job.ports.views.failed)
    show_views(models, job.ports)
    missing = job.ports.views.failed[before:]
    return [Told(f"{VIEW_MISSING} {name}: {error.message} {AGAIN}") for name, error in missing]


def _outcome(model: str, done: Release | MlbotError, command: Command, head: Head | None, job: Job) -> Told:
    if isinstance(done, Release):  # asked again, it says what was done then
        state = states_of(model, job.ports).get(done.environment)
        is_live = state is not None and state.counter >= done.counter
        return Told(_sentence(done) if is_live else _proposed(done))
    verb = "rolled back in" if command.verb == "rollback" else "promoted to"
    if head is not None and command.verb != "rollback":
        state = states_of(model, job.ports).get(command.environment or "")
        if state and state.action != "withdraw" and state.artifact_digest == head.models[model].artifact_digest:
            return Told(f"{_sentence(state)} It was not brought there again: {done.message}", done)
    hint = f" {done.hint}" if done.hint else ""
    is_answer = done.code == "proposal_declined"  # somebody said no: nothing failed
    message = done.message.removesuffix(".")
    return Told(f"{model} was not {verb} {command.environment}: {message}.{hint}", None if is_answer else done)


def _rolled_back(model: str, command: Command, by: Approver | None, trigger: str | None, job: Job) -> Release:
    return rollback(
        command.environment or "", model, reason=command.reason, by=by, ports=job.ports, trigger=trigger,
        revoked=revoked_digests(model, job.ports), to_digest=_digest(command.options.get("to")),
        summarize=summarizer(job.ports, job.default_sha), settles=False,
    )  # fmt: skip


def _promoted(
    judged: Judged, command: Command, found: PullRequest, by: Approver | None, trigger: str | None, probe: Probe,
    job: Job, evaluation: Evaluation, pointer: str,
) -> Release:  # fmt: skip
    environment = command.environment or ""
    return promote(
        evaluation.model, environment, evaluation, pointer, commit=found.merge_commit_sha or "",
        number=found.number, approved_by=approvers(evaluation.model, judged.decision, judged.facts), promoted_by=by,
        reason=command.reason or f"pull request #{found.number}", ports=delivering(environment, job), trigger=trigger,
        decision_digest=judged.decision.digest(), probe=probe, summarize=summarizer(job.ports, job.default_sha),
        settles=False,
    )  # fmt: skip


def _digest(text: str | None) -> str | None:
    return f"sha256:{text.removeprefix('sha256:')}" if text else None


def delivering(environment: str, job: Job) -> Ports:
    """The job's ports, with an environments branch that is written as the policy says: by commits or pull requests."""
    policy = policies_of(job).environments.environments.get(environment)
    if policy is None or policy.delivery == "commit":
        return job.ports
    if job.ports.proposals is None:
        raise UserError(f"{environment} is delivered by pull requests, which need GitHub", code="port_absent")
    return replace(job.ports, environments=job.ports.proposals)


def _standing(release: Release, job: Job) -> str:
    """Where a release is by now: proposed, live, or followed by another."""
    state = states_of(release.model, job.ports).get(release.environment)
    if state is None or state.counter < release.counter:
        return _proposed(release)
    if state.counter == release.counter:
        return _sentence(release)
    now = "nothing is live there" if state.action == "withdraw" else f"{state.version} is live there"
    return f"{release.model} {release.version} was brought to {release.environment}; by now {now}."


def _proposed(release: Release) -> str:
    branch = proposal_branch(release.environment, release.model)
    return f"{release.model} {release.version} is live in {release.environment} once somebody merges `{branch}`."


def _sentence(release: Release) -> str:
    verb = "is back" if release.action == "rollback" else "is live"
    who = f" by {release.promoted_by.login}" if release.promoted_by else " by the policy"
    return f"{release.model} {release.version} {verb} in {release.environment}{who} (`{release.artifact_digest[:19]}`)."


def _tell(number: int, told: list[Told], trigger: str, job: Job) -> None:
    """One comment for each thing that was asked, however often it is asked. Raises what failed, when all is said."""
    lines = [Markdown("- {}").format(prose(one.sentence)) for one in told]
    for one in told:
        job.say(one.sentence)
    if lines:
        job.summarize(LINE_END.join(lines))
        marker = Markdown(f"{ANSWER} {trigger.replace('--', '')} -->")  # noqa: S704 - an id and names of models
        body = LINE_END.join([marker, *lines])
        job.ports.views.attempt("answer", lambda: job.ports.conversation.upsert_comment(number, marker, body))
    failed = [one.error for one in told if one.error is not None]
    if failed:
        raise next((one for one in failed if isinstance(one, WorldError)), failed[0])


def show_what_is_missing(models: Iterable[str], job: Job) -> None:
    """Tags and deployments that an earlier run could not write, and then the answers that name them."""
    for number in sorted({one.pull_request for one in show_views(models, job.ports) if one.pull_request}):
        job.ports.views.attempt(f"answers on #{number}", functools.partial(_without_what_was_missing, number, job))


def _without_what_was_missing(number: int, job: Job) -> None:
    talk = job.ports.conversation
    for one in talk.own(number, ANSWER):
        lines = one.body.splitlines()
        kept = [line for line in lines if not line.startswith(f"- {VIEW_MISSING}")]
        if kept != lines:
            body = Markdown("\n".join(kept))  # noqa: S704 - lines of the bot's own comment
            talk.upsert_comment(number, kept[0], body)
