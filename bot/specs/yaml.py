"""Strict YAML: bytes -> plain data with the place of every key and value, or every mistake with its place.

A subset of YAML 1.2 on which all YAML readers agree: one document, no tags, no anchors, no aliases, no duplicate keys,
text keys, and no plain word that YAML 1.1 reads as something else (`no`, `12:30`, `010`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from bot.errors import Place, Problems, UserError
from bot.specs.scalars import Trap, resolve
from bot.specs.text import suspects

MAX_BYTES = 256 * 1024
MAX_NODES = 50_000
MAX_DEPTH = 40
MAX_PROBLEMS = 50

Path = tuple[str | int, ...]

# libyaml is ten times faster; the pure loader parses the same events.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Document:
    """Plain data (dict, list, str, int, float, bool, None) of one file, and where each part of it stands."""

    value: Any
    file: str
    places: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Where the value at `path` stands (with `key`, the key before it); the nearest parent's if it is not there."""
        for length in range(len(path), -1, -1):
            part = path[:length]
            if key and part in self.keys:
                return self.keys[part]
            if part in self.places:
                return self.places[part]
        return Place(self.file, 1, 1)


LFS = b"version https://git-lfs.github.com/spec/"


def key_path(key: str) -> Path:
    """`metrics.also.0` as a path."""
    return tuple(int(part) if part.isdigit() else part for part in key.split("."))


class Places:
    """Where the keys of a file stand, for who only has what was read from it. It is no part of what was read: two are
    always equal, and another process gets an empty one.
    """

    def __init__(self, document: Document | None = None) -> None:
        self.document = document

    def of(self, key: str) -> Place | None:
        """The place of a dotted key, or of the nearest one above that is there."""
        return None if self.document is None else self.document.place(key_path(key))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Places)

    def __hash__(self) -> int:
        return 0

    def __reduce__(self) -> Any:
        return Places, ()


def read_yaml(data: bytes, file: str, *, max_bytes: int = MAX_BYTES, is_text: bool = False) -> Document:
    """Read one strict YAML document; `file` names it in errors.

    With `is_text` every scalar is the text that stands there, so that no word is a trap: for files of other programs.
    Raises UserError (code `yaml_invalid`), or Problems when there are several, each with line and column.
    """
    text = _text(data, file, max_bytes)
    reader = _Reader(file, is_text=is_text)
    reader.problems.extend(_suspect_characters(text, file))
    try:
        reader.read(yaml.parse(text, Loader=_LOADER))
    except yaml.YAMLError as error:
        reader.problems.append(_syntax(error, text, file))
    if reader.problems:
        raise together(reader.problems)
    return Document(reader.value, file, reader.places, reader.keys)


def together(problems: list[UserError]) -> UserError:
    """One error for a list of at least one, in file order, without repetition."""
    unique = {str(problem): problem for problem in problems}
    ordered = sorted(unique.values(), key=_position)[:MAX_PROBLEMS]
    return ordered[0] if len(ordered) == 1 else Problems(ordered)


def _position(problem: UserError) -> tuple[str, int, int]:
    place = problem.place
    return (place.file, place.line or 0, place.column or 0) if place else ("", 0, 0)


def _text(data: bytes, file: str, max_bytes: int) -> str:
    if len(data) > max_bytes:
        message = f"the file has {len(data):,} bytes; at most {max_bytes:,} are read"
        raise UserError(message, hint="Split it, or move data out of it.", place=Place(file), code="yaml_invalid")
    if data.startswith(LFS):
        hint = "mlbot reads what Git holds: take the file out of Git LFS (.gitattributes), then commit it again."
        raise UserError("this is a pointer of Git LFS, not the file", hint=hint, place=Place(file), code="not_a_file")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        place = Place(file, line, column)
        raise UserError("this is not UTF-8 text", hint="Save it as UTF-8.", place=place, code="yaml_invalid") from None


def _suspect_characters(text: str, file: str) -> Iterator[UserError]:
    for suspect in suspects(text):
        line = text.count("\n", 0, suspect.index) + 1
        column = suspect.index - text.rfind("\n", 0, suspect.index)
        hint = "Type it again in ASCII letters; it may have come with copied text."
        yield UserError(suspect.message, hint=hint, place=Place(file, line, column), code="yaml_invalid")
        if line > 10_000:
            return


def _syntax(error: yaml.YAMLError, text: str, file: str) -> UserError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
    said = [getattr(error, "problem", None) or str(error).splitlines()[0], getattr(error, "context", None)]
    is_tab = mark is not None and text[mark.index : mark.index + 1] == "\t"
    hint = "Indent with spaces, not tabs." if is_tab else "Check indentation, quotes and brackets here."
    return UserError("not YAML: " + " ".join(filter(None, said)), hint=hint, place=place, code="yaml_invalid")


class _Stop(yaml.YAMLError):
    """Reading ends here; the problem is already noted."""


class _Reader:
    """Builds data from parser events, so that tags, anchors and aliases never mean anything."""

    def __init__(self, file: str, *, is_text: bool) -> None:
        self.file = file
        self.is_text = is_text
        self.value: Any = None
        self.places: dict[Path, Place] = {}
        self.keys: dict[Path, Place] = {}
        self.problems: list[UserError] = []
        self._events: Iterator[Any] = iter(())

    def read(self, events: Iterator[Any]) -> None:
        """Read the whole stream."""
        self._events = events
        documents = 0
        try:
            for event in events:
                if isinstance(event, yaml.DocumentStartEvent):
                    documents += 1
                    self._start(event, documents)
                    self.value = self._node(next(events), (), 0)
        except _Stop:
            return

    def _start(self, event: Any, documents: int) -> None:
        if documents > 1:
            self._stop(event, "a second document starts here", "Keep one document in a file: remove the `---`.")
        if event.version or event.tags:
            self._stop(event, "YAML directives are not read", "Remove the lines that start with `%`.")

    def _node(self, event: Any, path: Path, depth: int) -> Any:
        self._check(event, depth)
        self.places[path] = self._place(event)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path, depth)
        return self._scalar(event)

    def _check(self, event: Any, depth: int) -> None:
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            self._stop(event, "anchors and aliases are not read", "Write the value out.")
        if event.tag is not None:
            self._stop(event, f"tags are not read: {event.tag}", "Write the plain value.")
        if depth > MAX_DEPTH:
            self._stop(event, f"nested more than {MAX_DEPTH} levels deep", "Write it flatter.")
        if len(self.places) >= MAX_NODES:
            self._stop(event, f"more than {MAX_NODES:,} values", "Split the file, or use a pattern.")

    def _mapping(self, path: Path, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event, depth)
            inner = (*path, key)
            value = self._node(next(self._events), inner, depth + 1)
            if inner in self.keys:
                hint = f"It is already there in line {self.keys[inner].line}: keep one of the two."
                self._note(event, f"duplicate key `{key}`", hint)
                continue
            self.keys[inner] = self._place(event)
            result[key] = value
        return result

    def _key(self, event: Any, depth: int) -> str:
        self._check(event, depth)
        if not isinstance(event, yaml.ScalarEvent):
            self._stop(event, "a key must be one word, not a list or a mapping", "Quote it if it is meant as text.")
        value = self._scalar(event)
        if not isinstance(value, str) and not self.problems:
            self._note(event, f"the key {event.value or '(nothing)'} is not text", f'Quote it: "{event.value}".')
        return str(event.value)

    def _sequence(self, path: Path, depth: int) -> list[Any]:
        result: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            result.append(self._node(event, (*path, len(result)), depth + 1))
        return result

    def _scalar(self, event: Any) -> Any:
        if self.is_text or not event.implicit[0]:
            self._check_escapes(event)
            return event.value
        value = resolve(event.value)
        if isinstance(value, Trap):
            self._note(event, value.message, value.hint)
            return event.value
        return value

    def _check_escapes(self, event: Any) -> None:
        """What an escape such as `\\u202e` stands for is no better than the character itself."""
        found = next(suspects(event.value), None) if event.style == '"' and not self.problems else None
        if found is not None:
            self._note(event, f"an escape stands for the {found.message}", "Write what can be seen, or leave it out.")

    def _place(self, event: Any) -> Place:
        return Place(self.file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _note(self, event: Any, message: str, hint: str) -> None:
        self.problems.append(UserError(message, hint=hint, place=self._place(event), code="yaml_invalid"))
        if len(self.problems) >= MAX_PROBLEMS:
            raise _Stop

    def _stop(self, event: Any, message: str, hint: str) -> None:
        self.problems.append(UserError(message, hint=hint, place=self._place(event), code="yaml_invalid"))
        raise _Stop
