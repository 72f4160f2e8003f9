"""What GitHub tells -> facts -> verdict, attacked by people who may write.

First the twelve ways in which the best-known engine approves what it should not, then our own. A row changes what is on
GitHub or in the ledger, never the facts by hand, and comments go through the real grammar.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.chatops.parse import parse
from bot.decide.decide import decide
from bot.decide.recording import approval_files
from bot.decide.step import collect, record
from bot.errors import MlbotError
from bot.ports import Comment, Review, TimelineEvent
from bot.records.decision import Decision
from bot.records.facts import Delegation
from bot.records.ledger import Head, delegation_path, head_path
from bot.specs.policies import Policies
from tests.decide.policies import TEAM_ROLES, P, require
from tests.decide.test_step import BASE, World, world
from tests.decide.world import (
    ANN,
    APP,
    APPROVALS,
    BOB,
    ENVIRONMENTS,
    H2,
    LOGINS,
    NOW,
    OWN,
    REL,
    REV,
    REV2,
    ROLES,
    VAL,
    H,
    account,
    codes,
    p1,
)


def said(
    who: int, body: str, ago: float = 60, edited: float = 0, id_: int | None = None, by: int | None = None
) -> Comment:
    """A comment so many minutes ago, edited so many minutes later by somebody; None: GitHub does not say who."""
    created = NOW - timedelta(minutes=ago)
    later, editor = created + timedelta(minutes=edited), account(by) if by is not None else None
    return Comment(id_ or int(ago * 60) + who, account(who), body, created, later, editor=editor)


def review(who: int, state: str = "APPROVED", sha: str | None = H, ago: float = 60, id_: int | None = None) -> Review:
    return Review(id_ or int(ago * 60) + who, account(who), state, sha, NOW - timedelta(minutes=ago))  # type: ignore[arg-type]


def decided(ports: World, policies: Policies | None = None) -> Decision:
    """Judged and recorded as a job does it."""
    rules = policies or p1()
    facts = collect(7, "merge", ports, rules, parse)  # type: ignore[arg-type]
    decision = decide(facts, rules, NOW)
    record(facts, decision, approval_files(facts, rules), ports)  # type: ignore[arg-type]
    return decision


def commits(ports: World, **changes: Any) -> World:
    """The head's commit, changed."""
    ports.pull_requests.commits_of[7] = [replace(one, **changes) for one in ports.pull_requests.commits_of[7]]
    return ports


def second_parent(ports: World) -> World:
    """A commit of rev's that a merge brought in."""
    own = ports.pull_requests.commits_of[7][0]
    merged = replace(own, sha="5" * 40, author=account(REV), committer=account(REV), author_email="rev@example.com")
    ports.pull_requests.commits_of[7] = [merged, replace(own, parents=(BASE, merged.sha))]
    return ports


def pushed_by(ports: World, who: int) -> World:
    ports.witness.pushes = {("acme/models", "change", H): [who]}
    return ports


def moved(ports: World, sha: str = H2, **models: Any) -> World:
    """The branch moves to another commit, with the same models as before or others, not yet reported on by a run."""
    live = Head.parse(ports.ledger.get(head_path(7, H)) or b"", source="head")
    plan = ports.ledger.files[f"plans/7/{H}.json"].replace(H.encode(), sha.encode())
    ports.ledger.commit(
        {f"plans/7/{sha}.json": plan, head_path(7, sha): live.model_copy(update={"head_sha": sha}).canonical()}, ""
    )
    ports.git.trees[sha], ports.git.parents[sha] = dict(ports.git.trees[H]), (BASE,)
    return back_to(ports, sha)


def back_to(ports: World, sha: str) -> World:
    """The branch is forced to a commit."""
    ports.pull_requests.pulls[7] = replace(ports.pull_requests.pulls[7], head_sha=sha)
    ports.pull_requests.commits_of[7] = [replace(one, sha=sha) for one in ports.pull_requests.commits_of[7]]
    ports.witness.pushes[("acme/models", "change", sha)] = [ANN]
    return ports


def other_inputs(ports: World, sha: str = H2) -> World:
    """The live head would let out something else."""
    for path in (f"plans/7/{sha}.json", head_path(7, sha)):
        data = ports.ledger.files[path]
        start = data.index(b'"inputs_digest":"sha256:') + len(b'"inputs_digest":"sha256:')
        ports.ledger.files[path] = data[:start] + b"0" * 64 + data[start + 64 :]
    return ports


Row = tuple[str, Callable[[], World], Policies, str, str | None]


def row(name: str, made: Callable[[], World], status: str, code: str | None = None, policy: Any = "P1") -> Row:
    return name, made, P[policy] if isinstance(policy, str) else policy, status, code


TWO = P["two hats across"]
REV_S = "11+rev@users.noreply.github.com"
BY_MAIL = "x\n\nCo-authored-by: R <rev@corp.example>"
BY_TOOL = "x\n\nCo-authored-by: T <noreply@tool.example>"
LISTED = p1(roles=ROLES + "addresses: {rev@corp.example: rev#11, noreply@tool.example: tool}\n")
TWELVE = [
    row("1 a quoted approval", lambda: world([said(REV, f"> /approve {H}\n\nwho wrote this?")]), "pending"),
    row("2 in a code fence", lambda: world([said(REV, f"```\n/approve {H}\n```")]), "pending"),
    row("3 in an HTML comment", lambda: world([said(REV, f"<!-- /approve {H} -->")]), "pending"),
    row("4 in a sentence that says no", lambda: world([said(REV, f"I can not /approve {H} yet")]), "pending"),
    row("5 approved, then changes requested",
        lambda: world(reviews=[review(REV), review(REV, "CHANGES_REQUESTED", ago=30)]), "rejected", "vetoed"),
    row("6 a review of an old commit, sent after the push",
        lambda: other_inputs(moved(world(reviews=[review(REV, ago=1)]))), "pending"),
    row("7 a contributor through the second parent of a merge",
        lambda: second_parent(world(reviews=[review(REV)])), "pending", "contributor_approval"),
    row("8 a commit of an address that GitHub does not know",
        lambda: commits(world(reviews=[review(REV)]), author=None), "error", "unattributed_commit"),
    row("9 a commit in the name of a bot, pushed by the approver",
        lambda: pushed_by(commits(world(reviews=[review(REV)]), author=account(APP), committer=account(APP)), REV),
        "pending", "contributor_approval"),
    row("12 one person fills two rules", lambda: world(reviews=[review(OWN)]), "pending", "duplicate_person", TWO),
]  # fmt: skip
# 10 and 11 (a requirement without a count, an empty policy) do not load: below.


def lent(ports: World, by: int, to: int, role: str = "owners", days: int = 7) -> World:
    fact = Delegation(
        id="1-c1", delegator=by, delegate=to, role=role, reason="away", lender=account(by),
        since="2026-03-01T00:00:00Z", until=f"2026-03-{1 + days:02}T00:00:00Z",
    )  # fmt: skip
    ports.ledger.commit({delegation_path(fact.id): fact.model_dump_json().encode()}, "lent")
    return ports


def known_first(ports: World, then: Callable[[World], object]) -> World:
    """The bot sees what is there, then something changes."""
    decided(ports)
    then(ports)
    return ports


def comments(*found: Comment) -> Callable[[World], object]:
    return lambda ports: ports.pull_requests.comments_of.update({7: list(found)})


def approving(*others: int) -> World:
    """rev approves by a command, others by a review."""
    return world([said(REV, f"/approve {H}", id_=1)], [review(one) for one in others])


def deleted(ports: World, whose: int, by: int | None) -> World:
    """GitHub's history says that somebody deleted a comment of theirs; None: an account that is gone."""
    events = ports.pull_requests.timeline_of.setdefault(7, [])
    actor = account(by) if by is not None else None
    events.append(TimelineEvent("comment_deleted", NOW - timedelta(minutes=5), actor, about=account(whose)))
    return ports


def reviews(*found: Review) -> Callable[[World], object]:
    return lambda ports: ports.pull_requests.reviews_of.update({7: list(found)})


LENDING = "delegation: {roles: [owners], max_duration: 14d}\n"
OWNED = p1(approvals=require("{approvals: [{role: owners, count: 1}]}") + LENDING)
INDEPENDENT = p1(approvals=require("{approvals: [{role: owners, count: 1, not_contributor_within: 90d}]}") + LENDING)
LENT_TEAM = p1(roles=TEAM_ROLES, approvals=APPROVALS + LENDING.replace("owners", "reviewers"))
AT_APPROVAL = P["role at approval"]
JOINED = p1(roles=ROLES.replace("rev2#12]", "rev2#12, bob#51]"), approvals=require(
    "{role_check: at_approval_and_evaluation, approvals: [{role: reviewers, count: 1}]}"))  # fmt: skip


def joined_after(ports: World) -> World:
    """Bob approves, is seen without a role, and is made a reviewer later."""
    decided(ports, AT_APPROVAL)
    return ports


def built_by(ports: World, who: int) -> World:
    from tests.decide.test_surroundings import commit

    ports.witness.touched = {"models/churn/model.yaml": [commit(who)]}
    return ports


def reports(ports: World, hours: dict[str, float]) -> World:
    """When the bot reported on each head, in hours before now; the last head of the list is the live one."""
    ports = moved(ports)
    for index, (sha, when) in enumerate(hours.items()):
        commit, _, message, files = ports.ledger.commits[index]
        assert any(sha in path for path in files)
        ports.ledger.commits[index] = (commit, NOW - timedelta(hours=when), message, files)
    return ports


def evaluated(ports: World, ago: float) -> World:
    """The evaluation and the head were written down so many minutes ago."""
    commit, _, message, files = ports.ledger.commits[0]
    ports.ledger.commits[0] = (commit, NOW - timedelta(minutes=ago), message, files)
    return ports


def evaluation() -> str:
    """By its name."""
    found = collect(7, "merge", world(), p1(), parse)  # type: ignore[arg-type]
    return found.heads[0].evaluation_id or ""


def seen_before(ports: World) -> World:
    """The bot reads the review before the evaluation is there; its clock is an hour late when the evaluation comes."""
    there = dict(ports.ledger.files)
    ports.ledger.files = {path: data for path, data in there.items() if path.startswith("plans/")}
    decided(ports)
    ports.ledger.files |= there
    return evaluated(ports, 70)


def reported_again(ports: World) -> World:
    """A later run writes the head anew."""
    live = Head.parse(ports.ledger.get(head_path(7, H)) or b"", source="head")
    ports.ledger.clock = NOW - timedelta(minutes=10)
    ports.ledger.commit({head_path(7, H): live.model_copy(update={"run_id": 2}).canonical()}, "report again")
    return ports


ATTACKS = [
    # comments
    row("somebody edits a comment of rev's into an approval",
        lambda: world([said(REV, f"/approve {H}", edited=5)]), "pending", "edited"),
    row("the author edits rev's chat into an approval",
        lambda: world([said(REV, f"/approve {H}", edited=5, by=ANN)]), "error", "tampered"),
    row("rev edits his own into one",
        lambda: world([said(REV, f"/approve {H}", edited=5, by=REV)]), "pending", "edited"),
    row("the author edits an approval that the bot has seen",
        lambda: known_first(approving(), comments(said(REV, "never", id_=1, edited=5, by=ANN))), "error", "tampered"),
    row("rev edits what the bot has seen",
        lambda: known_first(approving(), comments(said(REV, f"/approve {H} churn", id_=1, edited=5, by=REV))),
        "pending", "edited"),
    row("the author deletes it", lambda: deleted(known_first(approving(), comments()), REV, ANN), "error", "tampered"),
    row("somebody who is gone by now deletes it",
        lambda: deleted(known_first(approving(), comments()), REV, None), "error", "tampered"),
    row("nobody knows who deletes it", lambda: known_first(approving(), comments()), "error", "tampered"),
    row("rev deletes it",
        lambda: deleted(known_first(approving(), comments()), REV, REV), "pending", "approvals_missing"),
    row("rev deletes one of his own, the author another",
        lambda: deleted(deleted(known_first(approving(), comments()), REV, REV), REV, ANN), "error", "tampered"),
    row("rev says it again", lambda: known_first(approving(), comments(said(REV, f"/approve {H}", ago=5))), "approved"),
    row("rev withdraws it",
        lambda: known_first(approving(), comments(said(REV, "/unapprove", ago=5))), "pending", "withdrawn"),
    row("a release role lifts it",
        lambda: known_first(approving(REV2), comments(said(REL, "/unhold --reason looked at", ago=5))), "approved"),
    row("the author lifts it",
        lambda: known_first(approving(REV2), comments(said(ANN, "/unhold --reason looked at", ago=5))),
        "error", "tampered"),
    row("others approve", lambda: known_first(approving(REV2), comments()), "error", "tampered"),
    row("an approval of somebody without a role is edited by the author",
        lambda: world([said(BOB, f"/approve {H}", edited=5, by=ANN)], [review(REV2)]), "approved"),
    row("a comment that the bot knew otherwise",
        lambda: known_first(world([said(REV, f"/approve {H}", id_=1)]),
                            comments(said(REV, f"/approve {H}\n\nreally", id_=1))), "error", "tampered"),
    row("somebody edits a rejection away",
        lambda: known_first(world([said(REV, "/reject --reason no", id_=1)], [review(REV2)]),
                            comments(said(REV, "fine", id_=1, edited=5))), "rejected", "vetoed"),
    row("somebody deletes a rejection",
        lambda: known_first(world([said(REV, "/reject --reason no", id_=1)], [review(REV2)]), comments()),
        "rejected", "vetoed"),
    row("somebody deletes a hold",
        lambda: known_first(world([said(REL, "/hold --reason wait", id_=1)], [review(REV)]), comments()),
        "rejected", "held"),
    row("somebody deletes a hold, and its maker is gone",
        lambda: _gone(known_first(world([said(OWN, "/hold --reason wait", id_=1)], [review(REV)]), comments())),
        "rejected", "held"),
    row("somebody deletes a withdrawal",
        lambda: known_first(world([said(REV, f"/approve {H}", 60), said(REV, "/unapprove", 50)]),
                            comments(said(REV, f"/approve {H}", 60))), "pending"),
    row("a bot comments the approval", lambda: world([said(APP, f"/approve {H}")]), "pending"),
    row("a bot approves by review", lambda: world(reviews=[review(APP)]), "pending"),
    row("Cyrillic letters in the verb", lambda: world([said(REV, f"/\u0430pprove {H}")]), "pending"),
    row("full-width letters in the verb", lambda: world([said(REV, f"/\uff41pprove {H}")]), "pending"),
    row("a zero-width character in the SHA", lambda: world([said(REV, f"/approve {H[:20]}\u200b{H[20:]}")]), "pending"),
    row("a short SHA", lambda: world([said(REV, f"/approve {H[:12]}")]), "pending"),
    row("the SHA of another commit", lambda: world([said(REV, f"/approve {'9' * 40}")]), "pending"),
    row("the SHA in capitals is the same commit", lambda: world([said(REV, "/approve " + "A" * 40)]), "pending"),
    row("what people saw was another head than the one that is pushed back",
        lambda: reports(world([said(REV, "/approve")]), {H: 2, H2: 3}), "pending", "target_missing"),
    row("what people saw is what is there",
        lambda: reports(world([said(REV, "/approve")]), {H: 3, H2: 2}), "approved"),
    row("what is there was reported on only after they wrote",
        lambda: reports(world([said(REV, "/approve")]), {H: 3, H2: 0.5}), "pending", "target_missing"),
    # reviews
    row("a review that is only a comment", lambda: world(reviews=[review(REV, "COMMENTED")]), "pending"),
    row("S27 approved, then commented",
        lambda: world(reviews=[review(REV), review(REV, "COMMENTED", ago=30)]), "approved"),
    row("S29 a review that was never sent",
        lambda: world(reviews=[replace(review(REV, "PENDING"), submitted_at=None)]), "pending"),
    row("a review of no commit", lambda: world(reviews=[review(REV, sha=None)]), "pending", "stale_head"),
    row("the author dismisses an approval", lambda: world(reviews=[review(REV, "DISMISSED")]), "pending"),
    row("a dismissed approval does not uncover an older one",
        lambda: world(reviews=[review(REV, ago=90), review(REV, "DISMISSED", ago=60)]), "pending", "withdrawn"),
    row("the author dismisses a rejection that the bot has seen",
        lambda: known_first(world(reviews=[review(REV, "CHANGES_REQUESTED", id_=1), review(REV2)]),
                            reviews(review(REV, "DISMISSED", id_=1), review(REV2))), "rejected", "vetoed"),
    row("and it is gone when its maker approves",
        lambda: known_first(world(reviews=[review(REV, "CHANGES_REQUESTED", id_=1), review(REV2)]),
                            reviews(review(REV, "DISMISSED", id_=1), review(REV2), review(REV, ago=5))), "approved"),
    # before there was an evaluation
    row("a review from before it, seen only now", lambda: evaluated(world(reviews=[review(REV)]), 10),
        "pending", "evaluation_unseen"),
    row("a review from after it", lambda: evaluated(world(reviews=[review(REV, ago=5)]), 10), "approved"),
    row("a review of the very second", lambda: evaluated(world(reviews=[review(REV, ago=10)]), 10),
        "pending", "evaluation_unseen"),
    row("a command that names the commit", lambda: evaluated(world([said(REV, f"/approve {H}")]), 10),
        "pending", "evaluation_unseen"),
    row("a command that names the evaluation", lambda: evaluated(world([said(REV, f"/approve {evaluation()}")]), 10),
        "approved"),
    row("seen before the evaluation, and again after a report of the same",
        lambda: seen_before(world(reviews=[review(REV)])), "pending", "evaluation_unseen"),
    row("it does not count later on either",
        lambda: known_first(evaluated(world(reviews=[review(REV)]), 10), lambda _: None),
        "pending", "evaluation_unseen"),
    row("the same evaluation was there for an older head, which was approved",
        lambda: moved(world(reviews=[review(REV)])), "approved"),
    row("the head of a moment ago is reported on anew, with the same evaluation",
        lambda: reported_again(world(reviews=[review(REV)])), "approved"),
    # pushes
    row("approved, then pushed", lambda: other_inputs(moved(world(reviews=[review(REV)]))), "pending"),
    row("pushed away, and back to what was approved",
        lambda: back_to(other_inputs(moved(world(reviews=[review(REV)]))), H), "approved"),
    row("pushed away, and back by the approver",
        lambda: pushed_by(back_to(other_inputs(moved(world(reviews=[review(REV)]))), H), REV),
        "pending", "contributor_approval"),
    row("the head moved while the bot was reading",
        lambda: commits(world(reviews=[review(REV)]), sha=H2), "error", "ref_changed"),
    # people
    row("a trailer names the approver",
        lambda: commits(world(reviews=[review(REV)]), message=f"x\n\nCo-authored-by: R <{REV_S}>"),
        "pending", "contributor_approval"),
    row("with a space before it and before the colon",
        lambda: commits(world(reviews=[review(REV)]), message=f"x\n\n Co-Authored-By : R <{REV_S}>"),
        "pending", "contributor_approval"),
    row("a trailer that nobody can read",
        lambda: commits(world(reviews=[review(REV)]), message="x\n\nCo-authored-by: R <a@b> <c@d>"),
        "error", "unattributed_commit"),
    row("an address of a company", lambda: commits(world(reviews=[review(REV)]), message=BY_MAIL), "error",
        "unattributed_commit"),
    row("that GitHub knows to be the approver's",
        lambda: commits(world(reviews=[review(REV)]), message=BY_MAIL, known=(("rev@corp.example", REV),)),
        "pending", "contributor_approval"),
    row("that is listed as the approver's", lambda: commits(world(reviews=[review(REV)]), message=BY_MAIL),
        "pending", "contributor_approval", LISTED),
    row("that is listed as somebody else's, while GitHub knows better",
        lambda: commits(world(reviews=[review(REV2)]), message=BY_MAIL, known=(("rev@corp.example", REV2),)),
        "pending", "contributor_approval", LISTED),
    row("that is listed, in other letters",
        lambda: commits(world(reviews=[review(REV2)]), message=BY_MAIL.replace("rev@corp", "Rev@Corp")),
        "approved", None, LISTED),
    row("a tool that is listed",
        lambda: commits(world(reviews=[review(REV)]), message=BY_TOOL), "approved", None, LISTED),
    row("a tool that is not", lambda: commits(world(reviews=[review(REV)]), message=BY_TOOL), "error",
        "unattributed_commit"),
    row("a tool beside a stranger",
        lambda: commits(world(reviews=[review(REV)]), message=f"{BY_TOOL}\nCo-authored-by: X <x@y.example>"),
        "error", "unattributed_commit", LISTED),
    row("a commit made by a tool's address is somebody's",
        lambda: commits(world(reviews=[review(REV)]), author=None, author_email="noreply@tool.example"),
        "error", "unattributed_commit", LISTED),
    row("the author's listed address is the author's",
        lambda: commits(world(reviews=[review(REV)]), author=None, author_email="rev@corp.example"),
        "pending", "contributor_approval", LISTED),
    row("the committer's listed address is the committer's",
        lambda: commits(world(reviews=[review(REV)]), committer=None, committer_email="rev@corp.example"),
        "pending", "contributor_approval", LISTED),
    row("a trailer that nobody can read, of a tool that is listed",
        lambda: commits(world(reviews=[review(REV)]), message="x\n\nCo-authored-by: T noreply@tool.example"),
        "error", "unattributed_commit", LISTED),
    row("a suggestion that GitHub did not sign",
        lambda: commits(world(reviews=[review(REV)]), committer=account(19864447),
                        message=f"Apply suggestion\n\nCo-authored-by: R <{REV_S}>"),
        "pending", "contributor_approval", "suggestions free"),
    row("a suggestion that it did",
        lambda: commits(world(reviews=[review(REV)]), committer=account(19864447), verified=True,
                        message=f"Apply suggestion\n\nCo-authored-by: R <{REV_S}>"),
        "approved", None, "suggestions free"),
    row("somebody else took over the login rev",
        lambda: world(reviews=[replace(review(REV), author=account(REV).model_copy(update={"id": 777}))]),
        "pending"),
    row("rev is called otherwise by now",
        lambda: world(reviews=[replace(review(REV), author=account(REV).model_copy(update={"login": "Zed"}))]),
        "approved"),
    row("GitHub does not tell about the team", lambda: world(reviews=[review(BOB)]), "error", "role_unknown", "team"),
    row("a role that came only after the approval",
        lambda: joined_after(world(reviews=[review(BOB)])), "pending", "role_missing", JOINED),
    # lent roles
    row("a lent role counts", lambda: lent(world(reviews=[review(BOB)]), OWN, BOB), "approved", None, OWNED),
    row("the lender is gone, and somebody else has the login",
        lambda: _gone(lent(world(reviews=[review(BOB)]), OWN, BOB), own=999), "pending", None, OWNED),
    row("the lender is gone, and nobody has the login",
        lambda: _gone(lent(world(reviews=[review(BOB)]), OWN, BOB)), "pending", None, OWNED),
    row("the lender is called otherwise by now",
        lambda: _gone(lent(world(reviews=[review(BOB)]), OWN, BOB), own2=OWN), "approved", None, OWNED),
    row("the lender is called otherwise by now, and somebody else has the login",
        lambda: _gone(lent(world(reviews=[review(BOB)]), OWN, BOB), own2=OWN, own=999), "approved", None, OWNED),
    row("the lender left the team, and somebody of it took the login",
        lambda: _taken(lent(world(reviews=[review(BOB)]), OWN, BOB, "reviewers")), "pending", None, LENT_TEAM),
    row("the lender of a loan that was taken back is gone",
        lambda: _gone(taken_back(lent(world(reviews=[review(REV)]), OWN, BOB))), "approved"),
    row("the lender of a loan that is over is gone",
        lambda: _gone(lent(world(reviews=[review(REV)]), OWN, BOB, days=2)), "approved"),
    row("the lender of a loan is gone, and a change needs nobody of that role",
        lambda: _gone(lent(world(reviews=[review(REV)]), OWN, BOB)), "approved"),
    row("lent by somebody who does not hold it",
        lambda: lent(world(reviews=[review(BOB)]), VAL, BOB), "pending", None, OWNED),
    row("lent by the author of the change",
        lambda: commits(lent(world(reviews=[review(BOB)]), OWN, BOB), author=account(OWN)), "pending", None, OWNED),
    row("lent by somebody who built the model lately",
        lambda: built_by(lent(world(reviews=[review(BOB)]), OWN, BOB), OWN),
        "pending", "recent_contributor", INDEPENDENT),
    row("lent by somebody who did not",
        lambda: built_by(lent(world(reviews=[review(BOB)]), OWN, BOB), VAL), "approved", None, INDEPENDENT),
]  # fmt: skip


def _gone(ports: World, **logins: int) -> World:
    """Nobody is called `own` any more, but those who are named."""
    del ports.pull_requests.roles["own"]
    ports.pull_requests.roles |= {login: (id_, "write") for login, id_ in logins.items()}
    return ports


def _taken(ports: World) -> World:
    ports.pull_requests.members = {("acme/reviewers", 999): True} | {("acme/reviewers", one): False for one in LOGINS}
    return _gone(ports, own2=OWN, own=999)


def taken_back(ports: World) -> World:
    ports.ledger.commit({"delegations/1-c1.revoked.json": b"{}"}, "taken back")
    return ports


@pytest.mark.parametrize("case", [*TWELVE, *ATTACKS], ids=lambda case: case[0])
def test_from_github_to_the_verdict(case: Row) -> None:
    _, made, policies, status, code = case
    decision = decided(made(), policies)
    assert decision.status == status, (decision.headline, sorted(codes(decision.tree)))
    assert code is None or code in codes(decision.tree), sorted(codes(decision.tree))


@pytest.mark.parametrize(
    "change",
    [("{role: reviewers, count: 1}", "{role: reviewers}"), ("rules:\n", "rules: []\nignored:\n")],
    ids=["10 no count", "11 an empty policy"],
)
def test_a_policy_that_would_approve_everything_does_not_load(change: tuple[str, str]) -> None:
    with pytest.raises(MlbotError):
        p1(approvals=APPROVALS.replace(*change))


def test_who_lent_the_role_of_an_approval_cannot_promote_where_approver_and_promoter_must_differ() -> None:
    from bot.records.facts import Asked
    from tests.decide.test_promotion import FOUR_EYES, live
    from tests.decide.world import facts, judge
    from tests.decide.world import review as given

    lending = Delegation(
        id="1-c1", delegator=REL, delegate=BOB, role="releasers", reason="away",
        since="2026-03-01T00:00:00Z", until="2026-03-08T00:00:00Z",
    )  # fmt: skip
    approvals = APPROVALS.replace("[{role: reviewers", "[{role: releasers") + FOUR_EYES
    rules = p1(approvals=approvals + "delegation: {roles: [releasers], max_duration: 14d}\n", environments=ENVIRONMENTS)
    found = facts(
        given(BOB), subject="production", pr={"merged": True, "state": "closed"}, delegations=(lending,),
        asked=Asked(by=REL), environments=(live(),),
    )  # fmt: skip
    decision = judge(found, rules)
    assert decision.status == "pending" and "sod_violation" in codes(decision.tree)


def test_who_is_not_known_is_named_with_what_to_write_where() -> None:
    message = f"{BY_MAIL}\nCo-authored-by: X <<script>@y>\nCo-authored-by: nobody"
    decision = decided(commits(world(), message=message))
    (said,) = [one.sentence for one in decision.tree.children if one.reason_code == "unattributed_commit"]
    assert "`rev@corp.example: LOGIN#ID`" in said and "policies/roles.yaml" in said and "script" not in said
    assert len(said) < 400
