"""Anchored globs: `*` and `?` stay within a folder, `**` does not; nothing else is special."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from bot.specs.policies.words import DEFAULT_BRANCH


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    spelled = {"**/": r"(?:.*/)?", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
    return re.compile("".join(spelled.get(part) or re.escape(part) for part in parts), re.DOTALL)


def fits(text: str, patterns: Iterable[str]) -> bool:
    """Whether the whole text fits one of the patterns."""
    return any(_compiled(pattern).fullmatch(text) for pattern in patterns)


def fits_branch(branch: str, patterns: Iterable[str], default_branch: str) -> bool:
    """As `fits`; the pattern DEFAULT_BRANCH is the repository's default branch, whatever it is called."""
    return any(branch == default_branch if one == DEFAULT_BRANCH else fits(branch, (one,)) for one in patterns)
