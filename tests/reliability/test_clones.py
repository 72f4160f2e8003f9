"""Clones and machines as people have them: the verbs work there, or say what git itself says."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.adapters.git import GitBranch, LocalGit
from bot.cli import run
from bot.errors import MlbotError
from tests.promote.world import World, git
from tests.reliability.recorded import given, refused

SPEC = Path(__file__).parents[2] / "models/bike-rentals/model.yaml"
Says = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bare repository in which two versions of `churn` were released; nobody changes it."""
    world = World(tmp_path_factory.mktemp("released"))
    spec = SPEC.read_text()
    for iterations in ("max_iter: 120", "max_iter: 130"):
        world.changed("models/bikes/model.yaml", spec.replace("max_iter: 120", iterations))
    for word in ("one", "two"):
        world.promote(word)
    bare = world.root / "origin.git"
    for setting in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
        git(bare, "config", setting, "true")
    return bare


@pytest.fixture
def origin(released: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(released, tmp_path / "origin.git"))


@pytest.fixture
def says(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Says:
    """Exit code and words of a verb in a folder."""

    def typed(folder: Path, *words: str) -> tuple[int, str]:
        monkeypatch.chdir(folder)
        capfd.readouterr()
        code = run(list(words))
        out, err = capfd.readouterr()
        return code, out + err

    return typed


def cloned(origin: Path, *options: str) -> Path:
    """ruth's clone, beside origin."""
    folder = origin.parent / "clone"
    git(origin.parent, "clone", "-q", *options, f"file://{origin}", str(folder))
    git(folder, "config", "user.name", "ruth")
    return folder


def second(origin: Path) -> Path:
    """Somebody else's, whole."""
    git(origin.parent, "clone", "-q", f"file://{origin}", "second")
    return origin.parent / "second"


READS = (["environments"], ["history", "churn"], ["plan", "--base", "HEAD~1"])


@pytest.mark.parametrize("verb", READS, ids=lambda words: words[0])
def test_an_ordinary_clone_answers(origin: Path, says: Says, verb: list[str]) -> None:
    code, said = says(cloned(origin), *verb)
    assert "error:" not in said, (code, said)


@pytest.mark.parametrize("verb", READS, ids=lambda words: words[0])
def test_a_tag_that_moves_stops_no_verb(origin: Path, says: Says, verb: list[str]) -> None:
    clone = cloned(origin)
    first, second = git(clone, "log", "-2", "--format=%H", "origin/mlbot/environments").split()
    git(clone, "push", "-q", "origin", f"{first}:refs/tags/nightly")
    git(clone, "fetch", "-q", "--tags")
    git(origin, "update-ref", "refs/tags/nightly", second)
    code, said = says(clone, *verb)
    assert "error:" not in said, (code, said)


@pytest.mark.parametrize("options", [("--filter=blob:none",), ("--filter=tree:0",)])
@pytest.mark.parametrize("verb", READS, ids=lambda words: words[0])
def test_a_partial_clone_is_a_clone(origin: Path, says: Says, options: tuple[str, ...], verb: list[str]) -> None:
    assert says(cloned(origin, *options), *verb) == says(second(origin), *verb), "as in a whole clone"


def foreign(clone: Path) -> str:
    if os.geteuid():
        pytest.skip("only root can give a folder away")
    for path in (clone, clone / ".git"):
        os.chown(path, 65534, 65534)
    return "safe.directory"


def reftable(clone: Path) -> str:
    git(clone, "config", "core.repositoryformatversion", "1")
    git(clone, "config", "extensions.refStorage", "reftable")
    return "refstorage"


def sha_256(clone: Path) -> str:
    shutil.rmtree(clone)
    git(clone.parent, "init", "-q", "--object-format=sha256", str(clone))
    git(clone, "-c", "user.name=r", "-c", "user.email=r@example.com", "commit", "-q", "--allow-empty", "-m", "one")
    return "objectformat"


@pytest.mark.parametrize("made", [foreign, reftable, sha_256])
@pytest.mark.parametrize("verb", [["environments"], ["plan", "--base", "HEAD"]], ids=lambda words: words[0])
def test_a_repository_that_is_refused_is_called_one_with_the_reason(
    origin: Path, says: Says, made: Callable[[Path], str], verb: list[str]
) -> None:
    clone = cloned(origin)
    reason = made(clone)
    code, said = says(clone, *verb)
    assert "is not a Git repository" not in said
    assert code == 0 or (code == 1 and reason in said.lower().replace(" ", "").replace("-", "")), said


def initialised(origin: Path) -> Path:
    """As actions/checkout makes it: no remote HEAD."""
    folder = origin.parent / "clone"
    git(origin.parent, "init", "-q", "-b", "main", str(folder))
    git(folder, "remote", "add", "origin", f"file://{origin}")
    git(folder, "fetch", "-q", "origin", "+refs/heads/*:refs/remotes/origin/*")
    git(folder, "checkout", "-q", "-B", "main", "origin/main")
    return folder


def test_a_clone_without_the_remotes_head_is_planned_in_or_told_what_helps(origin: Path, says: Says) -> None:
    code, said = says(initialised(origin), "plan")
    assert "error:" not in said or "git remote set-head origin" in said, (code, said)


# --- a branch called `mlbot`, where Git can hold no `mlbot/...` beside it


def test_a_branch_in_the_way_of_the_bots_is_named(origin: Path) -> None:
    for name in ("ledger", "environments"):
        git(origin, "update-ref", "-d", f"refs/heads/mlbot/{name}")
    git(origin, "update-ref", "refs/heads/mlbot", "main")
    ledger = GitBranch(LocalGit(cloned(origin)), "mlbot/ledger", append_only=True)
    said = refused(lambda: ledger.commit({"fact.json": b"1"}, "a fact"))
    assert "times while it was written" not in said
    assert "`mlbot`" in said or "refs/heads/mlbot'" in said, said


def test_a_remote_branch_that_a_clone_remembers_is_no_lock(origin: Path, says: Says) -> None:
    clone = cloned(origin)
    for name in git(clone, "for-each-ref", "--format=%(refname)", "refs/remotes/origin/mlbot").split():
        git(clone, "update-ref", "-d", name)
    git(clone, "update-ref", "refs/remotes/origin/mlbot", "HEAD")
    code, said = says(clone, "environments")
    assert "lock file" not in said
    assert code == 0 or "git remote prune origin" in said or "git fetch --prune" in said, said


# --- what git says, and in which language


GERMAN = """#!{python}
# git with German messages where the environment asks for them, as gettext does: LC_ALL before LC_MESSAGES before LANG.
import os, subprocess, sys
done = subprocess.run([{git!r}, *sys.argv[1:]], capture_output=True, env={{**os.environ, "LC_ALL": "C"}})
words = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
err = done.stderr.decode()
if words.startswith("de"):
    for english, german in (
        ("fatal: couldn't find remote ref", "Schwerwiegend: Konnte Remote-Referenz nicht finden:"),
        ("fatal:", "Schwerwiegend:"), ("error:", "Fehler:"), ("failed to push some refs", "Fehler beim Versenden"),
        ("[rejected]", "[zurückgewiesen]"), ("(fetch first)", "(zuerst holen)"), ("stale info", "veraltete Info"),
        ("cannot lock ref", "kann Referenz nicht sperren"),
    ):
        err = err.replace(english, german)
sys.stdout.buffer.write(done.stdout)
sys.stderr.write(err)
sys.exit(done.returncode)
"""


@pytest.fixture
def in_german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose git speaks German."""
    program = tmp_path / "bin/git"
    program.parent.mkdir()
    program.write_text(GERMAN.format(python=sys.executable, git=shutil.which("git")))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    for name in ("LC_ALL", "LC_MESSAGES", "LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "de_DE.UTF-8")


def test_before_the_first_release_nothing_is_live_in_any_language(origin: Path, says: Says, in_german: None) -> None:
    for name in ("ledger", "environments"):
        git(origin, "update-ref", "-d", f"refs/heads/mlbot/{name}")
    code, said = says(cloned(origin), "environments")
    assert (code, said) == (0, "Nothing is live in any environment.\n")


def test_a_push_that_lost_the_race_is_made_again_in_any_language(origin: Path, in_german: None) -> None:
    one, two = (GitBranch(LocalGit(path), "mlbot/ledger") for path in (cloned(origin), second(origin)))
    one.commit({"1.json": b"1"}, "one")
    assert not refused(lambda: two.commit({"2.json": b"2"}, "two"))


# --- numbers in what git says


@pytest.mark.parametrize("number", ["401", "403", "404"])
def test_a_number_in_a_name_is_no_answer_of_a_server(origin: Path, number: str) -> None:
    hook = origin / "hooks/pre-receive"
    hook.write_text('#!/bin/sh\necho "the disk is full" >&2\nexit 1\n')
    hook.chmod(0o755)
    clone = LocalGit(cloned(origin))
    at = datetime(2026, 11, 23, tzinfo=UTC)
    said = refused(lambda: clone.push_tag(f"area{number}@v1.0.0", clone.resolve("HEAD"), "release", at=at))
    given(bool(said), "a refusal")
    assert f"({number})" not in said, said


@pytest.mark.parametrize("name", ["area404-models", "models-401k", "kasse403"])
def test_a_server_that_does_not_answer_is_tried_again_whatever_the_repository_is_called(
    origin: Path, name: str
) -> None:
    clone = LocalGit(cloned(origin))
    git(clone.path, "remote", "set-url", "origin", f"http://127.0.0.1:9/acme/{name}.git")
    with pytest.raises(MlbotError) as caught:
        clone.fetch("main")
    assert caught.value.exit_code == 2, caught.value
