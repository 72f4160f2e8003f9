"""Facts are collected whole, with few requests, and what was decided is written once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.decide.decide import decide
from bot.decide.step import collect, policy_difference, read, record
from bot.errors import UserError
from bot.ports import Comment, Commit, PullRequest, Review, TimelineEvent
from bot.records.approval import Void
from bot.records.ledger import Evaluated, Head, bare, evaluation_path, head_path, plan_path
from tests.builders import a_plan, a_planned, an_evaluation
from tests.decide.world import APPROVALS, COMMANDS, ENVIRONMENTS, LOGINS, NOW, REV, ROLES, H, account, p1
from tests.fakes.branch import FakeBranch
from tests.fakes.data import FakeData
from tests.fakes.git import FakeGit
from tests.fakes.pull_requests import FakePullRequests
from tests.fakes.witness import FakeWitness

BASE = "b" * 40
FILES = {"roles": ROLES, "approvals": APPROVALS, "environments": ENVIRONMENTS, "commands": COMMANDS}


@dataclass
class FixedClock:
    at: datetime

    def now(self) -> datetime:
        return self.at

    def wait_until(self, moment: datetime) -> None:
        """It stands still."""


@dataclass
class World:
    """Only the ports that collecting asks."""

    git: FakeGit
    pull_requests: FakePullRequests
    ledger: FakeBranch
    environments: FakeBranch = field(default_factory=FakeBranch)
    witness: FakeWitness = field(default_factory=FakeWitness)
    data: FakeData = field(default_factory=FakeData)
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    default_branch: str = "main"


@dataclass
class Said:
    verb: str
    target: str | None = None
    models: tuple[str, ...] = ()
    environment: str | None = None
    options: dict[str, Any] = field(default_factory=dict)


@dataclass
class Parsed:
    commands: list[Said]


def parse(body: str, prefix: str | None) -> Parsed:
    """A toy grammar: a verb and a target."""
    words = body.removeprefix("/").split()
    return Parsed([Said(words[0], words[1] if len(words) > 1 else None)] if body.startswith("/") else [])


def world(comments: list[Comment] | None = None, reviews: list[Review] | None = None) -> World:
    """Pull request 7 by ann with one evaluated model."""
    policies = {f"policies/{name}.yaml": text.encode() for name, text in FILES.items()}
    git = FakeGit(
        trees={BASE: policies, H: {**policies, "models/churn/model.yaml": b"new"}},
        parents={H: (BASE,)},
        refs={"refs/remotes/origin/main": BASE},
    )
    pull = PullRequest(
        7, "t", account(1), "open", False, False, H, "change", "main", BASE, False, None, head_repository="acme/models"
    )
    commits = [Commit(H, (BASE,), account(1), account(1), "ann@example.com", "A change")]
    github = FakePullRequests({7: pull}, {7: commits}, {7: comments or []}, {7: reviews or []})
    github.roles = {login: (id_, "write") for id_, login in LOGINS.items()}
    evaluation = an_evaluation("churn")
    planned = a_planned("churn", inputs_digest=evaluation.inputs_digest)
    digests = Evaluated(
        inputs_digest=evaluation.inputs_digest,
        evaluation_digest=evaluation.digest(),
        artifact_digest=evaluation.artifact_digest,
    )
    head = Head(number=7, head_sha=H, base_sha=BASE, models={"churn": digests}, run_id=1, run_attempt=1, initiator_id=1)
    plan = a_plan(
        planned, base_sha=BASE, head_sha=H, changed_paths=("models/churn/model.yaml",), change_kinds=("spec",)
    )
    ledger = FakeBranch(append_only=True, clock=NOW - timedelta(hours=3))
    ledger.commit(
        {
            head_path(7, H): head.canonical(),
            plan_path(7, H): plan.canonical(),
            evaluation_path("churn", evaluation.inputs_digest, evaluation.digest()): evaluation.canonical(),
        },
        "report",
    )
    return World(git, github, ledger, witness=FakeWitness({("acme/models", "change", H): [1]}))


def comment(id_: int, who: int, body: str, edited: bool = False) -> Comment:
    created = NOW - timedelta(hours=1)
    return Comment(id_, account(who), body, created, created + timedelta(minutes=5 * edited))


def approve(who: int) -> Review:
    return Review(500 + who, account(who), "APPROVED", H, NOW - timedelta(hours=1))


def judged(ports: World) -> str:
    policies = read(ports.git, BASE)  # type: ignore[arg-type]
    return decide(collect(7, "merge", ports, policies, parse), policies, NOW).status  # type: ignore[arg-type]


def test_a_review_and_the_ledger_s_evaluation_make_an_approval() -> None:
    assert judged(world(reviews=[approve(REV)])) == "approved"


def test_five_requests_and_no_permission_of_anybody_whom_no_role_concerns() -> None:
    ports = world(reviews=[approve(REV)], comments=[comment(1, 99, "nice"), comment(2, 99, "/approve")])
    assert judged(ports) == "approved"
    assert ports.pull_requests.requests == ["pull 7", "commits", "comments", "timeline", "reviews"]
    assert ports.witness.requests == ["pushers acme/models change"]


@pytest.mark.parametrize(
    ("body", "edited", "status"),
    [("/approve " + H, False, "approved"), ("/approve " + H, True, "pending"), ("/approve", False, "approved")],
    ids=["names the head", "was edited", "is low risk and came after the report"],
)
def test_a_comment_is_an_opinion(body: str, edited: bool, status: str) -> None:
    assert judged(world(comments=[comment(1, REV, body, edited)])) == status


def test_an_untargeted_approval_from_before_the_report_names_nothing() -> None:
    ports = world(comments=[comment(1, REV, "/approve")])
    ports.ledger.commits[0] = (*ports.ledger.commits[0][:1], NOW, *ports.ledger.commits[0][2:])
    assert judged(ports) == "pending"


def test_what_a_bot_says_means_nothing() -> None:
    assert judged(world(comments=[comment(1, 90, "/approve " + H)])) == "pending"


def test_a_pull_request_that_was_never_planned_waits() -> None:
    ports = world(reviews=[approve(REV)])
    del ports.ledger.files[plan_path(7, H)]
    assert judged(ports) == "pending"


def test_a_rejection_that_somebody_deleted_still_stands() -> None:
    ports = world(reviews=[approve(12)], comments=[comment(1, REV, "/reject")])
    policies = p1()
    facts = collect(7, "merge", ports, policies, parse)  # type: ignore[arg-type]
    decision = decide(facts, policies, NOW)
    from bot.decide.recording import approval_files

    record(facts, decision, approval_files(facts, policies), ports)  # type: ignore[arg-type]
    assert judged(ports) == "rejected"
    ports.pull_requests.comments_of[7] = []
    assert judged(ports) == "rejected"


def test_recording_twice_writes_once() -> None:
    ports = world(reviews=[approve(REV)])
    policies = p1()
    facts = collect(7, "merge", ports, policies, parse)  # type: ignore[arg-type]
    decision = decide(facts, policies, NOW)
    for _ in range(2):
        record(facts, decision, {}, ports)  # type: ignore[arg-type]
    assert len(ports.ledger.commits) == 2
    assert f"decisions/7/{bare(decision.digest())}.json" in ports.ledger.files


def test_the_same_decision_later_is_the_one_that_stands_and_a_change_of_mind_is_kept() -> None:
    """A quiet repository is left alone; what is approved, held and approved again is three decisions."""
    ports, policies = world(reviews=[approve(REV)]), p1()
    facts = collect(7, "merge", ports, policies, parse)  # type: ignore[arg-type]
    first = record(facts, decide(facts, policies, NOW), {}, ports)  # type: ignore[arg-type]
    n = len(ports.ledger.commits)
    again = record(facts, decide(facts, policies, NOW + timedelta(hours=1)), {}, ports)  # type: ignore[arg-type]
    assert again == first and len(ports.ledger.commits) == n
    ports.pull_requests.comments_of[7] = [comment(1, REV, "/hold --reason x")]
    held = collect(7, "merge", ports, policies, parse)  # type: ignore[arg-type]
    later = NOW + timedelta(hours=2)
    assert record(held, decide(held, policies, later), {}, ports).status == "rejected"  # type: ignore[arg-type]
    ports.pull_requests.comments_of[7] = []
    back = record(facts, decide(facts, policies, later + timedelta(hours=1)), {}, ports)  # type: ignore[arg-type]
    assert back != first and len([path for path in ports.ledger.files if path.startswith("decisions/")]) == 3


def decided(ports: World) -> str:
    """Facts, decision and its record, as a job makes them."""
    facts = collect(7, "merge", ports, p1(), parse)  # type: ignore[arg-type]
    decision = decide(facts, p1(), NOW)
    record(facts, decision, {}, ports)  # type: ignore[arg-type]
    return decision.status


def test_commits_are_asked_for_once_a_head() -> None:
    ports = world(reviews=[approve(REV)])
    assert [decided(ports), decided(ports)] == ["approved", "approved"]
    assert ports.pull_requests.requests.count("commits") == 1


def test_commits_are_asked_for_until_github_knows_their_people() -> None:
    ports = world(reviews=[approve(REV)])
    known = ports.pull_requests.commits_of[7]
    ports.pull_requests.commits_of[7] = [replace(one, author=None) for one in known]
    assert decided(ports) != "approved"
    ports.pull_requests.commits_of[7] = known
    assert decided(ports) == "approved"


def test_closing_makes_approvals_void_for_good_though_no_run_saw_it() -> None:
    ports = world(reviews=[approve(REV)])
    ports.pull_requests.timeline_of[7] = [TimelineEvent("closed", NOW - timedelta(minutes=5), account(1))]
    assert judged(ports) == "pending"


def test_what_an_older_bot_wrote_down_as_void_stays_void() -> None:
    ports = world(reviews=[approve(REV)])
    fact = Void(number=7, cause="closed", opinions=(f"r{500 + REV}",))
    ports.ledger.commit({"voids/7/1.json": fact.canonical()}, "void")
    assert judged(ports) == "pending"


def test_an_objection_that_was_edited_before_anybody_read_it_stands() -> None:
    ports = world(comments=[replace(comment(1, REV, "thanks", edited=True), earlier=("/reject",))])
    assert judged(ports) == "rejected"


def test_a_policy_folder_with_a_stranger_does_not_load() -> None:
    ports = world()
    ports.git.trees[BASE]["policies/aprovals.yaml"] = b"{}"
    with pytest.raises(UserError, match="not a policy file"):
        read(ports.git, BASE)  # type: ignore[arg-type]


def test_times_are_utc() -> None:
    assert NOW.tzinfo is UTC and datetime.fromisoformat("2026-03-04T12:00:00Z") == NOW


def test_who_gives_a_command_now_is_asked_for_permission_once() -> None:
    ports = world()
    facts = collect(7, "merge", ports, p1(), parse, actor=account(51))  # type: ignore[arg-type]
    assert ports.pull_requests.requests[5:] == ["permissions bob"]
    assert {one.account.id: one.permission for one in facts.actors}[51] == "write"


def test_the_author_is_asked_for_permission_when_a_rule_depends_on_it() -> None:
    roles = ROLES.replace(
        "reviewers: {users: [rev#11, rev2#12]}", "reviewers: {users: [rev#11, ann#1], permission: write}"
    )
    rules = APPROVALS.replace("when: {always: true}\n", "when: {author_roles: [reviewers]}\n")
    ports = world(reviews=[approve(REV)])
    facts = collect(7, "merge", ports, p1(roles=roles, approvals=rules), parse)  # type: ignore[arg-type]
    assert ports.pull_requests.requests[5:] == ["permissions ann rev"]
    assert decide(facts, p1(roles=roles, approvals=rules), NOW).status == "approved"


def test_a_changed_policy_shows_what_it_would_have_changed() -> None:
    ports = world(reviews=[approve(REV)])
    policies = p1()
    facts = collect(7, "merge", ports, policies, parse)  # type: ignore[arg-type]
    record(facts, decide(facts, policies, NOW), {}, ports)  # type: ignore[arg-type]
    assert "same verdict for the last 1 decisions" in policy_difference(H, ports)  # type: ignore[arg-type]
    ports.git.trees[H]["policies/approvals.yaml"] = APPROVALS.replace("count: 1", "count: 2").encode()
    assert "would have changed 1 of the last 1" in policy_difference(H, ports)  # type: ignore[arg-type]
    ports.git.trees[H]["policies/approvals.yaml"] = b"no: 1"
    assert "do not load" in policy_difference(H, ports)  # type: ignore[arg-type]


def test_the_real_grammar_is_understood() -> None:
    from bot.chatops.parse import parse as grammar

    ports = world(
        comments=[comment(1, REV, f"/approve {H}\n\n> /reject --reason no\n"), comment(2, 12, "/hold --reason x")]
    )
    facts = collect(7, "merge", ports, p1(), grammar)  # type: ignore[arg-type]
    assert [(one.id, one.kind, one.target, one.reason) for one in facts.opinions] == [
        ("c1", "approve", H, ""),
        ("c2", "hold", None, "x"),
    ]
