"""`mlbot promote`, `rollback`, `environments`, `history` and `verify`, run in an ordinary clone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.serving_environment import ServingEnvironment
from bot.cli import run
from tests.promote.world import RealStore, World, git
from tests.serve.artifacts import an_artifact

ROOT = Path(__file__).resolve().parents[2]


class Person:
    """Somebody with a clone, typing commands."""

    def __init__(self, world: World, capsys: pytest.CaptureFixture[str]) -> None:
        self.world, self.capsys, self.clone = world, capsys, world.root / "mine"

    def types(self, *words: str) -> tuple[int, str]:
        """Exit code and everything that was said."""
        self.capsys.readouterr()
        code = run([*words, "--repo", str(self.clone)])
        said = self.capsys.readouterr()
        return code, said.out + said.err


def a_world(folder: Path) -> World:
    """Policies, real DVC and ruth's clone; `attic` is frozen, `vault` delivered by pull request."""
    world = World(folder)
    seed = folder / "seed"
    shutil.copytree(ROOT / "policies", seed / "policies")
    policy = seed / "policies" / "environments.yaml"
    policy.write_text(
        policy.read_text().replace("environments:\n", "environments:\n" + EXTRA, 1) + FREEZE, encoding="utf-8"
    )
    git(seed, "add", ".")
    git(seed, "-c", "user.name=ana", "-c", "user.email=ana@example.com", "commit", "-qm", "policies")
    git(seed, "push", "-q", "origin", "HEAD:main")
    world.main = git(seed, "rev-parse", "HEAD")
    git(folder, "clone", "-q", "origin.git", "mine")
    git(folder / "mine", "config", "user.name", "ruth")
    world.artifacts = RealStore(folder / "mine")  # type: ignore[assignment]
    return world


EXTRA = """  attic:
    promoters: [release-manager]
  vault:
    promoters: [release-manager]
    delivery: pull_request
"""
FREEZE = """
freeze_windows:
  - name: stocktaking
    kind: deny
    environments: [attic]
    dtstart: "2020-01-01T00:00:00"
    rrule: FREQ=DAILY
    duration: 24h
    time_zone: UTC
    reason: counted by hand
"""


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world that no test changes."""
    return a_world(tmp_path_factory.mktemp("untouched"))


@pytest.fixture
def person(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Person:
    return Person(a_world(tmp_path), capsys)


def evaluated(world: World, **changes: Any) -> str:
    """The digest of a new evaluation in the ledger."""
    artifact = an_artifact(onnx=False, **changes)
    return world.evaluated(artifact["training"], artifact["files"])[0].digest()


@pytest.mark.slow
def test_a_release_manager_works_by_hand(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """Evaluation -> staging -> production -> next -> rollback, with what the commands say about it."""
    first, second = evaluated(person.world), evaluated(person.world, shift=0.9)
    assert person.types("environments") == (0, "Nothing is live in any environment.\n")
    code, said = person.types("promote", "churn", "--to", "production")
    assert code == 1
    assert "churn is not live in staging" in said
    code, said = person.types("promote", "churn", "--to", "production", "--evaluation", first[7:19])
    assert code == 1
    assert "is not live in staging, which the policy asks for first" in said
    assert person.types("promote", "churn", "--to", "staging", "--evaluation", first[7:19])[0] == 0
    monkeypatch.setattr(ServingEnvironment, "check", lambda *_, **__: None)  # once is enough: it starts a scikit-learn
    code, said = person.types("promote", "churn", "--to", "production")
    assert (code, "churn v1.0.0 is live in production" in said) == (0, True)
    assert person.types("promote", "churn", "--to", "staging", "--evaluation", second)[0] == 0
    assert person.types("promote", "churn", "--to", "production")[0] == 0
    code, said = person.types("rollback", "production", "churn", "--reason", "complaints")
    assert (code, "churn v1.0.0 is live in production again" in said) == (0, True)

    live = json.loads(person.types("environments", "--json")[1])
    assert [(one["environment"], one["version"]) for one in live] == [("staging", "v1.1.0"), ("production", "v1.0.0")]
    history = json.loads(person.types("history", "churn", "--json")[1])
    assert [(one["action"], one["environment"], one["version"]) for one in history] == [
        ("promote", "staging", "v1.0.0"),
        ("promote", "production", "v1.0.0"),
        ("promote", "staging", "v1.1.0"),
        ("promote", "production", "v1.1.0"),
        ("rollback", "production", "v1.0.0"),
    ]
    assert {one["promoted_by"]["login"] for one in history} == {"ruth"}
    at = person.types("history", "churn", "--at", "2000-01-01T00:00:00Z")[1]
    assert at == "Nothing was live.\n"
    code, said = person.types("verify", "churn", "--environment", "production")
    assert (code, "The chain holds." in said) == (0, True), said
    assert "ok      bytes" in said
    assert "hold" in person.types("environments")[1]

    code, said = person.types("verified", "churn", "--environment", "staging", "--outcome", "passed", "--because", "ok")
    assert (code, said) == (0, "churn v1.1.0 in staging: passed (ok).\n")
    other = ["--because", "ok", "--digest", "sha256:" + "0" * 64]
    code, said = person.types("verified", "churn", "--environment", "staging", "--outcome", "passed", *other)
    assert (code, "Nothing was recorded" in said) == (1, True)
    code, said = person.types("withdraw", "staging", "churn", "--reason", "law")
    assert (code, "nothing of it is live there" in said) == (0, True)
    assert [one["environment"] for one in json.loads(person.types("environments", "--json")[1])] == ["production"]


def test_a_revoked_artifact_goes_nowhere_and_is_named_where_it_is_live(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ServingEnvironment, "check", lambda *_, **__: None)
    artifact = an_artifact(onnx=False)
    evaluation = person.world.evaluated(artifact["training"], artifact["files"])[0]
    assert person.types("promote", "churn", "--to", "staging", "--evaluation", evaluation.digest())[0] == 0
    bare = evaluation.artifact_digest.removeprefix("sha256:")
    for word, code in ((bare[:11], "too short"), ("0" * 64, "no artifact")):
        assert code in person.types("revoke", word, "--reason", "leak")[1]
    code, said = person.types("revoke", bare[:12], "--reason", "leaked labels")
    assert code == 0 and "mlbot rollback staging churn" in said
    assert "revoked by ruth" in person.types("environments")[1]
    code, said = person.types("verify", "churn", "--environment", "staging")
    assert code == 1 and "BROKEN  revocation" in said
    code, said = person.types(
        "promote", "churn", "--to", "production", "--force", "--reason", "sure", "--version", "v1.0.0"
    )
    assert code == 1 and "leaked labels" in said, "no force lets it out"
    assert person.types("withdraw", "staging", "churn", "--reason", "revoked")[0] == 0
    code, said = person.types("promote", "churn", "--to", "staging", "--evaluation", evaluation.digest())
    assert code == 1 and "was revoked by ruth" in said


def test_deleted_files_are_no_withdrawal(person: Person) -> None:
    """What somebody deletes on the branch is said to be lost, and a rollback writes it again."""
    world, artifact = person.world, an_artifact(onnx=False)
    world.let_out(*world.evaluated(artifact["training"], artifact["files"]))
    seed = world.root / "seed"
    git(seed, "fetch", "-q", "origin")
    git(seed, "checkout", "-q", "-B", "spoiled", "origin/mlbot/environments")
    git(seed, "rm", "-rq", "production/churn")
    git(seed, "-c", "user.name=eve", "-c", "user.email=eve@example.com", "commit", "-qm", "tidy up")
    git(seed, "push", "-q", "origin", "spoiled:mlbot/environments")
    lost = "churn v1.0.0 is live in production by the ledger (change 1), but mlbot/environments has lost it"
    code, said = person.types("environments")
    assert (code, f"warning: {lost}" in said) == (0, True), said
    code, said = person.types("verify", "churn", "--environment", "production")
    assert (code, lost in said, "`mlbot rollback` writes the last good one again" in said) == (1, True, True), said
    assert person.types("rollback", "production", "churn", "--reason", "deleted")[0] == 0
    assert "warning" not in person.types("environments")[1]
    code, said = person.types("verify", "churn", "--environment", "production")
    assert (code, "The chain holds." in said) == (0, True), said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["promote", "churn", "--to", "moon"], "There are: attic, vault, staging, production."),
        (["promote", "churn", "--to", "staging", "--version", "v3.0.0"], "has no version v3.0.0"),
        (["promote", "churn", "--to", "staging", "--evaluation", "abc"], "0 evaluations of churn"),
        (["promote", "churn", "--to", "staging", "--force"], "--force needs a --reason"),
        (["promote", "churn", "--to", "attic", "--version", "v1.0.0"], "attic is closed: Freeze stocktaking: counted"),
        (["promote", "churn", "--to", "vault", "--version", "v1.0.0"], "delivered by pull requests"),
        (["rollback", "moon", "churn", "--reason", "x"], "There are: attic, vault, staging, production."),
        (["withdraw", "moon", "churn", "--reason", "x"], "there is no environment 'moon'"),
        (["verify", "churn", "--environment", "moon"], "there is no environment 'moon'"),
        (["serve", "--environment", "moon"], "there is no environment 'moon'"),
        (["serve", "--environment", "staging", "--port", "99999"], "0<=x<=65535"),
        (
            ["verified", "churn", "--environment", "staging", "--outcome", "odd", "--because", "x"],
            "'odd' is not one of",
        ),
        (["withdraw", "production", "churn", "--reason", "x"], "churn is not live in production"),
        (["rollback", "production", "churn", "--reason", "x"], "churn in production was never live"),
        (["rollback", "production", "churn", "--reason", "x", "--to", "v9.0.0"], "was never live in production"),
        (["history", "churn"], "churn was never promoted"),
        (["verify", "churn", "--environment", "production"], "churn is not live in production"),
        (["gc", "--keep-days", "-1"], "Invalid value"),
    ],
)
def test_mistakes_are_told_with_the_way_out(
    untouched: World, capsys: pytest.CaptureFixture[str], words: list[str], says: str
) -> None:
    """Exit 1 and a sentence; never a traceback."""
    code, said = Person(untouched, capsys).types(*words)
    assert (code, says in said) == (1, True), said
    assert "Traceback" not in said


def test_outside_of_a_repository(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The commands say that they need a clone."""
    assert run(["environments", "--repo", str(tmp_path)]) == 1
    assert "not in a Git repository" in capsys.readouterr().err
