"""What the ledger and the environments branch say about releases."""

from __future__ import annotations

from collections.abc import Iterable

from bot.errors import UserError
from bot.ledger import Environments, Ledger
from bot.ports import Ports
from bot.promote.version import newest, numbers, version_of
from bot.records.decision import Decision
from bot.records.evaluation import Evaluation
from bot.records.ledger import LEDGER, bare, evaluation_path
from bot.records.release import Release, Revocation, Verification
from bot.specs.model import read_model_spec


def states_of(model: str, ports: Ports) -> dict[str, Release]:
    """The last word of each environment on the model, a withdrawal included."""
    return Environments(ports.environments).states((model,))[model]


def live_releases(ports: Ports) -> list[Release]:
    """Everything that is live, by environment and model."""
    return Environments(ports.environments).all_live().whole


def lost_releases(ports: Ports) -> list[Release]:
    """What is live by the ledger and gone from the environments branch: its files were deleted, nobody withdrew it."""
    ledger, there, found = Ledger(ports.ledger), Environments(ports.environments).names(), []
    for (model, environment), counter in sorted(ledger.newest_counters().items()):
        if (environment, model) not in there:
            fact = ledger.release(model, counter, environment)
            found += [fact] if fact is not None and fact.action != "withdraw" else []
    return found


def promotions(model: str, ports: Ports) -> list[Release]:
    """Every change of any environment of the model that the ledger holds, oldest first."""
    return Ledger(ports.ledger).releases(model).whole


def pointer_of(release: Release, ports: Ports) -> str:
    """The DVC pointer to a release's artifact. Raises UserError (code `artifact_missing`)."""
    found = Ledger(ports.ledger).pointer(release.model, release.inputs_digest, release.evaluation_digest)
    if found is None:
        raise UserError(
            f"the ledger has no pointer to the artifact of {release.model} {release.version}", code="artifact_missing"
        )
    return found


def evaluation_of(release: Release, ports: Ports) -> Evaluation:
    """The evaluation behind a release. Raises UserError (codes `evaluation_missing`, `evaluation_mismatch`)."""
    evaluation = Ledger(ports.ledger).evaluation(release.model, release.inputs_digest, release.evaluation_digest)
    if evaluation is None:
        raise UserError(
            f"the ledger has no evaluation {release.evaluation_digest}",
            hint=f"Nothing is ever deleted from {LEDGER}: look who moved it, and put back what it was.",
            code="evaluation_missing",
        )
    if evaluation.digest() != release.evaluation_digest:
        path = evaluation_path(release.model, release.inputs_digest, release.evaluation_digest)
        raise UserError(f"{path} is not the evaluation that its name says", code="evaluation_mismatch")
    return evaluation


def decision_of(release: Release, ports: Ports) -> Decision | None:
    """The decision that let a release out; None when it carries none, or the ledger holds none that can be read."""
    if release.decision_digest is None or release.pull_request is None:
        return None
    try:
        return Ledger(ports.ledger).decision(release.pull_request, release.decision_digest)
    except UserError:
        return None


def newest_evaluation(releases: Iterable[Release], ports: Ports) -> Evaluation | None:
    """The evaluation of the highest version, None when there is none or the ledger lost it."""
    top = newest(releases)
    if top is None:
        return None
    return Ledger(ports.ledger).evaluation(top.model, top.inputs_digest, top.evaluation_digest)


def asked_version(model: str, commit: str, ports: Ports) -> str | None:
    """The version that the model's spec asks for at a commit; None when it asks for none or cannot be read."""
    path = f"models/{model}/model.yaml"
    try:
        data = ports.git.read(commit, path)
        return read_model_spec(data, path).version if data is not None else None
    except UserError:
        return None


def digest_of_version(model: str, environment: str, version: str, ports: Ports) -> str:
    """The artifact digest of a version that was live in the environment. Raises UserError."""
    live = [one for one in promotions(model, ports) if one.environment == environment and one.action != "withdraw"]
    for release in live:
        if release.version == (version if version.startswith("v") else f"v{version}"):
            return release.artifact_digest
    known = sorted({release.version for release in live}, key=numbers)
    raise UserError(
        f"{model} {version} was never live in {environment}", hint=f"There were: {', '.join(known) or 'none'}."
    )


def verifications(model: str, ports: Ports) -> list[Verification]:
    """Every verification of the model's releases, oldest first."""
    return sorted(Ledger(ports.ledger).verifications(model).whole, key=lambda one: one.checked_at)


def revoked_digests(model: str, ports: Ports) -> set[str]:
    """Artifacts that people revoked, or whose last verification that said anything has failed."""
    last = {one.artifact_digest: one.outcome for one in verifications(model, ports) if one.outcome != "error"}
    failed = {digest for digest, outcome in last.items() if outcome == "failed"}
    return failed | set(Ledger(ports.ledger).revoked())


def revocation_of(artifact_digest: str, ports: Ports) -> Revocation | None:
    """Who revoked the artifact and why; None when nobody did. Raises UserError for a word that cannot be read."""
    return Ledger(ports.ledger).revocation(artifact_digest)


def known_artifact(word: str, ports: Ports) -> str:
    """The digest of the one artifact, evaluated or released, whose digest begins with these hexadecimal digits.

    Raises UserError (code `artifact_unknown`) when there is none, or are several.
    """
    ledger = Ledger(ports.ledger)
    judged = (ledger.evaluation(*where) for where in ledger.evaluation_names())
    known = {one.artifact_digest for one in judged if one is not None}
    known |= {one.artifact_digest for one in ledger.all_releases().whole}
    found = sorted(one for one in known if bare(one).startswith(bare(word).lower()))
    if len(found) != 1:
        said = "no artifact that was evaluated or released" if not found else f"{len(found)} artifacts"
        hint = "`mlbot environments --json` and the report's page have digests of 64 digits."
        raise UserError(f"{said} begins with {bare(word)}", hint=hint, code="artifact_unknown")
    return found[0]


def is_newest(artifact_digest: str, model: str, ports: Ports) -> bool:
    """Whether these bytes are the model's current candidate: not registered yet, or the highest version."""
    known = promotions(model, ports)
    top, version = newest(known), version_of(artifact_digest, known)
    return version is None or top is None or numbers(version) >= numbers(top.version)


def candidate_of_evaluation(model: str, environment: str, digest: str, ports: Ports) -> Release:
    """A release that was never live yet, from an evaluation in the ledger named by (the beginning of) its digest.

    Its commit is the default branch's tip. Raises UserError when none or several begin so.
    """
    wanted = digest.removeprefix("sha256:")
    ledger = Ledger(ports.ledger)
    found = [where for where in ledger.evaluation_names(model) if where[2].startswith(wanted)]
    evaluation = ledger.evaluation(*found[0]) if len(found) == 1 else None
    if evaluation is None:
        raise UserError(f"{len(found)} evaluations of {model} in the ledger begin with {wanted!r}")
    return Release(
        model=model,
        environment=environment,
        version="v0.0.0",
        action="promote",
        artifact_digest=evaluation.artifact_digest,
        evaluation_digest=evaluation.digest(),
        inputs_digest=evaluation.inputs_digest,
        files=evaluation.training.files,
        commit=ports.git.resolve(f"origin/{ports.default_branch}"),
        pull_request=None,
        approved_by=(),
        promoted_by=None,
        reason="",
        released_at="1970-01-01T00:00:00Z",
        previous_artifact_digest=None,
    )
