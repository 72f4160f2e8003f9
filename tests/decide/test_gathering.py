"""Records of the ledger -> parts of the facts: nothing is left out, nothing of another environment is counted."""

from __future__ import annotations

from typing import Any

import pytest

from bot.decide.gathering import (
    broken,
    environment_fact,
    head_fact,
    model_facts,
    planned_digests,
    subject,
    to_ask,
)
from bot.decide.step import collect
from bot.ports import PullRequest
from bot.records.facts import Broken, Gate, Live, Lock, ModelFact, Verification
from bot.records.ledger import (
    Evaluated,
    Head,
    evaluation_id,
    lock_path,
    promotion_path,
    release_path,
    verification_path,
)
from bot.records.plan import Invalid
from bot.records.release import Verification as Record
from tests.builders import a_digest, a_plan, a_planned, a_release, an_evaluation
from tests.decide.policies import TEAM_ROLES
from tests.decide.test_step import parse, world
from tests.decide.world import ANN, APP, APPROVALS, BOB, COMMANDS, OWN, REL, REV, ROLES, H, account, command, p1, review


def verified(environment: str, outcome: str = "passed", counter: int = 1) -> Record:
    return Record(
        model="churn", environment=environment, counter=counter, artifact_digest=a_digest("artifact", "churn"),
        outcome=outcome, sentence="s", checked_at="2026-03-04T11:00:00Z",  # type: ignore[arg-type]
    )  # fmt: skip


def test_an_environment_is_what_is_live_there_what_was_and_what_was_verified_there() -> None:
    release, lock = a_release("churn", environment="staging"), Lock(holder=account(REL), reason="x", since="t")
    elsewhere = a_release("taxi", environment="production")
    found = environment_fact(
        "staging", [release], [release, elsewhere], [verified("staging"), verified("pre-staging", "failed")], lock
    )
    assert found.name == "staging" and found.lock == lock
    assert found.live == (
        Live(
            model="churn", artifact_digest=release.artifact_digest, evaluation_digest=release.evaluation_digest,
            inputs_digest=release.inputs_digest, version="v1.0.0", since="2026-11-23T12:00:00Z",
        ),
    )  # fmt: skip
    assert found.was_live == (release.artifact_digest,)
    digest = a_digest("artifact", "churn")
    assert found.verifications == (
        Verification(model="churn", artifact_digest=digest, verdict="passed", at="2026-03-04T11:00:00Z"),
    )


def test_a_verification_of_an_environment_whose_name_ends_alike_is_none() -> None:
    """`pre-staging` is not `staging`, however the files are called."""
    ports = world()
    release = a_release("churn", environment="staging")
    ports.environments.commit(
        {
            release_path("staging", "churn"): release.canonical(),
            lock_path("staging"): Lock(holder=account(REL), reason="x", since="t").model_dump_json().encode(),
        },
        "promote",
    )
    files = {promotion_path("churn", 1, "staging"): release.canonical()}
    for name in ("staging", "pre-staging"):
        one = verified(name, "passed" if name == "staging" else "failed")
        files[verification_path("churn", 1, name, one.checked_at)] = one.canonical()
    ports.ledger.commit(files, "verify")  # type: ignore[arg-type]
    facts = collect(7, "production", ports, p1(), parse)  # type: ignore[arg-type]
    staging = next(one for one in facts.environments if one.name == "staging")
    assert [one.verdict for one in staging.verifications] == ["passed"]
    assert staging.was_live == (release.artifact_digest,) and staging.live[0].model == "churn"
    assert staging.lock is not None and staging.lock.holder.id == REL
    assert collect(7, "merge", ports, p1(), parse).environments == ()  # type: ignore[arg-type]


EVALUATION = an_evaluation("churn")
FOUND = {"churn": EVALUATION}
DIGESTS = Evaluated(
    inputs_digest=EVALUATION.inputs_digest,
    evaluation_digest=EVALUATION.digest(),
    artifact_digest=EVALUATION.artifact_digest,
)
PLAN = a_plan(a_planned("churn", inputs_digest=EVALUATION.inputs_digest, risk_tier="high"))
HEAD = Head(
    number=7, head_sha=H, base_sha="b" * 40, models={"churn": DIGESTS}, run_id=1, run_attempt=1, initiator_id=None
)


def test_a_model_with_its_evaluation_at_the_head() -> None:
    (found,) = model_facts(PLAN, HEAD, {"churn": EVALUATION}, {"churn": "sha256:merged"}, {"churn"})
    assert found == ModelFact(
        model="churn", risk_tier="high", inputs_digest=EVALUATION.inputs_digest,
        evaluation_digest=EVALUATION.digest(), artifact_digest=EVALUATION.artifact_digest,
        evaluated_inputs_digest=EVALUATION.inputs_digest, evaluated_head=H,
        gates=tuple(Gate(**{key: getattr(one, key) for key in Gate.model_fields}) for one in EVALUATION.gates),
        merged_inputs_digest="sha256:merged", base_moved=True, attested=True,
    )  # fmt: skip
    assert found.gates


@pytest.mark.parametrize(
    ("head", "evaluations"),
    [(None, {}), (None, FOUND), (HEAD, {}), (HEAD.model_copy(update={"models": {}}), FOUND)],
    ids=["never reported", "an evaluation and no head", "the ledger lost it", "a head without the model"],
)  # fmt: skip
def test_a_model_without_one_stands_for_nothing(head: Head | None, evaluations: dict[str, Any]) -> None:
    (found,) = model_facts(PLAN, head, evaluations, {}, ())
    assert found == ModelFact(
        model="churn", risk_tier="high", inputs_digest=EVALUATION.inputs_digest, evaluation_digest=None,
        artifact_digest=None, attested=False,
    )  # fmt: skip


def test_a_head_has_an_evaluation_id_once_every_model_is_evaluated() -> None:
    whole = head_fact(H, {"churn": DIGESTS}, "sha256:rest")
    assert whole.evaluation_id == evaluation_id({"churn": DIGESTS}) and whole.guarded_digest == "sha256:rest"
    waiting = planned_digests(PLAN)
    assert waiting == {
        "churn": Evaluated(inputs_digest=EVALUATION.inputs_digest, evaluation_digest=None, artifact_digest=None)
    }
    assert head_fact(H, {"churn": DIGESTS, "taxi": waiting["churn"]}, None).evaluation_id is None
    assert head_fact(H, {}, None).evaluation_id is None and planned_digests(None) == {}


def test_a_model_that_cannot_be_read_has_its_place() -> None:
    made = [
        Invalid(model="a", file="models/a/model.yaml", line=3, message="no", hint=None),
        Invalid(model="b", file="models/b/model.yaml", line=None, message="gone", hint=None),
    ]
    assert broken(a_plan(*made)) == (
        Broken(model="a", place="models/a/model.yaml:3", message="no"),
        Broken(model="b", place="models/b/model.yaml", message="gone"),
    )


def test_the_pull_request_is_taken_over_whole() -> None:
    found = PullRequest(
        7, "Title", account(ANN), "closed", True, True, H, "change", "release", "b" * 40, True, "c" * 40, ("z", "a")
    )
    made = subject(found, "main", 5, (5, 6))
    assert made.model_dump() == {
        "number": 7, "title": "Title", "author": account(ANN).model_dump(), "state": "closed", "draft": True,
        "merged": True, "head_sha": H, "head_ref": "change", "base_ref": "release", "base_sha": "b" * 40,
        "default_branch": "main", "from_fork": True, "last_pusher": 5, "labels": ("a", "z"),
        "merge_commit_sha": "c" * 40, "pushers": (5, 6),
    }  # fmt: skip


PEOPLE = {id_: account(id_) for id_ in (ANN, REV, OWN, BOB, APP)}
TEAMS = TEAM_ROLES.replace("acme/reviewers]", "acme/reviewers], permission: write")
OPEN = ROLES.replace("reviewers: {users: [rev#11, rev2#12]}", "reviewers: {permission: read}")
BY_ROLE = COMMANDS.replace("hold: {permission: write}", "hold: {roles: [owners]}").replace(
    "approve: {permission: read}", "approve: {roles: [owners]}"
)
ASKED = [
    ("a named person of a role with a permission", {}, [review(OWN)], set(), {OWN}, set()),
    ("a named person of a role without", {}, [review(REV)], set(), set(), set()),
    ("a stranger", {}, [review(BOB)], set(), set(), set()),
    ("who holds", {}, [command(BOB, "hold")], set(), {BOB}, set()),
    (
        "who holds where no command asks for permissions",
        {"commands": BY_ROLE},
        [command(BOB, "hold")],
        set(),
        set(),
        set(),
    ),
    ("who gives a command now", {}, [], {BOB, None}, {BOB}, set()),
    ("anybody, where a role has teams and a permission", {"roles": TEAMS}, [review(BOB)], set(), {BOB}, {BOB}),
    ("anybody, where a permission alone makes a role", {"roles": OPEN}, [review(BOB)], set(), {BOB}, set()),
    ("but no bot", {"roles": OPEN}, [review(APP)], set(), set(), set()),
    ("nor a bot for its teams", {"roles": TEAMS}, [review(APP)], set(), set(), set()),
    ("nor somebody whose account is not known", {}, [review(777)], {778}, set(), set()),
]


@pytest.mark.parametrize(
    ("policy", "said", "asked", "permission", "teams"), [one[1:] for one in ASKED], ids=[one[0] for one in ASKED]
)
def test_github_is_asked_about_those_alone_whom_a_role_could_concern(
    policy: dict[str, str], said: list[Any], asked: set[int | None], permission: set[int], teams: set[int]
) -> None:
    found = to_ask(p1(**policy), said, PEOPLE, asked)
    assert tuple({one.id for one in part} for part in found) == (permission, teams)


def test_what_the_author_is_matters_where_a_condition_says_so() -> None:
    assert not p1().approvals.author_roles()
    rule = APPROVALS.replace("when: {always: true}\n", "when: {author_roles: [owners]}\n")
    tier = "  - {name: high, match: {any_of: [{author_roles: [owners]}]}}\n  - {name: low, match: {always: true}}"
    for text in (rule, APPROVALS.replace("  - {name: low, match: {always: true}}", tier)):
        assert p1(approvals=text).approvals.author_roles() == {"owners"}
