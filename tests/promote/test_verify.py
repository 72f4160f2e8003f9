"""`mlbot verify` says which link of the chain breaks when one thing is tampered with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.git import GitBranch
from bot.ports import Run
from bot.promote.evidence import live_release, verify
from bot.promote.provenance import provenance
from bot.promote.writing import readable_json
from bot.records.approval import Approval
from bot.records.decision import Decision
from bot.records.evaluation import Evaluation
from bot.records.event import Account
from bot.records.ledger import (
    ENVIRONMENTS,
    LEDGER,
    Evaluated,
    approval_path,
    artifact_path,
    decision_path,
    evaluation_path,
    promotion_path,
    release_path,
    reproduction_path,
)
from bot.records.plan import DataFile
from bot.records.release import Approver, Release
from bot.records.reproduction import Reproduction
from tests.builders import a_decision, a_digest, a_release, a_training, an_evaluation
from tests.promote.world import OLGA, World, git


def said_yes(evaluation: Evaluation) -> tuple[Approval, Decision]:
    """Olga's approval of an evaluation, and the decision that counts it."""
    digests = Evaluated(
        inputs_digest=evaluation.inputs_digest,
        evaluation_digest=evaluation.digest(),
        artifact_digest=evaluation.artifact_digest,
    )
    approval = Approval(
        id="c5.1", number=7, kind="approve", method="command", actor=Account(id=OLGA.id, login=OLGA.login),
        roles=("model_owner",), head_sha="c" * 40, target=None, selectors=(), models={"churn": digests},
        environment=None, reason="", body_sha256=a_digest("body"), policy_digest=a_digest("policy"),
        created_at="2026-11-23T10:00:00Z",
    )  # fmt: skip
    decision = a_decision("approved")
    verdict = decision.models[0].model_copy(update={**digests.model_dump(), "approvals": (approval.id,)})
    return approval, decision.model_copy(update={"models": (verdict,), "subject": "production"})


def released(world: World) -> Release:
    """A release with everything behind it: evaluation, approval, decision, merged commit."""
    evaluation, pointer = world.candidate("one")
    approval, decision = said_yes(evaluation)
    facts = {
        approval_path(7, approval.id): approval.canonical(),
        decision_path(7, decision.digest()): decision.canonical(),
    }
    world.ports("writer").ledger.commit(facts, "decide")
    live: Release = world.let_out(evaluation, pointer, decision_digest=decision.digest())
    return live


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Release]:
    """A world with a release that nobody has tampered with yet."""
    world = World(tmp_path_factory.mktemp("before"))
    return world, released(world)


def broken(world: World) -> list[str]:
    """Names of the broken links, as a reader with a fresh clone sees them."""
    ports = world.ports("reader")
    ports.git.fetch("+refs/tags/*:refs/tags/*", "+refs/heads/main:refs/remotes/origin/main")
    release = live_release("churn", "production", ports)
    return [link.name for link in verify(release, ports) if link.ok is False]


def write(world: World, branch: str, files: dict[str, Any]) -> None:
    """Somebody with push access writes to a branch of the bot (no append-only guard stops them)."""
    ports = world.ports("thief")
    found = GitBranch(ports.git, branch)  # type: ignore[arg-type]
    found.refresh()
    found.commit(files, "tamper")


def change_bytes(world: World, release: Release) -> None:
    for folder in world.artifacts.folders.values():
        folder["model.skops"] = b"evil"


def change_pointer(world: World, release: Release) -> None:
    pointer = world.artifacts.keep({"model.skops": b"evil"})
    write(world, ENVIRONMENTS, {artifact_path("production", "churn"): pointer.encode()})


def change_release(world: World, release: Release) -> None:
    forged = release.model_copy(update={"approved_by": (*release.approved_by, Approver(id=9, login="eve", role="x"))})
    write(world, ENVIRONMENTS, {release_path("production", "churn"): readable_json(forged)})


def change_version(world: World, release: Release) -> None:
    forged = release.model_copy(update={"version": "v9.0.0"})
    write(world, ENVIRONMENTS, {release_path("production", "churn"): readable_json(forged)})


def change_fact(world: World, release: Release) -> None:
    forged = release.model_copy(update={"reason": "another reason"})
    write(world, LEDGER, {promotion_path("churn", release.counter, "production"): forged.canonical()})


def remove_fact(world: World, release: Release) -> None:
    write(world, LEDGER, {promotion_path("churn", release.counter, "production"): None})


def change_evaluation(world: World, release: Release) -> None:
    path = evaluation_path("churn", release.inputs_digest, release.evaluation_digest)
    data = world.ports("thief").ledger.get(path) or b""
    write(world, LEDGER, {path: data.replace(b'"verdict":"pass"', b'"verdict":"fail"')})


def change_approval(world: World, release: Release) -> None:
    path = approval_path(7, "c5.1")
    data = world.ports("thief").ledger.get(path) or b""
    write(world, LEDGER, {path: data.replace(release.inputs_digest.encode(), a_digest("other").encode())})


def remove_approval(world: World, release: Release) -> None:
    write(world, LEDGER, {approval_path(7, "c5.1"): None})


def change_decision(world: World, release: Release) -> None:
    path = decision_path(7, release.decision_digest or "")
    data = world.ports("thief").ledger.get(path) or b""
    write(world, LEDGER, {path: data.replace(b'"approved"', b'"rejected"')})


def remove_version_tag(world: World, release: Release) -> None:
    git(world.root / "origin.git", "tag", "-d", "churn@v1.0.0")


def move_version_tag(world: World, release: Release) -> None:
    git(world.root / "origin.git", "-c", "user.name=eve", "-c", "user.email=e@example.com",
        "tag", "-f", "-a", "-m", "mine", "churn@v1.0.0", world.main)  # fmt: skip


def assign_by_hand(world: World, release: Release) -> None:
    git(world.root / "origin.git", "-c", "user.name=eve", "-c", "user.email=e@example.com",
        "tag", "-a", "-m", "mine", "churn#production#99", world.main)  # fmt: skip


def rewind_main(world: World, release: Release) -> None:
    tree = git(world.root / "origin.git", "rev-parse", f"{world.main}^{{tree}}")
    other = git(world.root / "origin.git", "-c", "user.name=eve", "-c", "user.email=e@example.com",
                "commit-tree", "-m", "rewritten", tree)  # fmt: skip
    git(world.root / "origin.git", "update-ref", "refs/heads/main", other)


@pytest.mark.parametrize(
    ("tamper", "links"),
    [
        (change_bytes, ["bytes"]),
        (change_pointer, ["bytes"]),
        (change_release, ["environments_commit", "ledger_fact", "approvals"]),
        (change_version, ["environments_commit", "ledger_fact", "version_tag", "environment_tag"]),
        (change_fact, ["ledger_fact", "append_only"]),
        (remove_fact, ["ledger_fact", "append_only"]),
        (change_evaluation, ["evaluation", "append_only"]),
        (change_approval, ["append_only", "approvals"]),
        (remove_approval, ["append_only", "approvals"]),
        (change_decision, ["append_only", "decision"]),
        (remove_version_tag, ["version_tag", "environment_tag"]),
        (move_version_tag, ["version_tag", "environment_tag"]),
        (assign_by_hand, ["environment_tag"]),
        (rewind_main, ["merged_commit"]),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_the_broken_link_is_named(
    tmp_path: Path, before: tuple[World, Release], tamper: Callable[[World, Release], None], links: list[str]
) -> None:
    """Exactly the links that the tampering touches are broken."""
    world, release = before[0].copied(tmp_path), before[1]
    tamper(world, release)
    assert broken(world) == links


def test_an_untouched_chain_holds(tmp_path: Path) -> None:
    """Nothing is broken; without keys only the signature cannot be looked at."""
    world = World(tmp_path)
    released(world)
    assert broken(world) == []
    ports = world.ports("reader")
    links = verify(live_release("churn", "production", ports), ports)
    assert [link.name for link in links if link.ok is None] == ["reproduced", "provenance", "summary"]


def test_an_older_release_put_back_word_for_word_is_found_and_what_was_live_once_still_verifies(
    tmp_path: Path, before: tuple[World, Release]
) -> None:
    """Files, commit message and signatures of an old release are the bot's own; that it is not the newest shows."""
    world, release = before[0].copied(tmp_path), before[1]
    branch = world.ports("reader").environments
    files = {path: branch.get(path) for path in branch.paths("production/")}
    (_, _, message), *_ = branch.log(release_path("production", "churn"))
    world.promote("two")
    ports = world.ports("reader")
    ports.git.fetch("+refs/tags/*:refs/tags/*")
    assert [link.name for link in verify(release, ports, is_live=False) if link.ok is False] == []
    world.ports("thief").environments.commit(files, message)
    assert broken(world) == ["ledger_fact", "environment_tag"]


def signed(world: World, name: str = "job") -> Any:
    """Ports of a job that signs, and of readers that know its public key."""
    from dataclasses import replace

    from bot.adapters.signed_branch import SignedBranch
    from bot.adapters.signing import KeyPair

    ports = world.ports(name)
    signer = KeyPair(KEY[0], {"bot.pub": KEY[1]})
    return replace(
        ports,
        signer=signer,
        ledger=SignedBranch(ports.ledger, LEDGER, signer),
        environments=SignedBranch(ports.environments, ENVIRONMENTS, signer),
    )


def test_the_provenance_names_spec_and_data_by_sha256() -> None:
    """Materials: the commit, the spec and each data file with SHA-256, beside the MD5 that DVC knows it by."""
    file = DataFile(path="data/churn.csv", md5="0" * 32, sha256=a_digest("data"))
    evaluation = an_evaluation("churn", training=a_training("churn", data_files=(file,)))
    run = Run(7, 1, "https://github.com/team/models/actions/runs/7", "train", "pull-request", "team/models", "ana", "")
    statement = provenance(a_release("churn"), evaluation, a_digest("spec"), run, "https://github.com")
    materials = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert [set(one["digest"]) for one in materials] == [{"gitCommit"}, {"sha256"}, {"md5", "sha256"}]
    assert materials[2]["digest"]["sha256"] == a_digest("data").removeprefix("sha256:")


def other_statement(world: World, path: str) -> bytes:
    """Signed by a key that nobody trusts."""
    from bot.adapters.signing import KeyPair, generate

    private, public = generate()
    return KeyPair(private, {"x": public}).sign("application/vnd.in-toto+json", b"{}")


KEY: Any = None


@pytest.fixture(scope="module", autouse=True)
def key() -> None:
    """One key pair for the module."""
    from bot.adapters.signing import generate

    global KEY
    KEY = generate()


def test_a_signed_release_verifies_and_unsigned_changes_do_not(tmp_path: Path) -> None:
    """With keys every file of the bot's branches and the statements are signed; what others write is refused."""
    from functools import partial

    from bot.decide.attestation import summary
    from bot.errors import UserError
    from bot.promote.step import promote
    from bot.records.ledger import attestation_path, pointer_path
    from tests.promote.world import RUTH

    world = World(tmp_path)
    evaluation, pointer = world.candidate("one")
    ports = signed(world)
    keys = ("churn", evaluation.inputs_digest, evaluation.digest())
    approval, decision = said_yes(evaluation)
    facts = {
        evaluation_path(*keys): evaluation.canonical(),
        pointer_path(*keys): pointer.encode(),
        approval_path(7, approval.id): approval.canonical(),
        decision_path(7, decision.digest()): decision.canonical(),
    }
    ports.ledger.commit(facts, "signed by the job that wrote them")
    promote(
        "churn", "production", evaluation, pointer, commit=world.main, number=7, approved_by=(OLGA,),
        promoted_by=RUTH, reason="", ports=ports, decision_digest=decision.digest(),
        summarize=partial(summary, repository="github.com/team/models", policy_uri="policies", verifier="mlbot"),
    )  # fmt: skip
    reader = signed(world, "reader")
    release = live_release("churn", "production", reader)
    links = {link.name: link for link in verify(release, reader)}
    assert {name: link.ok for name, link in links.items() if link.ok is not True} == {"reproduced": None}
    assert {"provenance", "summary"} <= set(links)
    for run, outcome, holds in ((8, "failed", None), (9, "same", True), (10, "differs", False)):
        fact = Reproduction(
            model="churn", number=7, inputs_digest=keys[1], evaluation_digest=keys[2], artifact_digest=None,
            outcome=outcome, sentence="x", run={"id": run, "attempt": 1}, runner="gpu-1", architecture="aarch64",
            at="2026-11-30T00:00:00Z",
        )  # fmt: skip
        ports.ledger.commit({reproduction_path(*keys, run, 1): fact.canonical()}, "reproduced")
        (link,) = [one for one in verify(release, signed(world, "reader")) if one.name == "reproduced"]
        assert link.ok is holds and (holds is None or f"run {run} on gpu-1" in link.sentence)

    for kind in ("provenance", "summary"):
        statement = attestation_path("churn", release.counter, "production", kind)
        write(world, LEDGER, {statement: other_statement(world, statement)})
    links = {link.name: link for link in verify(release, signed(world, "reader"))}
    assert [name for name, link in links.items() if link.ok is False] == ["reproduced", "provenance", "summary"]

    change_release(world, release)
    with pytest.raises(UserError) as caught:
        live_release("churn", "production", signed(world, "reader"))
    assert caught.value.code == "signature_invalid"
