"""Patterns of branches, tags and files in GitHub's rules, which are those of Ruby."""

from __future__ import annotations

import re
from functools import lru_cache


@lru_cache(512)
def _regex(pattern: str) -> re.Pattern[str]:
    found, index = "", 0
    while index < len(pattern):
        rest = pattern[index:]
        group = re.match(r"\[(!|\^)?(\]?[^\]]*)\]", rest)
        if rest.startswith("**/") and (index == 0 or pattern[index - 1] == "/"):
            found, index = found + "(?:[^/]+/)*", index + 3
        elif rest[0] == "*":
            found, index = found + "[^/]*", index + 1
        elif rest[0] == "?":
            found, index = found + "[^/]", index + 1
        elif group:
            inner = group[2].replace("\\", "\\\\").replace("[", "\\[")
            found, index = found + f"(?!/)[{'^' if group[1] else ''}{inner}]", index + group.end()
        else:
            index += rest[0] == "\\" and len(rest) > 1
            found, index = found + re.escape(pattern[index]), index + 1
    return re.compile(found)


def matches(pattern: str, name: str) -> bool:
    """Ruby's `File.fnmatch` with FNM_PATHNAME, which GitHub's patterns are: a star stops at a slash, `**/` does not."""
    return bool(_regex(pattern).fullmatch(name))
