"""Facts -> Decision -> ledger, and the pull request's comment and statuses from what the ledger holds."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from bot.chatops.answers import with_prefix
from bot.chatops.parse import parse
from bot.decide.case import Case
from bot.decide.decide import decide, refuse
from bot.decide.recording import approval_files
from bot.decide.roles import may_write
from bot.decide.step import collect, policy_files, record, unread
from bot.errors import MlbotError, Parts, Problems, UserError
from bot.ledger import Ledger
from bot.pipeline.again import judged_again
from bot.pipeline.job import Job, at_head
from bot.pipeline.queued import stop
from bot.pipeline.reuse import gates_digest
from bot.plan.step import plan_one
from bot.records.base import canonical_json
from bot.records.decision import Decision
from bot.records.evaluation import Evaluation
from bot.records.event import Account
from bot.records.facts import Asked, Facts
from bot.records.failure import Failure
from bot.records.ledger import Head, measuring_path
from bot.records.report import Report, RunFacts
from bot.report.override import read_templates
from bot.report.status import EVALUATION, VERDICT, Shared
from bot.report.step import publish
from bot.specs.policies import Policies, read_policies
from bot.words import Plain, shown

LONGEST_S = 120.0  # that one of many pull requests may take; a judgement takes some seconds


@dataclass(frozen=True)
class Judged:
    """A decision with what it was made from."""

    facts: Facts
    decision: Decision
    policies: Policies
    case: Case


def policies_of(job: Job) -> Policies:
    """The default branch's policies. Raises Problems when they do not load: then nothing is decided."""
    return read_policies(policy_files(job.ports.git, job.default_sha))


def judge(
    number: int,
    about: str,
    job: Job,
    *,
    actor: Account | None = None,
    asked: Asked | None = None,
    merged: Mapping[str, str] | None = None,
) -> Judged:
    """Decide on `merge` or an environment and write the decision, its facts and new opinions to the ledger.

    Policies that do not load are shown on the pull request as an error with their places, and raised again. So is
    whatever else keeps the merge from being judged: what is not known to be right is not green.
    """
    ports = job.ports
    try:
        policies = policies_of(job)
    except UserError as error:
        with blocking(number, about, job):
            _refuse(number, error, job)
        raise
    with blocking(number, about, job):
        head_sha = ports.pull_requests.get(number).head_sha
        inside = at_head(job, number, head_sha)
        again = functools.partial(judged_again, head=head_sha, job=inside)
        facts = collect(
            number, about, inside.ports, policies, parse, actor=actor, asked=asked, merged=merged, again=again
        )
        now = ports.clock.now()
        decision = decide(facts, policies, now)
        decision = record(facts, decision, approval_files(facts, policies), ports)
        if about == "merge" and decision.status != "approved" and facts.pull_request.state == "open":
            stop(number, shown(f"#{number}: {decision.headline}"), job)
    return Judged(facts, decision, policies, Case(facts, policies, now))


@contextmanager
def blocking(number: int, about: str, job: Job) -> Iterator[None]:
    """Inside, what goes wrong makes the verdict on the merge an error that says so, and is raised again."""
    try:
        yield
    except MlbotError as error:
        if about == "merge":
            said = shown(f"Cannot be judged: {error.message}")
            job.ports.views.attempt("verdict", lambda: _block(number, said, job))
            job.ports.views.attempt("merge queue", lambda: stop(number, said, job))
        raise


def _block(number: int, said: Plain, job: Job) -> None:
    talk, head_sha, context = (
        job.ports.conversation,
        job.ports.pull_requests.get(number).head_sha,
        verdict_context(number, job),
    )
    if talk.statuses(head_sha).get(context) != ("error", said):
        talk.set_status(head_sha, context, "error", said, job.ports.run.url)


def _refuse(number: int, error: UserError, job: Job) -> None:
    """The verdict `error` on the live head, and each mistake with file and line in the comment."""
    facts, now = unread(number, job.ports), job.ports.clock.now()
    mistakes = error.errors if isinstance(error, Problems) else [error]
    said = [f"{one.place}: {one.message}" if one.place else one.message for one in mistakes]
    decision = refuse(facts, "policy_invalid", said, now)
    decision = record(facts, decision, {}, job.ports)
    sha = facts.pull_request.head_sha
    report = report_of(number, sha, decision, job) or Report(number=number, decision=decision)
    shared = _shared(report, number, job)
    publish(report, number, sha, job.ports, contexts=(VERDICT,), base=_base(number, job), shared=shared)


def head_of(number: int, sha: str, job: Job) -> Head | None:
    """What the ledger holds of a head, None before its report."""
    return Ledger(job.ports.ledger).head(number, sha)


def merged_inputs(head: Head, commit: str, job: Job) -> dict[str, str]:
    """Inputs digests of a head's models, recomputed on a merge commit. A model that is gone there has none."""
    found = {}
    for model in head.models:
        if job.ports.git.read(commit, f"models/{model}/model.yaml") is not None:
            found[model] = plan_one(model, commit, job.ports).inputs_digest
    return found


def evaluations_of(head: Head, job: Job) -> dict[str, Evaluation]:
    """The stored evaluations of a head by model; a model that has none is left out."""
    found = {}
    for model, one in head.models.items():
        if one.evaluation_digest is not None:
            stored = Ledger(job.ports.ledger).evaluation(model, one.inputs_digest, one.evaluation_digest)
            if stored is None:
                raise UserError(f"the ledger does not hold the evaluation of {model}", code="evaluation_missing")
            found[model] = stored
    return found


def report_of(number: int, sha: str, decision: Decision | None, job: Job) -> Report | None:
    """The report of a head by the ledger alone, None before there is one."""
    head, plan = head_of(number, sha, job), Ledger(job.ports.ledger).plan(number, sha)
    if head is None or plan is None:
        return None
    evaluations = evaluations_of(head, job)
    unknown = Failure(message="There is no evaluation; the log of the training run says why.")
    return Report(
        number=number,
        plan=plan,
        evaluations=evaluations,
        failures={model: head.failures.get(model, unknown) for model in head.models if model not in evaluations},
        reused=head.reused,
        decision=decision,
        evaluation_id=decision.evaluation_id if decision else None,
        run=RunFacts(id=head.run_id, attempt=head.run_attempt, url=run_url(head.run_id, job)),
    )


def show(report: Report, number: int, sha: str, job: Job, *, prefix: str | None) -> bool:
    """Bring statuses and comment up to date; False when a later run was there first.

    What is merged gets no status any more: of a commit of the default branch GitHub does not tell who else proposes
    it, and that one must not turn green by it.
    """
    if prefix is not None:
        hints = {model: with_prefix(one.hint, prefix) for model, one in report.failures.items()}
        failures = {model: one.model_copy(update={"hint": hints[model]}) for model, one in report.failures.items()}
        report = report.model_copy(update={"failures": failures})
    try:
        templates = read_templates(policy_files(job.ports.git, job.default_sha))
    except UserError as error:  # a report in our words is better than no verdict
        job.say(str(error))
        templates = {}
    is_shown = publish(
        report,
        number,
        sha,
        job.ports,
        templates=templates,
        contexts=() if job.ports.pull_requests.get(number).merged else (EVALUATION, VERDICT),
        base=_base(number, job),
        shared=_shared(report, number, job),
    )
    if is_shown and report.decision is not None:
        tell(report.decision, job)
    return is_shown


def _shared(report: Report, number: int, job: Job) -> list[Shared]:
    """What everybody has got whose pull request is open with this commit and base; empty when nobody else's is."""
    pulls = job.ports.pull_requests
    found = pulls.get(number)
    if not found.siblings:
        return []
    roles = pulls.permissions([found.author, *(one.author for one in found.siblings)])
    others = [_sibling(one.number, found.head_sha, may_write(roles[one.author.id]), job) for one in found.siblings]
    own = Shared(number, report.decision, may_write(roles[found.author.id]), report)
    return [own, *others] if found.state == "open" else others  # what is merged opens no other


def _sibling(number: int, sha: str, counts: bool, job: Job) -> Shared:
    decision = last_verdict(number, sha, job)
    return Shared(number, decision, counts, report_of(number, sha, decision, job))


def last_verdict(number: int, sha: str, job: Job) -> Decision | None:
    """The last decision on the merge of a head, None before there is one."""
    found = Ledger(job.ports.ledger).decisions(number).whole
    mine = [one for one in found if (one.subject, one.head_sha) == ("merge", sha)]
    return max(mine, key=lambda one: (one.decided_at, one.status != "approved"), default=None)


def tell(decision: Decision, job: Job) -> None:
    """What people must know, each in a comment of its own, once."""
    for alert in decision.alerts:
        first = f"<!-- mlbot:alert:{alert.id} -->"
        if not job.ports.conversation.own(decision.number, first):
            who = "".join(f"@{one} " for one in alert.who)
            post = functools.partial(job.ports.conversation.upsert_comment, decision.number, first)
            job.ports.views.attempt("alert", functools.partial(post, f"{first}\n{who}{alert.sentence}"))


def _base(number: int, job: Job) -> str | None:
    """The base branch, None for the default one."""
    base = job.ports.pull_requests.get(number).base_ref
    return None if base == job.ports.default_branch else base


def verdict_context(number: int, job: Job) -> str:
    """The name of the verdict's status, which tells base branches apart."""
    base = _base(number, job)
    return VERDICT if base is None else f"{VERDICT}: {base}"


def show_verdict(judged: Judged, job: Job) -> None:
    """What an opinion changed, where a report exists: the verdict and the comment."""
    number, sha = judged.facts.pull_request.number, judged.facts.pull_request.head_sha
    report = report_of(number, sha, judged.decision, job)
    if report is not None:
        show(report, number, sha, job, prefix=judged.policies.commands.prefix)


def rejudge(number: int, job: Job, *, actor: Account | None = None) -> Judged:
    """Decide on the merge again, and show it where a report exists."""
    judged = judge(number, "merge", job, actor=actor)
    show_verdict(judged, job)
    return judged


def _in_time(number: int, job: Job) -> Judged:
    """`rejudge` of one of many: one that takes long keeps no other back."""
    with job.limited(LONGEST_S):
        return rejudge(number, job)


def rejudge_open(job: Job, parts: Parts, until: Callable[[], bool] = lambda: False) -> list[Judged]:
    """`rejudge` every open pull request; one that fails keeps no other back. Stops when `until` says so."""
    found = []
    for number in parts.attempt("open pull requests", job.ports.pull_requests.open_numbers) or []:
        if until():
            job.say("no time is left for the other open pull requests; the next run judges them")
            break
        judged = parts.attempt(f"#{number}", functools.partial(_in_time, number, job))
        if judged is not None:
            job.say(f"#{number}: {judged.decision.headline}")
            found.append(judged)
            parts.attempt(f"evaluation of #{number}", functools.partial(measure_again, judged, job))
    return found


def measure_again(judged: Judged, job: Job) -> None:
    """Start the evaluation that a changed gate asks for, once a head and version of the gates.

    Approvals of the evaluation before fall with it, as for any new one. A fork's head is evaluated when somebody asks.
    """
    subject = judged.facts.pull_request
    missing = [one.model for one in judged.facts.models if one.unmeasured]
    if not missing or subject.state != "open" or subject.draft or subject.from_fork:
        return
    ledger, where = Ledger(job.ports.ledger), (subject.number, subject.head_sha, gates_digest(job))
    if not ledger.is_measured_again(*where):
        job.ports.conversation.dispatch("pull-request.yml", {"number": str(subject.number)})
        files = {measuring_path(*where): canonical_json({"models": missing})}
        ledger.write(files, f"measure #{subject.number} again")


def run_url(run_id: int, job: Job) -> str | None:
    """The page of a run of this repository, None outside GitHub."""
    own = job.ports.run
    return own.url.replace(f"/runs/{own.id}", f"/runs/{run_id}") if own.url else None
