"""One sandbox over TLS that the clients talk to, and each client as somebody."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.people import DEFAULT_PEOPLE, Person, Team
from bot.sandbox.world import Sandbox
from tests.clients import packages

PEOPLE = (*DEFAULT_PEOPLE, Person("adam", 1006, "administrator", "admin"), Person("rita", 1005, "reader", "read"))
HELLO = """name: Hello
on:
  workflow_dispatch:
    inputs:
      seconds: {default: "0"}
jobs:
  greet:
    runs-on: ubuntu-latest
    steps:
      - name: Say hello
        run: |
          echo "hello from the runner"
          echo "::warning file=README.md,line=1::careful"
          sleep ${{ inputs.seconds }}
          mkdir -p out && echo "all is well" > out/report.txt
      - name: Keep the report
        uses: actions/upload-artifact@v4
        with: {name: report, path: out}
"""
FILES = {
    "README.md": "# Models\n",
    "models/churn/model.yaml": "depth: 3\n",
    ".github/workflows/hello.yml": HELLO,
}


def start(folder: Path) -> Sandbox:
    """A sandbox over TLS with one workflow, six people and a team."""
    for name, text in FILES.items():
        path = folder / "template" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    teams = (Team("validators", ("vera",)),)
    return Sandbox.start(folder / "world", template=folder / "template", people=PEOPLE, teams=teams, tls=True)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start(tmp_path_factory.mktemp("clients")) as sandbox:
        yield sandbox


@pytest.fixture
def opened(world: Sandbox) -> int:
    """A pull request of dana's, new for each test, its branch called `branch-NUMBER`."""
    number = world.repo.last_number + 1
    files = {f"models/m{number}/model.yaml": f"depth: {number}\n".encode()}
    return world.propose("dana", f"branch-{number}", files, f"Model {number}", body="Because.")


@dataclass(frozen=True)
class Done:
    """What a program printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run(line: list[str], environ: dict[str, str], cwd: Path) -> Done:
    done = subprocess.run(line, env=environ, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
    return Done(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Gh:
    """`gh("owen")("pr", "list")` runs gh as owen in a clone of his; it must end with `code`."""

    environ: dict[str, str]
    folder: Path

    def __call__(self, *arguments: str, code: int = 0) -> Done:
        done = run(["gh", *arguments], self.environ, self.folder)
        assert done.code == code, f"gh {' '.join(arguments)}: {done.code}\n{done.out}\n{done.err}"
        return done


@pytest.fixture(scope="module")
def cloned(world: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone over TLS that the tests copy."""
    folder = tmp_path_factory.mktemp("cloned")
    known = world.client_environment("owen")
    address = f"https://{known['GH_HOST']}/{world.repository}.git"
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder)} | known
    with_token = address.replace("//", f"//x-access-token:{world.token('owen')}@", 1)
    subprocess.run(["git", "clone", "-q", with_token, "clone"], cwd=folder, env=environ, check=True, timeout=60)
    subprocess.run(["git", "remote", "set-url", "origin", address], cwd=folder / "clone", check=True)
    return folder / "clone"


@pytest.fixture
def gh(world: Sandbox, cloned: Path, tmp_path: Path) -> Callable[[str], Gh]:
    if shutil.which("gh") is None:
        pytest.skip("gh is not installed")
    if ":" in world.client_environment("owen")["GH_HOST"]:
        pytest.skip("port 443 cannot be had here, and gh finds no other in the address of a clone")

    def somebody(login: str) -> Gh:
        home = tmp_path / login
        home.mkdir()
        quiet = {"GH_PROMPT_DISABLED": "1", "NO_COLOR": "1", "GH_NO_UPDATE_NOTIFIER": "1", "GIT_TERMINAL_PROMPT": "0"}
        environ = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home), **quiet}
        environ |= world.client_environment(login)
        shutil.copytree(cloned, home / "clone")
        return Gh(environ, home / "clone")

    return somebody


@pytest.fixture
def octokit(world: Sandbox, tmp_path: Path) -> Callable[..., Any]:
    """`octokit("dana", "script", number=1)` runs a function of node/scripts.mjs as dana: what it returns."""
    if reason := packages.missing():
        pytest.skip(reason)
    scripts = tmp_path / "scripts.mjs"
    scripts.write_bytes((packages.NODE / "scripts.mjs").read_bytes())
    (tmp_path / "node_modules").symlink_to(packages.folder() / "node_modules")
    owner, repo = world.repository.split("/")

    def somebody(login: str, script: str, **given: Any) -> Any:
        known = world.client_environment(login)
        environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)} | known
        line = ["node", str(scripts), script, json.dumps({"owner": owner, "repo": repo, **given})]
        done = run(line, environ, tmp_path)
        assert done.code == 0, done.err
        return done.json

    return somebody


@pytest.fixture
def pygithub(world: Sandbox) -> Callable[[str], Any]:
    """`pygithub("dana")` is the repository as PyGithub sees it, over TLS at the enterprise address."""
    import github

    def somebody(login: str) -> Any:
        known = world.client_environment(login)
        auth = github.Auth.Token(known["GH_ENTERPRISE_TOKEN"])
        base, ca = f"https://{known['GH_HOST']}/api/v3", known["REQUESTS_CA_BUNDLE"]
        client = github.Github(base_url=base, auth=auth, verify=ca, seconds_between_writes=None, retry=None)
        return client.get_repo(world.repository)

    return somebody
