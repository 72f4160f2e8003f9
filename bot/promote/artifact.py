"""The files of an artifact: fetched, hashed again, and found to be what was evaluated."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from bot.errors import UserError
from bot.ports import Ports
from bot.records.base import sha256
from bot.records.training import ArtifactFile


def check_artifact(
    pointer: str, files: tuple[ArtifactFile, ...], digest: str, ports: Ports, ask: Callable[[Path], None] | None = None
) -> tuple[ArtifactFile, ...]:
    """Fetch what the pointer names, hash it, and `ask` the folder. Raises UserError (code `artifact_mismatch`).

    Every file that is there: first `files`, which were evaluated, then what was written beside them.
    """
    with tempfile.TemporaryDirectory(prefix="mlbot-") as name:
        ports.artifacts.fetch(pointer, Path(name))
        found = digests(Path(name))
        _same_files(found, files, digest)
        if ask is not None:
            ask(Path(name))
        beside = sorted(set(found) - {file.name for file in files})
        sizes = {path: (Path(name) / path).stat().st_size for path in beside}
        return (*files, *(ArtifactFile(name=path, sha256=found[path], size=sizes[path]) for path in beside))


def _same_files(found: Mapping[str, str], files: tuple[ArtifactFile, ...], digest: str) -> None:
    for file in files:
        if found.get(file.name) != file.sha256:
            raise UserError(
                f"{file.name} in the store is not the file that was evaluated ({file.sha256})",
                hint="Nothing was promoted. Evaluate again, and find out who wrote to the DVC remote.",
                code="artifact_mismatch",
            )
    if digest not in {file.sha256 for file in files}:
        raise UserError(f"no file of the artifact has the digest {digest}", code="artifact_mismatch")


def hashed(pointer: str, ports: Ports) -> dict[str, str]:
    """Name -> digest of the artifact's files, fetched and read now. Raises UserError (code `artifact_missing`)."""
    with tempfile.TemporaryDirectory(prefix="mlbot-") as name:
        ports.artifacts.fetch(pointer, Path(name))
        return digests(Path(name))


def digests(folder: Path) -> dict[str, str]:
    """Name -> digest of the regular files of a folder."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return {path.relative_to(folder).as_posix(): sha256(path.read_bytes()) for path in files}
