"""Workflow files as data: triggers, runner labels, actions used, permissions, concurrency."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml

from bot.sandbox.bare import Bare
from bot.specs.policies.training import DEFAULT_RUNNERS, FILE

FOLDER = ".github/workflows"
SCOPES = (
    "actions",
    "attestations",
    "checks",
    "contents",
    "deployments",
    "discussions",
    "id-token",
    "issues",
    "models",
    "packages",
    "pages",
    "pull-requests",
    "security-events",
    "statuses",
)
DEFAULT = {"contents": "read", "packages": "read"}  # GitHub's restricted default for a new repository
_USES = re.compile(r"^([\w.-]+/[\w.-]+)(/[^@]*)?@(.+)$")


@dataclass(frozen=True)
class Workflow:
    """A workflow file at a commit. `text` is the file, `body` what it says."""

    path: str
    body: dict[Any, Any]
    text: str

    @property
    def name(self) -> str:
        return str(self.body.get("name") or self.path)

    @property
    def triggers(self) -> dict[str, dict[str, Any] | None]:
        """`on:` in its long form: event -> filters, None for no filter."""
        on = self.body.get("on", self.body.get(True))  # YAML 1.1 reads the bare word `on` as true
        if isinstance(on, str):
            return {on: None}
        if isinstance(on, list):
            return dict.fromkeys(on)
        return dict(on or {})

    @property
    def jobs(self) -> dict[str, dict[str, Any]]:
        jobs = self.body.get("jobs") or {}
        return {key: job for key, job in jobs.items() if isinstance(job, dict)}

    def permissions(self) -> dict[str, str]:
        """What the union of the jobs asks for."""
        return union([_permissions(job.get("permissions", self.body.get("permissions"))) for job in self.jobs.values()])

    def labels(self) -> set[str]:
        """Runner labels, also those that a matrix written in the file holds."""
        found: set[str] = set()
        for job in self.jobs.values():
            found.update(text for text in _strings(job.get("runs-on")) if "${{" not in text)
            if "${{" in str(job.get("runs-on")):
                found.update(_strings((job.get("strategy") or {}).get("matrix")))
        return {label for label in found if "${{" not in label and "\n" not in label and label}

    def called(self) -> Iterator[tuple[str, str, str]]:
        """(owner/repository, path, ref) of every workflow of another repository that a job calls."""
        for job in self.jobs.values():
            match = _USES.match(job["uses"]) if isinstance(job.get("uses"), str) else None
            if match and match.group(2):
                yield match.group(1), match.group(2).strip("/"), match.group(3)

    def uses(self) -> set[tuple[str, str]]:
        """(owner/repository, ref) of every action and reusable workflow that lives elsewhere."""
        return set(_uses(self.body))

    def actions(self) -> set[str]:
        """`owner/repository/path@ref` of every action and reusable workflow that lives elsewhere, as it is written."""
        return set(_named(self.body))


def _permissions(given: Any) -> dict[str, str]:
    if given is None:
        return dict(DEFAULT)
    if given == "read-all":
        return dict.fromkeys(SCOPES, "read")
    if given == "write-all":
        return dict.fromkeys(SCOPES, "write")
    return {name: level for name, level in dict(given or {}).items() if level != "none"}


def union(maps: list[dict[str, str]]) -> dict[str, str]:
    """The higher level of each scope."""
    result: dict[str, str] = {}
    for one in maps:
        for name, level in one.items():
            result[name] = "write" if "write" in (level, result.get(name)) else level
    return result


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)


def _uses(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for item in value:
            yield from _uses(item)
    elif isinstance(value, dict):
        match = _USES.match(value["uses"]) if isinstance(value.get("uses"), str) else None
        if match:
            yield match.group(1), match.group(3)
        for item in value.values():
            yield from _uses(item)


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _named(item)
    elif isinstance(value, dict):
        if isinstance(value.get("uses"), str) and _USES.match(value["uses"]):
            yield value["uses"]
        for item in value.values():
            yield from _named(item)


def read_workflows(bare: Bare, rev: str) -> dict[str, Workflow]:
    """Workflow files at a commit by path; a file that is no mapping or no YAML is left out, as GitHub does."""
    found = {}
    for name, entry in bare.folder(rev, FOLDER).items():
        if name.endswith((".yml", ".yaml")) and entry.type_str == "blob":
            workflow = parse(f"{FOLDER}/{name}", entry.data.decode(errors="replace"))
            if workflow is not None:
                found[workflow.path] = workflow
    return found


def labels_of_models(bare: Bare, rev: str) -> set[str]:
    """Runner labels that model specs at a commit ask for (`resources.runner`); a spec that cannot be read asks none."""
    found: set[str] = set()
    for name in bare.folder(rev, "models"):
        text = bare.read(rev, f"models/{name}/model.yaml")
        try:
            body = yaml.safe_load(text or b"")
            label = body["resources"]["runner"]
        except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, RecursionError):
            continue
        found.update({label} if isinstance(label, str) else ())
    return found


def labels_of_policy(bare: Bare, rev: str) -> set[str]:
    """Runner labels that policies/training.yaml offers by their own names, and those that it offers by default."""
    try:
        body = yaml.safe_load(bare.read(rev, FILE) or b"") or {}
        offered = body.get("runners") or DEFAULT_RUNNERS
    except (yaml.YAMLError, UnicodeDecodeError, AttributeError, RecursionError):
        return set()
    return {str(label) for label in offered if not set(str(label)) & set("*?[")}


@lru_cache(256)  # every event asks for every file, and they hardly change
def parse(path: str, text: str) -> Workflow | None:
    """None when the text is not a workflow."""
    try:
        body = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except yaml.YAMLError:
        return None
    return Workflow(path, body, text) if isinstance(body, dict) else None
