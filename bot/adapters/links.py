"""Symbolic links that are switched atomically: a reader sees the old folder or the new one, never neither."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path


def point(folder: Path, targets: Mapping[str, Path], keep: Collection[str] = ()) -> None:
    """Make `folder/<name>` a relative link to each target, and remove the other links there but those to `keep`.

    Files are left alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, target in targets.items():
        link = folder / name
        relative = os.path.relpath(target, folder)
        if link.is_symlink() and os.readlink(link) == relative:  # noqa: PTH115  Path.readlink gives a Path
            continue
        new = folder / f".{name}.new"
        new.unlink(missing_ok=True)
        new.symlink_to(relative, target_is_directory=True)
        new.replace(link)  # rename(2) replaces a link in one step
    for link in folder.iterdir():
        if link.is_symlink() and link.name not in (*targets, *keep) and not link.name.startswith("."):
            link.unlink()
