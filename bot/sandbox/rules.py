"""The judge: whether somebody may move a ref or merge, by rulesets and by classic branch protection."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from bot.sandbox import protections, rulesets
from bot.sandbox.http import ApiError
from bot.sandbox.hub import Hub
from bot.sandbox.rulesets import Actor, Mode
from bot.sandbox.store import Repository
from bot.sandbox.violations import CHECKS, Change, Violation

WORKFLOWS = ".github/workflows"


@dataclass(frozen=True)
class Judgement:
    """What a change breaks: `broken` holds it back, `bypassed` does not hold this actor back."""

    change: Change
    broken: tuple[Violation, ...]
    bypassed: tuple[Violation, ...] = ()

    @property
    def classic(self) -> bool:
        """Whether only branch protection holds it back, which GitHub words in another way."""
        return all(one.classic for one in self.broken)

    def message(self) -> str:
        """The REST API's message."""
        sentences = [one.sentence for one in self.broken]
        if self.classic:
            return " ".join(sentences)
        return "\n\n".join(["Repository rule violations found", *sentences, ""])

    def refuse(self, status: int) -> None:
        """Raises this status when anything holds the change back."""
        if self.broken:
            raise ApiError(status, self.message())


def judge(change: Change, actor: Actor, *, without: Iterable[str] = ()) -> Judgement:
    """Every rule that holds for the ref, asked about the change; `without` leaves out rules by their type."""
    broken: dict[str, Violation] = {}
    bypassed: dict[str, Violation] = {}
    skipped = set(without)
    found = [
        (CHECKS_ORDER[rule["type"]], rule, mode, classic)
        for rule, mode, classic in _rules_for(change, actor)
        if rule["type"] in CHECKS and rule["type"] not in skipped
    ]
    for _, rule, mode, classic in sorted(found, key=lambda one: one[0]):
        passes = mode == "always" or (mode == "pull_request" and change.pull is not None)
        for one in CHECKS[rule["type"]](change, rule.get("parameters") or {}):
            (bypassed if passes else broken).setdefault(one.sentence, replace(one, classic=classic))
    free = (one for sentence, one in bypassed.items() if sentence not in broken)
    return Judgement(change, tuple(broken.values()), tuple(free))


CHECKS_ORDER = {kind: place for place, kind in enumerate(CHECKS)}


def _rules_for(change: Change, actor: Actor) -> Iterable[tuple[dict[str, Any], Mode, bool]]:
    hub, repository = change.hub, change.repository
    for one in rulesets.active(hub, repository, change.ref):
        mode = rulesets.bypass_of(hub, one, actor)
        yield from ((rule, mode, False) for rule in one["rules"])
    for rule, mode in protections.rules_of(hub, repository, change.ref, actor):
        yield rule, mode, True


def rules_of(hub: Hub, repository: Repository, ref: str) -> list[dict[str, Any]]:
    """Active rules of a ref as GitHub lists them, each with the ruleset that it comes from."""
    found = []
    for one in rulesets.active(hub, repository, ref):
        origin = {
            "ruleset_source_type": one["source_type"],
            "ruleset_source": one["source"],
            "ruleset_id": one["id"],
        }
        found += [rule | origin for rule in one["rules"]]
    return found


def rule_of(hub: Hub, repository: Repository, branch: str, kind: str) -> dict[str, Any] | None:
    """The parameters of the first rule of a kind that holds for a branch, None when there is none."""
    for rule in rules_of(hub, repository, f"refs/heads/{branch}"):
        if rule["type"] == kind:
            return rule.get("parameters") or {}
    return None


def required_checks(hub: Hub, repository: Repository, branch: str) -> list[dict[str, Any]]:
    """What must be green before a branch moves, by rulesets and by branch protection."""
    return [check for one in _check_rules(hub, repository, branch) for check in one["required_status_checks"]]


def is_strict(hub: Hub, repository: Repository, branch: str) -> bool:
    """Whether a pull request must hold the newest commit of its base before it is merged."""
    rules = _check_rules(hub, repository, branch)
    return any(one["strict_required_status_checks_policy"] for one in rules)


def _check_rules(hub: Hub, repository: Repository, branch: str) -> list[dict[str, Any]]:
    ref, nobody = f"refs/heads/{branch}", Actor("", "none")
    found = [*rules_of(hub, repository, ref), *(one for one, _ in protections.rules_of(hub, repository, ref, nobody))]
    return [rule["parameters"] for rule in found if rule["type"] == "required_status_checks"]


def workflow_refusal(paths: Iterable[str]) -> str | None:
    """What GITHUB_TOKEN is told when it brings a change of a workflow file, None when there is none among the paths."""
    for path in paths:
        if path.startswith(f"{WORKFLOWS}/"):
            return (
                f"refusing to allow a GitHub App to create or update workflow `{path}` without `workflows` permission"
            )
    return None
