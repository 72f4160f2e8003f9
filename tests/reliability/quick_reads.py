"""What the bot and the sandbox read again and again in one process, read once: the same answers, in less time."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import pygit2

from bot.sandbox import triggers, workflows
from bot.sandbox.bare import Bare
from bot.specs import yaml
from bot.specs.policies import loader


@contextmanager
def quick_reads() -> Iterator[None]:
    """One open repository a folder, one parsing of each policy's text and of each commit's workflows."""
    opened = functools.lru_cache(4)(pygit2.Repository)
    read_yaml = functools.lru_cache(256)(yaml.read_yaml)
    by_tree: dict[str, Any] = {}

    def read_workflows(bare: Bare, rev: str) -> Any:
        tree = _folder_id(bare, rev)
        if tree not in by_tree:
            by_tree[tree] = workflows.read_workflows(bare, rev)
        return dict(by_tree[tree])

    with ExitStack() as stack:
        for target, name, value in (
            (Bare, "git", property(lambda bare: opened(str(bare.path)))),
            (Bare, "new_paths", _new_paths),
            (loader, "read_yaml", read_yaml),
            (triggers, "read_workflows", read_workflows),
        ):
            stack.enter_context(mock.patch.object(target, name, value))
        yield


def _folder_id(bare: Bare, rev: str) -> str:
    """The id of a commit's folder of workflows; the commit's own where there is none."""
    try:
        return str(bare.git.revparse_single(f"{rev}:{workflows.FOLDER}").id)
    except (KeyError, ValueError):
        return rev


def _new_paths(bare: Bare, sha: str) -> list[str]:
    """`Bare.new_paths` without a process: files that commits reachable from `sha` and from no ref change."""
    walker = bare.git.walk(sha)
    for target in set(bare.refs().values()):
        walker.hide(target)
    names: set[str] = set()
    for commit in walker:
        for parent in commit.parents or [None]:
            diff = parent.tree.diff_to_tree(commit.tree) if parent else commit.tree.diff_to_tree(swap=True)
            names |= {delta.new_file.path for delta in diff.deltas}
    return sorted(names)
