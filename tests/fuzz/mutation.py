"""Samples -> inputs like them with something wrong: bytes, words, and values inside of JSON and of zip files."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from random import Random
from typing import Any

Mutate = Callable[[bytes, Random], bytes]
ODD: tuple[Any, ...] = (
    None, True, -1, 0, 1.5, 1e308, 2**63, 10**400, "", "x", "a" * 5000, "\ud800", "\u202e", "\0", [], {}, [[]],
    {"": None}, [None] * 2000, "../../etc/passwd", "2026-13-45T99:99:99Z",
    float("nan"), float("inf"), "0" * 64, -(2**70), "NaN",
)  # fmt: skip
WORDS = (
    b"\0", b"\xff\xfe", b"\n", b"\r\n", b"---\n", b": ", b"- ", b"{", b"}", b"[" * 200, b"]",
    b'"', b"'", b"&a ", b"*a",
    b"!!python/object:x ", b"/approve ", b"/retrain ", b"--reason ", b"`" * 7, b"<!--", b"\xe2\x80\xae", b"%", b"1e999",
    b"0x", b"9" * 400, b"null", b"true", b"~", b"<<: ", b"<details>", b"> ", b"| a |\n|-|\n", b"a" * 3000,
)  # fmt: skip


def text(data: bytes, random: Random) -> bytes:
    """A few changes of bytes, words and places."""
    for _ in range(random.randint(1, 5)):
        data = random.choice(_STEPS)(data, random)
    return data[:200_000]


def _flip(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + bytes([random.randrange(256)]) + data[at + 1 :]


def _insert(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + random.choice(WORDS) + data[at:]


def _cut(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + data[at + random.randint(1, 40) :]


def _repeat(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + data[at : at + random.randint(1, 60)] * random.randint(2, 50) + data[at:]


def _move(data: bytes, random: Random) -> bytes:
    lines = data.split(b"\n")
    line = lines.pop(random.randrange(len(lines)))
    lines.insert(random.randrange(len(lines) + 1), b"  " * random.randint(0, 3) + line.lstrip())
    return b"\n".join(lines)


_STEPS: tuple[Mutate, ...] = (_flip, _insert, _cut, _repeat, _move)


def changed(value: Any, random: Random) -> Any:
    """The value with one part of it, at any depth, replaced, taken out or named otherwise."""
    if isinstance(value, dict) and value and random.random() < 0.85:
        key, what = random.choice(list(value)), random.random()
        if what < 0.75:
            return {**value, key: changed(value[key], random)}
        rest = {name: inner for name, inner in value.items() if name != key}
        return rest if what < 0.9 else {**rest, str(random.choice(ODD))[:50]: value[key]}
    if isinstance(value, list) and value and random.random() < 0.85:
        at = random.randrange(len(value))
        return [*value[:at], *([changed(value[at], random)] * random.choice((0, 1, 1, 1, 2))), *value[at + 1 :]]
    return random.choice(ODD)


def as_json(data: bytes, random: Random) -> bytes:
    """Some values of a JSON document changed; now and then its bytes."""
    if random.random() < 0.2:
        return text(data, random)
    value = json.loads(data)
    for _ in range(random.randint(1, 3)):
        value = changed(value, random)
    return json.dumps(value).encode()


def as_zip(data: bytes, random: Random) -> bytes:
    """One member of a zip file changed: its `.json` as JSON, anything else as bytes; now and then the file itself."""
    if random.random() < 0.2:
        return text(data, random)
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w") as new:
        names = old.namelist()
        chosen = random.choice(names) if random.random() < 0.3 else "schema.json"
        for name in names:
            content = old.read(name)
            if name == chosen:
                content = as_json(content, random) if name.endswith(".json") else text(content, random)
            new.writestr(name, content)
    return made.getvalue()
