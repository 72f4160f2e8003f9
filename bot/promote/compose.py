"""The next Release of an environment, from what is wanted and what is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.promote.lineage import hold_after
from bot.promote.version import bumped, change, newest, next_version, version_of
from bot.promote.writing import next_counter
from bot.records.evaluation import Evaluation
from bot.records.release import Approver, Release
from bot.records.training import ArtifactFile


@dataclass(frozen=True)
class Wanted:
    """What somebody wants to be live."""

    model: str
    environment: str
    evaluation: Evaluation
    files: tuple[ArtifactFile, ...]  # all that travel, also those that were written beside what was evaluated
    commit: str
    number: int | None
    approved_by: tuple[Approver, ...]
    promoted_by: Approver | None
    reason: str
    is_candidate: bool = True
    trigger: str | None = None
    decision_digest: str | None = None
    at_least: str | None = None  # the version that the spec asks for


@dataclass(frozen=True)
class Drill:
    """How a rehearsed rollback went; `seconds` between way and way back, None when it did not begin."""

    is_done: bool
    sentence: str
    seconds: float | None


def same(live: Release, wanted: Wanted) -> bool:
    """Whether the wanted evaluation is what is live: then there is nothing to do."""
    digests = (wanted.evaluation.artifact_digest, wanted.evaluation.digest())
    return live.action != "withdraw" and (live.artifact_digest, live.evaluation_digest) == digests


def stamp(now: datetime) -> str:
    """RFC 3339 in UTC, to the second."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def live_digest(state: Release | None) -> str | None:
    """The digest that is live in this state, None when nothing is."""
    return state.artifact_digest if state is not None and state.action != "withdraw" else None


def promoted(
    wanted: Wanted,
    states: Mapping[str, Release],
    known: Sequence[Release],
    newest_evaluation: Evaluation | None,
    now: datetime,
) -> Release:
    """The Release of a promotion. `known`: all of the model; `newest_evaluation`: of the highest version."""
    evaluation, before = wanted.evaluation, states.get(wanted.environment)
    version = version_of(evaluation.artifact_digest, known)
    top = newest(known)
    if version is None:
        step = bumped(top.version, change(newest_evaluation, evaluation)) if top is not None else None
        version = next_version(step, wanted.at_least)
    by_person = wanted.promoted_by is not None
    return Release(
        model=wanted.model,
        environment=wanted.environment,
        version=version,
        action="promote",
        artifact_digest=evaluation.artifact_digest,
        evaluation_digest=evaluation.digest(),
        inputs_digest=evaluation.inputs_digest,
        files=wanted.files,
        commit=wanted.commit,
        pull_request=wanted.number,
        approved_by=wanted.approved_by,
        promoted_by=wanted.promoted_by,
        reason=wanted.reason,
        released_at=stamp(now),
        previous_artifact_digest=live_digest(before),
        counter=next_counter(known),
        hold=hold_after(before, by_person=by_person, is_candidate=wanted.is_candidate),
        trigger=wanted.trigger,
        decision_digest=wanted.decision_digest,
    )


def rolled_back(
    target: Release,
    live: Release | None,
    known: Sequence[Release],
    reason: str,
    by: Approver | None,
    trigger: str | None,
    now: datetime,
) -> Release:
    """The Release that makes `target` live again; the environment holds from now on. `known`: all of the model."""
    return target.model_copy(
        update={
            "action": "rollback",
            "promoted_by": by,
            "reason": reason,
            "released_at": stamp(now),
            "previous_artifact_digest": live_digest(live),
            "counter": next_counter(known),
            "hold": True,
            "trigger": trigger,
        }
    )


def withdrawn(live: Release, known: Sequence[Release], reason: str, by: Approver | None, now: datetime) -> Release:
    """The last word on a model that is taken out of the environment. `known`: all of the model."""
    return live.model_copy(
        update={
            "action": "withdraw",
            "promoted_by": by,
            "reason": reason,
            "released_at": stamp(now),
            "previous_artifact_digest": live.artifact_digest,
            "counter": next_counter(known),
            "hold": True,
            "trigger": None,
        }
    )
