"""What other runs trained again -> signed facts on the ledger, a comment, and verdicts that rest on them."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bot.errors import MlbotError, Parts, UserError
from bot.ledger import Ledger
from bot.pipeline.asked import asked_of
from bot.pipeline.handover import HandedOver, handed_over, other_training, plain, sized, wrong_files
from bot.pipeline.job import Job, at_head
from bot.pipeline.judge import policies_of, rejudge
from bot.pipeline.promotion import evaluation_and_pointer
from bot.records.evaluation import Evaluation
from bot.records.event import Event
from bot.records.failure import Failure
from bot.records.ledger import Evaluated, reproduction_path
from bot.records.matrix import shards_of
from bot.records.reproduction import CONFIRMS, Outcome, Reproduction, Target, Targets
from bot.records.training import Golden
from bot.specs.model import ModelSpec
from bot.specs.policies import Policies
from bot.words import Markdown

MARK = "<!-- mlbot:reproduction"


def run(_event: Event, job: Job) -> None:
    """Write down what each target came to, then judge and tell. Raises UserError when a result differs."""
    made, jobs = handed_over(job)
    targets = Targets.parse(made, source="out/plan.json").targets
    shards, found, parts = shards_of(json.loads(jobs)), list[Reproduction](), Parts()
    for one in targets:
        handed = HandedOver(at_head(job, one.number, one.head_sha), one.head_sha, shards)
        came_to = parts.attempt(one.key, partial(reproduction, one, handed))
        found += [came_to] if came_to is not None else []
    said = f"reproduced: {', '.join(f'{one.model} {one.outcome}' for one in found)}"
    Ledger(job.ports.ledger).add({_path(one): one.canonical() for one in found}, said)
    for number in dict.fromkeys(one.number for one in found):
        mine = [one for one in found if one.number == number]
        parts.attempt(f"#{number}", partial(_told, number, mine, job))
    parts.finish()
    differ = [one.model for one in found if one.outcome == "differs"]
    if differ:
        raise UserError(f"not reproduced: {', '.join(differ)}", hint="The lines above say how.", code="not_reproduced")


def _path(one: Reproduction) -> str:
    where = (one.model, one.inputs_digest, one.evaluation_digest)
    return reproduction_path(*where, int(one.run["id"]), int(one.run["attempt"]))


def reproduction(one: Target, handed: HandedOver) -> Reproduction:
    """What a run came to, as far as it can be believed: what does not fit is a difference, nothing at all is none.

    What the ledger, the remote or the policies do not tell is nobody's difference: MlbotError, and no word about it.
    """
    own, run = _own(one, handed.job), handed.job.ports.run
    found: Evaluation | Failure | None = None
    outcome: Outcome
    try:
        found = _read(one, own.spec, handed)
        outcome, sentence = (
            ("failed", found.message) if isinstance(found, Failure) else _compared(one, found, own, handed)
        )
    except (MlbotError, ValueError, OSError, ArithmeticError, LookupError) as error:
        said = error.message if isinstance(error, MlbotError) else type(error).__name__
        outcome, sentence = "differs", f"what the training job handed over is refused: {said}."
    result = found if isinstance(found, Evaluation) else None
    return Reproduction(
        model=one.model, number=one.number, inputs_digest=one.inputs_digest, evaluation_digest=one.evaluation_digest,
        artifact_digest=result.artifact_digest if result else None, outcome=outcome, sentence=sentence[:500],
        run={"id": run.id, "attempt": run.attempt, "url": run.url}, runner=one.runner,
        architecture=result.training.machine.architecture[:40] if result else "",
        at=handed.job.ports.clock.now().isoformat(timespec="seconds").replace("+00:00", "Z"),
    )  # fmt: skip


@dataclass(frozen=True)
class _Own:
    """What we hold of an evaluation: its spec, itself, and its golden answers."""

    spec: ModelSpec
    stored: Evaluation
    golden: Golden


def _own(one: Target, job: Job) -> _Own:
    digests = Evaluated(inputs_digest=one.inputs_digest, evaluation_digest=one.evaluation_digest, artifact_digest=None)
    stored, pointer = evaluation_and_pointer(one.model, digests, job)
    with tempfile.TemporaryDirectory(prefix="mlbot-") as name:
        job.ports.artifacts.fetch(pointer, Path(name))
        golden = Golden.parse(sized(Path(name, "golden.json")), source="golden.json")
    return _Own(asked_of(one.model, one.head_sha, job).spec, stored, golden)


def _read(one: Target, spec: ModelSpec, handed: HandedOver) -> Evaluation | Failure:
    """What was handed over for a target. Raises UserError for what a training of these inputs cannot have written."""
    folder = handed.folder(one.key)
    if folder is None:
        return Failure(message="The training job ended without a result.")
    plain(folder)
    if (folder / "failure.json").is_file():
        return Failure.model_validate_json(sized(folder / "failure.json"))
    if not (folder / "evaluation.json").is_file():
        return Failure(message="The training job ended without a result.")
    found = Evaluation.parse(sized(folder / "evaluation.json"), source=f"{one.model}/evaluation.json")
    if (found.model, found.training.model, found.inputs_digest) != (one.model, one.model, one.inputs_digest):
        raise UserError("it is about another model or other inputs")
    odd = next(other_training(found.training, spec, handed.job.ports.workspace), None)
    problem = odd or next(wrong_files(found.training, folder), None)
    if problem is not None:
        raise UserError(problem)
    return found


def _compared(one: Target, found: Evaluation, own: _Own, handed: HandedOver) -> tuple[Outcome, str]:
    from bot.train.reproduced import compared

    if str(own.stored.run.get("id")) == str(handed.job.ports.run.id):
        return "failed", "an evaluation is not reproduced by its own run."
    folder = handed.folder(one.key)
    assert folder is not None
    theirs = Golden.parse(sized(folder / "golden.json"), source="golden.json")
    return compared(own.stored, found, (own.golden, theirs))


def _told(number: int, found: list[Reproduction], job: Job) -> None:
    """A comment of its own, which calls the release role where something differs; then what rests on it."""
    differ, policies = any(one.outcome == "differs" for one in found), policies_of(job)
    lines = [_line(one) for one in found]
    marker = Markdown("<!-- mlbot:reproduction {} -->").format(job.ports.run.id)
    people = " ".join(f"@{one}" for one in _release_role(policies))
    calls = Markdown(people)  # noqa: S704 - logins and teams of policies/roles.yaml, which has a pattern for them
    called = Markdown("{} please look: the evaluation is rejected.\n\n").format(calls) if differ else Markdown("")
    body = Markdown("{}\n{}Trained again:\n\n{}").format(marker, called, Markdown("\n").join(lines))
    for line in lines:
        job.say(line)
    job.ports.views.attempt("comment", partial(job.ports.conversation.upsert_comment, number, marker, body))
    if job.ports.pull_requests.get(number).state == "open":
        rejudge(number, job)
    elif all(one.outcome in CONFIRMS for one in found):
        again = partial(job.ports.conversation.dispatch, "promote.yml", {"action": "promote", "number": str(number)})
        job.ports.views.attempt("promotion", again)  # what waited for this; else the next reconcile promotes it


def _line(one: Reproduction) -> Markdown:
    where = Markdown("{} ({})").format(one.runner, one.architecture or "no result")
    return Markdown("- {} on {}: {} {}").format(one.model, where, WORDS[one.outcome], one.sentence)


WORDS = {
    "same": Markdown("the same."),
    "within_tolerance": Markdown("the same within the tolerance."),
    "differs": Markdown("**not the same**:"),
    "failed": Markdown("no result, so nothing was learnt:"),
}


def _release_role(policies: Policies) -> list[str]:
    """Logins of who may promote where a reproduction is asked for; of every environment's promoters where none asks."""
    environments = policies.environments.environments.values()
    asking = [one for one in environments if one.verification is not None and one.verification.reproduced]
    roles = {role for one in (asking or environments) for role in one.promoters}
    people = [account.login for name in sorted(roles) for account in policies.roles.roles[name].accounts]
    teams = [team for name in sorted(roles) for team in policies.roles.roles[name].teams]
    return list(dict.fromkeys([*people, *teams]))
