"""Let a release out, take it back, and finish what a crash left half-written.

The commit on the environments branch is the one moment that counts: before it nothing happened. After it the fact in
the ledger follows from the state that it wrote (`settle`), and then what only mirrors it (`show_views`: tags, GitHub
Deployment).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from bot.errors import MlbotError, Parts, Place, UserError, WorldError
from bot.ledger import Environments, Ledger
from bot.ports import Ports
from bot.promote.artifact import check_artifact
from bot.promote.compose import Wanted, promoted, rolled_back, same, withdrawn
from bot.promote.lineage import carried_out, in_order, rollback_target
from bot.promote.manifest import render
from bot.promote.provenance import PAYLOAD_TYPE, payload, provenance
from bot.promote.reading import (
    asked_version,
    candidate_of_evaluation,
    decision_of,
    digest_of_version,
    evaluation_of,
    is_newest,
    known_artifact,
    live_releases,
    newest_evaluation,
    pointer_of,
    promotions,
    revocation_of,
    revoked_digests,
    states_of,
    verifications,
)
from bot.promote.tags import checked_name
from bot.promote.views import owed_file
from bot.promote.views import show as show_views
from bot.promote.writing import environment_files, message, state_path
from bot.records.base import sha256
from bot.records.decision import Decision
from bot.records.evaluation import Evaluation
from bot.records.event import Account
from bot.records.ledger import (
    artifact_path,
    attestation_path,
    promotion_path,
    release_path,
    revocation_path,
    withdrawn_path,
)
from bot.records.release import Approver, Release, Revocation
from bot.records.training import ArtifactFile, Training
from bot.specs.deployment import FILE, Target, read_deployment

ATTEMPTS = 5
# A Decision's Verification Summary Attestation (bot.decide.attestation), None when it is about no artifact.
Summarize = Callable[[Decision], dict[str, Any] | None]


class Probe(Protocol):
    """Loads and asks an artifact in the environment that will serve it."""

    def __call__(self, folder: Path, training: Training) -> None:
        """Raises UserError (code `load_check_failed`)."""


__all__ = [
    "Probe", "candidate_of_evaluation", "check_artifact", "digest_of_version", "evaluation_of", "finish",
    "is_live", "is_newest", "known_artifact", "live_releases", "pointer_of", "promote", "promotions", "revocation_of",
    "revoke", "revoked_digests", "rollback",
    "settle", "settle_all", "show_views", "states_of", "verifications", "withdraw",
]  # fmt: skip


def promote(
    model: str,
    environment: str,
    evaluation: Evaluation,
    pointer: str,
    *,
    commit: str,
    number: int | None,
    approved_by: tuple[Approver, ...],
    promoted_by: Approver | None,
    reason: str,
    ports: Ports,
    is_candidate: bool | None = None,
    trigger: str | None = None,
    decision_digest: str | None = None,
    probe: Probe | None = None,
    summarize: Summarize | None = None,
    settles: bool = True,
) -> Release:
    """Make the evaluated bytes live; the Release that this made. Safe to call again after any crash.

    `settles` False leaves the fact to `settle_all`, and tags and deployment to `show_views`, which the caller asks for
    all its models at once. A tag or a deployment that cannot be written raises nothing: `ports.views` keeps why.

    The same `trigger` twice is one promotion, also when something else went live since. `commit` is on the default
    branch, `number` the pull request; `promoted_by` None is the policy by itself. `is_candidate` False (somebody
    promotes another than the newest candidate; None: found out by the versions) puts a hold on the environment. Raises
    UserError when the bytes are not those that were evaluated (`artifact_mismatch`), when the environment holds and no
    person promotes (`environment_holds`), when the artifact was revoked (`revoked`), or when somebody else promoted
    meanwhile (`promotion_lost`, saying who).
    """
    checked_name(model, "model")
    checked_name(environment, "environment")
    release = carried_out(promotions(model, ports), "promote", environment, trigger)
    if release is None:
        files = _check(evaluation, pointer, environment, probe, ports)
        wanted = Wanted(
            model, environment, evaluation, files, commit, number, approved_by, promoted_by, reason,
            is_newest(evaluation.artifact_digest, model, ports) if is_candidate is None else is_candidate,
            trigger, decision_digest, asked_version(model, commit, ports),
        )  # fmt: skip
        release = _let_out(wanted, pointer, ports, summarize, settles=settles)
    if settles:
        show_views((model,), ports)
    return release


def _check(
    evaluation: Evaluation, pointer: str, environment: str, probe: Probe | None, ports: Ports
) -> tuple[ArtifactFile, ...]:
    """Every file of the artifact, once they are found to be what was evaluated. Raises UserError."""
    revocation = revocation_of(evaluation.artifact_digest, ports)
    if revocation is not None:
        hint = "A revoked artifact goes nowhere: change the model and evaluate it again."
        raise UserError(revocation.sentence, hint=hint, code="revoked")
    training = evaluation.training
    ask = partial(probe, training=training) if probe and not is_live(evaluation, environment, ports) else None
    return check_artifact(pointer, training.files, evaluation.artifact_digest, ports, ask)


def _let_out(wanted: Wanted, pointer: str, ports: Ports, summarize: Summarize | None, *, settles: bool) -> Release:
    model, environment = wanted.model, wanted.environment
    for _ in range(ATTEMPTS):
        written = states_of(model, ports).get(environment)
        if not settles and written is not None and same(written, wanted):
            return written
        states = settle(model, ports, summarize)
        live = states.get(environment)
        if live is not None and same(live, wanted):
            return live
        if live is not None and live.hold and wanted.promoted_by is None:
            raise UserError(
                f"{environment}/{model} holds since {live.released_at} ({live.action} to {live.version})",
                hint=f"A person lifts it by promoting the newest candidate: `/promote E-... {model} to {environment}`.",
                code="environment_holds",
            )
        known = promotions(model, ports)
        release = promoted(wanted, states, known, newest_evaluation(known, ports), ports.clock.now())
        if _write(release, pointer, states, ports):
            if settles:
                settle(model, ports, summarize)
            return release
        now = states_of(model, ports).get(environment)
        if now is None or not same(now, wanted):
            _told_who(live, now)
    raise WorldError(f"{environment}/{model} keeps moving while it is written", hint="Run this again.")


def is_live(evaluation: Evaluation, environment: str, ports: Ports) -> bool:
    """Whether these bytes are live there already, so that they passed every check."""
    live = states_of(evaluation.model, ports).get(environment)
    return live is not None and live.action != "withdraw" and live.artifact_digest == evaluation.artifact_digest


def rollback(
    environment: str,
    model: str,
    *,
    reason: str,
    by: Approver | None,
    to_digest: str | None = None,
    ports: Ports,
    revoked: Collection[str] = (),
    trigger: str | None = None,
    summarize: Summarize | None = None,
    settles: bool = True,
) -> Release:
    """Take the environment back to the last known good (or to a digest that was live), in one commit, with a hold.

    `by` None is an automatic rollback. The same `trigger` twice is one rollback. `settles` as for `promote`.
    """
    release = _go_back(environment, model, reason, by, to_digest, ports, revoked, trigger, summarize, settles=settles)
    if settles:
        show_views((model,), ports)
    return release


def _go_back(
    environment: str, model: str, reason: str, by: Approver | None, to_digest: str | None, ports: Ports,
    revoked: Collection[str], trigger: str | None, summarize: Summarize | None, *, settles: bool,
) -> Release:  # fmt: skip
    for _ in range(ATTEMPTS):
        states = settle(model, ports, summarize)
        live, known = states.get(environment), promotions(model, ports)
        history = in_order(known, environment)
        before = carried_out(history, "rollback", environment, trigger)
        if before is not None:
            return before
        on = live if live is not None and live.action != "withdraw" else None
        gone = {one.artifact_digest for one in history if Ledger(ports.ledger).is_removed(one.evaluation_digest)}
        not_to = {*revoked, *gone}
        target = rollback_target(history, on, f"{model} in {environment}", to_digest=to_digest, revoked=not_to)
        pointer = pointer_of(target, ports)
        files = check_artifact(pointer, target.files, target.artifact_digest, ports)
        release = rolled_back(
            target.model_copy(update={"files": files}), live, known, reason, by, trigger, ports.clock.now()
        )
        if _write(release, pointer, states, ports):
            if settles:
                settle(model, ports, summarize)
            return release
        _told_who(live, states_of(model, ports).get(environment))
    raise WorldError(f"{environment}/{model} keeps moving while it is written", hint="Run this again.")


def withdraw(environment: str, model: str, *, reason: str, by: Approver | None, ports: Ports) -> Release:
    """Take the model out of the environment altogether. Raises UserError when it is not live there."""
    for _ in range(ATTEMPTS):
        states = finish(model, ports)
        live = states.get(environment)
        if live is None or live.action == "withdraw":
            hint = "`mlbot environments` lists what is live."
            raise UserError(f"{model} is not live in {environment}", hint=hint, code="not_live")
        release = withdrawn(live, promotions(model, ports), reason, by, ports.clock.now())
        if _write(release, "", states, ports):
            finish(model, ports)
            return release
        _told_who(live, states_of(model, ports).get(environment))
    raise WorldError(f"{environment}/{model} keeps moving while it is written", hint="Run this again.")


def revoke(artifact_digest: str, *, by: Approver, reason: str, ports: Ports) -> Revocation:
    """Forbid an artifact everywhere, for good; who did so first stays the one who did."""
    before = revocation_of(artifact_digest, ports)
    if before is not None:
        return before
    at = ports.clock.now().isoformat(timespec="seconds").replace("+00:00", "Z")
    who = Account(id=by.id, login=by.login)
    said = Revocation(artifact_digest=artifact_digest, by=who, at=at, reason=reason, number=None)
    Ledger(ports.ledger).write({revocation_path(artifact_digest): said.canonical()}, f"revoke {artifact_digest}")
    return said


def settle(model: str, ports: Ports, summarize: Summarize | None = None) -> dict[str, Release]:
    """Write the facts that a crash left out; the state of each environment that ever had the model.

    A withdrawn one is among them.
    """
    return settle_all((model,), ports, summarize)[model]


def finish(model: str, ports: Ports, summarize: Summarize | None = None) -> dict[str, Release]:
    """`settle`, and then the tags and deployments that are missing."""
    states = settle(model, ports, summarize)
    show_views((model,), ports)
    return states


def settle_all(
    models: Iterable[str], ports: Ports, summarize: Summarize | None = None
) -> dict[str, dict[str, Release]]:
    """`settle` for several models, in one commit."""
    found = Environments(ports.environments).states(tuple(models))
    ledger = Ledger(ports.ledger)
    states = sorted((state for one in found.values() for state in one.values()), key=lambda state: state.counter)
    left = [state for state in states if not ledger.is_noted(state)]
    if left:
        facts = {path: data for state in left for path, data in _facts(state, ports, summarize).items()}
        ledger.write(facts, "\n".join(map(message, left)))
    return found


def settle_each(models: Collection[str], ports: Ports, summarize: Summarize | None = None) -> dict[str, MlbotError]:
    """`settle_all`, and where that fails each model by itself: what was wrong, by model."""
    tried = Parts()
    tried.attempt("all", lambda: settle_all(models, ports, summarize))
    if not tried.failed:
        return {}
    alone = Parts()
    for model in models:
        alone.attempt(model, partial(settle, model, ports, summarize))
    return dict(alone.failed)


def _facts(state: Release, ports: Ports, summarize: Summarize | None) -> dict[str, bytes]:
    path = promotion_path(state.model, state.counter, state.environment)
    return {path: state.canonical(), **owed_file(state), **attested(state, ports, summarize)}


def attested(state: Release, ports: Ports, summarize: Summarize | None) -> dict[str, bytes]:
    """Signed statements about a release by path: its provenance, and the summary of its decision.

    Empty without a signer and for a withdrawal.
    """
    if ports.signer is None or state.action == "withdraw":
        return {}
    spec = ports.git.read(state.commit, f"models/{state.model}/model.yaml")
    server_url = ports.run.url.partition(f"/{ports.run.repository}/")[0] if ports.run.url else ""
    statement = provenance(
        state, evaluation_of(state, ports), sha256(spec) if spec is not None else None, ports.run, server_url
    )
    statements = {"provenance": statement}
    decision = decision_of(state, ports)
    if decision is not None and summarize is not None and (summary := summarize(decision)) is not None:
        statements["summary"] = summary
    where = (state.model, state.counter, state.environment)
    return {
        attestation_path(*where, kind): ports.signer.sign(PAYLOAD_TYPE, payload(one))
        for kind, one in statements.items()
    }


def manifest_of(release: Release, previous: Release | None, ports: Ports) -> bytes:
    """The manifest by the settings of the default branch. Raises UserError with the place of a mistake in them."""
    sha = release.commit
    for tip in (f"origin/{ports.default_branch}", ports.default_branch):
        with contextlib.suppress(UserError):
            sha = ports.git.resolve(tip)
            break
    settings = read_deployment(ports.git.read(sha, FILE))
    target = settings.of(release.environment) if settings is not None else Target()
    template = None
    if target.template is not None:
        text = ports.git.read(sha, target.template)
        if text is None:
            raise UserError(f"{target.template} is not there", place=Place(FILE), code="manifest_invalid")
        template = text.decode("utf-8", "replace")
    stays = previous if previous is not None and previous.action != "withdraw" else None
    return render(release, target, previous=stays, template=template, source=target.template or "")


def _write(
    release: Release,
    pointer: str,
    states: dict[str, Release],
    ports: Ports,
) -> bool:
    """The one commit; False when the branch moved under us."""
    branch = Environments(ports.environments)
    manifest = b"" if release.action == "withdraw" else manifest_of(release, states.get(release.environment), ports)
    dvc_yaml = branch.file("dvc.yaml")
    files = environment_files(release, pointer, manifest, dvc_yaml, ports.git.read(release.commit, ".dvc/config"))
    where = (release.environment, release.model)
    mine = {release_path(*where): None, withdrawn_path(*where): None, artifact_path(*where): None}
    expect: dict[str, bytes | None] = {path: branch.file(path) for path in [*mine, *map(state_path, states.values())]}
    try:
        branch.write(files, message(release), expect={**expect, "dvc.yaml": dvc_yaml})
    except UserError as error:
        if error.code != "branch_moved":
            raise
        return False
    return True


def _told_who(before: Release | None, now: Release | None) -> None:
    """Raise when it was this environment that somebody else changed meanwhile; another one's change is no conflict."""
    if now is not None and (before is None or now.counter != before.counter):
        who = now.promoted_by.login if now.promoted_by else "the policy"
        raise UserError(
            f"{now.environment}/{now.model} was changed meanwhile: "
            f"{now.action} {now.version} by {who} at {now.released_at}",
            hint="`mlbot environments` shows what is live; ask again if you still want yours.",
            code="promotion_lost",
        )
