"""The team's own GitHub App: its key lends a token, what it does carries its name, a mistake says what to mend."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.adapters.github import GitHub
from bot.adapters.github_app import APP_ID, APP_INSTALLATION, APP_KEY, app_login
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


def logged_in(sandbox: Sandbox, app: dict[str, str]) -> GitHub:
    login = app_login(app, sandbox.api_url, sandbox.repository)
    assert login is not None
    return GitHub(
        api_url=sandbox.api_url, repository=sandbox.repository, token=login.token, account=login.account,
        app_id=login.app_id,
    )  # fmt: skip


@pytest.fixture(scope="module")
def app(sandbox: Sandbox) -> dict[str, str]:
    """What the environment `mlbot` holds."""
    number, key, installation = sandbox.add_app("acme-mlbot", MAY)
    return {APP_ID: str(number), APP_KEY: key, APP_INSTALLATION: str(installation)}


def test_an_app_writes_and_finds_its_own_comment_and_its_status_is_its_own(
    sandbox: Sandbox, app: dict[str, str]
) -> None:
    for body in ("one", "two"):
        port = logged_in(sandbox, app)
        port.upsert_comment(1, MARKER, f"{MARKER}\n{body}")
    (comment,) = port.comments(1)
    assert (comment.author.login, comment.author.kind) == ("acme-mlbot[bot]", "Bot") and comment.body.endswith("two")
    assert comment.author == port.me()
    head = port.get(1).head_sha
    port.set_status(head, "mlbot/verdict", "pending", "waits", None)
    (status,) = port._ask("GET", f"/repos/{sandbox.repository}/commits/{head}/statuses")
    assert status["creator"]["login"] == "acme-mlbot[bot]"


@pytest.mark.parametrize(("without", "requests"), [((), 1), ((APP_INSTALLATION,), 2)])
def test_a_login_asks_as_little_as_it_can_and_its_own_comment_is_known_without_asking_who_it_is(
    sandbox: Sandbox, app: dict[str, str], without: tuple[str, ...], requests: int
) -> None:
    before = len(sandbox.requests())
    port = logged_in(sandbox, {name: value for name, value in app.items() if name not in without})
    assert len(sandbox.requests()) - before == requests
    port.upsert_comment(1, MARKER, f"{MARKER}\nthe same")
    port.upsert_comment(1, MARKER, f"{MARKER}\nthe same")
    asked = [path for _, path, _ in sandbox.requests()[before:]]
    assert not [path for path in asked if path == "/app" or path.startswith("/users/")]


@pytest.mark.parametrize("app_id", [None, "the app's"])
def test_what_others_wrote_is_not_the_app_s_own_whatever_it_begins_with(
    sandbox: Sandbox, app: dict[str, str], app_id: str | None
) -> None:
    """Nor what somebody wrote through the same app, signed in as themselves; `None` is an app known by client id."""
    number = sandbox.propose("dana", f"own-{app_id is None}", {"models/a.txt": b"9\n"}, "Own")
    issue = sandbox.github("dana").get_repo(sandbox.repository).get_issue(number)
    by_dana = issue.create_comment(f"{MARKER}\nforged").id
    sandbox.repo.comments[by_dana].app = int(app[APP_ID])
    port = logged_in(sandbox, app)
    port._app_id = int(app[APP_ID]) if app_id else None
    port.upsert_comment(number, MARKER, f"{MARKER}\nreal")
    assert [one.body for one in port.own(number, MARKER)] == [f"{MARKER}\nreal"]
    assert {one.id: one.body for one in port.comments(number)}[by_dana].endswith("forged")


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
        ({APP_INSTALLATION: "999999"}, "acme/models", "app_not_installed"),
        ({APP_INSTALLATION: "acme"}, "acme/models", "app_incomplete"),
        ({APP_ID: "not a number"}, "acme/models", "app_refused"),
        ({APP_INSTALLATION: ""}, "acme/elsewhere", "app_not_installed"),
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
