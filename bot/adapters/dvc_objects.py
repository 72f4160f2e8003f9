"""The objects behind DVC pointers: which there are, and their removal from the remote."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bot.adapters.dvc_store import Store, artifact_remote, object_path
from bot.errors import WorldError
from bot.ports import Branch
from bot.specs.pointer import read_listing, read_pointer


class RemoteObjects:
    """Objects of the remote of artifacts of the repository at `root`; while it is embedded, `branch` keeps them."""

    def __init__(self, root: Path, branch: Branch | None = None) -> None:
        self.store = Store(root, branch=branch, remote=artifact_remote(root))

    def is_there(self, pointer: str) -> bool:
        """Whether the pointer's listing can be read."""
        return self.store.read(read_pointer(pointer.encode(), "artifact.dvc").md5) is not None

    def of(self, pointer: str, *, under: str = ".") -> tuple[str, ...]:
        """Object ids behind a pointer, the listing's own first; only that one when the listing is gone already."""
        return self.behind(read_pointer(pointer.encode(), "artifact.dvc").md5, under=under)

    def behind(self, oid: str, *, under: str) -> tuple[str, ...]:
        """The object, and those that it lists when it is the listing of the folder `under`."""
        if not oid.endswith(".dir"):
            return (oid,)
        content = self.store.read(oid)
        if content is None:
            return (oid,)
        return (oid, *(file.md5 for file in read_listing(content, oid, under=under, source="artifact.dvc")))

    def remove(self, oids: Iterable[str]) -> int:
        """How many objects were there and are gone now. Listings go first, so that none names what is not there."""
        wanted = sorted(oids, key=lambda oid: not oid.endswith(".dir"))
        remote, gone = self.store.remote(), self._off_the_branch(wanted)
        for oid in wanted:
            try:
                if remote.exists(oid):
                    remote.delete(oid)
                    gone.add(oid)
            except Exception as error:  # each cloud's library raises its own
                raise WorldError(f"the remote did not remove {oid}: {error}", hint="Run this again.") from error
        return len(gone)

    def _off_the_branch(self, oids: Iterable[str]) -> set[str]:
        """Its history keeps them, since the branch may only grow; new clones of its tip do not."""
        branch = self.store.branch
        kept = set(branch.paths("files/")) if branch is not None else set()
        there = {oid for oid in oids if object_path(oid) in kept}
        if branch is not None and there:
            branch.commit({object_path(oid): None for oid in there}, f"Remove {len(there)} objects")
        return there
