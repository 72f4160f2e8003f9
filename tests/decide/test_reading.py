# ruff: noqa: E501 (one row a case)
"""What GitHub says becomes facts without loss, and without more trust than it deserves."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from bot.decide.coverage import guarded, guarded_digest
from bot.decide.gathering import actor_of, to_ask
from bot.decide.reading import WEB_FLOW, commands_in, commit_facts, reviews_as_opinions
from bot.ports import Change, Comment, Commit, Review
from bot.records.event import Account
from tests.decide.policies import P
from tests.decide.world import ANN, APP, BOB, NOW, OWN, REV, H, account, command, review

WEB = Account(id=WEB_FLOW, login="web-flow")


def git_commit(message: str = "A change", **changes: Any) -> Commit:
    fields: dict[str, Any] = {
        "sha": H,
        "parents": (),
        "author": account(ANN),
        "committer": account(ANN),
        "author_email": "ann@example.com",
        "message": message,
    }
    return Commit(**{**fields, **changes})


TRAILERS: list[tuple[str, str, tuple[int | None, ...]]] = [
    ("none", "A change", ()),
    ("a no-reply address carries the id", "x\n\nCo-authored-by: Rev <11+rev@users.noreply.github.com>", (11,)),
    ("in any case", "x\n\nCO-AUTHORED-BY: Rev <11+Rev@users.noreply.GitHub.com>", (11,)),
    ("an address of another commit's author", "x\n\nCo-authored-by: Ann <ANN@example.com>", (ANN,)),
    ("an address that nobody knows", "x\n\nCo-authored-by: Rev <rev@corp.example>", (None,)),
    ("an old no-reply address without an id", "x\n\nCo-authored-by: Rev <rev@users.noreply.github.com>", (None,)),
    ("two", "x\n\nCo-authored-by: A <11+a@users.noreply.github.com>\nCo-authored-by: B <b@x>", (11, None)),
    ("one that cannot be read", "x\n\nCo-authored-by: Rev", (None,)),
    ("a look-alike domain", "x\n\nCo-authored-by: R <11+r@users.noreply.github.com.evil>", (None,)),
    ("in the middle of a line", "x\n\nsee Co-authored-by: Rev <11+r@users.noreply.github.com>", ()),
]


@pytest.mark.parametrize(("name", "message", "expected"), TRAILERS, ids=[one[0] for one in TRAILERS])
def test_co_authors(name: str, message: str, expected: tuple[int | None, ...]) -> None:
    assert commit_facts([git_commit(message)])[0].co_authors == expected


def test_what_was_committed_in_the_web_page_was_committed_by_its_author() -> None:
    (fact,) = commit_facts([git_commit(committer=WEB)])
    assert (fact.author, fact.committer) == (ANN, ANN)


def test_unknown_people_stay_unknown() -> None:
    (fact,) = commit_facts([git_commit(author=None, committer=None)])
    assert (fact.author, fact.committer) == (None, None)
    (fact,) = commit_facts([git_commit(author=None, committer=WEB)])
    assert (fact.author, fact.committer) == (None, None)


def test_an_unverified_suggestion_is_none() -> None:
    (fact,) = commit_facts([git_commit("Apply suggestion from review", committer=WEB)])
    assert fact.suggestion is False


@pytest.mark.parametrize(
    ("state", "kind"),
    [("APPROVED", "approve"), ("CHANGES_REQUESTED", "reject"), ("DISMISSED", "withdraw"), ("COMMENTED", None), ("PENDING", None)],
)  # fmt: skip
def test_the_state_of_a_review_is_the_opinion(state: Any, kind: str | None) -> None:
    found = reviews_as_opinions([Review(5, account(REV), state, H, NOW, "/approve everything")])
    assert [one.kind for one in found] == ([kind] if kind else [])
    assert all((one.id, one.commit_sha, one.actor) == ("r5", H, REV) for one in found)


def test_a_draft_review_without_a_time_is_none() -> None:
    assert reviews_as_opinions([Review(5, account(REV), "APPROVED", H, None)]) == []


@dataclass
class Said:
    verb: str
    target: str | None = None
    models: tuple[str, ...] = ()
    environment: str | None = None
    options: dict[str, str] = field(default_factory=dict)


@dataclass
class Parsed:
    commands: list[Said]


def parse(body: str, prefix: str | None) -> Parsed:
    verbs = [line.split() for line in body.splitlines() if line.startswith("/")]
    return Parsed([Said(words[0][1:], options=dict(word.split("=") for word in words[1:])) for words in verbs])


def said(body: str, who: int = REV, minutes: int = 0) -> Comment:
    return Comment(9, account(who), body, NOW, NOW + timedelta(minutes=minutes))


def test_each_command_of_a_comment_is_its_own_opinion() -> None:
    found = commands_in([said("/approve\n/help\n/hold reason=audit")], parse, None)
    assert [(one.id, one.kind, one.reason) for one in found] == [("c9", "approve", ""), ("c9.2", "hold", "audit")]


def test_confirming_break_glass_is_not_asking_for_it() -> None:
    (found,) = commands_in([said("/break-glass confirm=B-abcdefghij")], parse, None)
    assert (found.kind, found.request) == ("break_glass_confirm", "B-abcdefghij")
    (found,) = commands_in([said("/break-glass action=promote")], parse, None)
    assert (found.kind, found.request) == ("break_glass", None)


def test_everything_that_a_command_names_is_taken_over() -> None:
    from bot.chatops.parse import parse as grammar

    target = "E-" + "a" * 16
    (found,) = commands_in([said(f"/approve {target} churn to production")], grammar, None)
    assert (found.target, found.models, found.environment) == (target, ("churn",), "production")
    assert found.created_at == "2026-03-04T12:00:00Z"


def test_an_edit_shows_and_a_bot_is_not_heard() -> None:
    assert [one.edited for one in commands_in([said("/approve", minutes=1)], parse, None)] == [True]
    assert [one.edited for one in commands_in([said("/approve")], parse, None)] == [False]
    for known in ({"reworded": True}, {"earlier": ("Nice work",)}):  # in the very second in which it was written
        assert [one.edited for one in commands_in([replace(said("/approve"), **known)], parse, None)] == [True]
    assert commands_in([said("/approve", who=APP)], parse, None) == []


COVERED = [
    ("models/churn/model.yaml", True, False),
    ("models/churn/schema.yaml", True, False),
    ("models/taxi/model.yaml", False, False),
    ("models/churn/evil.py", False, False),
    ("models/churn/README.md", True, True),
    ("docs/guide.md", True, True),
    ("README.md", True, True),
    ("policies/README.md", False, False),
    (".github/CODEOWNERS", False, False),
    (".github/x.md", False, False),
    ("bot/report/page.svg", False, False),
    ("data.dvc", True, False),
    (".dvc/config", False, False),
    (".dvc/embedded/files/md5/00/ab", True, False),
    ("CODEOWNERS", False, False),
    ("docs/CODEOWNERS", False, False),
    ("requirements.txt", False, False),
    ("tests/decide/sentences.txt", False, False),
    (".gitattributes", False, False),
    ("src/docs/guide.py", False, False),
    ("docs\nevil.py", False, False),
]


@pytest.mark.parametrize(("path", "with_model", "without"), COVERED, ids=[repr(one[0]) for one in COVERED])
def test_which_paths_no_model_s_digest_covers(path: str, with_model: bool, without: bool) -> None:
    assert guarded([path], {"churn"}) == (() if with_model else (path,))
    assert guarded([path], set()) == (() if without else (path,))


def test_the_digest_of_the_rest_follows_guarded_files_alone() -> None:
    one = [Change("bot/a.py", None, "1"), Change("README.md", "2", "3")]
    same = [Change("bot/a.py", "0", "1"), Change("README.md", "2", "4")]
    gone = [Change("bot/a.py", "0", None)]
    assert guarded_digest(one, ()) == guarded_digest(same, ())
    assert guarded_digest(one, ()) != guarded_digest(gone, ())
    assert guarded_digest([], ()) != guarded_digest(one, ())


def test_permission_is_asked_only_where_it_can_decide() -> None:
    accounts = {id_: account(id_) for id_ in (REV, OWN, BOB, APP)}
    opinions = [review(REV), review(OWN), review(BOB), review(APP)]
    asked, teams = to_ask(P["P1"], opinions, accounts, ())
    assert [one.id for one in asked] == [OWN] and teams == []
    asked, _ = to_ask(P["P1"], [command(BOB, "hold")], accounts, ())
    assert [one.id for one in asked] == [BOB]
    asked, _ = to_ask(P["P1"], [], accounts, {OWN, None})
    assert [one.id for one in asked] == [OWN]
    _, teams = to_ask(P["team"], opinions, accounts, ())
    assert [one.id for one in teams] == [REV, OWN, BOB]


def test_a_role_that_is_not_one_of_github_s_own_is_not_known() -> None:
    assert actor_of(account(REV), "admin", {}).permission == "admin"
    assert actor_of(account(REV), "our-own-role", {}).permission is None
    assert actor_of(account(REV), None, {}).permission is None


def test_memberships_are_yes_no_or_unknown() -> None:
    answers = {(REV, "a/yes"): True, (REV, "a/no"): False, (REV, "a/hidden"): None, (BOB, "a/no"): True}
    found = actor_of(account(REV), None, answers)
    assert (found.teams, found.unknown_teams) == (("a/yes",), ("a/hidden",))
