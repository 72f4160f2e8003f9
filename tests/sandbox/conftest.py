"""A sandbox in a temporary folder, and a small template to make one from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.hub import Happening
from bot.sandbox.people import DEFAULT_PEOPLE, Person, Team
from bot.sandbox.world import Sandbox

PEOPLE = (*DEFAULT_PEOPLE, Person("rita", 1005, "reader", "read"), Person("adam", 1006, "administrator", "admin"))
TEAMS = (Team("validators", ("vera",)), Team("risk", ("owen",), parent="validators"))


def template(folder: Path, files: dict[str, str]) -> Path:
    """A plain folder with these files."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox without workflows: one file, six people, two teams."""
    source = template(tmp_path / "template", {"models/churn/model.yaml": "depth: 3\n", "README.md": "# Models\n"})
    with Sandbox.start(tmp_path / "world", template=source, people=PEOPLE, teams=TEAMS) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox with pull request 1 of dana's, shared by tables whose rows do not disturb each other."""
    folder = tmp_path_factory.mktemp("standing")
    source = template(folder / "template", {"models/churn/model.yaml": "depth: 3\n"})
    with Sandbox.start(folder / "world", template=source, people=PEOPLE, teams=TEAMS) as sandbox:
        sandbox.propose("dana", "deeper", {"models/churn/model.yaml": b"depth: 4\n"}, "Deeper trees")
        yield sandbox


@pytest.fixture
def happenings(world: Sandbox) -> list[Happening]:
    """Every event that the sandbox announces, as it comes."""
    seen: list[Happening] = []
    world.hub.listeners.append(seen.append)
    return seen


class Caller:
    """The plain REST API as one token: status and body of each call."""

    def __init__(self, sandbox: Sandbox, token: str | None) -> None:
        import requests

        self.root = f"{sandbox.api_url}/repos/{sandbox.repository}"
        self.api = sandbox.api_url
        self.session = requests.Session()
        if token:
            self.session.headers["Authorization"] = f"Bearer {token}"

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """A path starting with `//` is below the API's root, any other below the repository.

        Where something moved for good it is followed; the address of a file, which is good for a while, is an answer.
        """
        url = self.api + path[1:] if path.startswith("//") else self.root + path
        answer = self.session.request(method, url, json=body, timeout=30, allow_redirects=False)
        if answer.status_code in (301, 307, 308):
            answer = self.session.request(method, answer.headers["Location"], json=body, timeout=30)
        return answer.status_code, answer.json() if answer.content else None

    def upload(self, url: str, data: bytes) -> Any:
        """A file to an address that the API named: what it says of the file then."""
        answer = self.session.post(url, data=data, headers={"Content-Type": "text/plain"}, timeout=30)
        assert answer.status_code == 201, answer.text
        return answer.json()


@pytest.fixture
def call(world: Sandbox) -> Any:
    """`call("dana")` is a Caller as that person, `call(None)` as nobody."""
    return lambda login: Caller(world, world.token(login) if login else None)
