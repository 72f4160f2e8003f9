"""What GitHub remembers of commits, from its REST answers: the newest word of each source, or unknown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.adapters.github import GitHub
from bot.adapters.github_witness import ACTIONS, GitHubWitness
from bot.errors import WorldError
from bot.records.facts import Check
from bot.sandbox.world import Sandbox
from tests.sandboxes import small_sandbox

SHA = "1" * 40


class Told:
    """Answers by the start of the path; a number is GitHub's refusal with that status."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = {f"/repos/acme/models{path}": answer for path, answer in answers.items()}
        self.asked: list[str] = []

    def __call__(self, verb: str, path: str) -> Any:
        from github import GithubException

        self.asked.append(path)
        answer = next((self.answers[one] for one in sorted(self.answers, reverse=True) if path.startswith(one)), 404)
        if isinstance(answer, int):
            raise GithubException(answer, {"message": "no"}, {})
        if isinstance(answer, list):
            page = int((re.findall(r"[?&]page=(\d+)", path) or ["1"])[0])
            return answer[(page - 1) * 100 : page * 100]
        return answer


def witness(answers: dict[str, Any]) -> GitHubWitness:
    return GitHubWitness(Told(answers), "/repos/acme/models", "main")


def run(
    id_: int, name: str = "unit", app: int = 1, suite: int = 1, conclusion: str | None = "success"
) -> dict[str, Any]:
    status = "completed" if conclusion else "in_progress"
    return {
        "id": id_, "name": name, "app": {"id": app}, "check_suite": {"id": suite}, "status": status,
        "conclusion": conclusion,
    }  # fmt: skip


def runs(*found: dict[str, Any], total: int | None = None) -> dict[str, Any]:
    return {"total_count": len(found) if total is None else total, "check_runs": list(found)}


def checks(answers: dict[str, Any]) -> list[Check] | None:
    return witness({f"/commits/{SHA}/statuses": [], **answers}).checks(SHA, ["unit"])


RUNS = f"/commits/{SHA}/check-runs"


def said(*found: dict[str, Any], **more: Any) -> list[tuple[str | None, str | None, str | None]]:
    return [(one.conclusion, one.workflow, one.ref) for one in checks({RUNS: runs(*found), **more}) or []]


def test_a_job_that_was_run_again_counts_as_it_ended_last() -> None:
    assert said(run(1), run(9, conclusion="failure")) == [("failure", None, None)]
    assert said(run(9), run(1, conclusion="failure")) == [("success", None, None)]
    assert said(run(1), run(9, conclusion=None)) == [(None, None, None)]


def test_two_apps_are_two_sources_and_a_name_that_only_begins_alike_is_none() -> None:
    assert len(said(run(1), run(2, app=2), run(3, name="unit "))) == 2


def job(id_: int, of: int = 70) -> dict[str, Any]:
    return {f"/actions/jobs/{id_}": {"run_id": of, "check_run_url": f"https://x/check-runs/{id_}"}}


def workflow(event: str, branch: str | None, of: int = 70) -> dict[str, Any]:
    return {f"/actions/runs/{of}": {"path": ".github/workflows/ci.yml@main", "event": event, "head_branch": branch}}


SOURCES = [
    ("pull_request_target", "change", "refs/heads/main"),
    ("pull_request_target", "main", "refs/heads/main"),  # a fork's branch may have any name
    ("pull_request", "main", None),
    ("pull_request_review", "main", None),
    ("push", "change", "refs/heads/change"),
    ("push", "main", None),  # on a commit that is not in main: a tag of that name
    ("workflow_dispatch", "main", None),
    ("push", None, None),
]


@pytest.mark.parametrize(("event", "branch", "ref"), SOURCES)
def test_where_the_workflow_file_came_from(event: str, branch: str | None, ref: str | None) -> None:
    found = said(run(5, app=ACTIONS), **job(5), **workflow(event, branch))
    assert found == [("success", ".github/workflows/ci.yml", ref)]


def test_a_check_run_that_a_workflow_made_through_the_api_has_no_workflow() -> None:
    """It has any name that its maker likes, and hangs in any suite."""
    assert said(run(5, app=ACTIONS)) == [("success", None, None)]
    other = {"/actions/jobs/5": {"run_id": 70, "check_run_url": "https://x/check-runs/6"}}
    assert said(run(5, app=ACTIONS), **other, **workflow("pull_request_target", "x")) == [("success", None, None)]


def test_the_same_workflow_and_event_again_replaces_what_it_said() -> None:
    again = (run(5, app=ACTIONS), run(6, app=ACTIONS, suite=2, conclusion="failure"))
    more = job(5) | job(6, of=71)
    same = workflow("pull_request_target", "x") | workflow("pull_request_target", "x", of=71)
    assert said(*again, **more, **same) == [("failure", ".github/workflows/ci.yml", "refs/heads/main")]
    apart = workflow("pull_request_target", "x") | workflow("push", "x", of=71)
    assert len(said(*again, **more, **apart)) == 2


UNKNOWN = [
    ("no permission", {RUNS: 403}),
    ("not found", {RUNS: 404}),
    ("fewer than there are", {RUNS: runs(run(1), total=2)}),
    ("a page for ever", {RUNS: runs(*(run(n, suite=n) for n in range(100)), total=2000)}),
    ("too many sources", {RUNS: runs(*(run(n, suite=n) for n in range(60)))}),
    ("statuses refused", {RUNS: runs(run(1)), f"/commits/{SHA}/statuses": 403}),
    ("statuses for ever", {RUNS: runs(run(1)), f"/commits/{SHA}/statuses": [{}] * 1001}),
]


@pytest.mark.parametrize("answers", [one[1] for one in UNKNOWN], ids=[one[0] for one in UNKNOWN])
def test_what_github_does_not_tell_whole_is_unknown_and_never_nothing(answers: dict[str, Any]) -> None:
    assert checks(answers) is None


def test_a_server_that_fails_is_the_world_s_fault() -> None:
    with pytest.raises(WorldError):
        checks({RUNS: 500})


def test_the_newest_status_of_each_account_is_kept() -> None:
    def status(who: int | None, state: str, context: str = "unit") -> dict[str, Any]:
        return {"context": context, "state": state, "creator": {"id": who} if who else None}

    listed = [
        status(1, "failure"),
        status(2, "success"),
        status(1, "success"),
        status(3, "pending"),
        status(None, "success"),
    ]
    found = witness({RUNS: runs(), f"/commits/{SHA}/statuses": [*listed, status(1, "success", "x")]}).checks(
        SHA, ["unit"]
    )
    assert [(one.reporter_id, one.conclusion) for one in found or []] == [
        (1, "failure"), (2, "success"), (3, None), (None, "success"),
    ]  # fmt: skip
    assert all(one.app_id is None for one in found or [])


def move(after: str, who: int | None) -> dict[str, Any]:
    return {"after": after, "actor": {"id": who} if who else None}


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        ([move(SHA, 4), move("2" * 40, 5), move(SHA, 6)], [4, 6]),
        ([move("2" * 40, 5), move(SHA, 6)], [6]),
        ([move(SHA, None), move(SHA, 6)], None),
        ([move("2" * 40, 5)], None),
        ([], None),
        (404, None),
    ],
    ids=["pushed back", "moved on", "a deleted account", "another commit", "nothing", "not told"],
)
def test_who_moved_the_branch_to_the_commit(moves: Any, expected: list[int] | None) -> None:
    assert witness({"/activity": moves}).pushers("acme/models", "change", SHA) == expected


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with small_sandbox(tmp_path_factory.mktemp("witness")) as started:
        started.propose("dana", "change", {"models/a.txt": b"two\n"}, "Change")
        yield started


def github(sandbox: Sandbox) -> GitHub:
    return GitHub(api_url=sandbox.api_url, repository=sandbox.repository, token=sandbox.token("dana"), account=None)


def test_in_the_rehearsal_it_is_the_person_who_pushed(sandbox: Sandbox) -> None:
    port = github(sandbox)
    found = port.get(1)
    assert found.head_repository == sandbox.repository
    assert port.witness().pushers(sandbox.repository, found.head_ref, found.head_sha) == [1001]
    assert port.witness().pushers(sandbox.repository, "main", found.head_sha) is None
    sandbox.commit("owen", "change", {"models/b.txt": b"x\n"}, "More")
    assert github(sandbox).witness().pushers(sandbox.repository, "change", github(sandbox).get(1).head_sha) == [1002]


def test_in_the_rehearsal_history_is_of_the_default_branch_and_its_path(sandbox: Sandbox) -> None:
    port = github(sandbox).witness()
    long_ago = datetime(2000, 1, 1, tzinfo=UTC)
    assert len(port.history("models/a.txt", long_ago) or []) == 1
    assert port.history("models/nothing.txt", long_ago) == []
    github(sandbox)._ask("POST", f"/repos/{sandbox.repository}/statuses/{github(sandbox).get(1).head_sha}",
                         {"context": "unit", "state": "success"})  # fmt: skip
    told = port.checks(github(sandbox).get(1).head_sha, ["unit"])
    assert [(one.reporter_id, one.conclusion) for one in told or []] == [(1001, "success")]
