"""Which workflows an event starts: GitHub's filters, as tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.sandbox import dialect, expressions
from bot.sandbox.hub import Happening
from bot.sandbox.triggers import matches, starts
from bot.sandbox.workflows import DEFAULT, Workflow, labels_of_models, parse
from bot.sandbox.world import Sandbox


# https://docs.github.com/actions/reference/workflow-syntax-for-github-actions#filter-pattern-cheat-sheet
@pytest.mark.parametrize(
    ("patterns", "name", "hit"),
    [
        ("feature/*", "feature/my-branch", True),
        ("feature/*", "feature/beta-a/my-branch", False),
        ("feature/**", "feature/beta-a/my-branch", True),
        ("main", "main", True),
        ("main", "maintenance", False),
        ("*", "all/the/branches", False),
        ("**", "all/the/branches", True),
        ("*feature", "mona-feature", True),
        ("v2*", "v2.0", True),
        ("v[12].[0-9]+.[0-9]+", "v1.10.1", True),
        ("v[12].[0-9]+.[0-9]+", "v3.10.1", False),
        ("*.jsx?", "page.js", True),
        ("*.jsx?", "page.jsx", True),
        ("**.js", "js/index.js", True),
        ("docs/*", "docs/mona/octocat.txt", False),
        ("docs/**/*.md", "docs/README.md", True),
        ("docs/**/*.md", "docs/a/markdown/file.md", True),
        ("**/docs/**", "dir/docs/my-file.txt", True),
        ("**/*src/**", "a/src/app.js", True),
        ("**/migrate-*.sql", "db/migrate-v1.0.sql", True),
        ("*.md !README.md", "README.md", False),
        ("*.md !README.md README*", "README.md", True),
        ("a.b", "axb", False),
    ],
)
def test_filter_patterns_match_as_githubs_documentation_says(patterns: str, name: str, hit: bool) -> None:
    assert matches(patterns.split(), name) is hit


CONTEXTS = {
    "github": {"event": {"number": 7, "action": "edited", "changes": {}}, "run_id": 9},
    "inputs": {"to": "prod"},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("pr-${{ github.event.number || inputs.number }}", "pr-7"),
        ("pr-${{ github.event.nothing.deeper || inputs.to }}", "pr-prod"),
        ("${{ github.event.action == 'EDITED' && !github.event.changes.base && github.run_id || 'x' }}", "9"),
        ("${{ (true && false) || github['run_id'] }}", "9"),
        ("${{ format('{0}-{1}', 'it''s', 2) }}", "it's-2"),
        ("${{ contains('Hello', 'ell') }}", "true"),
        ("${{ startsWith('Hello', 'he') }}", "true"),
        ("${{ github.event.missing }}", ""),
        ("${{ 1 != 2 }}", "true"),
    ],
)
def test_expressions_of_concurrency_groups(text: str, value: str) -> None:
    assert expressions.fill(text, CONTEXTS) == value


@pytest.mark.parametrize("text", ["${{ matrix.model }}", "${{ nope( }}", "${{ a + b }}", "${{ }}", "${{ 'open }}"])
def test_what_cannot_be_known_yet_is_unknown(text: str) -> None:
    with pytest.raises(expressions.UnknownError):
        expressions.fill(text, CONTEXTS)


def test_keys_that_the_engine_refuses_are_cut_out_and_nothing_else() -> None:
    """GitHub's newer keys do not keep a workflow from being rehearsed."""
    text = (
        "concurrency:\n  group: a # why\n  cancel-in-progress: false\n  queue: max\njobs:\n  j:\n    environment:\n"
        "      deployment: false\n      name: mlbot\n    steps:\n      - run: echo queue\n        env: {queue: max}\n"
    )
    cut = dialect.for_act(text)
    assert cut == text.replace("\n  queue: max", "").replace("deployment: false\n      ", "")
    assert dialect.for_act("a: [unclosed") == "a: [unclosed"


def workflow(text: str) -> Workflow:
    found = parse(".github/workflows/w.yml", text)
    assert found is not None
    return found


def test_permissions_are_the_union_of_the_jobs() -> None:
    """A run's token may do what any of its jobs asks for, and never more."""
    text = """
permissions: {}
jobs:
  a: {permissions: {contents: read, statuses: none}}
  b: {permissions: {contents: write, pull-requests: read}}
  c: {}
"""
    assert workflow(text).permissions() == {"contents": "write", "pull-requests": "read"}
    assert workflow("jobs: {a: {}}").permissions() == DEFAULT
    assert workflow("permissions: read-all\njobs: {a: {}}").permissions()["actions"] == "read"


def test_labels_of_a_matrix_in_the_file_are_found() -> None:
    text = """
jobs:
  a: {runs-on: ubuntu-24.04-arm}
  b: {runs-on: [self-hosted, gpu]}
  c: {runs-on: "${{ matrix.os }}", strategy: {matrix: {os: [big, small]}}}
"""
    assert workflow(text).labels() == {"ubuntu-24.04-arm", "self-hosted", "gpu", "big", "small"}


def test_labels_of_model_specs_are_found_and_broken_specs_ask_for_none(world: Sandbox) -> None:
    """The matrix is made when the run goes; its labels are known from the specs before."""
    files = {
        "models/big/model.yaml": b"resources: {runner: gpu-arm}\n",
        "models/broken/model.yaml": b"resources: [unclosed",
        "models/odd/model.yaml": b"resources: {runner: [a, b]}",
        "models/binary/model.yaml": b"\xff\xfe\x00",
        "models/file": b"resources: {runner: no}",
    }
    world.commit("dana", "specs", files, "specs", base="main")
    assert labels_of_models(world.hub.bare(world.repo), "specs") == {"gpu-arm"}


FILES = {
    "pr.yml": "on: {pull_request_target: {paths: ['models/**'], branches: [main]}}",
    "ci.yml": "on: pull_request",
    "push.yml": "on: {push: {branches: [main, 'releases/**'], paths-ignore: ['**.md']}}",
    "tags.yml": "on: {push: {tags: ['v*']}}",
    "talk.yml": "on: {issue_comment: {types: [created]}}",
    "after.yml": "on: {workflow_run: {workflows: [Ci], types: [completed]}}",
    "clock.yml": "on: {schedule: [{cron: '0 3 * * *'}]}",
    "release.yml": "on: {release: {types: [published]}}",
    "hand.yml": "on: [workflow_dispatch, repository_dispatch]",
    "broken.yml": "on: [unclosed",
    "list.yml": "- not a mapping",
}


@pytest.fixture
def started(world: Sandbox) -> list[tuple[str, str, str]]:
    """(file, event, ref) of what events start; nothing runs."""
    world.engine.enabled = False
    files = {
        f".github/workflows/{name}": f"name: {name[:-4].title()}\n{text}\njobs: {{}}\n".encode()
        for name, text in FILES.items()
    }
    world.commit("rhea", "main", files, "workflows")
    seen: list[tuple[str, str, str]] = []

    def listen(happening: Happening) -> None:
        seen.extend((one.workflow.path.rsplit("/", 1)[-1], one.event, one.ref) for one in starts(world.hub, happening))

    world.hub.listeners.append(listen)
    return seen


def take(seen: list[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
    found = set(seen)
    seen.clear()
    return found


MAIN = "refs/heads/main"


def test_a_pull_request_starts_what_its_paths_ask_for(world: Sandbox, started: list[tuple[str, str, str]]) -> None:
    """A change of docs trains nothing; a change of a model starts the privileged workflow from the default branch."""
    world.propose("dana", "docs", {"README.md": b"# More\n"}, "docs")
    assert take(started) == {("ci.yml", "pull_request", "refs/pull/1/merge")}
    world.propose("dana", "model", {"models/churn/model.yaml": b"depth: 9\n"}, "model")
    assert take(started) == {("ci.yml", "pull_request", "refs/pull/2/merge"), ("pr.yml", "pull_request_target", MAIN)}
    world.commit("dana", "model", {"models/churn/model.yaml": b"depth: 10\n"}, "again")
    assert ("pr.yml", "pull_request_target", MAIN) in take(started)


def test_a_workflow_changed_in_a_pull_request_counts_only_for_unprivileged_events(
    world: Sandbox, started: list[tuple[str, str, str]]
) -> None:
    """A pull request cannot give itself a privileged workflow, and can give itself an unprivileged one."""
    evil = b"name: Evil\non: [pull_request_target, pull_request, issue_comment]\njobs: {}\n"
    n = world.propose("dana", "evil", {".github/workflows/evil.yml": evil}, "evil")
    world.github("dana").get_repo(world.repository).get_issue(n).create_comment("hello")
    found = take(started)
    assert {entry for entry in found if entry[0] == "evil.yml"} == {("evil.yml", "pull_request", "refs/pull/1/merge")}
    assert ("talk.yml", "issue_comment", MAIN) in found


def test_pushes_are_filtered_by_branch_tag_and_path(world: Sandbox, started: list[tuple[str, str, str]]) -> None:
    world.commit("rhea", "main", {"README.md": b"words\n"}, "words only")
    assert take(started) == set()
    world.commit("rhea", "releases/1", {"a.txt": b"1"}, "release branch", base="main")
    assert take(started) == {("push.yml", "push", "refs/heads/releases/1")}
    work = world.directory / "people/rhea"
    world.git("rhea", "tag", "v1", cwd=work)
    world.git("rhea", "push", "-q", "origin", "v1", cwd=work)
    assert take(started) == {("tags.yml", "push", "refs/tags/v1")}
    world.git("rhea", "push", "-q", "--delete", "origin", "releases/1", cwd=work)
    assert take(started) == set()


def test_a_release_starts_at_its_tag_when_it_is_published(world: Sandbox, started: list[tuple[str, str, str]]) -> None:
    remote = world.github("rhea").get_repo(world.repository)
    draft = remote.create_git_release("r1", "One", "first", draft=True)
    assert take(started) == set()
    draft.update_release("One", "first", draft=False)
    assert take(started) == {("release.yml", "release", "refs/tags/r1")}


def test_an_edited_comment_starts_nothing(world: Sandbox, started: list[tuple[str, str, str]]) -> None:
    issue = world.github("dana").get_repo(world.repository).create_issue("Hm")
    comment = issue.create_comment("/approve")
    assert take(started) == {("talk.yml", "issue_comment", MAIN)}
    comment.edit("/reject")
    comment.delete()
    assert take(started) == set()


def test_the_clock_and_a_hand_start_their_workflow(world: Sandbox, started: list[tuple[str, str, str]]) -> None:
    world.schedule("clock.yml")
    assert take(started) == {("clock.yml", "schedule", MAIN)}
    repository = world.github("rhea").get_repo(world.repository)
    repository.get_workflow("hand.yml").create_dispatch("main")
    assert take(started) == {("hand.yml", "workflow_dispatch", MAIN)}
    repository.create_repository_dispatch("go", {})
    assert take(started) == {("hand.yml", "repository_dispatch", MAIN)}


def test_what_a_runs_token_does_starts_nothing_but_dispatches(
    world: Sandbox, started: list[tuple[str, str, str]], tmp_path: Path
) -> None:
    """GitHub keeps a workflow from starting itself for ever."""
    from tests.sandbox.conftest import Caller

    token = world.hub.mint({"contents": "write", "actions": "write", "issues": "write", "pull-requests": "write"}, 1)
    bot = Caller(world, token)
    number = bot("POST", "/issues", {"title": "from a run"})[1]["number"]
    assert bot("POST", f"/issues/{number}/comments", {"body": "/approve"})[0] == 201
    sha = bot("GET", "/git/ref/heads/main")[1]["object"]["sha"]
    assert bot("POST", "/git/refs", {"ref": "refs/heads/releases/2", "sha": sha})[0] == 201
    assert take(started) == set()
    assert bot("POST", "/actions/workflows/hand.yml/dispatches", {"ref": "main"})[0] == 204
    assert take(started) == {("hand.yml", "workflow_dispatch", MAIN)}
