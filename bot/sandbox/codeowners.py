"""CODEOWNERS: who owns which path.

https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
"""

from __future__ import annotations

from pathlib import PurePosixPath

from bot.sandbox.patterns import matches

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")  # the first that is there counts


def owners_of(text: str, path: str) -> tuple[str, ...]:
    """Who owns a path as the file writes them (`@login`, `@org/team`, an address): the last line that fits decides."""
    found: tuple[str, ...] = ()
    for line in text.splitlines():
        pattern, *owners = line.partition("#")[0].split() or [""]
        if pattern and fits(pattern, path):
            found = tuple(owners)
    return found


def fits(pattern: str, path: str) -> bool:
    """As in a .gitignore: a folder means all below it, a name without a slash fits anywhere; `docs/*` is no folder."""
    name = pattern.strip("/")
    name = name if "/" in pattern.rstrip("/") else f"**/{name}"
    is_file = not pattern.endswith("/") and matches(name, path)
    if is_file or (name.endswith("/*") and not name.startswith("**/")):
        return is_file
    return any(matches(name, str(folder)) for folder in PurePosixPath(path).parents)
