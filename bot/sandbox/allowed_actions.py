"""Which actions a repository lets its workflows use, and what GitHub says of a workflow that uses others."""

from __future__ import annotations

import fnmatch

from bot.sandbox.store import Repository
from bot.sandbox.workflows import Workflow

GITHUBS = ("actions", "github")


def refusal(repository: Repository, workflow: Workflow) -> str:
    """Why GitHub does not start a run of the workflow, empty when it does.

    The words are those of https://github.com/bandframework/bandframework/issues/71.
    """
    switches = repository.switches.actions
    if switches.allowed == "all":
        return ""
    wrong = sorted(name for name in workflow.actions() if not _is_allowed(repository, name))
    if not wrong:
        return ""
    places = [f"within a repository owned by {repository.owner}"]
    if switches.allowed == "selected":
        places += ["created by GitHub"] if switches.github_owned else []
        places += ["verified in the GitHub Marketplace"] if switches.verified else []
        places += [f"matching the following: {', '.join(switches.patterns)}"] if switches.patterns else []
    named = f"{' and '.join(wrong)} {'is' if len(wrong) == 1 else 'are'} not allowed to be used in"
    return f"{named} {repository.full_name}. Actions in this workflow must be: {_joined(places)}."


def _joined(places: list[str]) -> str:
    if len(places) < 3:
        return " or ".join(places)
    return f"{', '.join(places[:-1])}, or {places[-1]}"


def _is_allowed(repository: Repository, name: str) -> bool:
    switches, owner = repository.switches.actions, name.split("/")[0]
    if owner.lower() == repository.owner.lower():
        return True
    if switches.allowed != "selected":
        return False
    return (switches.github_owned and owner in GITHUBS) or any(
        fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(name.partition("@")[0], pattern)
        for pattern in switches.patterns
    )
