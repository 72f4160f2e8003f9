"""A branch that somebody deleted or rewrote on origin, put back from a clone that had fetched it."""

from __future__ import annotations

from bot.adapters.git import SEEN, GitBranch
from bot.adapters.git_refusals import push_error


def seen_tips(branch: GitBranch) -> list[str]:
    """Tips of the branch that this clone fetched, the newest first, by Git's own log of the reference."""
    listed = branch.git.run("reflog", "show", "--format=%H", branch.ref).stdout.split()
    kept = branch.git.repository.references.get(f"{SEEN}{branch.name}")
    tips = [branch.head(), None if kept is None else str(kept.target), *listed]
    return list(dict.fromkeys(tip for tip in tips if tip is not None))


def lost_tip(seen: list[str], branch: GitBranch) -> str | None:
    """The newest tip that origin's branch, as last fetched, does not hold any more; None when it holds all."""
    tip = branch.head()
    for sha in seen:
        is_here = branch.git.repository.get(sha) is not None
        if is_here and (tip is None or not branch.git.is_ancestor(sha, tip)):
            return sha
    return None


def put_back(branch: GitBranch, sha: str) -> None:
    """Make a commit the tip of the branch on origin, in place of what was fetched last. Raises as a push does."""
    lease = f"--force-with-lease=refs/heads/{branch.name}:{branch.head() or ''}"
    done = branch.git.run("push", "--quiet", lease, "origin", f"{sha}:refs/heads/{branch.name}")
    if done.returncode:
        raise push_error(f"branch {branch.name}", done.stderr)
    branch.git.repository.references.create(branch.ref, sha, force=True)
