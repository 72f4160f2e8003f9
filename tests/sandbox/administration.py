"""What an administrator can set, each operation once with success."""

from __future__ import annotations

import base64
from typing import Any

from bot.sandbox import merge_queue
from bot.sandbox.rulesets import PULL_REQUEST, Actor
from bot.sandbox.world import Sandbox

BRANCHES = {"ref_name": {"include": ["refs/heads/kept/**/*"], "exclude": []}}
RULESET = {
    "name": "kept",
    "enforcement": "active",
    "bypass_actors": [{"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"}],
    "conditions": BRANCHES,
    "rules": [
        {"type": "creation"},
        {"type": "required_linear_history"},
        {"type": "pull_request", "parameters": PULL_REQUEST},
        {"type": "commit_message_pattern", "parameters": {"operator": "starts_with", "pattern": "feat"}},
    ],
}
QUEUE = {
    "name": "queue",
    "enforcement": "active",
    "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
    "rules": [
        {
            "type": "merge_queue",
            "parameters": {
                "check_response_timeout_minutes": 60,
                "grouping_strategy": "ALLGREEN",
                "max_entries_to_build": 5,
                "max_entries_to_merge": 5,
                "merge_method": "MERGE",
                "min_entries_to_merge": 1,
                "min_entries_to_merge_wait_minutes": 5,
            },
        }
    ],
}


def administrate(world: Sandbox, adam: Any, rhea: Any) -> None:
    """Rulesets, branch protection, renamed branches, switches, a merge queue, and files written without git."""
    _rulesets(adam)
    _queue(world, adam)
    _branches(adam, rhea)
    _files(rhea)
    _switches(adam)


def _rulesets(adam: Any) -> None:
    _, made = adam("POST", "/rulesets", RULESET)
    adam("GET", f"/rulesets/{made['id']}")
    adam("PUT", f"/rulesets/{made['id']}", {"enforcement": "disabled"})
    all_of_it = {**BRANCHES, "repository_name": {"include": ["~ALL"], "exclude": []}}
    _, above = adam("POST", "//orgs/acme/rulesets", RULESET | {"conditions": all_of_it})
    where = f"//orgs/acme/rulesets/{above['id']}"
    adam("GET", "//orgs/acme/rulesets")
    adam("GET", where)
    adam("GET", "/rulesets?includes_parents=true")
    adam("GET", "/rules/branches/kept/one")
    adam("PUT", where, {"name": "still kept"})
    adam("DELETE", where)
    adam("DELETE", f"/rulesets/{made['id']}")


def _branches(adam: Any, rhea: Any) -> None:
    main = rhea("GET", "/git/ref/heads/main")[1]["object"]["sha"]
    for name in ("one", "two"):
        rhea("POST", "/git/refs", {"ref": f"refs/heads/{name}", "sha": main})
    protection = {
        "required_status_checks": {"strict": True, "contexts": ["ci"]},
        "enforce_admins": True,
        "required_pull_request_reviews": {"required_approving_review_count": 2},
        "restrictions": {"users": ["rhea"], "teams": [], "apps": []},
    }
    adam("PUT", "/branches/one/protection", protection)
    adam("GET", "/branches/one/protection")
    adam("GET", "/branches/one")
    adam("GET", "/branches?protected=true")
    adam("DELETE", "/branches/one/protection")
    rhea("POST", "/branches/one/rename", {"new_name": "uno"})
    adam("PATCH", "", {"default_branch": "uno"})
    adam("PATCH", "", {"default_branch": "main"})
    put = {"message": "new", "content": base64.b64encode(b"x").decode(), "branch": "two"}
    rhea("PUT", "/contents/two.txt", put)
    rhea("POST", "/merges", {"base": "uno", "head": "two"})


def _queue(world: Sandbox, adam: Any) -> None:
    _, made = adam("POST", "/rulesets", QUEUE)
    number = world.propose("dana", "queued", {"queued.txt": b"1"}, "Queued")
    with world.hub.lock:
        merge_queue.enqueue(world.hub, world.repo, world.repo.issues[number], Actor("dana", "write"))
    adam("DELETE", f"/rulesets/{made['id']}")


def _files(rhea: Any) -> None:
    text = base64.b64encode(b"new\n").decode()
    _, made = rhea("PUT", "/contents/docs/new.md", {"message": "new", "content": text})
    sha = made["content"]["sha"]
    _, made = rhea("PUT", "/contents/docs/new.md", {"message": "newer", "content": text + "Cg==", "sha": sha})
    rhea("DELETE", "/contents/docs/new.md", {"message": "gone", "sha": rhea("GET", "/contents/docs/new.md")[1]["sha"]})
    _, blob = rhea("POST", "/git/blobs", {"content": "x"})
    listed = [{"path": "a/b.txt", "mode": "100644", "type": "blob", "sha": blob["sha"]}]
    _, tree = rhea("POST", "/git/trees", {"tree": listed})
    rhea("POST", "/git/commits", {"message": "one", "tree": tree["sha"], "parents": []})


def _switches(adam: Any) -> None:
    adam("PATCH", "", {"allow_merge_commit": False, "delete_branch_on_merge": True})
    adam("PATCH", "", {"allow_merge_commit": True, "delete_branch_on_merge": False})
    adam("PUT", "/actions/permissions", {"enabled": True, "allowed_actions": "selected"})
    adam("GET", "/actions/permissions")
    adam("PUT", "/actions/permissions/selected-actions", {"patterns_allowed": ["astral-sh/*"]})
    adam("GET", "/actions/permissions/selected-actions")
    adam("PUT", "/actions/permissions", {"enabled": True, "allowed_actions": "all"})
