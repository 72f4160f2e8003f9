"""Anchored globs: `*` and `?` stay within a folder, `**` does not; nothing else is special.

The time is that of the text times the pattern, whatever they are: the pattern is walked as a set of places in it, never
by trying one way after another. Policies of a pull request are tried on paths that their author named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from bot.specs.policies.words import DEFAULT_BRANCH

IN, OUT = "**/in", "**/out"


@lru_cache(maxsize=4096)
def _parts(pattern: str) -> tuple[str, ...]:
    """Characters and wildcards; `**/` is `IN` and then `OUT`: nothing at all, or a folder of any depth."""
    return tuple(
        one
        for part in re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
        for one in ((IN, OUT) if part == "**/" else (part,) if part in ("**", "*") else tuple(part))
    )


@lru_cache(maxsize=65536)
def _fits(text: str, pattern: str) -> bool:
    if not re.search(r"[*?]", pattern):
        return text == pattern
    parts = _parts(pattern)
    places = _skipped({0}, parts)
    for character in text:
        places = _skipped({to for at in places if at < len(parts) for to in _next(at, parts[at], character)}, parts)
    return len(parts) in places


def _next(at: int, part: str, character: str) -> tuple[int, ...]:
    """Where one character leads from a place."""
    if part in (IN, OUT):  # inside of folders until one of their slashes
        inside = at + (part == IN)
        return (inside, inside + 1) if character == "/" else (inside,)
    if part == "**" or (part == "*" and character != "/"):
        return (at,)
    return (at + 1,) if part == character or (part == "?" and character != "/") else ()


def _skipped(places: set[int], parts: tuple[str, ...]) -> set[int]:
    """With the places that need no character."""
    found, left = set(places), list(places)
    while left:
        at = left.pop()
        part = parts[at] if at < len(parts) else ""
        to = at + 2 if part == IN else at + 1 if part in ("*", "**") else at
        if to not in found:
            found.add(to)
            left.append(to)
    return found


def fits(text: str, patterns: Iterable[str]) -> bool:
    """Whether the whole text fits one of the patterns."""
    return any(_fits(text, pattern) for pattern in patterns)


def fits_branch(branch: str, patterns: Iterable[str], default_branch: str) -> bool:
    """As `fits`; the pattern DEFAULT_BRANCH is the repository's default branch, whatever it is called."""
    return any(branch == default_branch if one == DEFAULT_BRANCH else fits(branch, (one,)) for one in patterns)
