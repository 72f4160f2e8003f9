"""The written list of predicates: the keys of `when`. A predicate is a file that is named for its key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.decide.case import Case, Scope
from bot.decide.predicates import (
    always,
    author_roles,
    base_branches,
    change_kinds,
    declared_tier,
    from_fork,
    models,
    models_changed,
    only_paths,
    paths,
    risk_tier,
)
from bot.specs.policies.conditions import When

PREDICATES: dict[str, Callable[[Any, Scope, Case], bool]] = {
    "always": always.holds,
    "author_roles": author_roles.holds,
    "base_branches": base_branches.holds,
    "change_kinds": change_kinds.holds,
    "declared_tier": declared_tier.holds,
    "from_fork": from_fork.holds,
    "models": models.holds,
    "models_changed": models_changed.holds,
    "only_paths": only_paths.holds,
    "paths": paths.holds,
    "risk_tier": risk_tier.holds,
}


def holds(when: When, scope: Scope, case: Case) -> bool:
    """Whether everything that is written in a condition holds for this part of the change."""
    return all(_one(key, getattr(when, key), scope, case) for key in when.written())


def _one(key: str, wanted: Any, scope: Scope, case: Case) -> bool:
    if key == "any_of":
        return any(holds(one, scope, case) for one in wanted)
    if key == "all_of":
        return all(holds(one, scope, case) for one in wanted)
    if key == "none_of":
        return not any(holds(one, scope, case) for one in wanted)
    return PREDICATES[key](wanted, scope, case)
