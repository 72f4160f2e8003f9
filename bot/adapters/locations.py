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
_ADDRESS_GLOB = re.compile(r"[*\[]")
_KEY = re.compile(r"://[^@?*]*@")
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
    """`?` begins the parameters of an address (Arrow's own), so it is no wildcard there."""
    import pyarrow as pa
    from pyarrow import fs

    address, mark, parameters = place.partition("?")
    is_glob = _ADDRESS_GLOB.search(address) is not None
    fixed = _ADDRESS_GLOB.split(address)[0].rpartition("/")[0] + "/" if is_glob else address
    try:
        store, path = fs.FileSystem.from_uri(fixed + mark + parameters)
        names = _listed(store, path, address.partition("://")[2].rpartition("@")[2] if is_glob else None)
        if not names and store.type_name == "s3":
            _check_bucket(store, path.partition("/")[0], place)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
        hint = "Arrow opens s3://, gs://, hdfs:// and file:// addresses."
        said = f"{_public(place)} cannot be opened: {_first_line(error, place)}"
        raise UserError(said, hint=hint, code="location_invalid") from None
    except OSError as error:
        raise _unreachable(place, error) from None
    return Tables([(name, lambda name=name: _fetched(store, name, place)) for name in names])  # type: ignore[misc]


def _fetched(store: Any, name: str, place: str) -> Any:
    """A store that fails, or lets nobody in, is the world's failure and no broken file."""
    try:
        return store.open_input_file(name)
    except FileNotFoundError:  # it went after it was listed: as a broken file
        raise
    except OSError as error:
        raise _unreachable(place, error) from None


def _unreachable(place: str, error: OSError) -> WorldError:
    hint = "Look at the address, and give the job credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a role."
    said = f"{_public(place)} does not answer: {_first_line(error, place)}"
    return WorldError(said, hint=hint, code="location_unreachable")


def _listed(store: Any, path: str, pattern: str | None) -> list[str]:
    """Names of the tables below a path, those that fit the pattern when there is one."""
    from pyarrow import fs

    base = path.rstrip("/") or path
    info = store.get_file_info(base)
    if info.type == fs.FileType.NotFound:
        return []
    found = [info] if info.is_file else store.get_file_info(fs.FileSelector(base, recursive=True))
    names = sorted(one.path for one in found if one.is_file and one.path.endswith(SUFFIXES))
    return [name for name in names if pattern is None or fnmatchcase(name.lstrip("/"), pattern.lstrip("/"))]


def _check_bucket(store: Any, bucket: str, place: str) -> None:
    """Nothing below a bucket that is there is an empty log; a bucket that is not there is a mistake."""
    from pyarrow import fs

    if store.get_file_info(bucket).type == fs.FileType.NotFound:
        hint = "Look at the name of the bucket, its region and the endpoint (AWS_ENDPOINT_URL)."
        raise UserError(f"{_public(place)}: there is no bucket {bucket}", hint=hint, code="location_missing")


def _public(place: str) -> str:
    """An address without a key that is written into it."""
    return _KEY.sub("://***@", place)


def _first_line(error: Exception, place: str) -> str:
    said, key = (str(error).splitlines() or [type(error).__name__])[0], _KEY.search(place)
    return (said.replace(key[0], "://***@") if key else said)[:200]


def _is_older(name: str, since: datetime) -> bool:
    closed = _CLOSED.fullmatch(PurePosixPath(name).name)
    return closed is not None and datetime.strptime(closed[1], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC) < since
