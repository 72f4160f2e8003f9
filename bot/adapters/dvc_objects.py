"""The objects behind DVC pointers: which there are, and their removal from the remote."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bot.adapters.dvc import Store
from bot.errors import WorldError
from bot.specs.pointer import read_listing, read_pointer


class RemoteObjects:
    """Objects of the default remote of the repository at `root`."""

    def __init__(self, root: Path) -> None:
        self.store = Store(root)

    def of(self, pointer: str, *, under: str = ".") -> tuple[str, ...]:
        """Object ids behind a pointer, the listing's own first; only that one when the listing is gone already."""
        oid = read_pointer(pointer.encode(), "artifact.dvc").md5
        content = self.store.read(oid)
        if content is None:
            return (oid,)
        return (oid, *(file.md5 for file in read_listing(content, oid, under=under, source="artifact.dvc")))

    def remove(self, oids: Iterable[str]) -> int:
        """How many objects were there and are gone now. Listings go first, so that none names what is not there."""
        remote, n = self.store.remote(), 0
        for oid in sorted(oids, key=lambda oid: not oid.endswith(".dir")):
            try:
                if remote.exists(oid):
                    remote.delete(oid)
                    n += 1
            except Exception as error:  # each cloud's library raises its own
                raise WorldError(f"the remote did not remove {oid}: {error}", hint="Run this again.") from error
        return n
