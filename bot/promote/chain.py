"""The chain from running bytes back to the merged pull request: which link holds, which breaks, and what that means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.ports import Tag
from bot.promote.tags import RegistryTag, parse_tag
from bot.promote.writing import trailers
from bot.records.approval import Approval
from bot.records.decision import Decision
from bot.records.evaluation import Evaluation
from bot.records.release import Release, Revocation
from bot.records.reproduction import CONFIRMS, Reproduction


@dataclass(frozen=True)
class Link:
    """One link: `ok` None means that it was not looked at (and why)."""

    name: str
    ok: bool | None
    sentence: str


def revocation_link(revocation: Revocation | None) -> Link:
    """Whether somebody forbade the artifact."""
    if revocation is not None:
        return Link("revocation", False, revocation.sentence)
    return Link("revocation", True, "nobody revoked the artifact")


def files_link(release: Release, found: Mapping[str, str]) -> Link:
    """`found` maps the artifact's file names to the digests of the bytes in the store."""
    for file in release.files:
        if found.get(file.name) != file.sha256:
            there = found.get(file.name, "nothing")
            return Link("bytes", False, f"{file.name} in the store is {there}; the release says {file.sha256}")
    if release.artifact_digest not in found.values():
        return Link("bytes", False, f"no file has the artifact digest {release.artifact_digest}")
    return Link("bytes", True, f"{len(release.files)} files have the digests of the release")


def commit_link(release: Release, message: str | None) -> Link:
    """The trailers of the commit that made the release live."""
    if message is None:
        return Link("environments_commit", False, "no commit of the environments branch made this release live")
    said = trailers(message)
    expected = {
        "Model": release.model,
        "Version": release.version,
        "Environment": release.environment,
        "Artifact-Digest": release.artifact_digest,
        "Evaluation-Digest": release.evaluation_digest,
        "Commit": release.commit,
    }
    for key, value in expected.items():
        if said.get(key) != [value]:
            return Link("environments_commit", False, f"its commit says {key}: {said.get(key)}, the release {value}")
    return Link("environments_commit", True, "the commit that made it live says the same")


def fact_link(release: Release, fact: Release | None, newest: int | None = None) -> Link:
    """The fact in the ledger; `newest` is the counter of the environment's last change, None: not asked."""
    if newest is not None and newest > release.counter:
        return Link("ledger_fact", False, f"the ledger has a later change, {newest}: an older release was put back")
    if fact is None:
        return Link("ledger_fact", False, f"the ledger knows no change {release.counter} of {release.model}")
    differing = [name for name in Release.model_fields if getattr(fact, name) != getattr(release, name)]
    if differing:
        return Link("ledger_fact", False, f"release.json and the ledger differ in {', '.join(differing)}")
    return Link("ledger_fact", True, f"the ledger has it as change {release.counter}")


def evaluation_link(release: Release, evaluation: Evaluation | None) -> Link:
    """The evaluation that the release names."""
    if evaluation is None:
        return Link("evaluation", False, f"the ledger has no evaluation {release.evaluation_digest}")
    if evaluation.digest() != release.evaluation_digest:
        return Link("evaluation", False, f"the evaluation's digest is {evaluation.digest()}, not the release's")
    same = (evaluation.model, evaluation.artifact_digest, evaluation.inputs_digest)
    is_whole = set(evaluation.training.files) <= set(release.files)
    if same != (release.model, release.artifact_digest, release.inputs_digest) or not is_whole:
        return Link("evaluation", False, "the evaluation judged another artifact than the release names")
    return Link("evaluation", True, f"it judged exactly these bytes: {evaluation.verdict}")


def reproduced_link(found: Sequence[Reproduction]) -> Link:
    """`found` are other runs that trained a release's inputs again; without any, nobody has looked."""
    odd = [one for one in found if one.outcome == "differs"]
    if odd:
        return Link("reproduced", False, f"run {odd[0].run['id']} on {odd[0].runner}: {odd[0].sentence}")
    good = [one for one in found if one.outcome in CONFIRMS]
    if not good:
        return Link("reproduced", None, "no other run has trained it again: `/reproduce`")
    said = (f"run {one.run['id']} on {one.runner} ({one.architecture}): {one.sentence}" for one in good)
    return Link("reproduced", True, "; ".join(said))


def history_link(rewritten: Sequence[str], merges: int) -> Link:
    """`rewritten` are ledger files of the chain that more than one commit touched."""
    if rewritten:
        return Link("append_only", False, f"changed after it was written: {', '.join(rewritten)}")
    if merges:
        return Link("append_only", False, f"{merges} commits of the ledger's history are not the bot's single line")
    return Link("append_only", True, "every fact of the chain was written once")


def version_tag_link(release: Release, tags: Sequence[Tag]) -> Link:
    """The registration tag."""
    name = str(RegistryTag(release.model, version=release.version))
    found = [tag for tag in tags if tag.name == name]
    if not found:
        return Link("version_tag", False, f"there is no tag {name}")
    if trailers(found[0].message).get("Artifact-Digest") != [release.artifact_digest]:
        return Link("version_tag", False, f"the tag {name} names another artifact")
    return Link("version_tag", True, f"{name} names this artifact")


def environment_tag_link(release: Release, tags: Sequence[Tag], *, is_live: bool = True) -> Link:
    """The tag that assigns this version's commit to the environment: the newest one while it is live."""
    ours = [(parsed, tag) for tag in tags if (parsed := parse_tag(tag.name)) and parsed.model == release.model]
    home = [tag.commit for parsed, tag in ours if parsed.version == release.version and not parsed.cancel]
    here = [(parsed, tag) for parsed, tag in ours if parsed.environment == release.environment]
    if not is_live:
        here = [(parsed, tag) for parsed, tag in here if parsed.counter == release.counter and not parsed.cancel]
    if not here:
        return Link("environment_tag", False, f"no tag assigns {release.model} to {release.environment}")
    parsed, tag = here[-1]
    if parsed.cancel or parsed.counter != release.counter or tag.commit not in home:
        return Link("environment_tag", False, f"the newest tag of {release.environment}, {tag.name}, says otherwise")
    if trailers(tag.message).get("Artifact-Digest") != [release.artifact_digest]:
        return Link("environment_tag", False, f"the tag {tag.name} names another artifact")
    return Link("environment_tag", True, f"{tag.name} assigns it")


def decision_link(release: Release, decision: Decision | None) -> Link:
    """The decision that let it out."""
    if release.decision_digest is None:
        how = "a rollback" if release.action == "rollback" else "a promotion from the command line"
        return Link("decision", None, f"{how} carries no decision")
    if decision is None:
        return Link("decision", False, f"the ledger has no decision {release.decision_digest}")
    if decision.digest() != release.decision_digest:
        return Link("decision", False, f"the decision's digest is {decision.digest()}, not the release's")
    if decision.status != "approved":
        return Link("decision", False, f"the decision was {decision.status}: {decision.headline}")
    judged = [one for one in decision.models if one.model == release.model]
    expected = (release.inputs_digest, release.evaluation_digest, release.artifact_digest)
    if not judged or (judged[0].inputs_digest, judged[0].evaluation_digest, judged[0].artifact_digest) != expected:
        return Link("decision", False, "the decision was about other digests")
    if decision.number != release.pull_request:
        return Link("decision", False, f"the decision was about #{decision.number}, not #{release.pull_request}")
    return Link("decision", True, f"approved for {decision.subject} with {len(judged[0].approvals)} approvals")


def approvals_link(release: Release, decision: Decision | None, approvals: Mapping[str, Approval | None]) -> Link:
    """The opinions that the decision counted, each as it was recorded."""
    judged = [one for one in decision.models if one.model == release.model] if decision else []
    if not judged:
        return Link("approvals", None, "there is no decision to look at")
    for name in judged[0].approvals:
        opinion = approvals.get(name)
        if opinion is None:
            return Link("approvals", False, f"the approval {name} is not in the ledger")
        given = opinion.models.get(release.model)
        if opinion.kind not in ("approve", "promote") or opinion.number != release.pull_request:
            return Link("approvals", False, f"{name} is no approval of this pull request")
        if given is None or given.inputs_digest != release.inputs_digest:
            return Link("approvals", False, f"{opinion.actor.login} approved other inputs than these ({name})")
    known = {opinion.actor.id for opinion in approvals.values() if opinion is not None}
    strangers = [one.login for one in release.approved_by if one.id not in known]
    if strangers:
        return Link("approvals", False, f"the release names approvers who did not approve: {', '.join(strangers)}")
    people = sorted({opinion.actor.login for opinion in approvals.values() if opinion is not None})
    return Link("approvals", True, f"given by {', '.join(people) or 'nobody (the policy asks for none)'}")


def merged_link(release: Release, *, is_merged: bool) -> Link:
    """The commit on the default branch."""
    short = release.commit[:10]
    if not is_merged:
        return Link("merged_commit", False, f"{short} is not on the default branch")
    return Link("merged_commit", True, f"{short} is on the default branch (#{release.pull_request or 'none'})")


def inputs_link(release: Release, recomputed: str | None) -> Link:
    """The inputs digest, computed again from that commit."""
    if recomputed is None:
        return Link("inputs", None, "not recomputed")
    if recomputed != release.inputs_digest:
        return Link("inputs", False, f"the merged commit's inputs are {recomputed}, the release's are not")
    return Link("inputs", True, "spec and data of the merged commit give the same inputs digest")
