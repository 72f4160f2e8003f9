"""in-toto statements about a release: how it was built, from what, on which machine (SLSA provenance v1).

https://slsa.dev/spec/v1.0/provenance and https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
"""

from __future__ import annotations

from typing import Any

from bot.ports import Run
from bot.records.base import canonical_json
from bot.records.evaluation import Evaluation
from bot.records.release import Release

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/provenance/v1"
SUMMARY = "https://slsa.dev/verification_summary/v1"
BUILD_TYPE = "https://mlbot.dev/train/v1"  # an identifier; docs/deployment.md says what its parameters mean


def provenance(release: Release, evaluation: Evaluation, spec: str | None, run: Run, server_url: str) -> dict[str, Any]:
    """The statement: subjects are the artifact's files, materials the commit, the spec and each data file.

    `spec` is the SHA-256 of model.yaml at the release's commit, None when it was not read; `run` is who writes it.
    """
    training = evaluation.training
    repository = f"git+{server_url}/{run.repository}" if run.repository else "git+local"
    return {
        "_type": STATEMENT,
        "subject": [
            {"name": f"{release.model}/{file.name}", "digest": {"sha256": _hex(file.sha256)}} for file in release.files
        ],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "model": release.model,
                    "repository": repository,
                    "commit": release.commit,
                    "pull_request": release.pull_request,
                },
                "internalParameters": {
                    "inputs_digest": release.inputs_digest,
                    "estimator": training.estimator,
                    "packages": dict(sorted(training.machine.packages.items())),
                },
                "resolvedDependencies": _materials(release, evaluation, spec, repository),
            },
            "runDetails": {
                "builder": {"id": _builder(evaluation, run, server_url)},
                "metadata": {"invocationId": str(evaluation.run.get("url") or evaluation.run.get("id") or "")},
                "byproducts": [
                    {"name": "evaluation", "digest": {"sha256": _hex(release.evaluation_digest)}},
                    {"name": "machine", "annotations": {"architecture": training.machine.architecture}},
                ],
            },
        },
    }


def payload(statement: dict[str, Any]) -> bytes:
    """The bytes that are signed."""
    return canonical_json(statement)


def mismatch(statement: Any, release: Release) -> str | None:
    """What a statement says other than the release, None when it is about exactly this release."""
    try:
        subjects = {one["name"]: one["digest"]["sha256"] for one in statement["subject"]}
        definition = statement["predicate"]["buildDefinition"]
        said = (definition["externalParameters"]["commit"], definition["internalParameters"]["inputs_digest"])
        kinds = (statement["_type"], statement["predicateType"], definition["buildType"])
        unknown = set(definition["externalParameters"]) - {"model", "repository", "commit", "pull_request"}
    except (KeyError, TypeError):
        return "it is no provenance statement"
    if kinds != (STATEMENT, PREDICATE, BUILD_TYPE):
        return f"it is of type {kinds[1]}"
    if unknown:
        return f"it has parameters that nobody knows: {', '.join(sorted(unknown))}"
    if subjects != {f"{release.model}/{file.name}": _hex(file.sha256) for file in release.files}:
        return "its subjects are other files"
    if said != (release.commit, release.inputs_digest):
        return "it names another commit or other inputs"
    return None


def summary_mismatch(statement: Any, release: Release) -> str | None:
    """What a Verification Summary Attestation says other than that this artifact passed, None when it says so."""
    try:
        digests = {one["digest"]["sha256"] for one in statement["subject"]}
        kinds = (statement["_type"], statement["predicateType"])
        verdict = statement["predicate"]["verificationResult"]
    except (KeyError, TypeError):
        return "it is no verification summary"
    if kinds != (STATEMENT, SUMMARY):
        return f"it is of type {kinds[1]}"
    if _hex(release.artifact_digest) not in digests:
        return "it is about another artifact"
    return None if verdict == "PASSED" else f"it says {verdict}"


def _materials(release: Release, evaluation: Evaluation, spec: str | None, repository: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{"uri": repository, "digest": {"gitCommit": release.commit}}]
    if spec is not None:
        found.append({"name": f"models/{release.model}/model.yaml", "digest": {"sha256": _hex(spec)}})
    for file in evaluation.training.data_files:
        digests = {"md5": file.md5, **({"sha256": _hex(file.sha256)} if file.sha256 else {})}
        found.append({"name": file.path, "digest": digests})
    return found


def _builder(evaluation: Evaluation, run: Run, server_url: str) -> str:
    workflow = evaluation.run.get("workflow") or run.workflow
    return f"{server_url}/{run.repository}/actions/workflows/{workflow}" if run.repository else "local"


def _hex(digest: str) -> str:
    return digest.removeprefix("sha256:")
