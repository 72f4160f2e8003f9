"""A fitted pipeline -> the bytes of `model.skops`, the same bytes whenever and wherever the same pipeline is written.

skops files differ from run to run: object addresses name the arrays, and the zip holds the time. Here an array is named
by the SHA-256 of its content, addresses are left out (a reader does not need them), and the zip has no time and no
compression, since two builds of zlib may compress differently. Any skops reader opens the file.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import Any

_EPOCH = (1980, 1, 1, 0, 0, 0)
_REGULAR_FILE = 0o100644 << 16


def canonical_skops(pipeline: Any) -> bytes:
    """The file's bytes. Raises skops' UnsupportedTypeException when the pipeline holds what skops cannot write."""
    import skops.io

    forget_the_run(pipeline)
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(pipeline))) as written:
        schema = json.loads(written.read("schema.json"))
        names: dict[str, str] = {}
        members: dict[str, bytes] = {}
        for name in written.namelist():
            if name != "schema.json":
                content = _timeless(name, written.read(name))
                names[name] = f"{hashlib.sha256(content).hexdigest()[:32]}.{name.rpartition('.')[2]}"
                members[names[name]] = content
    text = json.dumps(_without_addresses(schema, names), separators=(",", ":"), ensure_ascii=False)
    return _zip({**dict(sorted(members.items())), "schema.json": text.encode()})


def _timeless(name: str, content: bytes) -> bytes:
    """A member without the time of its writing: a sparse matrix is a zip of arrays."""
    if not name.endswith(".npz"):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as inner:
        return _zip({member: inner.read(member) for member in sorted(inner.namelist())})


def _without_addresses(state: Any, names: dict[str, str]) -> Any:
    if isinstance(state, list):
        return [_without_addresses(item, names) for item in state]
    if not isinstance(state, dict):
        return state
    clean = {key: _without_addresses(value, names) for key, value in state.items() if key != "__id__"}
    if isinstance(clean.get("file"), str) and "__loader__" in clean:
        clean["file"] = names[clean["file"]]
    if clean.get("__loader__") == "SetNode":  # the order of a set follows the hash seed
        clean["content"].sort(key=json.dumps)
    return clean


def _zip(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as file:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, date_time=_EPOCH)
            info.create_system = 3
            info.external_attr = _REGULAR_FILE
            file.writestr(info, content)
    return buffer.getvalue()


def forget_the_run(fitted: Any, seen: set[int] | None = None) -> None:
    """Take out of a fitted estimator what tells how it was run and not what it learnt: the number of threads,
    the address of a stop word list.
    """
    seen = set() if seen is None else seen
    if id(fitted) in seen:
        return
    seen.add(id(fitted))
    if isinstance(fitted, list | tuple | dict):
        for item in fitted.values() if isinstance(fitted, dict) else fitted:
            forget_the_run(item, seen)
    elif type(fitted).__module__.startswith("sklearn.") and hasattr(fitted, "__dict__"):
        state = vars(fitted)
        state.pop("_stop_words_id", None)
        if "n_threads" in state:
            state["n_threads"] = 1
        for item in list(state.values()):
            forget_the_run(item, seen)
