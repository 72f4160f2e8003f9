"""Environments: which branches and tags may deploy to one, and what becomes of a job that may not.

GitHub fails such a job before it has a runner, with two errors and no step:
https://github.com/actions/deploy-pages/issues/151. The ref of a run for `pull_request` is `refs/pull/N/merge`.
"""

from __future__ import annotations

import json

from bot.sandbox import protections, rulesets
from bot.sandbox.hub import Hub
from bot.sandbox.patterns import matches
from bot.sandbox.store import Environment, Repository

NAME = "Refused by the environment"  # the only step of such a job, in no list of steps
_SCRIPT = r"""case "$GITHUB_REF" in
  refs/tags/*) of="Tag \"${GITHUB_REF#refs/tags/}\"" ;;
  *) of="Branch \"${GITHUB_REF#refs/heads/}\"" ;;
esac
echo "::error::$of is not allowed to deploy to $ENVIRONMENT due to environment protection rules."
echo "::error::The deployment was rejected or didn't satisfy other protection rules."
exit 1
"""


def is_protected(hub: Hub, repository: Repository, branch: str) -> bool:
    """By a ruleset for branches or by branch protection."""
    listed = rulesets.active(hub, repository, f"refs/heads/{branch}")
    return any(one["target"] == "branch" for one in listed) or protections.protection_of(repository, branch) is not None


def admits(hub: Hub, repository: Repository, environment: Environment, ref: str) -> bool:
    """Whether a job of a run of `ref` may deploy to it. Patterns of tags are kept as `refs/tags/PATTERN`.

    An environment for protected branches takes every branch while none is protected:
    https://docs.github.com/actions/reference/workflows-and-actions/deployments-and-environments
    """
    branch = ref.removeprefix("refs/heads/")
    if not environment.is_limited:
        return True
    if not environment.for_protected:
        return any(matches(pattern, branch) for pattern in environment.branches)
    names = [name.removeprefix("refs/heads/") for name in hub.bare(repository).refs() if name.startswith("refs/heads/")]
    protected = {name for name in names if is_protected(hub, repository, name)}
    return ref.startswith("refs/heads/") and (branch in protected or not protected)


def closed_to(hub: Hub, repository: Repository, ref: str) -> frozenset[str]:
    """Names of the environments that take no job of a run of `ref`."""
    return frozenset(name for name, one in repository.environments.items() if not admits(hub, repository, one, ref))


def refusal(name: str) -> str:
    """The step that a refused job has instead of its own, as one line of YAML."""
    return json.dumps({"name": NAME, "shell": "sh", "env": {"ENVIRONMENT": name}, "run": _SCRIPT})
