"""Data and artifacts through DVC, by content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.adapters.dvc_store import Store, artifact_remote, embedded_folder, md5_of, object_path, push
from bot.adapters.dvc_tracked import TrackedPaths
from bot.errors import Place, UserError, WorldError
from bot.ports import Branch, Git
from bot.records.plan import DataFile
from bot.specs.pointer import is_hidden_entry, read_listing, read_pointer, write_pointer
from bot.specs.tracked import Tracked, with_content

JOBS = 8


class DvcData:
    """Port Data. `at` are commits whose embedded objects may be read, next to those that `files` is asked about."""

    def __init__(self, root: Path, git: Git, at: Sequence[str] = ()) -> None:
        self.git = git
        self.store = Store(root, git)
        self.store.commits.extend(at)
        self.tracked = TrackedPaths(git)
        self._listings: dict[tuple[str, str], tuple[DataFile, ...]] = {}

    def files(self, sha: str, path: str) -> tuple[DataFile, ...]:
        found: list[DataFile] = []
        for one in self.tracked.of(sha, path):
            if one.refusal:
                raise one.refusal
            found.extend(file for file in self._files_of(sha, one) if is_at_or_below(file.path, path))
        if not found:
            pointers = " and ".join(sorted({one.pointer for one in self.tracked.of(sha, path)}))
            hint = f"Check `data.path`, or add the file: `dvc add` and `dvc push`, and commit {pointers}."
            raise UserError(f"{path} is not in {pointers} at {sha[:10]}", hint=hint, code="data_path_missing")
        return tuple(sorted(found, key=lambda file: file.path))

    def tracked_by(self, sha: str, pointer: str) -> tuple[DataFile, ...]:
        readable = [one for one in self.tracked.by(sha, pointer) if not one.refusal]
        return tuple(file for one in readable for file in self._files_of(sha, one))

    def _files_of(self, sha: str, one: Tracked) -> tuple[DataFile, ...]:
        if not one.is_folder:
            self._knows(sha)
            return (DataFile(path=one.path, md5=one.md5),)
        if (one.md5, one.path) not in self._listings:
            listing = read_listing(self._listing(sha, one), one.md5, under=one.path, source=one.pointer)
            self._listings[one.md5, one.path] = listing
        return self._listings[one.md5, one.path]

    def _listing(self, sha: str, one: Tracked) -> bytes:
        self._knows(sha)
        content = self.store.read(one.md5)
        if content is None:
            hint = "Run `dvc push`, then try again."
            if one.is_import:
                hint = f"`dvc push` leaves imports out: `dvc add` a copy of {one.path}, `dvc push`, then try again."
            message = f"the remote does not hold the listing of {one.path}/ ({one.md5})"
            raise WorldError(message, hint=hint, place=Place(one.pointer), code="data_object_missing")
        return content

    def _knows(self, sha: str) -> None:
        if sha not in self.store.commits:
            self.store.commits.append(sha)

    def fetch(self, files: Sequence[DataFile], into: Path) -> None:
        _fetch(self.store, [(file.md5, into / file.path) for file in files], "data_object_missing")

    def add(self, sha: str, files: Mapping[str, Path]) -> dict[str, bytes]:
        """The pointers, and the objects when the remote is embedded: a branch carries them as a pull request does."""
        objects: dict[str, Path | bytes] = {}
        written: dict[str, bytes] = {}
        for one, new in self._by_pointer(sha, files).items():
            objects |= {md5_of(at): at for at in new.values()}
            written[one.pointer] = self._with(sha, one, new, objects)
        folder = embedded_folder(self.store.root)
        if folder:
            kept = {oid: what if isinstance(what, bytes) else what.read_bytes() for oid, what in objects.items()}
            return written | {f"{folder}/{object_path(oid)}": data for oid, data in kept.items()}
        listings = {oid: what for oid, what in objects.items() if isinstance(what, bytes)}
        push(self.store.remote(), [(oid, at) for oid, at in objects.items() if isinstance(at, Path)], listings)
        return written

    def _by_pointer(self, sha: str, files: Mapping[str, Path]) -> dict[Tracked, dict[str, Path]]:
        """The folder or file that each new file belongs to; a folder without a listing of its own is none."""
        found: dict[Tracked, dict[str, Path]] = {}
        for path, at in files.items():
            one = self.tracked.of(sha, path)[0]
            if why := _fixed(one, path):
                raise UserError(why[0], hint=why[1], place=Place(one.pointer), code="format_unfit")
            found.setdefault(one, {})[path] = at
        return found

    def _with(self, sha: str, one: Tracked, new: Mapping[str, Path], objects: dict[str, Path | bytes]) -> bytes:
        """The pointer with new files in it; a listing that it needs is added to the objects."""
        text = self.git.read(sha, one.pointer) or b""
        if not one.is_folder:
            at = new[one.path]
            return with_content(text, one, md5=md5_of(at), size=at.stat().st_size, files=None)
        kept = {file.path: file.md5 for file in self._files_of(sha, one)}
        entries = {**kept, **{path: md5_of(at) for path, at in new.items()}}
        named = [{"md5": md5, "relpath": path[len(one.path) + 1 :]} for path, md5 in entries.items()]
        hidden = [entry for entry in json.loads(self._listing(sha, one)) if is_hidden_entry(entry)]
        content = _listing_bytes([*named, *hidden])
        oid = hashlib.md5(content, usedforsecurity=False).hexdigest() + ".dir"
        read_listing(content, oid, under=one.path, source=one.pointer)  # what nobody could read is not written
        objects[oid] = content
        return with_content(text, one, md5=oid, size=self._size(one, kept, new), files=len(named) + len(hidden))

    def _size(self, one: Tracked, kept: Mapping[str, str], new: Mapping[str, Path]) -> int:
        """Bytes of all files: what the old pointer says, without the files that are replaced, and the new ones."""
        replaced = sum(self.store.size(kept[path]) for path in new if path in kept)
        return max((one.size or 0) - replaced, 0) + sum(at.stat().st_size for at in new.values())


class DvcArtifacts:
    """Port Artifacts: in the remote `mlbot` where there is one, else in the default.

    `branch` (OBJECTS) keeps the bytes when that remote is a folder embedded in the repository: what a job writes there
    is gone with the job's checkout. With any other remote it is not used.
    """

    def __init__(self, root: Path, branch: Branch | None = None) -> None:
        self.store_ = Store(root, branch=branch, remote=artifact_remote(root))

    def store(self, folder: Path) -> str:
        """Push the files, then the listing, so that a listing never names what is not there."""
        names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        entries = [{"md5": md5_of(folder / name), "relpath": name} for name in names]
        listing = _listing_bytes(entries)
        oid = hashlib.md5(listing, usedforsecurity=False).hexdigest() + ".dir"
        objects = [(entry["md5"], folder / entry["relpath"]) for entry in entries]
        if self.store_.branch is not None:
            new = {object_path(md5): path.read_bytes() for md5, path in objects} | {object_path(oid): listing}
            self.store_.branch.commit(new, f"Keep {len(new)} objects")
        push(self.store_.remote(), objects, {oid: listing})
        size = sum((folder / name).stat().st_size for name in names)
        return write_pointer(oid, size, len(names), "artifact")

    def fetch(self, pointer: str, into: Path) -> None:
        """The files of a pointer."""
        md5 = read_pointer(pointer.encode(), "artifact.dvc").md5
        content = self.store_.read(md5) or self._read_again(md5)
        if content is None:
            raise UserError(f"the remote does not hold {md5}", hint="Was it removed?", code="artifact_missing")
        files = read_listing(content, md5, under=".", source="artifact.dvc")
        _fetch(self.store_, [(file.md5, into / file.path.removeprefix("./")) for file in files], "artifact_missing")

    def _read_again(self, md5: str) -> bytes | None:
        """Another job may have written to the branch since it was fetched."""
        refresh = getattr(self.store_.branch, "refresh", None)
        if refresh is None:
            return None
        refresh()
        return self.store_.read(md5)


def _fixed(one: Tracked, path: str) -> tuple[str, str] | None:
    """Why a file cannot be added to what is tracked, and the next step; None when it can."""
    if one.stage:
        return f"{path} is an output of the stage {one.stage}", "Let the stage make the new rows, too."
    if one.is_import:
        return f"{path} is an import from another place", "Track a copy that the bot may add to: `dvc add`."
    if one.is_dvc2:
        return f"{one.path} is tracked in the form of DVC 2", "Bring it up to date: `dvc cache migrate --dvc-files`."
    if not one.covers(path):
        return f"{path} is in no folder that DVC tracks as one", "Track the folder: `dvc add FOLDER`."
    return None


def is_at_or_below(path: str, folder: str) -> bool:
    """Whether a path is the other, or lies in it."""
    return path == folder or path.startswith(f"{folder}/")


def _fetch(store: Store, objects: list[tuple[str, Path]], code: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(JOBS) as pool:
        found = list(pool.map(lambda one: store.put(*one), objects))
    missing = [f"{path.name} ({oid})" for (oid, path), ok in zip(objects, found, strict=True) if not ok]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        message = f"the remote does not hold {', '.join(missing[:3])}{more}"
        raise UserError(message, hint="Whoever has the data runs `dvc push`, then try again.", code=code)


def _listing_bytes(entries: list[dict[str, str]]) -> bytes:
    # The form of dvc_data.hashfile.tree.Tree.as_bytes: DVC itself reads and verifies it.
    return json.dumps(sorted(entries, key=lambda entry: entry["relpath"]), sort_keys=True).encode()
