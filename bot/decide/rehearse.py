"""A change in a few words -> complete facts, for the policies' own tests and for lint."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from bot.errors import UserError
from bot.records.base import canonical_json, sha256
from bot.records.event import Account
from bot.records.facts import (
    Actor,
    Asked,
    Check,
    CommitFact,
    Contribution,
    EnvironmentFact,
    Facts,
    Gate,
    HeadFact,
    Live,
    Lock,
    ModelFact,
    Opinion,
    Subject,
)
from bot.records.ledger import Evaluated, evaluation_id
from bot.specs.policies import Policies
from bot.specs.policies.tests import Given, GivenModel, GivenOpinion
from bot.specs.policies.words import account

WEDNESDAY = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
HEADS = {"live": "1" * 40, "same": "2" * 40, "old": "3" * 40}
UNGUARDED = frozenset(("spec", "schema", "data", "docs"))
VERBS = {
    "approves": "approve",
    "withdraws": "withdraw",
    "rejects": "reject",
    "holds": "hold",
    "unholds": "unhold",
}
STRANGER = 999_999_999


def rehearsed(given: Given, policies: Policies, now: datetime) -> Facts:
    """Facts of such a change. Raises UserError for a person or a word that nobody knows."""
    people = _people(given, policies)
    models = tuple(_model(one) for one in given.models)
    return Facts(
        subject=given.subject,
        pull_request=_subject(given, people),
        commits=_commits(given, people),
        changed_paths=given.changed_paths or tuple(f"models/{one.model}/model.yaml" for one in models),
        change_kinds=given.change_kinds,
        guarded_paths=given.guarded_paths or tuple(f"({kind})" for kind in given.change_kinds if kind not in UNGUARDED),
        models=models,
        heads=tuple(_head(name, models) for name in HEADS),
        opinions=tuple(_opinion(index, one, people, models, now) for index, one in enumerate(given.opinions)),
        actors=_actors(given, people),
        training_initiators=(people[given.training_initiator or given.author].id,),
        checks=tuple(_checks(given, policies)),
        contributions=tuple(
            Contribution(actor=people[login].id, model=one.model, at=_stamp(now - timedelta(days=days)))
            for login, days in given.built_days_ago.items()
            for one in models
        ),
        environments=_environments(given, policies, people, models, now),
        asked=_asked(given, people, models, now),
        revoked=tuple(
            model.artifact_digest or ""
            for said, model in zip(given.models, models, strict=True)
            if isinstance(said, GivenModel) and said.revoked
        ),
    )


def _people(given: Given, policies: Policies) -> dict[str, Account]:
    named = [account(text) for role in policies.roles.roles.values() for text in role.users]
    bots = [account(text) for role in policies.roles.roles.values() for text in role.apps]
    named += [account(one.account) for one in given.people]
    found = {one.login: Account(id=one.id, login=one.login) for one in named}
    found |= {one.login: Account(id=one.id, login=one.login, kind="Bot") for one in bots}
    found.setdefault("somebody-else", Account(id=STRANGER, login="somebody-else"))
    said = [_said(one).by for one in given.opinions]
    mentioned = (given.author, *given.committers, *given.co_authors, given.last_pusher, given.training_initiator)
    mentioned = (*mentioned, given.asked_by, given.locked_by, *given.permissions, *given.built_days_ago)
    for login in (*mentioned, *said):
        if login is not None and login not in found:
            hint = f"Name {login} in roles.yaml, or under `people` as {{account: {login}#123}}."
            raise UserError(f"nobody knows {login}", hint=hint, code="policy_test_invalid")
    return found


def _checks(given: Given, policies: Policies) -> Iterator[Check]:
    """What is reported as the policy wants it to be."""
    wanted = [check for rule in policies.approvals.rules for check in rule.require.checks]
    for name in given.checks:
        if name not in {check.name for check in wanted}:
            raise UserError(f"no rule asks for the check {name}", hint="Use its name.", code="policy_test_invalid")
    for check in wanted:
        said = given.checks.get(check.name)
        if said is None:
            continue
        is_status = check.reported_by is not None
        yield Check(
            name=check.name,
            app_id=None if is_status else STRANGER if said == "forged" else check.app_id,
            workflow=check.workflow,
            ref=check.ref,
            event=check.events[0] if check.events else None,
            conclusion="success" if said == "forged" else None if said == "running" else said,
            reporter_id=(STRANGER if said == "forged" else account(check.reported_by or "").id) if is_status else None,
        )


def _said(one: GivenOpinion | str) -> GivenOpinion:
    if isinstance(one, GivenOpinion):
        return one
    login, _, verb = one.partition(" ")
    if verb not in VERBS:
        raise UserError(
            f"{one!r} is not an opinion", hint=f"Write NAME {' | '.join(VERBS)}.", code="policy_test_invalid"
        )
    kind = VERBS[verb]
    how = "command" if kind in ("hold", "unhold") else "review"
    return GivenOpinion.model_validate({"by": login, "says": kind, "how": how})


def _subject(given: Given, people: dict[str, Account]) -> Subject:
    is_merged = given.subject != "merge" if given.merged is None else given.merged
    return Subject(
        number=1,
        author=people[given.author],
        state="closed" if is_merged else "open",
        draft=given.draft,
        merged=is_merged,
        head_sha=HEADS["live"],
        head_ref="change",
        base_ref=given.base_branch,
        base_sha="b" * 40,
        default_branch="main",
        from_fork=given.from_fork,
        last_pusher=people[given.last_pusher or given.author].id,
        labels=given.labels,
    )


def _commits(given: Given, people: dict[str, Account]) -> tuple[CommitFact, ...]:
    author = None if given.unattributed else people[given.author].id
    committers = given.committers or (given.author,)
    co_authors = tuple(people[one].id for one in given.co_authors)
    shas = [*(f"{index:040d}" for index in range(1, len(committers))), HEADS["live"]]
    return tuple(
        CommitFact(sha=sha, author=author, committer=people[one].id, co_authors=co_authors)
        for sha, one in zip(shas, committers, strict=True)
    )


def _digest(*words: str) -> str:
    return sha256(canonical_json(words))


def _model(said: GivenModel | str) -> ModelFact:
    one = GivenModel(name=said) if isinstance(said, str) else said
    inputs, name = _digest("inputs", one.name), one.name
    return ModelFact(
        model=name,
        risk_tier=one.declared_tier,
        inputs_digest=inputs,
        evaluation_digest=_digest("evaluation", name) if one.evaluated else None,
        artifact_digest=_digest("artifact", name) if one.evaluated else None,
        evaluated_inputs_digest=inputs if one.evaluated else None,
        gates=(Gate(gate="gate", verdict=one.gates, blocks=True, reason_code=one.gates, sentence=""),),
        base_moved=one.base_moved,
        attested=one.attested,
    )


def _head(name: str, models: tuple[ModelFact, ...]) -> HeadFact:
    mark = "old" if name == "old" else ""
    found = {
        one.model: Evaluated(
            inputs_digest=one.inputs_digest + mark,
            evaluation_digest=one.evaluation_digest and one.evaluation_digest + mark,
            artifact_digest=one.artifact_digest and one.artifact_digest + mark,
        )
        for one in models
    }
    return HeadFact(
        head_sha=HEADS[name],
        evaluation_id=evaluation_id(found) if found else None,
        models=found,
        guarded_digest=_digest("guarded", mark),
    )


def _opinion(
    index: int, said: GivenOpinion | str, people: dict[str, Account], models: tuple[ModelFact, ...], now: datetime
) -> Opinion:
    one = _said(said)
    is_review = one.how == "review" and one.environment is None
    return Opinion(
        id=f"{'r' if is_review else 'c'}{index + 1}",
        method="review" if is_review else "command",
        kind=one.says,
        actor=people[one.by].id,
        # what is said later in the list is said later
        created_at=_stamp(now - timedelta(hours=one.hours_ago) + timedelta(microseconds=index)),
        commit_sha=HEADS[one.head] if is_review else None,
        target=None if is_review else _target(one, models),
        models=one.models,
        environment=one.environment,
        reason=one.reason,
        edited=one.edited,
    )


def _target(one: GivenOpinion, models: tuple[ModelFact, ...]) -> str:
    head = _head(one.head, models)
    return head.evaluation_id or head.head_sha


def _actors(given: Given, people: dict[str, Account]) -> tuple[Actor, ...]:
    """Everybody has every permission, unless the test says otherwise; nobody is in a team unless it says so."""
    extra = {account(one.account).login: one for one in given.people}
    return tuple(
        Actor(
            account=who,
            permission=given.permissions.get(
                login, extra[login].permission if login in extra else "none" if who.id == STRANGER else "admin"
            ),
            teams=extra[login].teams if login in extra else (),
        )
        for login, who in people.items()
    )


def _environments(
    given: Given, policies: Policies, people: dict[str, Account], models: tuple[ModelFact, ...], now: datetime
) -> tuple[EnvironmentFact, ...]:
    return tuple(
        EnvironmentFact(
            name=name,
            live=tuple(
                Live(
                    model=one.model,
                    artifact_digest=one.artifact_digest or "",
                    evaluation_digest=one.evaluation_digest or "",
                    inputs_digest=one.inputs_digest,
                    version="v1.0.0",
                    since=_stamp(now - timedelta(hours=given.live_hours[name])),
                )
                for one in models
                if name in given.live_hours
            ),
            was_live=tuple(one.artifact_digest or "" for one in models if name in given.live_hours),
            lock=Lock(holder=people[given.locked_by], reason="locked", since=_stamp(now))
            if given.locked_by and name == given.subject
            else None,
        )
        for name in policies.environments.environments
    )


def _asked(given: Given, people: dict[str, Account], models: tuple[ModelFact, ...], now: datetime) -> Asked:
    return Asked(
        action=given.action,
        by=people[given.asked_by].id if given.asked_by else None,
        at=_stamp(now - timedelta(minutes=given.asked_minutes_ago)),
        reason=given.reason,
        models=tuple(one.model for one in models),
        artifact_digests={one.model: one.artifact_digest for one in models if one.artifact_digest},
    )


def _stamp(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
