"""Reviews that rules ask for: whose counts, what a push takes away, whose is missing."""

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox import codeowners
from bot.sandbox.hub import Happening
from bot.sandbox.people import Team
from bot.sandbox.rulesets import PULL_REQUEST
from bot.sandbox.world import Sandbox
from tests.sandbox.conftest import Caller
from tests.sandbox.test_merging import RULES, propose, refused
from tests.sandbox.test_push_refusals import hold, rule

OWNERS = """
# who looks at what
*              @owen            # everything
*.md           @nobody-here
/docs/         @acme/validators
apps/          @vera @rhea
docs/plain/*   @rhea
/free.txt
"""


def ask(world: Sandbox, **parameters: Any) -> None:
    hold(world, rule("pull_request", **PULL_REQUEST | parameters), include=["~DEFAULT_BRANCH"])


def review(world: Sandbox, login: str, number: int, event: str = "APPROVE") -> dict[str, Any]:
    body = {"event": event, "body": "because"}
    answer: dict[str, Any] = Caller(world, world.token(login))("POST", f"/pulls/{number}/reviews", body)[1]
    return answer


def states(world: Sandbox, number: int) -> list[str]:
    return [one.state for one in world.repo.reviews.values() if one.number == number]


@pytest.mark.parametrize(
    "path, owners",
    [
        ("a.txt", ("@owen",)),
        ("deep/er/a.txt", ("@owen",)),
        ("deep/a.md", ("@nobody-here",)),
        ("docs/a/b.txt", ("@acme/validators",)),
        ("deep/docs/a.txt", ("@owen",)),
        ("deep/apps/x/a.txt", ("@vera", "@rhea")),
        ("apps", ("@owen",)),
        ("docs/plain/a.txt", ("@rhea",)),
        ("docs/plain/er/a.txt", ("@acme/validators",)),
        ("free.txt", ()),
    ],
)
def test_the_last_line_that_fits_says_who_owns_a_path(path: str, owners: tuple[str, ...]) -> None:
    assert codeowners.owners_of(OWNERS, path) == owners


# --- what a push takes away


@pytest.fixture(params=["ruleset", "protection"])
def falling(world: Sandbox, call: Any, request: Any) -> int:
    """A pull request with an approval and a comment, on a base where approvals fall with a push."""
    number = propose(world)
    if request.param == "ruleset":
        ask(world, dismiss_stale_reviews_on_push=True, required_approving_review_count=1)
    else:
        asked = {"dismiss_stale_reviews": True, "required_approving_review_count": 1}
        body = {"required_status_checks": None, "enforce_admins": True, "restrictions": None}
        answer = call("adam")("PUT", "/branches/main/protection", body | {"required_pull_request_reviews": asked})
        assert answer[0] == 200, answer
    review(world, "owen", number)
    review(world, "vera", number, "COMMENT")
    return number


def test_an_approval_falls_with_what_it_was_about(
    world: Sandbox, call: Any, falling: int, happenings: list[Happening]
) -> None:
    head = world.commit("rhea", "deeper", {"deeper.txt": b"2\n"}, "more")
    assert states(world, falling) == ["DISMISSED", "COMMENTED"]
    (told,) = (one for one in happenings if (one.event, one.action) == ("pull_request_review", "dismissed"))
    assert (told.payload["sender"]["login"], told.payload["review"]["user"]["login"]) == ("rhea", "owen")
    timeline = call("dana")("GET", f"/issues/{falling}/timeline")[1]
    (event,) = (one for one in timeline if one["event"] == "review_dismissed")
    assert event["actor"]["login"] == "rhea"
    assert event["dismissed_review"] | {"review_id": 0} == {
        "state": "approved",
        "review_id": 0,
        "dismissal_message": None,
        "dismissal_commit_id": head,
    }
    assert refused(world, falling)[0] == 405


def test_a_push_that_only_brings_the_base_along_takes_no_approval(world: Sandbox, call: Any, falling: int) -> None:
    world.repo.rulesets, kept = [], world.repo.rulesets
    world.repo.protections, classic = {}, world.repo.protections
    world.commit("rhea", "main", {"elsewhere.txt": b"x\n"}, "meanwhile")
    world.repo.rulesets, world.repo.protections = kept, classic
    before = world.repo.issues[falling].pull
    assert before is not None
    assert call("dana")("POST", "/merges", {"base": "deeper", "head": "main"})[0] == 201
    after = world.repo.issues[falling].pull
    assert after is not None and len(world.hub.bare(world.repo).commit(after.head_sha).parents) == 2  # type: ignore[union-attr]
    assert states(world, falling) == ["APPROVED", "COMMENTED"]


def test_approvals_stay_where_no_rule_says_otherwise(world: Sandbox) -> None:
    number = propose(world)
    ask(world, required_approving_review_count=1)
    review(world, "owen", number)
    world.commit("dana", "deeper", {"deeper.txt": b"2\n"}, "more")
    assert states(world, number) == ["APPROVED"] and refused(world, number)[0] == 200


# --- whose review is missing


def test_changes_that_somebody_asked_for_block_until_that_person_approves(world: Sandbox) -> None:
    number = propose(world)
    ask(world, required_approving_review_count=1)
    review(world, "owen", number)
    review(world, "vera", number, "REQUEST_CHANGES")
    sentence = "1 review requesting changes by reviewers with write access."
    assert refused(world, number) == (405, f"{RULES}{sentence}\n\n")
    review(world, "vera", number, "COMMENT")
    assert refused(world, number)[0] == 405, "a comment takes nothing back"
    review(world, "vera", number)
    assert refused(world, number)[0] == 200


def test_who_pushed_last_does_not_approve_the_push(world: Sandbox) -> None:
    number = propose(world)
    ask(world, require_last_push_approval=True, required_approving_review_count=1)
    sentence = "New changes require approval from someone other than the last pusher."
    assert refused(world, number) == (405, f"{RULES}{sentence}\n\n")
    world.commit("owen", "deeper", {"deeper.txt": b"2\n"}, "more")
    review(world, "owen", number)
    assert refused(world, number) == (405, f"{RULES}{sentence}\n\n")
    review(world, "vera", number)
    world.commit("owen", "deeper", {"deeper.txt": b"3\n"}, "even more")
    assert refused(world, number) == (405, f"{RULES}{sentence}\n\n"), "vera approved the push before"
    review(world, "vera", number)
    assert refused(world, number)[0] == 200


@pytest.mark.parametrize(
    "owners, said",
    [
        ("* @Vera", "Waiting on code owner review from vera."),
        ("* @acme/audit", "Waiting on code owner review from acme/audit."),
        ("* @vera @adam @rhea", "Waiting on code owner review from vera, adam, and/or rhea."),
        ("* @rhea @vera\n*.md @adam", "Waiting on code owner review from rhea and/or vera."),
    ],
)
def test_an_owner_of_what_is_changed_approves(world: Sandbox, owners: str, said: str) -> None:
    world.hub.add_teams([Team("audit", ("vera",))])
    world.commit("rhea", "main", {".github/CODEOWNERS": owners.encode()}, "owners")
    number = propose(world)
    ask(world, require_code_owner_review=True)
    review(world, "owen", number)
    assert refused(world, number) == (405, f"{RULES}{said}\n\n")
    review(world, "vera", number)
    assert refused(world, number)[0] == 200


def test_owners_who_are_not_here_and_files_without_any_hold_nobody(world: Sandbox) -> None:
    world.commit("rhea", "main", {"CODEOWNERS": b"* @gone\n*.md @vera\n"}, "owners")
    number = propose(world)
    ask(world, require_code_owner_review=True)
    assert refused(world, number)[0] == 200
