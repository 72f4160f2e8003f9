"""Collects what the chain of a live release is judged by, and judges it link by link."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from bot.errors import MlbotError, UserError
from bot.ledger import Environments, Ledger
from bot.ports import Ports
from bot.promote.artifact import hashed
from bot.promote.chain import (
    Link,
    approvals_link,
    commit_link,
    decision_link,
    environment_tag_link,
    evaluation_link,
    fact_link,
    files_link,
    history_link,
    inputs_link,
    merged_link,
    reproduced_link,
    revocation_link,
    version_tag_link,
)
from bot.promote.provenance import PAYLOAD_TYPE, mismatch, summary_mismatch
from bot.promote.reading import decision_of, lost_releases, revocation_of
from bot.promote.writing import message
from bot.records.base import Record
from bot.records.ledger import (
    ENVIRONMENTS,
    approval_path,
    artifact_path,
    attestation_path,
    decision_path,
    evaluation_path,
    pointer_path,
    promotion_path,
)
from bot.records.release import Release

Kind = TypeVar("Kind", bound=Record)
Recompute = Callable[[Release], str | None]


def live_release(model: str, environment: str, ports: Ports) -> Release:
    """What is live. Raises UserError."""
    release = Environments(ports.environments).live(environment, model)
    if release is None:
        for lost in lost_releases(ports):
            if (lost.model, lost.environment) == (model, environment):
                hint = (
                    f"`git log {ENVIRONMENTS}` shows who deleted it; `mlbot rollback` writes the last good one again."
                )
                raise UserError(lost_sentence(lost), hint=hint, code="release_lost")
        raise UserError(f"{model} is not live in {environment}", hint="`mlbot environments` lists what is live.")
    return release


def lost_sentence(release: Release) -> str:
    """For a release of `lost_releases`."""
    what = (
        f"{release.model} {release.version} is live in {release.environment} by the ledger (change {release.counter})"
    )
    return f"{what}, but {ENVIRONMENTS} has lost it"


def verify(release: Release, ports: Ports, *, recompute: Recompute | None = None, is_live: bool = True) -> list[Link]:
    """Every link of the chain behind a release, from the bytes to the pull request; never stops at the first.

    `is_live` False asks about a release that was live once: it need not be the environment's newest.
    `recompute` gives the inputs digest of the release's commit (None: cannot be told here). With a signer in the ports
    the provenance must be signed. Raises WorldError when the remote does not answer.
    """
    decision = decision_of(release, ports)
    judged = [one for one in decision.models if one.model == release.model] if decision else []
    names = judged[0].approvals if judged else ()
    ledger, number = Ledger(ports.ledger), release.pull_request or 0
    approvals = {name: _told(partial(ledger.approval, number, name)) for name in names}
    newest = ledger.newest_counters(release.model).get((release.model, release.environment), 0)
    fact = _told(partial(ledger.release, release.model, release.counter, release.environment))
    tags = ports.git.tags(release.model)
    links = [
        _files(release, ports, is_live=is_live),
        commit_link(release, _message(release, ports, is_live=is_live)),
        fact_link(release, fact, newest if is_live else None),
        _revocation(release, ports),
        evaluation_link(release, _told(partial(ledger.evaluation, *_evaluated(release)))),
        _reproduced(release, ledger),
        history_link(_rewritten(release, names, ports), 0),
        version_tag_link(release, tags),
        environment_tag_link(release, tags, is_live=is_live),
        decision_link(release, decision),
        approvals_link(release, decision, approvals),
        merged_link(release, is_merged=_is_merged(release, ports)),
    ]
    if recompute is not None:
        links.append(_inputs(release, recompute))
    links.append(_statement("provenance", mismatch, release, ports))
    if decision is not None:
        links.append(_statement("summary", summary_mismatch, release, ports))
    return links


def _statement(kind: str, judge: Callable[[Any, Release], str | None], release: Release, ports: Ports) -> Link:
    if ports.signer is None:
        return Link(kind, None, "the default branch holds no public key (policies/keys/), nothing is signed")
    path = attestation_path(release.model, release.counter, release.environment, kind)
    try:
        envelope = Ledger(ports.ledger).attestation(release, kind)
        if envelope is None:
            return Link(kind, False, f"there is no signed statement at {path}")
        wrong = judge(json.loads(ports.signer.verify(PAYLOAD_TYPE, envelope)), release)
    except UserError as error:
        return Link(kind, False, error.message)
    except ValueError:
        wrong = "it is not JSON"
    return Link(kind, wrong is None, wrong or "signed, and about exactly this release")


def _files(release: Release, ports: Ports, *, is_live: bool) -> Link:
    try:
        if is_live:
            path = artifact_path(release.environment, release.model)
            pointer = Environments(ports.environments).pointer(release.environment, release.model)
        else:
            path = pointer_path(*_evaluated(release))
            pointer = Ledger(ports.ledger).pointer(*_evaluated(release))
        if pointer is None:
            return Link("bytes", False, f"{path} is not there")
        gone = None if is_live else Ledger(ports.ledger).removal(release.evaluation_digest)
        if gone is not None:
            return Link("bytes", None, f"removed at {gone.removed_at}: {gone.reason or 'nothing needed them'}")
        return files_link(release, hashed(pointer, ports))
    except UserError as error:
        return Link("bytes", False, error.message)


def _revocation(release: Release, ports: Ports) -> Link:
    try:
        return revocation_link(revocation_of(release.artifact_digest, ports))
    except UserError as error:
        return Link("revocation", False, error.message)


def _message(release: Release, ports: Ports, *, is_live: bool) -> str | None:
    """The message of the commit that made the release: while it is live, the newest that touched it."""
    log = Environments(ports.environments).messages(release)
    if not is_live:
        return next((text for _, _, text in log if text.strip() == message(release).strip()), None)
    return log[0][2] if log else None


def _evaluated(release: Release) -> tuple[str, str, str]:
    return release.model, release.inputs_digest, release.evaluation_digest


def _reproduced(release: Release, ledger: Ledger) -> Link:
    """Other runs than that of the evaluation; one that cannot be read may be a difference."""
    own, found = _told(partial(ledger.evaluation, *_evaluated(release))), ledger.reproductions(*_evaluated(release))
    if found.unreadable:
        return Link("reproduced", False, f"{next(iter(found.unreadable))} cannot be read")
    return reproduced_link([one for one in found.readable if own is None or one.run.get("id") != own.run.get("id")])


def _told(ask: Callable[[], Kind | None]) -> Kind | None:
    """A record of the ledger; one that cannot be read counts as not there."""
    try:
        return ask()
    except UserError:
        return None


def _rewritten(release: Release, approvals: tuple[str, ...], ports: Ports) -> list[str]:
    paths = [
        promotion_path(release.model, release.counter, release.environment),
        evaluation_path(*_evaluated(release)),
        pointer_path(*_evaluated(release)),
    ]
    number = release.pull_request
    if number is not None:
        paths += [approval_path(number, name) for name in approvals]
        if release.decision_digest is not None:
            paths.append(decision_path(number, release.decision_digest))
    return Ledger(ports.ledger).rewritten(paths)


def _is_merged(release: Release, ports: Ports) -> bool:
    for tip in (f"origin/{ports.default_branch}", ports.default_branch):
        try:
            return ports.git.is_ancestor(release.commit, tip)
        except UserError:
            continue
    return False


def _inputs(release: Release, recompute: Recompute) -> Link:
    try:
        return inputs_link(release, recompute(release))
    except MlbotError as error:
        return Link("inputs", None, f"cannot be recomputed here: {error.message}")
