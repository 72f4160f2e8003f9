"""Git over HTTP: clone, push, refuse, and what a push announces."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.errors import UserError
from bot.sandbox.hub import Happening
from bot.sandbox.world import Sandbox
from tests.sandbox.conftest import template


def test_a_token_clones_and_only_one_that_writes_pushes(world: Sandbox, tmp_path: Path) -> None:
    """Without a token nothing is read; a push without one, with a wrong one or by a reader is refused."""
    copy = tmp_path / "copy"
    env = {"GIT_TERMINAL_PROMPT": "0", "PATH": os.environ["PATH"]}
    anonymous = ["git", "clone", "-q", world.clone_url(), str(copy)]
    done = subprocess.run(anonymous, capture_output=True, env=env, check=False)
    assert done.returncode != 0
    subprocess.run(["git", "clone", "-q", world.read_url, str(copy)], check=True)
    assert (copy / "README.md").read_text() == "# Models\n"
    push = ["git", "-C", str(copy), "-c", "core.askPass=true", "push", "-q"]
    for url in (
        world.clone_url(),
        world.read_url,
        world.clone_url("rita"),
        world.clone_url("dana").replace("ghp_", "wrong_"),
    ):
        done = subprocess.run([*push, url, "HEAD:refs/heads/x"], capture_output=True, env=env, check=False)
        assert done.returncode != 0, url
    subprocess.run([*push, world.clone_url("dana"), "HEAD:refs/heads/x"], check=True)
    assert world.hub.bare(world.repo).branch("x")


def test_an_annotated_tag_moves_by_force(world: Sandbox, happenings: list[Happening]) -> None:
    for message in ("one", "two"):
        world.git("dana", "commit", "-q", "--allow-empty", "-m", message)
        world.git("dana", "tag", "--force", "-a", "-m", message, "v1")
        world.git("dana", "push", "-q", "--force", "origin", "refs/tags/v1")
    made, moved = (one.payload for one in happenings if one.event == "push")
    assert (made["created"], made["forced"], moved["created"], moved["forced"]) == (True, False, False, False)
    assert moved["head_commit"]["message"] == "two" and moved["before"] == made["after"]


def test_a_large_push_arrives_in_chunks(world: Sandbox) -> None:
    """git sends more than 1 MB chunked."""
    import random

    data = random.Random(0).randbytes(3_000_000)
    world.commit("dana", "large", {"blob.bin": data}, "large", base="main")
    assert world.hub.bare(world.repo).read("large", "blob.bin") == data


def test_nobody_pushes_to_refs_pull(world: Sandbox) -> None:
    """The head that the bot reads is the head that the pull request has."""
    n = world.propose("dana", "a", {"a.txt": b"a"}, "A")
    with pytest.raises(UserError, match=r"hidden ref|rejected"):
        world.git("dana", "push", "-q", world.clone_url("dana"), f"HEAD:refs/pull/{n}/head", "--force")


def test_a_run_pushes_with_contents_write_only(world: Sandbox) -> None:
    for level, allowed in (("read", False), ("write", True)):
        token = world.hub.mint({"contents": level}, 5)
        url = world.clone_url("dana").replace(world.token("dana"), token)
        line = ["git", "-C", str(world.clone), "push", "-q", url, f"HEAD:refs/heads/by-{level}"]
        assert (subprocess.run(line, capture_output=True, check=False).returncode == 0) is allowed


def test_a_push_says_what_moved(world: Sandbox, happenings: list[Happening]) -> None:
    first = world.commit("dana", "topic", {"a.txt": b"a"}, "one", base="main")
    second = world.commit("dana", "topic", {"a.txt": b"b"}, "two")
    pushes = [one.payload for one in happenings if one.event == "push"]
    assert [(p["before"][:3], p["after"], p["created"]) for p in pushes] == [
        ("000", first, True),
        (first[:3], second, False),
    ]
    assert [commit["message"] for commit in pushes[1]["commits"]] == ["two"]
    assert pushes[1]["pusher"]["name"] == "dana"
    assert not pushes[1]["forced"]


def test_deleting_the_branch_closes_the_pull_request(world: Sandbox) -> None:
    n = world.propose("dana", "gone", {"a.txt": b"a"}, "A")
    world.git("dana", "push", "-q", "--delete", "origin", "gone", cwd=world.directory / "people/dana")
    assert world.github("dana").get_repo(world.repository).get_pull(n).state == "closed"


def test_pushing_the_commits_to_the_base_merges_the_pull_request(world: Sandbox) -> None:
    """As on GitHub, whoever pushes a head to its base has merged it."""
    n = world.propose("dana", "fast", {"a.txt": b"a"}, "A")
    world.git("rhea", "fetch", "-q", "origin")
    world.git("rhea", "push", "-q", "origin", "origin/fast:refs/heads/main")
    found = world.github("dana").get_repo(world.repository).get_pull(n)
    assert (found.merged, found.merged_by.login) == (True, "rhea")


def test_the_template_is_what_git_tracks_as_it_is_on_disk(tmp_path: Path) -> None:
    """Changes that are not committed come along, files that git does not track stay out."""
    source = template(tmp_path / "t", {"a.txt": "old", "b.txt": "b"})
    for line in (["init", "-q"], ["add", "-A"], ["-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "x"]):
        subprocess.run(["git", "-C", str(source), *line], check=True)
    (source / "a.txt").write_text("new")
    (source / "stray.txt").write_text("stray")
    (source / "b.txt").unlink()
    with Sandbox.start(tmp_path / "w", template=source, extra_files={"c/d.txt": b"extra"}) as world:
        listed = world.git("dana", "ls-files").split()
        names = {name for name in listed if (world.clone / name).is_file()}
        assert names == {"a.txt", "c/d.txt", ".dvc/config"}
        assert (world.clone / "a.txt").read_text() == "new"


def test_the_dvc_remote_is_a_local_folder_with_the_templates_objects(tmp_path: Path) -> None:
    """What the template embeds can be pulled in the clone, and a push goes to the sandbox only."""
    source = template(
        tmp_path / "t",
        {
            ".dvc/config": "[core]\n    remote = embedded\n['remote \"embedded\"']\n    url = embedded\n",
            ".dvc/embedded/files/md5/b1/946ac92492d2347c6235b4d2611184": "hello\n",
            "data.txt.dvc": "outs:\n- {md5: b1946ac92492d2347c6235b4d2611184, size: 6, hash: md5, path: data.txt}\n",
        },
    )
    with Sandbox.start(tmp_path / "w", template=source) as world:
        env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "DVC_NO_ANALYTICS": "1", "COLUMNS": "500"}
        dvc = [sys.executable, "-m", "dvc"]
        subprocess.run([*dvc, "pull", "-q"], cwd=world.clone, env=env, check=True)
        assert (world.clone / "data.txt").read_text() == "hello\n"
        shown = subprocess.run(
            [*dvc, "remote", "list"], cwd=world.clone, env=env, check=True, capture_output=True, text=True
        )
        assert shown.stdout.split()[:2] == ["embedded", str(world.directory / "remote")]


def test_a_folder_that_holds_a_sandbox_is_not_overwritten(world: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="sandbox already"):
        Sandbox.start(world.directory, template=tmp_path)
    with pytest.raises(UserError, match="no sandbox"):
        Sandbox.resume(tmp_path / "nothing")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/github.json").write_text('{"people": 7}')
    with pytest.raises(UserError, match=r"github\.json cannot be read"):
        Sandbox.resume(tmp_path / "broken")
    with pytest.raises(UserError, match="not a folder"):
        Sandbox.start(tmp_path / "other", template=tmp_path / "nothing")


def test_many_people_at_once(world: Sandbox) -> None:
    """Calls, pushes and reads at the same time lose nothing and block nobody."""
    from concurrent.futures import ThreadPoolExecutor

    number = world.propose("dana", "busy", {"a.txt": b"a"}, "Busy")

    def talk(login: str) -> None:
        issue = world.github(login).get_repo(world.repository).get_issue(number)
        for index in range(15):
            issue.create_comment(f"{login} {index}")

    def push(login: str) -> None:
        for index in range(3):
            world.commit(login, f"of-{login}", {f"{login}-{index}.txt": b"x"}, "work", base=None if index else "main")

    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(talk, login) for login in ("dana", "owen", "vera", "rhea")]
        jobs += [pool.submit(push, login) for login in ("dana", "owen")]
        for job in jobs:
            job.result(60)
    said = [
        comment.body for comment in world.github("dana").get_repo(world.repository).get_issue(number).get_comments()
    ]
    assert len(said) == len(set(said)) == 60
    assert all(world.hub.bare(world.repo).read(f"of-{login}", f"{login}-2.txt") == b"x" for login in ("dana", "owen"))


def test_odd_file_names_of_a_template_survive(tmp_path: Path) -> None:
    names = ["with space.txt", 'quote".txt', "naïve-模型.yaml", "back\\slash.txt", "deep/er/est.txt", "-dash.txt"]
    source = template(tmp_path / "t", {name: name for name in names})
    (source / "link").symlink_to("/etc/passwd")
    (source / "run.sh").write_text("#!/bin/sh\n")
    with Sandbox.start(tmp_path / "w", template=source) as world:
        assert all((world.clone / name).read_text() == name for name in names)
        assert not (world.clone / "link").exists()
        assert os.access(world.clone / "run.sh", os.X_OK)


def test_what_a_killed_sandbox_left_running_is_ended_when_it_is_taken_up_again(world: Sandbox) -> None:
    folder = world.directory / "runs/9/work"
    folder.mkdir(parents=True)
    orphan = subprocess.Popen(["sleep", "60"], cwd=folder)
    elsewhere = subprocess.Popen(["sleep", "60"], cwd=world.directory)
    with Sandbox.resume(world.directory):
        assert orphan.wait(5) != 0
        assert elsewhere.poll() is None
    elsewhere.kill()
    elsewhere.wait()
