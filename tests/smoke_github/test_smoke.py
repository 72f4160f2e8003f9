"""The smoke test of GitHub, run against the rehearsal: as an enterprise host over TLS, and one that is otherwise."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from bot.sandbox.world import Sandbox
from tests.sandboxes import copied, made_once
from tests.smoke_github.__main__ import main
from tests.smoke_github.place import Different, Place
from tests.smoke_github.reads import READS
from tests.smoke_github.writes import WRITES
from tests.stories.world import NOTES, notes

pytestmark = [pytest.mark.engine]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A repository in which something happened: a merge, runs, statuses, a deployment, an open pull request."""
    made = made_once(tmp_path_factory, "notes", notes)
    with copied(made, tmp_path_factory.mktemp("lived") / "world") as sandbox:
        repository = sandbox.github("rhea").get_repo(sandbox.repository)
        pull = repository.get_pull(NOTES)
        repository.create_deployment(pull.head.sha, payload={"models": "a"}, required_contexts=[], auto_merge=False)
        pull.merge()
        sandbox.propose("dana", "open", {"docs/open.md": b"open\n"}, "Still open")
        sandbox.settle()
        sandbox.serve_tls()
        yield sandbox


@pytest.fixture
def environ(lived: Sandbox, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Of somebody who reaches it under its other name."""
    known = lived.client_environment("rhea")
    for name in ("REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO"):
        monkeypatch.setenv(name, known[name])
    return {"GITHUB_TOKEN": known["GH_ENTERPRISE_TOKEN"], "GITHUB_API_URL": f"https://{known['GH_HOST']}/api/v3"}


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Outcome and words by id."""
    lines = [line for line in capsys.readouterr().out.splitlines() if line[:1].isupper()]
    return {line.split()[0]: line[5:] for line in lines}


def test_everything_that_can_be_read_is_seen(
    lived: Sandbox, environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = len(lived.requests())
    assert main([lived.repository], environ) == 0
    said = told(capsys)
    assert said.keys() == READS.keys()
    assert {name: words for name, words in said.items() if not words.startswith("seen")} == {}
    changed = [one for one in lived.requests()[before:] if one[0] != "GET" and not one[1].endswith("/graphql")]
    assert changed == []


def test_what_only_a_change_shows_is_seen_and_undone(
    lived: Sandbox, environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    refs, comments = lived.hub.bare(lived.repo).refs(), dict(lived.repo.comments)
    assert main([lived.repository, "--write", "--issue", str(NOTES + 1)], environ) == 0
    said = told(capsys)
    assert {name: said[name][:4] for name in WRITES} == dict.fromkeys(WRITES, "seen")
    assert lived.hub.bare(lived.repo).refs() == refs and lived.repo.comments == comments


def test_one_that_is_otherwise_ends_with_1_and_is_named(
    lived: Sandbox, environ: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = lived.hub.data.people["github-actions[bot]"]
    monkeypatch.setitem(lived.hub.data.people, bot.login, dataclasses.replace(bot, id=7))
    assert main([lived.repository], environ) == 1
    assert told(capsys)["P1"].startswith("not as assumed  7 Bot")


def test_an_empty_repository_shows_little_and_is_no_difference(
    lived: Sandbox, environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["acme/nothing-here"], environ) == 0
    assert "not checkable" in told(capsys)["R5"]


def test_the_token_is_never_printed(
    lived: Sandbox, environ: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(at: Place) -> str:
        raise Different(f"the header was {environ['GITHUB_TOKEN']}")

    monkeypatch.setitem(READS, "P1", careless)
    assert main([lived.repository], environ) == 1
    said = capsys.readouterr()
    assert environ["GITHUB_TOKEN"] not in said.out + said.err and "the header was ***" in said.out


def test_without_a_token_it_does_not_begin(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["acme/models"], {}) == 2
    assert "GITHUB_TOKEN is not set" in capsys.readouterr().err
