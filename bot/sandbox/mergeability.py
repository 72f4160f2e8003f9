"""Whether a pull request can be merged now, and what is in the way, as GitHub's page and `mergeable_state` say it."""

from __future__ import annotations

from bot.sandbox import rules
from bot.sandbox.hub import Hub
from bot.sandbox.rulesets import Actor
from bot.sandbox.store import Issue, Repository
from bot.sandbox.switches import MERGE_METHODS
from bot.sandbox.violations import Change, states

_NOBODY = Actor("", "none")


def allowed_methods(hub: Hub, repository: Repository, base: str) -> list[str]:
    """How pull requests may be merged: what the repository allows and no ruleset of the base takes away."""
    methods = [method for method in MERGE_METHODS if repository.switches.allows(method)]
    for rule in rules.rules_of(hub, repository, f"refs/heads/{base}"):
        listed = (rule.get("parameters") or {}).get("allowed_merge_methods")
        if rule["type"] == "pull_request" and listed:
            methods = [method for method in methods if method in listed]
    return methods


def blockers(hub: Hub, repository: Repository, found: Issue) -> list[str]:
    """Sentences about the rules that a merge would break; who passes by them is left out of account."""
    pull = found.pull
    assert pull is not None
    method = next(iter(allowed_methods(hub, repository, pull.base_ref)), "")
    base = hub.bare(repository).branch(pull.base_ref)
    change = Change(hub, repository, f"refs/heads/{pull.base_ref}", base, pull.head_sha, found, method)
    return [one.sentence for one in rules.judge(change, _NOBODY).broken]


def state(hub: Hub, repository: Repository, found: Issue) -> str:
    """https://docs.github.com/graphql/reference/enums#mergestatestatus, in the REST API's lower case."""
    pull = found.pull
    assert pull is not None
    if pull.merged_at is not None or found.state != "open":
        return "unknown"
    if pull.draft:
        return "draft"
    if not pull.mergeable:
        return "dirty"
    if blockers(hub, repository, found):
        return "blocked"
    bare = hub.bare(repository)
    tip = bare.branch(pull.base_ref)
    if tip and rules.is_strict(hub, repository, pull.base_ref) and bare.merge_base(tip, pull.head_sha) != tip:
        return "behind"
    last = [said[-1][0] for said in states(hub, repository, pull.head_sha).values()]
    return "clean" if all(one == "success" for one in last) else "unstable"
