"""The team's own GitHub App: its key lends a token, what it does carries its name, a mistake says what to mend."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.adapters.github import GitHub
from bot.adapters.github_app import APP_ID, APP_KEY, app_login
from bot.errors import UserError, WorldError
from bot.sandbox.world import Sandbox
from tests.sandboxes import small_sandbox

MARKER = "<!-- mlbot:report:test -->"
MAY = {"contents": "write", "pull-requests": "write", "issues": "write", "statuses": "write", "metadata": "read"}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A repository with pull request 1 of dana's."""
    with small_sandbox(tmp_path_factory.mktemp("app")) as started:
        started.propose("dana", "change", {"models/a.txt": b"two\n"}, "Change")
        yield started


@pytest.fixture(scope="module")
def app(sandbox: Sandbox) -> dict[str, str]:
    """What the environment `mlbot` holds."""
    number, key, _ = sandbox.add_app("acme-mlbot", MAY)
    return {APP_ID: str(number), APP_KEY: key}


def test_an_app_writes_and_finds_its_own_comment_and_its_status_is_its_own(
    sandbox: Sandbox, app: dict[str, str]
) -> None:
    before = len(sandbox.requests())
    login = app_login(app, sandbox.api_url, sandbox.repository)
    assert login is not None and len(sandbox.requests()) - before == 3
    assert (login.account.login, login.account.kind) == ("acme-mlbot[bot]", "Bot")
    for body in ("one", "two"):
        port = GitHub(
            api_url=sandbox.api_url, repository=sandbox.repository, token=login.token, account=login.account
        )  # fmt: skip
        port.upsert_comment(1, MARKER, f"{MARKER}\n{body}")
    (comment,) = port.comments(1)
    assert comment.author == login.account and comment.body.endswith("two")
    head = port.get(1).head_sha
    port.set_status(head, "mlbot/verdict", "pending", "waits", None)
    (status,) = port._ask("GET", f"/repos/{sandbox.repository}/commits/{head}/statuses")
    assert status["creator"]["login"] == "acme-mlbot[bot]"


def test_without_an_app_the_workflow_s_own_token_is_used() -> None:
    assert app_login({}, "http://127.0.0.1:9", "acme/models") is None
    assert app_login({APP_ID: "", APP_KEY: "\n"}, "http://127.0.0.1:9", "acme/models") is None


def test_half_an_app_is_refused(app: dict[str, str]) -> None:
    for name in (APP_ID, APP_KEY):
        with pytest.raises(UserError) as caught:
            app_login({name: app[name]}, "http://127.0.0.1:9", "acme/models")
        assert caught.value.code == "app_incomplete"


@pytest.mark.parametrize(
    ("change", "repository", "code"),
    [
        ({APP_KEY: "no key"}, "acme/models", "app_key_malformed"),
        ({APP_KEY: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"}, "acme/models", "app_key_malformed"),
        ({APP_ID: "999999"}, "acme/models", "app_refused"),
        ({APP_ID: "not a number"}, "acme/models", "app_refused"),
        ({}, "acme/elsewhere", "app_not_installed"),
    ],
)
def test_each_mistake_says_what_to_mend(
    sandbox: Sandbox, app: dict[str, str], change: dict[str, str], repository: str, code: str
) -> None:
    with pytest.raises(UserError) as caught:
        app_login({**app, **change}, sandbox.api_url, repository)
    assert caught.value.code == code and caught.value.hint
    assert "PRIVATE" not in str(caught.value)


def test_a_github_that_does_not_answer_is_the_world_s_fault(app: dict[str, str]) -> None:
    with pytest.raises(WorldError):
        app_login(app, "http://127.0.0.1:9", "acme/models")


def test_a_key_of_another_app_is_refused(sandbox: Sandbox, app: dict[str, str]) -> None:
    _, other, _ = sandbox.add_app("other", MAY)
    with pytest.raises(UserError) as caught:
        app_login({**app, APP_KEY: other}, sandbox.api_url, sandbox.repository)
    assert caught.value.code == "app_refused"
