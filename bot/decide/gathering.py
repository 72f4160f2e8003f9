"""Records of the ledger and answers of GitHub -> parts of Facts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from bot.ports import PullRequest
from bot.records.evaluation import Evaluation
from bot.records.event import Account
from bot.records.facts import (
    Actor,
    Broken,
    EnvironmentFact,
    Gate,
    HeadFact,
    Live,
    Lock,
    ModelFact,
    Opinion,
    Reproduced,
    Subject,
    Verification,
)
from bot.records.ledger import Evaluated, Head, evaluation_id
from bot.records.plan import Plan, Planned
from bot.records.release import Release
from bot.records.release import Verification as VerificationRecord
from bot.specs.policies import Policies
from bot.specs.policies.roles import Role
from bot.specs.policies.words import PERMISSIONS


def subject(found: PullRequest, default_branch: str, pusher: int | None, pushers: tuple[int, ...]) -> Subject:
    """The pull request; `pusher` is who pushed its head last, `pushers` all who are known to have."""
    return Subject(
        number=found.number,
        title=found.title,
        author=found.author,
        state=found.state,
        draft=found.draft,
        merged=found.merged,
        head_sha=found.head_sha,
        head_ref=found.head_ref,
        base_ref=found.base_ref,
        base_sha=found.base_sha,
        default_branch=default_branch,
        from_fork=found.from_fork,
        last_pusher=pusher,
        pushers=pushers,
        labels=tuple(sorted(found.labels)),
        merge_commit_sha=found.merge_commit_sha,
    )


def model_facts(
    plan: Plan,
    head: Head | None,
    evaluations: Mapping[str, Evaluation],
    merged: Mapping[str, str],
    moved: Collection[str],
    unmeasured: Mapping[str, tuple[str, ...]] | None = None,
    reproduced: Mapping[str, tuple[Reproduced, ...]] | None = None,
) -> tuple[ModelFact, ...]:
    """Each planned model with its evaluation of the live head, if the ledger has one.

    `unmeasured`: ids of gates for which it holds no numbers. `reproduced`: other runs that trained it again.
    """
    found = (_model(entry, head, evaluations.get(entry.model), merged, moved) for entry in plan.planned)
    known = {"unmeasured": unmeasured or {}, "reproduced": reproduced or {}}
    return tuple(
        one.model_copy(update={name: by_model.get(one.model, ()) for name, by_model in known.items()}) for one in found
    )


def _model(
    entry: Planned, head: Head | None, evaluation: Evaluation | None, merged: Mapping[str, str], moved: Collection[str]
) -> ModelFact:
    digests = head.models.get(entry.model) if head else None
    is_here = evaluation is not None and digests is not None
    return ModelFact(
        model=entry.model,
        risk_tier=entry.risk_tier,
        inputs_digest=entry.inputs_digest,
        evaluation_digest=digests.evaluation_digest if digests and is_here else None,
        artifact_digest=evaluation.artifact_digest if evaluation and is_here else None,
        evaluated_inputs_digest=evaluation.inputs_digest if evaluation and is_here else None,
        evaluated_head=head.head_sha if head and is_here else None,
        gates=tuple(
            Gate(
                gate=one.gate,
                verdict=one.verdict,
                blocks=one.blocks,
                reason_code=one.reason_code,
                sentence=one.sentence,
                valid_until=one.valid_until,
            )
            for one in (evaluation.gates if evaluation and is_here else ())
        ),
        merged_inputs_digest=merged.get(entry.model),
        base_moved=entry.model in moved,
        attested=is_here,
    )


def broken(plan: Plan) -> tuple[Broken, ...]:
    """Models that cannot be read."""
    return tuple(
        Broken(
            model=one.model,
            place=f"{one.file}:{one.line}" if one.line else one.file,
            message=one.message,
            is_about_data=one.is_about_data,
        )
        for one in plan.invalid
    )


def head_fact(
    sha: str, models: Mapping[str, Evaluated], guarded_digest: str | None, since: Mapping[str, str] | None = None
) -> HeadFact:
    """A head; the evaluation id is there once every model is evaluated. `since` is when each evaluation came."""
    is_complete = bool(models) and all(one.evaluation_digest for one in models.values())
    return HeadFact(
        head_sha=sha,
        evaluation_id=evaluation_id(dict(models)) if is_complete else None,
        models=dict(models),
        guarded_digest=guarded_digest,
        evaluated_at=dict(since or {}),
    )


def planned_digests(plan: Plan | None) -> dict[str, Evaluated]:
    """What a head stands for before anything is evaluated."""
    return {
        one.model: Evaluated(inputs_digest=one.inputs_digest, evaluation_digest=None, artifact_digest=None)
        for one in (plan.planned if plan else ())
    }


def environment_fact(
    name: str,
    live: Iterable[Release],
    history: Iterable[Release],
    verified: Iterable[VerificationRecord],
    lock: Lock | None,
) -> EnvironmentFact:
    """An environment from its releases; `history` and `verified` are of all environments."""
    return EnvironmentFact(
        name=name,
        live=tuple(
            Live(
                model=one.model,
                artifact_digest=one.artifact_digest,
                evaluation_digest=one.evaluation_digest,
                inputs_digest=one.inputs_digest,
                version=one.version,
                since=one.released_at,
            )
            for one in live
        ),
        was_live=tuple(sorted({one.artifact_digest for one in history if one.environment == name})),
        lock=lock,
        verifications=tuple(
            Verification(model=one.model, artifact_digest=one.artifact_digest, verdict=one.outcome, at=one.checked_at)
            for one in verified
            if one.environment == name
        ),
    )


def to_ask(
    policies: Policies, opinions: Sequence[Opinion], accounts: Mapping[int, Account], asked: Collection[int | None]
) -> tuple[list[Account], list[Account]]:
    """Whose permission and whose teams must be asked for: only of people whom a role or a hold could concern.

    The first list is asked for permission, the second for teams. `asked` are people who give a command now.
    """
    commanders = {one for one in asked if one is not None}
    holders = {one.actor for one in opinions if one.kind == "hold"} | commanders
    speakers = {one.actor for one in opinions} | commanders
    people = [accounts[id_] for id_ in sorted(speakers) if id_ in accounts]
    roles = list(policies.roles.roles.values())
    teams = [one for one in people if one.kind == "User" and any(role.teams for role in roles)]
    permission = [
        one
        for one in people
        if any(_concerns(one, role) for role in roles) or (one.id in holders and _asks_permission(policies))
    ]
    return permission, teams


def _concerns(account: Account, role: Role) -> bool:
    """Whether the permission can decide if somebody holds the role."""
    if role.permission is None:
        return False
    is_open = bool(role.teams) or not role.accounts
    return account.id in {one.id for one in role.accounts} or (is_open and account.kind == "User")


def _asks_permission(policies: Policies) -> bool:
    return any(rule.permission is not None for rule in policies.commands.commands.values())


def actor_of(account: Account, permission: str | None, member: Mapping[tuple[int, str], bool | None]) -> Actor:
    """An actor from what GitHub answered about the account; `permission` None: it was not asked."""
    return Actor.model_validate(
        {
            "account": account,
            # an organization's own role names are not ordered: not known rather than guessed
            "permission": permission if permission in PERMISSIONS else None,
            "teams": tuple(team for (id_, team), is_in in member.items() if id_ == account.id and is_in),
            "unknown_teams": tuple(
                team for (id_, team), is_in in member.items() if id_ == account.id and is_in is None
            ),
        }
    )
