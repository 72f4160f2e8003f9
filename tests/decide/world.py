"""A small world for judging: people, policy P1, and facts of which a test names only what matters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.decide.decide import decide
from bot.records.decision import Decision, Node
from bot.records.event import Account
from bot.records.facts import Actor, CommitFact, Facts, Gate, HeadFact, ModelFact, Opinion, Subject
from bot.records.ledger import Evaluated, evaluation_id
from bot.specs.policies import Policies, read_policies
from tests.builders import a_digest

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)  # a Wednesday
ANN, REV, REV2, OWN, VAL, REL, BOB, APP = 1, 11, 12, 21, 31, 41, 51, 90
LOGINS = {ANN: "ann", REV: "rev", REV2: "rev2", OWN: "own", VAL: "val", REL: "rel", BOB: "bob", APP: "ci[bot]"}
H, H2 = "1" * 40, "2" * 40

ROLES = """
apiVersion: policy/v1
kind: Roles
roles:
  reviewers: {users: [rev#11, rev2#12]}
  owners: {users: [own#21], permission: write}
  validators: {users: [val#31], permission: write}
  releasers: {users: [rel#41], permission: write}
"""
APPROVALS = """
apiVersion: policy/v1
kind: ApprovalPolicy
risk_tiers:
  - {name: low, match: {always: true}}
rules:
  - name: reviewed
    when: {always: true}
    require: {approvals: [{role: reviewers, count: 1}]}
vetoes:
  - {name: changes-requested, when: {changes_requested_by: [reviewers]}, release_roles: [releasers]}
  - {name: hold, when: {held: true}, release_roles: [releasers]}
  - {name: revoked-artifact, when: {artifact_revoked: true}}
merge: {all_of: [reviewed]}
"""
ENVIRONMENTS = """
apiVersion: policy/v1
kind: Environments
environments:
  staging: {promoters: [owners, releasers], auto_promote: merge}
  production:
    promote_from: [staging]
    promoters: [releasers]
    rollback: {roles: [releasers]}
"""
COMMANDS = """
apiVersion: policy/v1
kind: Commands
commands:
  approve: {permission: read}
  hold: {permission: write}
"""


def p1(
    roles: str = ROLES, approvals: str = APPROVALS, environments: str = ENVIRONMENTS, commands: str = COMMANDS
) -> Policies:
    """Policy P1: one reviewer who did not build it; parts can be replaced."""
    texts = {"roles": roles, "approvals": approvals, "environments": environments, "commands": commands}
    return read_policies({f"policies/{name}.yaml": text.encode() for name, text in texts.items()})


def account(id_: int) -> Account:
    """An account by its number."""
    return Account(id=id_, login=LOGINS.get(id_, f"user{id_}"), kind="Bot" if id_ == APP else "User")


def actor(id_: int, **changes: Any) -> Actor:
    """Somebody with write permission and no team."""
    return Actor(**{"account": account(id_), "permission": "write", **changes})


def model(name: str = "churn", version: object = 1, **changes: Any) -> ModelFact:
    """An evaluated model whose one gate passes; `version` stands for its content."""
    fields: dict[str, Any] = {
        "model": name,
        "inputs_digest": a_digest("inputs", name, version),
        "evaluation_digest": a_digest("evaluation", name, version),
        "artifact_digest": a_digest("artifact", name, version),
        "evaluated_inputs_digest": a_digest("inputs", name, version),
        "gates": (Gate(gate="floor", verdict="pass", blocks=True, reason_code="floor_met", sentence="Above 0.8."),),
    }
    return ModelFact(**{**fields, **changes})


def head(sha: str = H, *models: ModelFact, guarded: str | None = "none") -> HeadFact:
    """What a head would let out; `guarded` stands for the content of the rest of the change."""
    found = {
        one.model: Evaluated(
            inputs_digest=one.inputs_digest,
            evaluation_digest=one.evaluation_digest,
            artifact_digest=one.artifact_digest,
        )
        for one in models or (model(),)
    }
    digest = None if guarded is None else a_digest("guarded", guarded)
    return HeadFact(head_sha=sha, evaluation_id=evaluation_id(found), models=found, guarded_digest=digest)


def at(minutes: float) -> str:
    """So many minutes before now."""
    return (NOW - timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def review(who: int, kind: str = "approve", sha: str = H, ago: float = 60, **changes: Any) -> Opinion:
    """A review, an hour ago."""
    fields = {
        "id": f"r{who}{int(ago * 60)}{sha[0]}",
        "method": "review",
        "kind": kind,
        "actor": who,
        "created_at": at(ago),
        "commit_sha": sha,
    }
    return Opinion(**{**fields, **changes})


def command(who: int, kind: str = "approve", target: str | None = "E", ago: float = 60, **changes: Any) -> Opinion:
    """A command, an hour ago; target `E` is the evaluation of the default head."""
    fields = {
        "id": f"c{who}{int(ago * 60)}.{kind}",
        "method": "command",
        "kind": kind,
        "actor": who,
        "created_at": at(ago),
        "target": head().evaluation_id if target == "E" else target,
    }
    return Opinion(**{**fields, **changes})


def commit(sha: str = H, author: int | None = ANN, committer: int | None = ANN, **changes: Any) -> CommitFact:
    """A commit of ann's."""
    return CommitFact(**{"sha": sha, "author": author, "committer": committer, **changes})


def pull_request(**changes: Any) -> Subject:
    """Open, by ann, against main, with head H."""
    fields: dict[str, Any] = {
        "number": 7,
        "author": account(ANN),
        "state": "open",
        "draft": False,
        "merged": False,
        "head_sha": H,
        "head_ref": "change",
        "base_ref": "main",
        "base_sha": "b" * 40,
        "default_branch": "main",
        "from_fork": False,
        "last_pusher": ANN,
    }
    return Subject(**{**fields, **changes})


def facts(*opinions: Opinion, pr: Mapping[str, Any] | None = None, **changes: Any) -> Facts:
    """Complete facts about a merge of one changed model."""
    fields: dict[str, Any] = {
        "subject": "merge",
        "pull_request": pull_request(**(pr or {})),
        "commits": (commit(),),
        "changed_paths": ("models/churn/model.yaml",),
        "change_kinds": ("spec",),
        "models": (model(),),
        "heads": (head(),),
        "opinions": opinions,
        "actors": tuple(actor(id_) for id_ in LOGINS),
        "training_initiators": (ANN,),
    }
    return Facts(**{**fields, **changes})


def judge(found: Facts, policies: Policies | None = None, now: datetime = NOW) -> Decision:
    """The decision under P1, or another policy."""
    return decide(found, policies or p1(), now)


def codes(tree: Node) -> set[str]:
    """All reason codes of a tree."""
    return {tree.reason_code}.union(*(codes(child) for child in tree.children))
