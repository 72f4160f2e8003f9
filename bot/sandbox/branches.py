"""A branch gets another name, or another branch becomes the default one: what follows it and what does not."""

from __future__ import annotations

import pygit2

from bot.sandbox import events
from bot.sandbox.http import ApiError, invalid
from bot.sandbox.hub import Hub
from bot.sandbox.store import Repository


def rename(hub: Hub, repository: Repository, old: str, new: str, sender: str, by_run: bool) -> None:
    """https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository: "Renaming a branch".

    Pull requests into the branch follow it, those from it are closed; branch protection by its name follows, and the
    old name leads to the new one. Raises 404 for no such branch, 422 for a name that is taken or none.
    """
    bare = hub.bare(repository)
    sha = bare.branch(old)
    if sha is None:
        raise ApiError(404, "Branch not found")
    if not pygit2.reference_is_valid_name(f"refs/heads/{new}"):
        raise invalid("Branch", "new_name", message="New name is invalid")
    if bare.branch(new) is not None:
        raise invalid("Branch", "new_name", "already_exists")
    before = bare.refs()
    bare.set_ref(f"refs/heads/{new}", sha)
    for found in list(repository.issues.values()):
        if found.pull and found.state == "open" and found.pull.base_ref == old:
            events.retarget(hub, repository, found, new, sha, sender, by_run)
    if old in repository.protections:
        repository.protections[new] = repository.protections.pop(old)
    if old == repository.default_branch:
        set_default(hub, repository, new, sender, by_run)
    bare.delete_ref(f"refs/heads/{old}")
    events.refs_moved(hub, repository, before, sender, by_run)
    repository.old_branches |= {name: new for name, now in repository.old_branches.items() if now == old} | {old: new}
    repository.old_branches.pop(new, None)


def set_default(hub: Hub, repository: Repository, branch: str, sender: str, by_run: bool) -> None:
    """Rulesets by `~DEFAULT_BRANCH`, clones and workflows follow. Raises 422 for a branch that is not there."""
    if hub.bare(repository).branch(branch) is None:
        said = f"The branch {branch} was not found. Please push that ref first or create it via the Git Data API."
        raise invalid("Repository", "default_branch", message=said)
    before, repository.default_branch = repository.default_branch, branch
    hub.bare(repository).set_head(branch)
    if before != branch:
        changes = {"default_branch": {"from": before}}
        events.announce(hub, repository, "repository", "edited", sender, by_run, changes=changes)
