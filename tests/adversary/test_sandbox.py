"""The sandbox is a server on a developer's machine: other users of it and pages of the web get nothing from it."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from bot.sandbox.people import DEFAULT_PEOPLE
from bot.sandbox.world import Sandbox

PATHS = ["/", "/-/version", "/repos/acme/models", "/acme/models", "/acme/models/pull/1", "/acme/models.git/info/refs"]
PATHS += ["/api/v3/meta", "/graphql", "/user", "/api/downloads/x", "/acme/models.git/HEAD", "/nothing"]


def test_tokens_and_keys_are_random(standing: Sandbox) -> None:
    people = standing.hub.data.people.values()
    tokens = {one.login: one.token for one in people if one.kind == "User" and one.login != "web-flow"}
    assert not any(one.token for one in people if one.login not in tokens)
    assert len(set(tokens.values())) == len(tokens)
    assert all(re.fullmatch(r"gh[a-z]_[0-9a-f]{36}", token) for token in tokens.values())
    assert all(login not in token for login, token in tokens.items())
    assert all(one.token == "" for one in DEFAULT_PEOPLE)
    assert len(standing.hub.data.key) >= 24


def test_files_with_tokens_are_for_their_owner(standing: Sandbox) -> None:
    for name in ("github.json", "clone.reads"):
        assert stat.S_IMODE((standing.directory / name).stat().st_mode) & 0o077 == 0, name


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Host": "evil.example:80"}, {"Host": "127.0.0.1.evil.example"}, {"Host": ""},
     {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"}],
    ids=str,
)  # fmt: skip
def test_other_names_and_other_sites_are_refused_everywhere(
    standing: Sandbox,
    path: str,
    method: str,
    headers: dict[str, str],
) -> None:
    """With a good token and the key of the pages, too."""
    good = {"Authorization": f"Bearer {standing.token('rhea')}", "Cookie": f"key={standing.hub.data.key}"}
    answer = requests.request(method, standing.url + path, headers=good | headers, timeout=10, allow_redirects=False)
    assert answer.status_code == 403


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("token", [None, "ghp_sandbox_rhea", "ghp_sandbox_dana", ""])
def test_nothing_is_read_without_a_token(standing: Sandbox, path: str, token: str | None) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    answer = requests.get(standing.url + path, headers=headers, timeout=10, allow_redirects=False)
    assert answer.status_code in (401, 403, 404)
    assert "README" not in answer.text and "refs/heads" not in answer.text


def test_a_page_acts_for_nobody_without_its_key(standing: Sandbox) -> None:
    form = {"as": "rhea", "do": "comment", "body": "hello"}
    for cookies in ({}, {"key": "wrong"}, {"as": "rhea"}):
        answer = requests.post(f"{standing.url}/acme/models/pull/1", data=form, cookies=cookies, timeout=10)
        assert answer.status_code == 403
    opened = requests.get(standing.pages, timeout=10)
    assert opened.status_code == 200 and "key" not in urlsplit(opened.url).query


def test_git_takes_no_other_name_and_no_guess(standing: Sandbox, tmp_path: Any) -> None:
    env = {"GIT_TERMINAL_PROMPT": "0", "PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    url = standing.clone_url()
    guessed = url.replace("//", "//x-access-token:ghp_sandbox_rhea@", 1)
    named = ["-c", "http.extraHeader=Host: evil.example"]
    for line in (["ls-remote", url], ["ls-remote", guessed], [*named, "ls-remote", standing.clone_url("rhea")]):
        done = subprocess.run(["git", *line], env=env, capture_output=True, text=True, check=False)
        assert done.returncode != 0 and "refs/heads" not in done.stdout
    done = subprocess.run(["git", "ls-remote", standing.read_url], env=env, capture_output=True, text=True, check=True)
    assert "refs/heads/main" in done.stdout


def test_a_copy_of_a_sandbox_reads_with_its_own_file(standing: Sandbox, tmp_path: Any) -> None:
    """Also where the folder's name has a space; the file of the first one may be gone."""
    standing.hub.save()
    copy = tmp_path / "a copy"
    shutil.copytree(standing.directory, copy, symlinks=True)
    (copy / "clone.reads").unlink()
    env = {"GIT_TERMINAL_PROMPT": "0", "PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    with Sandbox.resume(copy) as again:
        subprocess.run(["git", "-C", str(again.clone), "fetch", "-q", "origin"], env=env, check=True)
        subprocess.run(["git", "-C", str(standing.clone), "fetch", "-q", "origin"], env=env, check=True)
