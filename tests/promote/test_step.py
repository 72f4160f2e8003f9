"""Promotions, rollbacks and withdrawals on a real repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import UserError
from bot.promote.evidence import verify
from bot.promote.step import promotions, rollback, states_of, withdraw
from bot.promote.version import next_version
from bot.records.base import sha256
from bot.records.ledger import artifact_path, release_path
from bot.records.release import Release
from tests.promote.world import OLGA, RUTH, World, git
from tests.serve.artifacts import an_artifact


def tags(world: World) -> list[str]:
    """Tag names at origin."""
    return sorted(git(world.root / "origin.git", "tag").splitlines())


def test_first_promotion_registers_a_version_and_writes_every_view(world: World) -> None:
    """The first release is v1.0.0: on the environments branch, as tags, as a deployment and in the ledger."""
    release = world.promote("one", "staging", reason="ready")
    ports = world.ports("reader")
    live = Release.parse(ports.environments.get(release_path("staging", "churn")) or b"", source="x")
    assert live == release
    assert release.version == "v1.0.0"
    assert tags(world) == ["churn#staging#1", "churn@v1.0.0"]
    assert [one[1] for one in world.deployments.made] == ["staging"]
    assert promotions("churn", ports) == [release]
    assert b"path: artifact" in (ports.environments.get(artifact_path("staging", "churn")) or b"")


def test_a_release_names_and_hashes_every_file_that_travels(world: World) -> None:
    """Also those that are written beside the model once it is evaluated, and after a rollback."""
    artifact = an_artifact("churn", onnx=False)
    files = {**artifact["files"], "README.md": b"# churn", "training.json": b"{}"}
    first = world.let_out(*world.evaluated(artifact["training"], files))
    assert {one.name: (one.sha256, one.size) for one in first.files} == {
        name: (sha256(data), len(data)) for name, data in files.items()
    }
    assert [link.sentence for link in verify(first, world.ports("reader")) if link.ok is False] == []
    world.promote("two")
    ports = world.ports("reader")
    assert rollback("production", "churn", reason="worse", by=RUTH, ports=ports).files == first.files


def test_commit_carries_the_trailers(world: World) -> None:
    """`git log mlbot/environments` says model, version, digests, pull request and who approved."""
    release = world.promote("one")
    said = git(world.root / "origin.git", "log", "-1", "--format=%B", "mlbot/environments")
    for line in (
        "promote churn v1.0.0 to production",
        "Model: churn",
        "Version: v1.0.0",
        f"Artifact-Digest: {release.artifact_digest}",
        f"Evaluation-Digest: {release.evaluation_digest}",
        "Pull-Request: #7",
        "Approved-by: olga (102, model_owner)",
    ):
        assert line in said.splitlines()


def test_same_bytes_keep_their_version_in_the_next_environment(world: World) -> None:
    """What was staging's v1.0.0 is production's v1.0.0, with one registration and one commit behind both tags."""
    world.promote("one", "staging")
    second = world.promote("one", "production")
    assert second.version == "v1.0.0"
    assert tags(world) == ["churn#production#2", "churn#staging#1", "churn@v1.0.0"]
    bare = world.root / "origin.git"
    assert git(bare, "rev-parse", "churn#production#2^{commit}") == git(bare, "rev-parse", "churn@v1.0.0^{commit}")


def test_asking_twice_changes_nothing(world: World) -> None:
    """A redelivered promotion finds itself done."""
    first = world.promote("one")
    before = git(world.root / "origin.git", "for-each-ref")
    assert world.promote("one") == first
    after = git(world.root / "origin.git", "for-each-ref")
    assert before == after
    assert len(world.deployments.made) == 1


@pytest.mark.parametrize(
    ("training", "version"),
    [
        ({}, "v1.1.0"),
        ({"target": "churned"}, "v2.0.0"),
        ({"inputs": ("age", "new_column"), "dropped": ()}, "v2.0.0"),
        ({"inputs": ("age",)}, "v1.1.0"),
    ],
    ids=[
        "other inputs digest: minor",
        "other target: major",
        "a column never sent before: major",
        "fewer inputs: minor",
    ],
)
def test_version_follows_the_change(world: World, training: dict[str, object], version: str) -> None:
    """A caller can read from the version whether the new model needs anything new of it."""
    world.promote("one")
    assert world.promote("two", training=training).version == version


def test_rebuild_of_the_same_inputs_is_a_patch(world: World) -> None:
    """Other bytes of the same inputs (another machine) are v1.0.1."""
    first = world.promote("one")
    assert world.promote("rebuilt", training={"inputs_digest": first.inputs_digest}).version == "v1.0.1"


def test_rollback_makes_the_last_good_version_live_in_one_commit(world: World) -> None:
    """After a rollback the earlier bytes are live, the environment holds, and the tags say so."""
    first = world.promote("one")
    world.promote("two")
    n = int(git(world.root / "origin.git", "rev-list", "--count", "mlbot/environments"))
    back = rollback("production", "churn", reason="complaints", by=RUTH, ports=world.ports())
    assert (back.artifact_digest, back.version, back.hold) == (first.artifact_digest, "v1.0.0", True)
    assert int(git(world.root / "origin.git", "rev-list", "--count", "mlbot/environments")) == n + 1
    assert {"churn#production!#3", "churn#production#3"} <= set(tags(world))


def test_second_rollback_goes_further_back_never_to_the_bad_one(world: World) -> None:
    """v3 -> v2 -> v1: what was rolled back from is not gone back to."""
    for word in ("one", "two", "three"):
        world.promote(word)
    rollback("production", "churn", reason="bad", by=RUTH, ports=world.ports())
    again = rollback("production", "churn", reason="also bad", by=RUTH, ports=world.ports())
    assert again.version == "v1.0.0"
    with pytest.raises(UserError) as caught:
        rollback("production", "churn", reason="?", by=RUTH, ports=world.ports())
    assert caught.value.code == "rollback_target_missing"


def test_an_old_request_that_is_run_again_moves_nothing(world: World) -> None:
    """Somebody presses "Re-run" on the promotion and on the rollback of last week."""
    world.promote("one", trigger="comment 1")
    second = world.promote("two", trigger="comment 2")
    back = rollback("production", "churn", reason="bad", by=RUTH, ports=world.ports(), trigger="comment 3")
    live = world.promote("three", trigger="comment 4")
    assert world.promote("two", trigger="comment 2") == second
    assert rollback("production", "churn", reason="bad", by=RUTH, ports=world.ports(), trigger="comment 3") == back
    assert states_of("churn", world.ports())["production"] == live
    assert len(promotions("churn", world.ports())) == 4


def test_redelivered_rollback_is_one_rollback(world: World) -> None:
    """The same comment handled twice takes the environment back once."""
    for word in ("one", "two", "three"):
        world.promote(word)
    for _ in range(2):
        back = rollback("production", "churn", reason="bad", by=RUTH, ports=world.ports(), trigger="comment 5")
    assert back.version == "v1.1.0"
    assert len(promotions("churn", world.ports())) == 4


@pytest.mark.parametrize(
    ("digest", "revoked", "code"),
    [
        ("sha256:" + "0" * 64, [], "rollback_target_missing"),
        ("first", ["first"], "rollback_target_revoked"),
        ("second", [], "rollback_target_live"),
    ],
    ids=["never live", "revoked", "live already"],
)
def test_rollback_refuses(world: World, digest: str, revoked: list[str], code: str) -> None:
    """A rollback goes only to what was live here and was not revoked."""
    names = {"first": world.promote("one").artifact_digest, "second": world.promote("two").artifact_digest}
    with pytest.raises(UserError) as caught:
        rollback(
            "production", "churn", reason="x", by=RUTH, ports=world.ports(),
            to_digest=names.get(digest, digest), revoked=[names[one] for one in revoked],
        )  # fmt: skip
    assert caught.value.code == code


def test_bytes_that_are_not_those_evaluated_are_refused(world: World) -> None:
    """A store that hands out other bytes promotes nothing."""
    evaluation, pointer = world.candidate("one")
    for folder in world.artifacts.folders.values():
        folder["model.skops"] = b"other bytes"
    from bot.promote.step import promote

    ports = world.ports()
    with pytest.raises(UserError) as caught:
        promote(
            "churn", "production", evaluation, pointer, commit=world.main, number=7, approved_by=(OLGA,),
            promoted_by=RUTH, reason="", ports=ports,
        )  # fmt: skip
    assert caught.value.code == "artifact_mismatch"
    assert states_of("churn", ports) == {}


def test_withdrawal_leaves_nothing_live(world: World) -> None:
    """A withdrawn model has no release and no pointer, and its last word stays readable."""
    world.promote("one", "staging")
    world.promote("one", "production")
    ports = world.ports()
    withdraw("production", "churn", reason="law", by=RUTH, ports=ports)
    assert ports.environments.paths("production/churn/") == ["production/churn/withdrawn.json"]
    assert {env: state.action for env, state in states_of("churn", ports).items()} == {
        "production": "withdraw",
        "staging": "promote",
    }
    with pytest.raises(UserError, match="not live"):
        withdraw("production", "churn", reason="again", by=RUTH, ports=ports)
    assert world.promote("one", "production").version == "v1.0.0"


def test_two_promoters_one_wins_the_other_is_told_who(world: World) -> None:
    """Both read the same state; the second one's push is refused with the winner's name."""
    slow = world.ports("slow")
    world.promote("one", job="fast")
    evaluation, pointer = world.candidate("two")
    from bot.promote.step import promote

    with pytest.raises(UserError) as caught:
        promote(
            "churn", "production", evaluation, pointer, commit=world.main, number=8, approved_by=(OLGA,),
            promoted_by=RUTH, reason="", ports=slow,
        )  # fmt: skip
    assert caught.value.code == "promotion_lost"
    assert "promote v1.0.0 by ruth" in caught.value.message


def test_promotions_of_two_models_at_once_both_land(world: World) -> None:
    """Another model's or environment's promotion meanwhile is no conflict; dvc.yaml names both models."""
    slow = world.ports("slow")
    world.promote("one", model="churn", job="fast")
    evaluation, pointer = world.candidate("one", "taxi")
    from bot.promote.step import promote

    promote(
        "taxi", "production", evaluation, pointer, commit=world.main, number=8, approved_by=(OLGA,),
        promoted_by=RUTH, reason="", ports=slow,
    )  # fmt: skip
    said = git(world.root / "origin.git", "show", "mlbot/environments:dvc.yaml")
    assert "churn:" in said
    assert "taxi:" in said


@pytest.mark.parametrize(
    ("step", "asked", "version"),
    [
        (None, None, "v1.0.0"),
        (None, "0.1.0", "v0.1.0"),
        ("v1.1.0", None, "v1.1.0"),
        ("v1.1.0", "v3.0.0", "v3.0.0"),
        ("v3.0.1", "3.0.0", "v3.0.1"),
        ("v1.10.0", "1.9.0", "v1.10.0"),
    ],
)
def test_the_spec_may_ask_for_a_higher_version_and_never_for_a_lower_one(
    step: str | None, asked: str | None, version: str
) -> None:
    assert next_version(step, asked) == version


def test_the_version_of_the_spec_is_that_of_the_merged_commit(world: World) -> None:
    """`version` in model.yaml names the next release; left there, later releases go on from it."""
    seed = world.root / "seed"
    spec = (Path(__file__).parents[2] / "models" / "bike-rentals" / "model.yaml").read_text()
    (seed / "models" / "churn").mkdir(parents=True)
    (seed / "models" / "churn" / "model.yaml").write_text(f"{spec}\nversion: 3.0.0\n")
    git(seed, "add", ".")
    git(seed, "-c", "user.name=ana", "-c", "user.email=ana@example.com", "commit", "-qm", "spec")
    git(seed, "push", "-q", "origin", "HEAD:main")
    world.main = git(seed, "rev-parse", "HEAD")
    assert [world.promote(word).version for word in ("one", "two")] == ["v3.0.0", "v3.1.0"]


def test_a_model_name_with_a_dot_is_refused(world: World) -> None:
    """GTO cannot carry a dot in a name, so it is said before anything is written."""
    with pytest.raises(UserError) as caught:
        world.promote("one", model="churn.v2")
    assert caught.value.code == "name_invalid"
