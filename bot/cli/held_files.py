"""Whether Git holds what stands on disk: `plan` reads Git, and people look at their files."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from bot.errors import Place, UserError

PLAIN = ("unspecified", "unset")  # values of the attribute `filter` with which content is stored as it is


def link_errors(folder: Path) -> Iterator[UserError]:
    """A model's folder that Git holds as a link or a submodule, where `plan` looks for a folder."""
    hint = "Commit the content itself; links and submodules are never followed."
    words = {"a symbolic link": folder.is_symlink(), "a submodule": (folder / ".git").exists()}
    for word, is_so in words.items():
        if is_so:
            yield UserError(f"this is {word}", hint=hint, place=Place(str(folder)), code="not_a_file")


def filter_errors(files: Sequence[Path]) -> Iterator[UserError]:
    """Files that a filter of .gitattributes (Git LFS, git-crypt) stores as something else than what stands on disk."""
    there = [file for file in files if file.is_file()]
    for file, name in zip(there, _filters(there), strict=False):
        if name not in PLAIN:
            what = "a pointer of Git LFS" if name == "lfs" else f"what the filter {name!r} makes of it"
            hint = "Take the file out of the filter in .gitattributes, then `git add --renormalize .`"
            yield UserError(f"Git holds {what}, not this file", hint=hint, place=Place(str(file)), code="not_a_file")


def _filters(files: Sequence[Path]) -> list[str]:
    """The attribute of each file; empty outside a repository."""
    if not files:
        return []
    names = [str(file.resolve()) for file in files]
    command = ["git", "-C", str(files[0].resolve().parent), "check-attr", "-z", "filter", "--", *names]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return []
    return done.stdout.split("\0")[2::3] if done.returncode == 0 else []
