"""Where a rehearsal happens: the template's branch and rules, renamed branches, folders that are refused."""

from __future__ import annotations

import configparser
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.errors import UserError
from bot.sandbox import rulesets
from bot.sandbox import template as templates
from bot.sandbox.hub import Happening
from bot.sandbox.rules import rules_of
from bot.sandbox.world import Sandbox
from tests.sandbox.conftest import PEOPLE, Caller, template
from tests.sandbox.test_push_refusals import PROTECTION, hold, push, rule

FILES = {"models/churn/model.yaml": "depth: 3\n"}
GIT = ("-c", "user.name=x", "-c", "user.email=x@y")


def git(folder: Path, *arguments: str) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    subprocess.run(["git", "-C", str(folder), *GIT, *arguments], check=True, capture_output=True, env=environ)


def checkout(folder: Path, branch: str, files: dict[str, str] = FILES) -> Path:
    """A checkout whose only branch this is."""
    source = template(folder, files)
    git(source, "init", "-q", "-b", branch)
    git(source, "add", "-A")
    git(source, "commit", "-qm", "one")
    return source


# --- the default branch


def test_the_default_branch_is_the_templates(tmp_path: Path) -> None:
    """Proposals, rules and clones of it go by that name."""
    source = checkout(tmp_path / "t", "trunk")
    with Sandbox.start(tmp_path / "w", template=source, rulesets=[rulesets.default()]) as world:
        assert world.github("dana").get_repo(world.repository).default_branch == "trunk"
        assert (world.clone / ".git/HEAD").read_text() == "ref: refs/heads/trunk\n"
        number = world.propose("dana", "deeper", {"a.txt": b"a"}, "Deeper")
        pull = world.github("dana").get_repo(world.repository).get_pull(number)
        assert (pull.base.ref, pull.mergeable_state) == ("trunk", "blocked")
        assert {one["type"] for one in rules_of(world.hub, world.repo, "refs/heads/trunk")} >= {"pull_request"}


def side_branch(source: Path) -> None:
    git(source, "checkout", "-qb", "feature")


def no_branch(source: Path) -> None:
    git(source, "checkout", "-q", "--detach")


def of_origin(source: Path) -> None:
    git(source, "update-ref", "refs/remotes/origin/trunk", "HEAD")
    git(source, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")


@pytest.mark.parametrize(
    ("branch", "change", "default"),
    [
        ("master", None, "master"),
        ("trunk", None, "trunk"),
        ("main", side_branch, "main"),
        ("master", side_branch, "master"),
        ("trunk", no_branch, "main"),
        ("main", of_origin, "trunk"),
    ],
)
def test_which_branch_of_a_checkout_is_the_default_one(tmp_path: Path, branch: str, change: Any, default: str) -> None:
    """What is checked out may be a side branch; a checkout without a branch says nothing."""
    source = checkout(tmp_path / "t", branch)
    if change is not None:
        change(source)
    assert templates.default_branch(source) == default


def test_a_folder_without_git_has_main_and_one_may_be_named(tmp_path: Path) -> None:
    source = template(tmp_path / "t", FILES)
    assert templates.default_branch(source) == "main"
    with Sandbox.start(tmp_path / "w", template=source, default_branch="release") as world:
        assert world.repo.default_branch == "release" and world.hub.bare(world.repo).branch("release")


# --- the rulesets


def test_rulesets_that_the_template_keeps_hold(tmp_path: Path) -> None:
    """Those below .github go before those below docs; who wants none says so."""
    kept = {"name": "kept", "enforcement": "active", "rules": [{"type": "creation"}]}
    kept["conditions"] = {"ref_name": {"include": ["~ALL"], "exclude": []}}
    docs = json.dumps(kept | {"name": "docs"})
    source = template(tmp_path / "t", {**FILES, "docs/rulesets/a.json": docs})
    with Sandbox.start(tmp_path / "one", template=source) as world:
        assert [one["name"] for one in world.repo.rulesets] == ["docs"]
        with pytest.raises(UserError, match="creations being restricted"):
            world.propose("dana", "deeper", {"a.txt": b"a"}, "Deeper")
    template(source, {".github/rulesets/a.json": json.dumps(kept)})
    with Sandbox.start(tmp_path / "two", template=source) as world:
        assert [one["name"] for one in world.repo.rulesets] == ["kept"]
    with Sandbox.start(tmp_path / "three", template=source, rulesets=()) as world:
        assert world.repo.rulesets == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", r"docs/rulesets/a\.json: Expecting"),
        ("[]", r"docs/rulesets/a\.json: not a JSON object"),
        ('{"name": "x", "enforcement": "active", "rules": [{"type": "nice"}]}', "ruleset 'x': Invalid request"),
    ],
)
def test_a_ruleset_file_that_github_would_not_take_stops_the_start(tmp_path: Path, text: str, said: str) -> None:
    source = template(tmp_path / "t", {**FILES, "docs/rulesets/a.json": text})
    with pytest.raises(UserError, match=said):
        Sandbox.start(tmp_path / "w", template=source)
    assert not (tmp_path / "w").exists()


def test_a_newcomer_sees_the_gate_gate(tmp_path: Path) -> None:
    """Nobody merges a pull request without a green verdict with one click, and the page says why."""
    source = template(tmp_path / "t", FILES)
    with Sandbox.start(tmp_path / "w", template=source, people=PEOPLE, rulesets=[rulesets.default()]) as world:
        number = world.propose("dana", "deeper", {"a.txt": b"a"}, "Deeper")
        for login in ("dana", "rhea", "adam"):
            status, body = Caller(world, world.token(login))("PUT", f"/pulls/{number}/merge", {})
            assert (status, 'status check "mlbot/verdict" is expected' in body["message"]) == (405, True)
        page = world.export_pull_request(number, tmp_path / "page.html").read_text()
        assert "Merging is blocked: Required status check &#34;mlbot/verdict&#34; is expected." in page


# --- renamed branches


def test_a_renamed_default_branch_takes_its_pull_requests_rules_and_clones_along(
    world: Sandbox, call: Any, happenings: list[Happening]
) -> None:
    adam, dana = call("adam"), call("dana")
    number = world.propose("dana", "deeper", {"a.txt": b"a"}, "Deeper")
    hold(world, rule("deletion"), include=["~DEFAULT_BRANCH"])
    adam("PUT", "/branches/main/protection", PROTECTION)
    assert call("rhea")("POST", "/branches/main/rename", {"new_name": "trunk"})[0] == 403
    status, made = adam("POST", "/branches/main/rename", {"new_name": "trunk"})
    assert (status, made["name"], made["protected"]) == (201, "trunk", True)
    assert dana("GET", "")[1]["default_branch"] == "trunk"
    assert dana("GET", f"/pulls/{number}")[1]["base"]["ref"] == "trunk"
    assert [one["type"] for one in dana("GET", "/rules/branches/trunk")[1]] == ["deletion"]
    assert list(world.repo.protections) == ["trunk"]
    assert (world.origin / "HEAD").read_text() == "ref: refs/heads/trunk\n"
    told = {(one.event, one.action): one.payload for one in happenings}
    assert told["repository", "edited"]["changes"] == {"default_branch": {"from": "main"}}
    assert told["pull_request", "edited"]["changes"]["base"]["ref"] == {"from": "main"}
    moved = [one.payload for one in happenings if one.event == "push"]
    assert {(one["ref"], one["created"], one["deleted"]) for one in moved} >= {
        ("refs/heads/main", False, True),
        ("refs/heads/trunk", True, False),
    }


def test_the_old_name_leads_to_the_new_one_until_it_is_taken(world: Sandbox, call: Any) -> None:

    adam = call("adam")
    adam("POST", "/branches/main/rename", {"new_name": "trunk"})
    adam("POST", "/branches/trunk/rename", {"new_name": "stem"})
    answer = adam.session.get(f"{adam.root}/branches/main", allow_redirects=False, timeout=30)
    assert (answer.status_code, answer.headers["Location"]) == (301, f"{adam.root}/branches/stem")
    assert adam("GET", "/branches/main")[1]["name"] == "stem"
    assert adam("GET", "/git/ref/heads/main")[0] == 404
    world.commit("dana", "main", {"a.txt": b"a"}, "again", base="stem")
    assert adam("GET", "/branches/main")[1]["name"] == "main"


def test_a_renamed_head_closes_its_pull_request(world: Sandbox, call: Any) -> None:
    number = world.propose("dana", "deeper", {"a.txt": b"a"}, "Deeper")
    assert call("dana")("POST", "/branches/deeper/rename", {"new_name": "finer"})[0] == 201
    assert call("dana")("GET", f"/pulls/{number}")[1]["state"] == "closed"


@pytest.mark.parametrize(
    ("path", "name", "status"),
    [("none", "x", 404), ("main", "side", 422), ("main", "a..b", 422), ("main", None, 422)],
)
def test_a_rename_that_is_refused(world: Sandbox, call: Any, path: str, name: str | None, status: int) -> None:
    world.commit("dana", "side", {"a.txt": b"a"}, "side", base="main")
    before = world.hub.bare(world.repo).refs()
    body = {} if name is None else {"new_name": name}
    assert call("adam")("POST", f"/branches/{path}/rename", body)[0] == status
    assert world.hub.bare(world.repo).refs() == before


def test_another_branch_becomes_the_default_one(world: Sandbox, call: Any) -> None:
    world.commit("dana", "trunk", {"a.txt": b"a"}, "trunk", base="main")
    status, body = call("adam")("PATCH", "", {"default_branch": "none"})
    said = "The branch none was not found. Please push that ref first or create it via the Git Data API."
    assert (status, body["errors"][0]["message"]) == (422, said)
    assert call("adam")("PATCH", "", {"default_branch": "trunk"})[1]["default_branch"] == "trunk"
    world.propose("dana", "deeper", {"b.txt": b"b"}, "Deeper")
    assert call("dana")("GET", "/pulls")[1][0]["base"]["ref"] == "trunk"
    assert push(world, ":main")[0] == 0, "the old one may go now"
    assert call("rhea")("PATCH", "", {"default_branch": "main"})[0] == 403


# --- folders


def test_a_sandbox_does_not_lie_in_a_repository(tmp_path: Path) -> None:
    """It makes repositories of its own; nothing is written."""
    source = checkout(tmp_path / "t", "main")
    for folder in (source, source / "out", source / "new/deep"):
        with pytest.raises(UserError, match=f"lies in the Git repository {source}") as caught:
            Sandbox.start(folder, template=source)
        assert "Name a folder outside" in (caught.value.hint or "")
    assert sorted(path.name for path in source.iterdir()) == [".git", "models"]


def test_the_command_says_so_too(tmp_path: Path) -> None:
    source = checkout(tmp_path / "t", "main")
    line = [str(Path(sys.executable).with_name("mlbot")), "sandbox", "--dir", "."]
    done = subprocess.run(line, cwd=source, capture_output=True, text=True, timeout=60)
    assert (done.returncode, "lies in the Git repository" in done.stderr) == (1, True), done.stderr


def test_a_large_folder_without_git_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(templates, "MOST_FILES", 3)
    source = template(tmp_path / "t", {f"{number}.txt": "x" for number in range(5)})
    with pytest.raises(UserError, match="no Git checkout and holds more than 3 files") as caught:
        Sandbox.start(tmp_path / "w", template=source)
    assert "git init" in (caught.value.hint or "")
    monkeypatch.setattr(templates, "MOST_FILES", 5000)
    monkeypatch.setattr(templates, "MOST_BYTES", 4)
    with pytest.raises(UserError, match="more than 0 MB"):
        Sandbox.start(tmp_path / "w", template=source)
    git(source, "init", "-q")
    git(source, "add", "1.txt")
    assert templates.names(source) == (["1.txt"], True), "what somebody chose may be as large as it is"


def test_what_git_has_against_a_template_is_said(tmp_path: Path) -> None:
    source = checkout(tmp_path / "t", "main")
    (source / ".git/config").write_text("[core\n")
    with pytest.raises(UserError, match="bad config"):
        Sandbox.start(tmp_path / "w", template=source)


@pytest.mark.parametrize("url", ["s3://team/%5Bmodels%5D/100%", "/data/%(home)s", "%"])
def test_a_percent_sign_in_a_remote_is_a_percent_sign(tmp_path: Path, url: str) -> None:
    text = f"[core]\n    remote = team\n['remote \"team\"']\n    url = {url}\n    profile = 50%\n"
    source = template(tmp_path / "t", {**FILES, ".dvc/config": text})
    with Sandbox.start(tmp_path / "w", template=source) as world:
        read = configparser.ConfigParser(interpolation=None)
        read.read(world.clone / ".dvc/config")
        assert dict(read["'remote \"team\"'"]) == {"url": str(world.directory / "remote"), "profile": "50%"}
