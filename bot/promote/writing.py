"""What a promotion writes: files of the environments branch, commit and tag messages, the tags in their order."""

from __future__ import annotations

import configparser
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import yaml

from bot.ports import Tag
from bot.promote.tags import RegistryTag, parse_tag
from bot.records.ledger import artifact_path, manifest_path, release_path, withdrawn_path
from bot.records.release import Release
from bot.specs.pointer import ARTIFACT_REMOTE
from bot.words import Plain, shown

STEP = timedelta(seconds=1)  # GTO and DVC order tags by tagger time at one second's resolution


def readable_json(release: Release) -> bytes:
    """The record as people read it in a diff; its digest is that of the canonical form."""
    return (json.dumps(release.model_dump(mode="json"), indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def state_path(release: Release) -> str:
    """The file of the environments branch that holds this state."""
    path = withdrawn_path if release.action == "withdraw" else release_path
    return path(release.environment, release.model)


def environment_files(
    release: Release, pointer: str, manifest: bytes, dvc_yaml: bytes | None, dvc_config: bytes | None
) -> dict[str, bytes | None]:
    """Every file of a state's commit; None removes. `dvc_config` None leaves what is there."""
    where = (release.environment, release.model)
    live = release.action != "withdraw"
    files: dict[str, bytes | None] = {
        release_path(*where): readable_json(release) if live else None,
        withdrawn_path(*where): None if live else readable_json(release),
        artifact_path(*where): pointer.encode() if live else None,
        manifest_path(*where): manifest if live else None,
        "dvc.yaml": artifacts_section(dvc_yaml, release),
    }
    if dvc_config is not None:
        files[".dvc/config"] = with_artifact_remote(dvc_config)
    return files


def with_artifact_remote(dvc_config: bytes) -> bytes:
    """A `.dvc/config` whose default is the remote that keeps artifacts, so that `dvc artifacts get` finds them."""
    config = configparser.RawConfigParser()
    config.read_string(dvc_config.decode())
    if not config.has_section(f"'remote \"{ARTIFACT_REMOTE}\"'"):
        return dvc_config
    if not config.has_section("core"):
        config.add_section("core")
    config.set("core", "remote", ARTIFACT_REMOTE)
    text = io.StringIO()
    config.write(text)
    return text.getvalue().encode()


def artifacts_section(dvc_yaml: bytes | None, release: Release) -> bytes:
    """dvc.yaml with this release's artifact, so that `dvc artifacts get` finds it at this commit.

    A withdrawal leaves it out: DVC takes the last tag that names a stage, and must find nothing behind that one.
    """
    loaded: Any = yaml.safe_load(dvc_yaml or b"") or {}
    artifacts = dict(loaded.get("artifacts") or {})
    artifacts.pop(release.model, None)
    if release.action != "withdraw":
        artifacts[release.model] = {
            "path": artifact_path(release.environment, release.model).removesuffix(".dvc"),
            "type": "model",
            # DVC refuses any other key; what is ours goes below `meta`
            "meta": {"version": release.version, "artifact_digest": release.artifact_digest},
        }
    return yaml.safe_dump({"artifacts": artifacts}, sort_keys=True).encode()


def next_counter(known: Iterable[Release]) -> int:
    """One more than any change of the model in the ledger, which remembers what is deleted from the branch.

    A withdrawal takes two, since it writes two tags of one kind.
    """
    return 1 + max((one.counter + (one.action == "withdraw") for one in known), default=0)


def one_line(text: str) -> str:
    """Text that cannot end its line, for subjects and trailers."""
    return " ".join(text.split())


def subject(release: Release) -> str:
    """`promote churn v1.4.0 to production`, the first line of commit and tag messages."""
    way = {"promote": "to", "rollback": "back in", "withdraw": "from"}[release.action]
    word = "roll" if release.action == "rollback" else release.action
    return f"{word} {release.model} {release.version} {way} {release.environment}"


def message(release: Release) -> str:
    """Subject, reason and trailers."""
    trailers = [
        ("Model", release.model),
        ("Version", release.version),
        ("Environment", release.environment),
        ("Artifact-Digest", release.artifact_digest),
        ("Evaluation-Digest", release.evaluation_digest),
        ("Commit", release.commit),
        ("Pull-Request", f"#{release.pull_request}" if release.pull_request else "none"),
        *(("Approved-by", f"{one.login} ({one.id}, {one.role})") for one in release.approved_by),
        ("Promoted-by", release.promoted_by.login if release.promoted_by else "policy"),
        *([("Trigger", release.trigger)] if release.trigger else []),
    ]
    lines = [f"{key}: {one_line(value)}" for key, value in trailers]
    reason = [one_line(release.reason), ""] if release.reason.strip() else []
    return "\n".join([subject(release), "", *reason, *lines, ""])


@dataclass(frozen=True)
class Deployment:
    """A GitHub Deployment: what one commit brought to one environment. `payload` names each model by itself."""

    sha: str
    environment: str
    state: Literal["success", "inactive"]
    payload: dict[str, Any]
    description: Plain
    releases: tuple[Release, ...]


def deployments(releases: Iterable[Release]) -> list[Deployment]:
    """One for the releases of a commit, an environment and a state, in the order in which they were made.

    What came to an environment twice from one commit, after a rollback, is two.
    """
    groups: dict[tuple[str, str, Literal["success", "inactive"], int], list[Release]] = {}
    for one in releases:
        state: Literal["success", "inactive"] = "inactive" if one.action == "withdraw" else "success"
        where, times = (one.commit, one.environment, state), 0
        while any(other.model == one.model for other in groups.get((*where, times), ())):
            times += 1
        groups.setdefault((*where, times), []).append(one)
    return [
        Deployment(sha, environment, state, _payload(environment, group), _description(group), tuple(group))
        for (sha, environment, state, _), group in groups.items()
    ]


def _payload(environment: str, releases: Iterable[Release]) -> dict[str, Any]:
    models = {
        one.model: {
            "version": one.version, "action": one.action, "artifact_digest": one.artifact_digest,
            "counter": one.counter,
        }
        for one in releases
    }  # fmt: skip
    return {"environment": environment, "models": models}


def _description(releases: Sequence[Release]) -> Plain:
    """Each model with its version; GitHub shows 140 characters."""
    return shown(", ".join(f"{one.action} {one.model} {one.version}" for one in releases))


def trailers(text: str) -> dict[str, list[str]]:
    """The trailers of a commit or tag message, values in order."""
    found: dict[str, list[str]] = {}
    for line in text.strip().rpartition("\n\n")[2].splitlines():
        key, separator, value = line.partition(": ")
        if separator:
            found.setdefault(key, []).append(value)
    return found


def tags_to_write(release: Release, commit: str, tags: Sequence[Tag]) -> list[tuple[str, str, datetime]]:
    """(name, commit, tagger date) of the tags that are missing for this release, oldest first.

    `commit` is the release's own on the environments branch; a version that is registered keeps its commit. Written so
    that every reader of GTO's tags says the same: the version before is unassigned first (a version that stays assigned
    comes back when the one above it is unassigned, and GTO's API prefers the highest), and every date is at least a
    second after the one before (DVC and GTO sort by it).
    """
    ours = [(parsed, tag) for tag in tags if (parsed := parse_tag(tag.name)) and parsed.model == release.model]
    there = {tag.name: tag for _, tag in ours}
    wanted: list[tuple[str, str]] = []
    registration = str(RegistryTag(release.model, version=release.version))
    home = there[registration].commit if registration in there else commit
    if registration not in there and release.action != "withdraw":
        wanted.append((registration, home))
    wanted += _assignments(release, home, commit, ours)
    last = max((tag.at for _, tag in ours), default=datetime.fromisoformat("1970-01-01T00:00:00+00:00"))
    dated = []
    for name, target in [(name, target) for name, target in wanted if name not in there]:
        last = max(datetime.fromisoformat(release.released_at).replace(microsecond=0), last + STEP)
        dated.append((name, target, last))
    return dated


def _assignments(
    release: Release, home: str, commit: str, ours: Sequence[tuple[RegistryTag, Tag]]
) -> list[tuple[str, str]]:
    def name(*, cancel: bool, counter: int) -> str:
        return str(RegistryTag(release.model, environment=release.environment, cancel=cancel, counter=counter))

    if release.action == "withdraw":
        # Two tags: GTO unassigns by the version's commit, DVC must find a last commit that has no such artifact.
        return [
            (name(cancel=True, counter=release.counter), home),
            (name(cancel=True, counter=release.counter + 1), commit),
        ]
    others = [target for target in _assigned(release.environment, ours) if target != home]
    cancelled = [(name(cancel=True, counter=release.counter), target) for target in others[:1]]
    return [*cancelled, (name(cancel=False, counter=release.counter), home)]


def _assigned(environment: str, ours: Sequence[tuple[RegistryTag, Tag]]) -> list[str]:
    """Commits that are assigned to the environment as GTO sees it: at most one, if only we write its tags."""
    last = {tag.commit: parsed.kind for parsed, tag in ours if parsed.environment == environment}
    return [commit for commit, kind in last.items() if kind == "assign"]
