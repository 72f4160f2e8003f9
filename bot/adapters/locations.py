"""Where tables lie: a file, a folder, a glob, or an address that Arrow opens -> their batches, as often as need be."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from bot.adapters.batches import SUFFIXES, read
from bot.errors import UserError, WorldError

GLOB = re.compile(r"[*?\[]")
# `mlbot serve` names a file after the moment it was closed: no row in it is younger.
_CLOSED = re.compile(r"(\d{8}T\d{12})-\d{6}\.parquet")


@dataclass
class Tables:
    """Files of a location. `broken` holds, by name, why a file cannot be read (to its end); it fills as one reads."""

    files: list[tuple[str, Callable[[], Any]]]
    broken: dict[str, str] = field(default_factory=dict)

    def batches(self, since: datetime | None = None) -> Iterator[Any]:
        """Record batches of bounded size in order of names; files that were closed before `since` are passed over."""
        import pyarrow as pa

        for name, opened in self.files:
            if since is not None and _is_older(name, since):
                continue
            try:
                with opened() as stream:
                    yield from read(stream, name)
            except (pa.ArrowException, OSError, UnicodeDecodeError, EOFError) as error:
                self.broken[name] = (str(error).splitlines() or [type(error).__name__])[0][:200]


def tables_at(place: str, root: Path) -> Tables:
    """The files of a location; none when nothing is there. Paths are relative to `root`.

    Raises UserError (code `location_invalid`) for an address that Arrow does not know, WorldError when a store does not
    answer.
    """
    return _at_address(place) if "://" in place else Tables(_here(place, root))


def _here(place: str, root: Path) -> list[tuple[str, Callable[[], Any]]]:
    path = Path(place) if Path(place).is_absolute() else root / place
    if GLOB.search(place):
        anchor = Path(path.anchor)
        found = anchor.glob(path.relative_to(anchor).as_posix())
        files = [file for one in found for file in (one.rglob("*") if one.is_dir() else [one])]
    else:
        files = list(path.rglob("*")) if path.is_dir() else [path]
    chosen = sorted({file for file in files if file.suffix in SUFFIXES and file.is_file()})
    return [(_short(file, root), lambda file=file: _opened(file)) for file in chosen]  # type: ignore[misc]


def _opened(file: Path) -> Any:
    import pyarrow as pa

    return pa.OSFile(str(file))


def _short(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file)


def _at_address(place: str) -> Tables:
    import pyarrow as pa
    from pyarrow import fs

    try:
        store, path = fs.FileSystem.from_uri(place.partition("*")[0] if GLOB.search(place) else place)
    except (pa.ArrowException, ValueError, OSError) as error:
        said = (str(error).splitlines() or [""])[0][:200]
        hint = "Arrow opens s3://, gs://, hdfs:// and file:// addresses."
        raise UserError(f"{place} cannot be opened: {said}", hint=hint, code="location_invalid") from None
    try:
        names = _listed(store, path, place)
    except OSError as error:
        said = str(error).splitlines()[0][:200]
        hint = "Check the address, and the credentials of the job."
        raise WorldError(f"{place} does not answer: {said}", hint=hint, code="location_unreachable") from None
    return Tables([(name, lambda name=name: store.open_input_file(name)) for name in names])  # type: ignore[misc]


def _listed(store: Any, path: str, place: str) -> list[str]:
    from pyarrow import fs

    base = path.rstrip("/")
    if GLOB.search(place):
        base = path if path.endswith("/") else str(PurePosixPath(path).parent)
    info = store.get_file_info(base)
    if info.type == fs.FileType.NotFound:
        return []
    found = [info] if info.is_file else store.get_file_info(fs.FileSelector(base, recursive=True))
    names = sorted(one.path for one in found if one.is_file and one.path.endswith(SUFFIXES))
    if not GLOB.search(place):
        return names
    pattern = place.partition("://")[2].partition("?")[0]
    return [name for name in names if fnmatchcase(name.lstrip("/"), pattern.lstrip("/"))]


def _is_older(name: str, since: datetime) -> bool:
    closed = _CLOSED.fullmatch(PurePosixPath(name).name)
    return closed is not None and datetime.strptime(closed[1], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC) < since
