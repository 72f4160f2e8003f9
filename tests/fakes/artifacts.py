"""Port Artifacts in memory; its pointers are real ones."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from bot.errors import UserError
from bot.specs.pointer import read_pointer, write_pointer


@dataclass
class FakeArtifacts:
    """Folders by the MD5 of their listing. Remove one from `folders` to lose it."""

    folders: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def store(self, folder: Path) -> str:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
        listing = [{"md5": _md5(data), "relpath": name} for name, data in files.items()]
        oid = _md5(json.dumps(listing, sort_keys=True).encode()) + ".dir"
        self.folders[oid] = files
        return write_pointer(oid, sum(map(len, files.values())), len(files), "artifact")

    def fetch(self, pointer: str, into: Path) -> None:
        oid = read_pointer(pointer.encode(), "artifact.dvc").md5
        if oid not in self.folders:
            raise UserError(f"the remote does not hold {oid}", hint="Was it removed?", code="artifact_missing")
        for name, data in self.folders[oid].items():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            (into / name).write_bytes(data)


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
