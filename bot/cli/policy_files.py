"""The policy folder on disk, for verbs that judge without a repository."""

from __future__ import annotations

from pathlib import Path

from bot.errors import UserError
from bot.specs.policies import Policies, read_policies


def folder_files(folder: Path) -> dict[str, bytes]:
    """`policies/<path>` -> bytes; links are refused, as they are in a repository."""
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            raise UserError(f"{path} is a link", hint="Policies are plain files.", code="policy_invalid")
        if path.is_file():
            files[f"policies/{path.relative_to(folder).as_posix()}"] = path.read_bytes()
    return files


def read_folder(folder: Path) -> Policies:
    """The policies of a folder. Raises UserError or Problems with file and line."""
    return read_policies(folder_files(folder))
