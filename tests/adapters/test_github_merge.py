"""A merge by what the repository allows; refused, it is told in GitHub's words; never into a queue that would hang."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from github import GithubException

from bot.adapters.github_merge import GitHubMerge, methods
from bot.adapters.github_refusals import error_of, words
from bot.errors import UserError

HEAD, DONE = "a" * 40, "f" * 40
NOT_BY_MERGE = "Merge commits are not allowed on this repository."
QUEUE = [{"type": "merge_queue", "parameters": {}}]
LINEAR = [{"type": "required_linear_history"}]


def only(*allowed: str) -> list[dict[str, Any]]:
    return [{"type": "pull_request", "parameters": {"allowed_merge_methods": list(allowed)}}]


class Repository:
    """What GitHub answers to the five requests. `refuses` by merge method; None is a token that may not see."""

    def __init__(
        self, settings: Mapping[str, bool] | None, rules: list[Any] | None = None,
        refuses: Mapping[str, tuple[int, str]] | None = None, *, is_merged: bool = False,
    ) -> None:  # fmt: skip
        self.settings, self.rules, self.refuses = settings, rules, refuses or {}
        self.is_merged, self.asked, self.queued = is_merged, list[str](), list[tuple[str, str]]()

    def ask(self, verb: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        self.asked.append(f"{verb} {path} {(body or {}).get('merge_method', '')}".strip())
        if verb == "PUT" and body is not None:
            assert body["sha"] == HEAD
            if body["merge_method"] in self.refuses:
                status, message = self.refuses[body["merge_method"]]
                raise GithubException(status, {"message": message})
            return {"sha": DONE, "merged": True}
        found = {"/r": self.settings, "/r/rules/branches/release%2F1": self.rules}.get(path)
        if path.endswith("/pulls/7"):
            return {"node_id": "PR_7", "merged": self.is_merged, "head": {"sha": HEAD}, "merge_commit_sha": DONE}
        if found is None:
            raise GithubException(403, {"message": "Resource not accessible by integration"})
        return found

    def merge(self, *, may_enqueue: bool = False) -> str | None:
        port = GitHubMerge(self.ask, "/r", lambda node, head: self.queued.append((node, head)))
        return port.merge(7, "release/1", HEAD, may_enqueue=may_enqueue)

    def tried(self) -> list[str]:
        return [one.rpartition(" ")[2] for one in self.asked if one.startswith("PUT")]


@pytest.mark.parametrize(
    ("settings", "rules", "expected"),
    [
        ({}, [], ["merge", "squash", "rebase"]),
        ({"allow_merge_commit": False, "allow_squash_merge": True, "allow_rebase_merge": False}, [], ["squash"]),
        ({"allow_merge_commit": True}, LINEAR, ["squash", "rebase"]),
        ({}, only("rebase"), ["rebase"]),
        ({}, only("squash", "merge") + only("merge"), ["merge"]),
        ({"allow_squash_merge": False}, only("squash"), []),
    ],
)
def test_settings_and_rules_say_which_methods_there_are(settings: Any, rules: Any, expected: list[str]) -> None:
    assert methods(settings, rules) == expected


def test_a_squash_only_repository_is_merged_by_squash() -> None:
    made = Repository({"allow_merge_commit": False, "allow_squash_merge": True, "allow_rebase_merge": False}, [])
    assert made.merge() == DONE and made.tried() == ["squash"]
    assert len(made.asked) == 3


def test_where_the_token_may_not_see_the_settings_the_methods_are_tried() -> None:
    made = Repository(None, None, {"merge": (405, NOT_BY_MERGE), "squash": (405, "Squash merges are not allowed on")})
    assert made.merge() == DONE and made.tried() == ["merge", "squash", "rebase"]


@pytest.mark.parametrize(
    ("status", "message", "step"),
    [
        (405, "Base branch was modified. Review and try the merge again.", "ask again"),
        (409, "Head branch was modified. Review and try the merge again.", "new one is judged"),
        (405, "Pull Request is not mergeable", "update the branch"),
        (405, 'Repository rule violations found\n\nRequired status check "lint" is expected.\n\n', "rules"),
        (422, "Validation Failed", None),
    ],
)
def test_what_github_refuses_is_one_answer_in_its_words_with_the_next_step(
    status: int, message: str, step: str | None
) -> None:
    made = Repository({}, [], {"merge": (status, message)})
    with pytest.raises(GithubException) as caught:
        made.merge()
    assert made.tried() == ["merge"], "no other method is tried for that"
    error = error_of(caught.value)
    assert isinstance(error, UserError) and error.code == "refused"
    assert " ".join(message.split()) in error.message and f"({status})" in error.message
    assert (step is None and error.hint is None) or (step or "") in (error.hint or "")


def test_when_no_method_is_left_nothing_is_tried_and_settings_are_named() -> None:
    made = Repository({"allow_squash_merge": False}, only("squash"))
    with pytest.raises(UserError, match="no merge method") as caught:
        made.merge()
    assert "Settings" in (caught.value.hint or "") and made.tried() == []


@pytest.mark.parametrize(
    "made",
    [
        Repository({}, QUEUE),
        Repository({}, [], {"merge": (405, "Changes must be made through the merge queue")}),
    ],
    ids=["by the rules", "by a refusal"],
)
def test_a_queue_is_entered_with_an_apps_token_and_otherwise_the_person_is_told_how(made: Repository) -> None:
    with pytest.raises(UserError, match="Changes must be made through the merge queue") as caught:
        made.merge()
    assert caught.value.code == "merge_queue" and "Merge when ready" in (caught.value.hint or "")
    assert made.queued == []
    assert made.merge(may_enqueue=True) is None
    assert made.queued == [("PR_7", HEAD)]


def test_a_merge_whose_answer_was_lost_is_a_merge() -> None:
    """GitHub did it, answered 502, and says to the second request that it cannot be merged."""
    made = Repository({}, [], {"merge": (405, "Pull Request is not mergeable")}, is_merged=True)
    assert made.merge() == DONE


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            {
                "message": "Validation Failed",
                "errors": [{"resource": "PullRequest", "field": "base", "code": "invalid"}],
            },
            "Validation Failed: PullRequest base invalid",
        ),
        ({"message": "Not\n\nso", "errors": ["because", {"message": "of\nthis"}]}, "Not so: because: of this"),
        ({"errors": "odd"}, ""),
        ("<html>", ""),
        (None, ""),
    ],
)
def test_the_words_of_an_answer_are_one_line(data: Any, expected: str) -> None:
    assert words(data) == expected


@pytest.mark.parametrize(
    ("status", "message", "code", "exit_code"),
    [
        (403, "Unable to create comment because issue is locked.", "conversation_locked", 1),
        (403, "Resource not accessible by integration", "forbidden", 1),
        (403, "You have exceeded a secondary rate limit.", "", 2),
        (403, "You have triggered an abuse detection mechanism.", "", 2),
        (429, "slow down", "", 2),
        (410, "Issues are disabled for this repo", "not_found", 1),
        (405, "no", "refused", 1),
        (502, "Bad gateway", "", 2),
    ],
)
def test_a_refusal_is_sorted_by_who_can_act(status: int, message: str, code: str, exit_code: int) -> None:
    error = error_of(GithubException(status, {"message": message}))
    assert (error.code, error.exit_code) == (code, exit_code) and message in error.message
