"""What the training jobs handed over -> artifact store, ledger, comment, statuses, verdict."""

from __future__ import annotations

from datetime import timedelta

from bot.decide.step import policy_difference
from bot.errors import Parts, UserError
from bot.ledger import Ledger
from bot.pipeline.dispatched import TRAINING, asker
from bot.pipeline.handover import HandedOver, taken_over
from bot.pipeline.job import Job, at_head, number_of
from bot.pipeline.judge import blocking, evaluations_of, head_of, judge, show
from bot.pipeline.past import files_of
from bot.pipeline.reuse import is_current, known
from bot.pipeline.trial import seed_of, trial_text
from bot.plan.step import plan
from bot.ports import PullRequest
from bot.records.base import MAX_RECORD_BYTES, canonical_json
from bot.records.evaluation import Evaluation
from bot.records.event import Dispatched, Event, PullRequestChanged
from bot.records.failure import Failure
from bot.records.ledger import (
    Evaluated,
    Head,
    Party,
    bare,
    evaluation_path,
    head_path,
    party_path,
    plan_path,
    pointer_path,
    testset_use_path,
)
from bot.records.plan import Plan, Planned
from bot.records.report import Report, RunFacts
from bot.report.annotations import workflow_commands
from bot.report.html import page
from bot.report.markdown import summary
from bot.words import Markdown

POLICY = "<!-- mlbot:policy:"  # how the comment about changed policies begins
LOST = Failure(
    message="The training job ended without a result: it ran out of memory or time, or its runner was lost.",
    hint="The log of the run says more; /retrain tries again.",
)


def run(event: Event, job: Job) -> None:
    """Check what came over against a plan of our own, keep it, decide and report."""
    number = number_of(event)
    found = job.ports.pull_requests.get(number)
    handed, shards = taken_over(job)
    inside = at_head(job, number, handed.head_sha)
    made = plan(job.default_sha, handed.head_sha, inside.ports)
    if [one.inputs_digest for one in made.planned] != [one.inputs_digest for one in handed.planned]:
        raise UserError(
            "the plan that was handed over is not ours", hint="Run the workflow again.", code="plan_differs"
        )
    if _has_moved_on(event, found, handed, job):
        _keep_parties(_sender(event), number, job)  # the event happened all the same
        job.say(f"#{number} has moved on; its own run reports it")
        return
    handed_over, starter = HandedOver(inside, made.head_sha, shards), _starter(event, number, job)
    if seed_of(job.inputs) is not None:
        _report_trial(number, made, handed_over, starter, job)
        return
    before = head_of(number, made.head_sha, job)
    results = {one.model: _result(one, found, before, handed_over) for one in made.planned}
    head = _head(number, made, results, starter, handed_over)
    if _is_new(head, before):
        _keep_opinions(number, job)
    with blocking(number, "merge", job):
        _keep(head, made, results, {**_initiator(head), **_sender(event)}, handed_over)
    written = job.ports.clock.now()
    judged = judge(number, "merge", job)
    report = Report(
        number=number, plan=made, decision=judged.decision, evaluation_id=judged.decision.evaluation_id,
        evaluations={name: one for name, one in results.items() if isinstance(one, Evaluation)},
        failures=head.failures, reused=head.reused,
        run=RunFacts(id=job.ports.run.id, attempt=job.ports.run.attempt, url=job.ports.run.url),
    )  # fmt: skip
    if _is_new(head, before):  # GitHub tells whole seconds: who approves what is shown now does so in a later one
        job.ports.clock.wait_until(written.replace(microsecond=0) + timedelta(seconds=1))
    shown = Parts()
    shown.attempt("report", lambda: show(report, number, made.head_sha, job, prefix=judged.policies.commands.prefix))
    job.summarize(summary(report))
    if any(path.startswith("policies/") for path in made.changed_paths):
        job.ports.views.attempt("policy comment", lambda: _show_difference(number, made.head_sha, inside))
    (job.out / "report.html").write_text(page(report), encoding="utf-8")
    for line in workflow_commands(report):
        job.say(line)
    job.say(judged.decision.headline)
    shown.finish()


def _is_new(head: Head, before: Head | None) -> bool:
    """Whether there is an evaluation that nobody could have seen before this run."""
    known = before.models if before else {}
    return any(one.evaluation_digest is not None and one != known.get(name) for name, one in head.models.items())


def _keep_opinions(number: int, job: Job) -> None:
    """What people said before there was the evaluation stands for none, whatever the clock of this runner says."""
    pulls = job.ports.pull_requests
    if pulls.reviews(number) or any(one.author.kind == "User" for one in pulls.comments(number)):
        Parts().attempt("opinions", lambda: judge(number, "merge", job))


def _has_moved_on(event: Event, found: PullRequest, handed: Plan, job: Job) -> bool:
    """Whether what this run was started for is not what the pull request is any more."""
    wanted = event.head_sha if isinstance(event, PullRequestChanged) else None
    if isinstance(event, Dispatched):
        wanted = event.inputs.get("head") or None
    is_live = found.state == "open" and found.head_sha == handed.head_sha == (wanted or handed.head_sha)
    return not is_live or _is_superseded(found.number, job)


def _is_superseded(number: int, job: Job) -> bool:
    """Whether another run of the pull request stopped the training; GitHub also calls what timed out cancelled."""
    runs = job.ports.training_runs
    if runs is None or job.inputs.get("train_result") != "cancelled":
        return False
    found = Parts().attempt("runs", lambda: runs.of(number))
    return any(one.is_going and one.id != job.ports.run.id for one in found or ())


def _show_difference(number: int, head: str, job: Job) -> None:
    """A comment of its own: what the policies of the pull request would have changed. They decide nothing here."""
    text = policy_difference(head, job.ports)
    job.summarize(text)
    said = Markdown(
        "<!-- mlbot:policy:mlbot -->\n**Policy change** at {}, judged by the policies that are in force.\n\n{}"
    )
    job.ports.conversation.upsert_comment(number, POLICY, said.format(head[:12], text))


def _starter(event: Event, number: int, job: Job) -> int | None:
    """The account that pushed, or that asked for the training by a comment or by hand."""
    if isinstance(event, PullRequestChanged):
        return event.sender.id
    who = asker(event, number, TRAINING, job) if isinstance(event, Dispatched) else None
    return who.id if who is not None else None


def _result(one: Planned, found: PullRequest, before: Head | None, handed: HandedOver) -> Evaluation | Failure:
    """What was handed over; else what is stored for the same inputs; else why there is nothing."""
    job, new = handed.job, handed.result(one)
    if new is not None:
        return new
    stored = known(one, job.ports)
    if stored is not None and is_current(one, found.head_sha, job):
        return stored
    earlier = before.failures.get(one.model) if before else None
    if earlier is not None and not earlier.held and job.inputs.get("train_result") in ("success", "skipped"):
        return earlier  # other models were asked for, and no job of this run broke off
    return _held(found) or LOST


def _held(found: PullRequest) -> Failure | None:
    """Why nothing was trained although nothing went wrong; None when that is not so."""
    if found.draft:
        said, hint = "is a draft, and its models are not trained yet", "Mark it as ready for review, or write /retrain."
    elif found.from_fork:
        said = "comes from a fork, and nobody who may has asked to train its models"
        hint = f"Who trusts the change writes /retrain {found.head_sha}"
    else:
        return None
    return Failure(message=f"#{found.number} {said}.", hint=hint, held=True)


def _sender(event: Event) -> dict[str, bytes]:
    """Who pushed, as the event tells."""
    if not isinstance(event, PullRequestChanged) or event.action != "synchronize":
        return {}
    return _party(event.number, event.head_sha, "sender", event.sender.id)


def _initiator(head: Head) -> dict[str, bytes]:
    """Who started the training; a later run adds to them and replaces nobody."""
    return _party(head.number, head.head_sha, "initiator", head.initiator_id) if head.initiator_id is not None else {}


def _party(number: int, head_sha: str, party: Party, account: int) -> dict[str, bytes]:
    return {party_path(number, head_sha, party, account): canonical_json({"account": account})}


def _keep_parties(parties: dict[str, bytes], number: int, job: Job) -> None:
    Ledger(job.ports.ledger).add(parties, f"parties of #{number}")


def _keep(
    head: Head,
    made: Plan,
    results: dict[str, Evaluation | Failure],
    parties: dict[str, bytes],
    handed: HandedOver,
) -> None:
    """Artifact bytes first, then one ledger commit that names them; what is there stays.

    Raises UserError (code `record_too_large`) for what could not be read back.
    """
    ledger, where = Ledger(handed.job.ports.ledger), (head.number, made.head_sha)
    files = {**parties, plan_path(*where): made.canonical(), head_path(*where): head.canonical()}
    new = {**_evaluation_files(head.number, results, handed), **ledger.changed(files)}
    for path, data in new.items():
        if len(data) > MAX_RECORD_BYTES:
            hint = "Split the change into several pull requests."
            raise UserError(f"{path} would be too large to be read again", hint=hint, code="record_too_large")
    ledger.write(new, f"evaluate #{head.number} at {made.head_sha[:12]}: {', '.join(results) or 'no model'}")


def _evaluation_files(number: int, results: dict[str, Evaluation | Failure], handed: HandedOver) -> dict[str, bytes]:
    """Evaluations, pointers to their bytes and uses of the test set, as far as the ledger does not hold them."""
    ports, ledger, files = handed.job.ports, Ledger(handed.job.ports.ledger), dict[str, bytes]()
    for name, one in results.items():
        folder = handed.folder(name)
        if isinstance(one, Failure):
            continue
        where = (name, one.inputs_digest, one.digest())
        if folder is not None and ledger.evaluation(*where) is None:
            files[evaluation_path(*where)] = one.canonical()
            files[pointer_path(*where)] = ports.artifacts.store(folder).encode()
        use = testset_use_path(one.training.test_rows_digest, one.primary_metric, one.inputs_digest)
        sketch = one.measured.rows_sketch if one.measured else ()
        rows = {"rows": list(sketch), "files": sorted(files_of(one.training))}
        files[use] = canonical_json({"evaluation_digest": one.digest(), "model": name, "number": number, **rows})
    return ledger.missing(files)


def _report_trial(number: int, made: Plan, handed: HandedOver, starter: int | None, job: Job) -> None:
    """What a trial with another seed found: kept and told, beside the report, and no part of any decision.

    Whoever chose the seed started the training, should a spec name it one day.
    """
    tried = [one for one in made.planned if handed.folder(one.model) is not None]
    results = {one.model: handed.result(one) or LOST for one in tried}
    new = _evaluation_files(number, results, handed)
    if starter is not None:
        for one in tried:
            new |= _party(number, bare(one.inputs_digest), "initiator", starter)
    said = f"trial of #{number} at {made.head_sha[:12]}: {', '.join(results)}"
    Ledger(job.ports.ledger).add(new, said)
    report = Report(
        number=number, plan=made.model_copy(update={"entries": tuple(tried)}), decision=None, evaluation_id=None,
        evaluations={name: one for name, one in results.items() if isinstance(one, Evaluation)},
        failures={name: one for name, one in results.items() if isinstance(one, Failure)},
        run=RunFacts(id=job.ports.run.id, attempt=job.ports.run.attempt, url=job.ports.run.url),
    )  # fmt: skip
    job.summarize(summary(report))
    (job.out / "report.html").write_text(page(report), encoding="utf-8")
    head = head_of(number, made.head_sha, job)
    standing = Report(number=number, evaluations=evaluations_of(head, job) if head else {})
    text = trial_text(report, standing, job.inputs, job.ports.run.url)
    job.say(text)
    job.summarize(text)
    marker = Markdown("<!-- mlbot:trial {} -->").format(job.ports.run.id)  # run again, it stays one
    body = marker + Markdown("\n") + text
    talk = job.ports.conversation
    job.ports.views.attempt("reply about the trial", lambda: talk.upsert_comment(number, marker, body))


def _head(
    number: int, made: Plan, results: dict[str, Evaluation | Failure], starter: int | None, handed: HandedOver
) -> Head:
    run = handed.job.ports.run

    def evaluated(one: Planned) -> Evaluated:
        found = results[one.model]
        if isinstance(found, Failure):
            return Evaluated(inputs_digest=one.inputs_digest, evaluation_digest=None, artifact_digest=None)
        digests = (found.digest(), found.artifact_digest)
        return Evaluated(inputs_digest=one.inputs_digest, evaluation_digest=digests[0], artifact_digest=digests[1])

    evaluated_before = (
        name for name, one in results.items() if isinstance(one, Evaluation) and handed.folder(name) is None
    )
    head = Head(
        number=number, head_sha=made.head_sha, base_sha=made.base_sha, run_id=run.id, run_attempt=run.attempt,
        initiator_id=starter, models={one.model: evaluated(one) for one in made.planned},
        failures={name: one for name, one in results.items() if isinstance(one, Failure)},
        reused=tuple(evaluated_before),
    )  # fmt: skip
    return head if len(head.canonical()) <= MAX_RECORD_BYTES else _without_logs(head)


def _without_logs(head: Head) -> Head:
    """Of very many models that failed, the first words each: the whole must stay readable."""
    short = {
        name: {"log_tail": "", "hint": one.hint[:100], "message": one.message[:200]}
        for name, one in head.failures.items()
    }
    failures = {name: one.model_copy(update=short[name]) for name, one in head.failures.items()}
    return head.model_copy(update={"failures": failures})
