"""What is kept of an opinion when it is first seen, and what it says again when GitHub does not any more."""

from __future__ import annotations

from typing import Any

import pytest

from bot.decide.reading import with_records
from bot.decide.recording import approval_files
from bot.records.approval import Approval
from bot.records.facts import Opinion
from bot.records.ledger import approval_path
from tests.decide.policies import P
from tests.decide.world import ANN, APP, BOB, H2, REL, REV, H, account, actor, at, command, facts, head, p1, review

SAID = command(
    REL, "reject", target=H, ago=5, models=("churn",), environment="production", reason="no", body_sha256="ab", id="c9"
)


def kept(*said: Opinion, policy: str = "P1", **changes: Any) -> dict[str, Approval]:
    files = approval_files(facts(*said, **changes), P[policy])
    return {path: Approval.parse(data, source=path) for path, data in files.items()}


def test_everything_that_an_opinion_says_is_kept() -> None:
    assert kept(SAID) == {
        approval_path(7, "c9"): Approval(
            id="c9", number=7, kind="reject", method="command", actor=account(REL), roles=("releasers",), head_sha=H,
            target=H, selectors=("churn",), models=head().models, environment="production", reason="no",
            body_sha256="ab", policy_digest=p1().digest, created_at=at(5),
        )
    }  # fmt: skip


WHERE = [
    ("a review: the commit that it was given for", review(REV, sha=H2, id="x"), H2),
    ("a commit that it names", command(REV, target=H2, id="x"), H2),
    ("an evaluation that it names: its head", command(REV, target="E", id="x"), H),
    ("an evaluation that is not there", command(REV, target="E-" + "a" * 16, id="x"), ""),
    ("nothing: the head that people saw", command(REV, target=None, seen_head=H2, id="x"), H2),
    ("nothing at all", command(REV, target=None, id="x"), ""),
]


@pytest.mark.parametrize(("said", "sha"), [one[1:] for one in WHERE], ids=[one[0] for one in WHERE])
def test_for_which_head_it_is_kept(said: Opinion, sha: str) -> None:
    (found,) = kept(said, heads=(head(H2), head(H))).values() if sha == H2 else kept(said).values()
    assert found.head_sha == sha
    assert found.models == (head().models if sha else {})


NOT_KEPT = [
    ("somebody without a role", review(BOB)),
    ("what was kept before", review(REV, recorded={})),
    ("an edited comment", command(REV, edited=True)),
    ("a comment that is not the one first seen", command(REV, tampered=True)),
    ("a promotion: it is no opinion", command(REL, "promote")),
    ("somebody of whom the facts say nothing", review(777)),
]


@pytest.mark.parametrize("said", [one[1] for one in NOT_KEPT], ids=[one[0] for one in NOT_KEPT])
def test_what_is_not_kept_keeps_nothing_else_back(said: Opinion) -> None:
    assert list(kept(said, review(REV, id="r1"))) == [approval_path(7, "r1")]


def test_that_somebody_holds_no_role_is_kept_of_holds_and_where_the_policy_asks_for_roles_at_that_time() -> None:
    assert list(kept(command(BOB, "hold", id="c1"), command(BOB, "withdraw", id="c2"))) == [approval_path(7, "c1")]
    asked = kept(review(BOB, id="r1"), command(BOB, "withdraw", id="c2"), policy="role at approval")
    assert list(asked) == [approval_path(7, "r1")]
    assert asked[approval_path(7, "r1")].roles == ()


def test_an_objection_that_vanished_says_again_what_it_said() -> None:
    record = kept(SAID)[approval_path(7, "c9")]
    (found,) = with_records([], {"c9": record}, {})
    known = {"seen_head": H, "recorded_roles": record.roles, "recorded": record.models}
    assert found == SAID.model_copy(update={"tampered": True, **known})


@pytest.mark.parametrize("kind", ["approve", "hold", "withdraw", "unhold"])
def test_of_what_vanished_only_what_takes_an_objection_back_stays_away(kind: str) -> None:
    record = kept(SAID)[approval_path(7, "c9")].model_copy(update={"kind": kind})
    assert [(one.kind, one.tampered) for one in with_records([], {"c9": record}, {})] == (
        [] if kind == "unhold" else [(kind, True)]
    )


def test_what_is_known_of_an_opinion_is_put_beside_it() -> None:
    record = kept(SAID)[approval_path(7, "c9")]
    (found,) = with_records([SAID], {"c9": record}, {"c9": "closed"})
    assert (found.voided, found.seen_head, found.recorded_roles, found.recorded) == (
        "closed", H, ("releasers",), head().models,
    )  # fmt: skip
    assert not found.tampered and found.kind == "reject"
    (fresh,) = with_records([SAID], {}, {"c9": "retargeted"})
    assert fresh == SAID.model_copy(update={"voided": "retargeted"})


CHANGED = [
    ("another text", command(REL, "reject", id="c9", body_sha256="cd"), True),
    ("another verb in the same text", command(REL, "approve", id="c9", body_sha256="ab"), True),
    ("the same", command(REL, "reject", id="c9", body_sha256="ab"), False),
    ("a review, whatever its text", review(REL, "reject", id="c9", body_sha256="cd"), False),
]


@pytest.mark.parametrize(("said", "tampered"), [one[1:] for one in CHANGED], ids=[one[0] for one in CHANGED])
def test_a_comment_that_is_not_the_one_first_seen_is_told(said: Opinion, tampered: bool) -> None:
    (found,) = with_records([said], {"c9": kept(SAID)[approval_path(7, "c9")]}, {})
    assert found.tampered is tampered


def test_the_builder_and_the_bot_are_recorded_like_others_when_they_hold_roles() -> None:
    """Who may not approve is judged, not left out."""
    assert kept(review(ANN), review(APP, id="r1"), policy="app", actors=(actor(APP),)).keys() == {
        approval_path(7, "r1")
    }
