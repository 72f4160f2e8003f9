"""Rulesets as documents: GitHub's shape, what may stand in one, which refs it covers, whom it does not hold back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from bot.sandbox.http import ApiError
from bot.sandbox.patterns import matches
from bot.sandbox.people import RANKS, Permission
from bot.sandbox.shapes.teams import team_id

if TYPE_CHECKING:
    from bot.sandbox.hub import Hub
    from bot.sandbox.store import Repository, Token

Mode = Literal["never", "pull_request", "always"]
PULL_REQUEST: dict[str, Any] = {
    "required_approving_review_count": 0,
    "dismiss_stale_reviews_on_push": False,
    "require_code_owner_review": False,
    "require_last_push_approval": False,
    "required_review_thread_resolution": False,
}
_QUEUE = (
    "check_response_timeout_minutes", "grouping_strategy", "max_entries_to_build", "max_entries_to_merge",
    "merge_method", "min_entries_to_merge", "min_entries_to_merge_wait_minutes",
)  # fmt: skip
_PATTERN = ("operator", "pattern")
# rule -> (targets, parameters that it must have); https://docs.github.com/rest/repos/rules#create-a-repository-ruleset
RULES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    **dict.fromkeys(
        ("creation", "update", "deletion", "non_fast_forward", "required_linear_history", "required_signatures"),
        (("branch", "tag"), ()),
    ),
    "pull_request": (("branch",), tuple(PULL_REQUEST)),
    "required_status_checks": (
        ("branch", "tag"), ("required_status_checks", "strict_required_status_checks_policy"),
    ),
    "merge_queue": (("branch",), _QUEUE),
    "branch_name_pattern": (("branch",), _PATTERN),
    "tag_name_pattern": (("tag",), _PATTERN),
    **dict.fromkeys(
        ("commit_message_pattern", "commit_author_email_pattern", "committer_email_pattern"),
        (("branch", "tag"), _PATTERN),
    ),
    "file_path_restriction": (("push",), ("restricted_file_paths",)),
    "file_extension_restriction": (("push",), ("restricted_file_extensions",)),
    "max_file_path_length": (("push",), ("max_file_path_length",)),
    "max_file_size": (("push",), ("max_file_size",)),
    # known and kept, but nothing here plays what they ask for
    "required_deployments": (("branch", "tag"), ("required_deployment_environments",)),
    "workflows": (("branch",), ("workflows",)),
    "code_scanning": (("branch",), ("code_scanning_tools",)),
    "copilot_code_review": (("branch",), ()),
}  # fmt: skip
OPERATORS = ("starts_with", "ends_with", "contains", "regex")
ACTORS = ("Integration", "OrganizationAdmin", "RepositoryRole", "Team", "DeployKey", "User")
# https://docs.github.com/rest/repos/rules: the numbers that a ruleset calls the roles by
ROLES: dict[int, Permission] = {1: "read", 2: "maintain", 3: "triage", 4: "write", 5: "admin"}


@dataclass(frozen=True)
class Actor:
    """Who moves a ref or merges. `app` is the GitHub App behind the token, which has no role."""

    login: str
    role: Permission
    app: int | None = None


def actor_of(hub: Hub, repository: Repository, token: Token | None) -> Actor:
    """Who a token acts as."""
    if token is None:
        return Actor("", "none")
    role: Permission = "none" if token.app is not None else hub.permission(repository, token.login)
    return Actor(token.login, role, token.app)


def ruleset(
    hub: Hub,
    repository: Repository,
    *,
    branch: str | None = None,
    checks: Iterable[str] = (),
    approvals: int = 0,
    app: int | None = None,
    bypass: Iterable[str] = (),
) -> dict[str, Any]:
    """One branch (the default one when None): pull requests only, no force-push, no deletion.

    `checks` are statuses that must be green (set by `app`, when one is named), `approvals` how many writers must
    approve. `bypass` is our own key beside GitHub's `bypass_actors`: logins that no rule holds back.
    """
    source = {"integration_id": app} if app is not None else {}
    rules: list[dict[str, Any]] = [{"type": "deletion"}, {"type": "non_fast_forward"}]
    parameters = PULL_REQUEST | {"required_approving_review_count": approvals}
    rules.append({"type": "pull_request", "parameters": parameters})
    if required := [{"context": name, **source} for name in checks]:
        wanted = {"strict_required_status_checks_policy": False, "required_status_checks": required}
        rules.append({"type": "required_status_checks", "parameters": wanted})
    included = f"refs/heads/{branch}" if branch else "~DEFAULT_BRANCH"
    body = {
        "name": f"protect {branch or 'the default branch'}",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": [included], "exclude": []}},
        "rules": rules,
    }
    return document(hub, body, repository.full_name) | {"bypass": list(bypass)}


def default() -> dict[str, Any]:
    """What a rehearsal of a repository without rulesets begins with: pull requests only, and with a green verdict."""
    checks = [{"context": "mlbot/verdict"}]
    wanted = {"strict_required_status_checks_policy": False, "required_status_checks": checks}
    return {
        "name": "the default branch takes what the policy lets through",
        "target": "branch",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
        "rules": [
            {"type": "deletion"},
            {"type": "non_fast_forward"},
            {"type": "pull_request", "parameters": dict(PULL_REQUEST)},
            {"type": "required_status_checks", "parameters": wanted},
        ],
    }


def document(hub: Hub, body: Mapping[str, Any], source: str, kind: str = "Repository") -> dict[str, Any]:
    """What is kept of a request that makes a ruleset. `source` is the repository or the organization it belongs to."""
    at = hub.clock().isoformat()
    return {
        "id": hub.next_id(),
        "name": body["name"],
        "target": body.get("target") or "branch",
        "source_type": kind,
        "source": source,
        "enforcement": body["enforcement"],
        "bypass_actors": list(body.get("bypass_actors") or []),
        "conditions": body.get("conditions") or {"ref_name": {"include": [], "exclude": []}},
        "rules": list(body.get("rules") or []),
        "created_at": at,
        "updated_at": at,
    }


# --- what may stand in one


def check(hub: Hub, body: Any, others: Iterable[Mapping[str, Any]]) -> None:
    """Raises 422 for a ruleset that GitHub would not take; `others` are those that it lies beside."""
    if not isinstance(body, dict) or not isinstance(body.get("name"), str):
        raise ApiError(422, 'Invalid request.\n\n"name" wasn\'t supplied.')
    _one_of(body, "enforcement", ("disabled", "active", "evaluate"))
    _one_of({"target": "branch"} | body, "target", ("branch", "tag", "push", "repository"))
    for place, one in enumerate(body.get("rules") or []):
        _shape_of_rule(one, place)
    wrong = [*_patterns(body), *_rules(hub, body), *_bypass(hub, body)]
    if body["name"] in {one["name"] for one in others}:
        wrong.append("Name must be unique")
    if wrong:
        raise ApiError(422, "Validation Failed", wrong)


def _one_of(body: Mapping[str, Any], name: str, values: tuple[str, ...]) -> None:
    if name not in body:
        raise ApiError(422, f'Invalid request.\n\n"{name}" wasn\'t supplied.')
    if body[name] not in values:
        words = ", ".join(f'`"{value}"`' for value in values)
        said = f'Invalid property /{name}: `"{body[name]}"` is not a possible value. Must be one of the following: '
        raise ApiError(422, f"Invalid request.\n\n{said}{words}.")


def _shape_of_rule(one: Any, place: int) -> None:
    known = isinstance(one, dict) and one.get("type") in RULES
    given = (one.get("parameters") or {}) if known else {}
    if not known or not isinstance(given, dict) or set(RULES[one["type"]][1]) - given.keys():
        raise ApiError(422, f"Invalid request.\n\nInvalid property /rules/{place}: data matches no possible input.")


def _patterns(body: Mapping[str, Any]) -> list[str]:
    names = (body.get("conditions") or {}).get("ref_name")
    if names is None:
        return []
    if "include" not in names or "exclude" not in names:
        return ["Invalid target patterns: ''"]
    folder = "refs/tags/" if body.get("target") == "tag" else "refs/heads/"
    words = ("~ALL",) if body.get("target") == "tag" else ("~ALL", "~DEFAULT_BRANCH")
    wrong = [
        name for name in [*names["include"], *names["exclude"]] if name not in words and not name.startswith(folder)
    ]
    return [f"Invalid target patterns: {', '.join(repr(name) for name in wrong)}"] if wrong else []


def _rules(hub: Hub, body: Mapping[str, Any]) -> list[str]:
    target, wrong = body.get("target") or "branch", []
    for one in body.get("rules") or []:
        kind, parameters = one["type"], one.get("parameters") or {}
        if target not in RULES[kind][0]:
            wrong.append(f"Invalid rule '{kind}': ")
        elif kind == "required_status_checks":
            apps = {check.get("integration_id") for check in parameters["required_status_checks"]} - {None}
            if not all(_is_app(hub, app) for app in apps):
                named = "Invalid parameter required_status_checks: Invalid integration ids"
                wrong.append(f"Invalid rule 'required_status_checks': {named}")
        elif kind.endswith("_pattern") and not _is_pattern(parameters):
            wrong.append(f"Invalid rule '{kind}': Invalid parameter pattern")
    return wrong


def _is_pattern(parameters: Mapping[str, Any]) -> bool:
    try:
        re.compile(parameters["pattern"] if parameters["operator"] == "regex" else "")
    except re.error:
        return False
    return parameters["operator"] in OPERATORS


def _bypass(hub: Hub, body: Mapping[str, Any]) -> list[str]:
    given = body.get("bypass_actors") or []
    wrong = [str(one.get("actor_type")) for one in given if not _is_known(hub, one)]
    return [f"Actor {kind} must be part of the ruleset source or owner organization" for kind in wrong]


def _is_known(hub: Hub, actor: Mapping[str, Any]) -> bool:
    kind, number = actor.get("actor_type"), actor.get("actor_id")
    if kind == "Integration":
        return _is_app(hub, number)
    numbers = {
        "Team": {team_id(slug) for slug in hub.data.teams},
        "User": {person.id for person in hub.data.people.values()},
        "RepositoryRole": set(ROLES),
    }
    return number in numbers[str(kind)] if kind in numbers else kind in ACTORS


def _is_app(hub: Hub, number: Any) -> bool:
    from bot.sandbox.shapes.basics import ACTIONS_APP

    return number == ACTIONS_APP or number in hub.data.apps


# --- which refs it covers, and whom it does not hold back


def active(hub: Hub, repository: Repository, ref: str) -> list[dict[str, Any]]:
    """The rulesets that hold for a ref: the repository's, then its organization's. Those for pushes hold everywhere."""
    return [
        one
        for one in every(hub, repository)
        if one["enforcement"] == "active" and covers(one, ref, repository.default_branch)
    ]


def every(hub: Hub, repository: Repository, *, parents: bool = True) -> list[dict[str, Any]]:
    """The repository's rulesets, and with `parents` those of its organization that are about it."""
    above = [one for one in hub.data.rulesets if parents and one["source"] == repository.owner]
    return [*repository.rulesets, *(one for one in above if _about(one, repository.name))]


def _about(one: Mapping[str, Any], name: str) -> bool:
    names = one["conditions"].get("repository_name")
    if names is None:
        return True
    return _listed(names["include"], name) and not _listed(names.get("exclude") or (), name)


def _listed(patterns: Iterable[str], name: str) -> bool:
    return any(pattern == "~ALL" or matches(pattern, name) for pattern in patterns)


def covers(one: Mapping[str, Any], ref: str, default_branch: str) -> bool:
    """Whether a ruleset's target and conditions are about a ref, by its full name."""
    if one["target"] == "push":
        return True
    folder = {"branch": "refs/heads/", "tag": "refs/tags/"}.get(one["target"], "?")
    names = one["conditions"].get("ref_name") or {"include": []}
    default = f"refs/heads/{default_branch}"

    def hit(pattern: str) -> bool:
        if pattern == "~ALL":
            return True
        return ref == default if pattern == "~DEFAULT_BRANCH" else matches(pattern, ref)

    inside = ref.startswith(folder) and any(map(hit, names["include"]))
    return inside and not any(map(hit, names.get("exclude") or ()))


def bypass_of(hub: Hub, one: Mapping[str, Any], actor: Actor) -> Mode:
    """How far an actor may pass by a ruleset: always, when merging a pull request only, never."""
    if actor.login in one.get("bypass", ()):
        return "always"
    modes = {entry.get("bypass_mode") or "always" for entry in one["bypass_actors"] if _is(hub, entry, actor)}
    return "always" if modes & {"always", "exempt"} else "pull_request" if modes else "never"


def _is(hub: Hub, entry: Mapping[str, Any], actor: Actor) -> bool:
    number = entry.get("actor_id")
    if entry["actor_type"] == "Integration":
        return actor.app is not None and actor.app == number
    if actor.app is not None:
        return False
    if entry["actor_type"] == "RepositoryRole":
        return RANKS.index(actor.role) >= RANKS.index(ROLES[number]) if number in ROLES else False
    if entry["actor_type"] == "Team":
        return any(team_id(slug) == number and hub.team_role(slug, actor.login) for slug in hub.data.teams)
    if entry["actor_type"] == "User":
        person = hub.data.people.get(actor.login)
        return person is not None and person.id == number
    owners = {repository.owner for repository in hub.data.repositories.values()}
    return entry["actor_type"] == "OrganizationAdmin" and actor.login in owners
