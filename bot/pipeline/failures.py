"""What broke off a training -> the Failure of a report: its useful line, the line of the spec, the end of the log."""

from __future__ import annotations

import re
import traceback

from bot.errors import MlbotError, Place, Problems
from bot.records.failure import Failure
from bot.specs.yaml import Document, Path, read_yaml

LOG_CHARACTERS = 2000  # of a log's end; the ledger keeps it with the head
MESSAGE_CHARACTERS = 1000
QUOTED = re.compile(r"'([^']{1,200})'|\"([^\"]{1,200})\"")
KEYS = re.compile(r"`([A-Za-z_.]+)")

# error code -> the part of the spec that it is about, when the message names no word of it.
PARTS: dict[str, Path] = {
    "column_missing": ("features",),
    "data_empty": ("data",),
    "fit_failed": ("estimator",),
    "folds_too_many": ("search",),
    "groups_too_few": ("data", "group"),
    "inputs_none": ("features",),
    "inputs_too_many": ("features",),
    "memory_exceeded": ("estimator",),
    "parameter_invalid": ("estimator",),
    "search_failed": ("search",),
    "search_too_large": ("search",),
    "slice_invalid": ("slices",),
    "target_classes": ("data", "target"),
    "target_not_finite": ("data", "target"),
    "target_one_class": ("data", "target"),
    "target_type": ("data", "target"),
    "target_unseen_class": ("data", "target"),
    "weight_invalid": ("data", "weight"),
}


def failure_of(error: Exception, spec: bytes, file: str) -> Failure:
    """The first mistake with its place; one without a place gets the line of the spec that it is about, if any."""
    first = error.errors[0] if isinstance(error, Problems) else error
    more = f" (and {len(error.errors) - 1} more)" if isinstance(error, Problems) and len(error.errors) > 1 else ""
    known = isinstance(first, MlbotError)
    message = first.message if isinstance(first, MlbotError) else _last_line(first)
    place = (first.place if isinstance(first, MlbotError) else None) or _place(first, message, spec, file)
    hint = first.hint if isinstance(first, MlbotError) and first.hint else ""
    return Failure(
        message=message[:MESSAGE_CHARACTERS] + more, hint=hint[:MESSAGE_CHARACTERS],
        log_tail=last_lines(_log(error, is_known=known), LOG_CHARACTERS),
        file=place.file if place else None, line=place.line if place else None, column=place.column if place else None,
    )  # fmt: skip


def last_lines(text: str, limit: int) -> str:
    """Whole lines from the end; the end of the last line when that alone is too long."""
    kept = text[-limit:]
    return kept.partition("\n")[2] if len(text) > limit and "\n" in kept.rstrip("\n") else kept


def _last_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".strip().rstrip(":")


def _log(error: Exception, *, is_known: bool) -> str:
    """Every mistake of several; the traceback of what was not foreseen, also when it was put into other words."""
    if isinstance(error, Problems):
        return "\n".join(str(one) for one in error.errors) if len(error.errors) > 1 else ""
    below = error.__context__ if is_known else error
    return "" if below is None or isinstance(below, MlbotError) else "".join(traceback.format_exception(below))


def _place(error: Exception, message: str, spec: bytes, file: str) -> Place | None:
    if not isinstance(error, MlbotError) or error.exit_code != 1:
        return None  # nobody's line: the world failed, or the bot did
    try:
        document = read_yaml(spec, file)
    except MlbotError:
        return None
    words = [one or other for one, other in QUOTED.findall(message)]
    return _of_word(words, document) or _of_key(KEYS.findall(message), document) or _of_code(error.code, document)


def _of_word(words: list[str], document: Document) -> Place | None:
    """Where a quoted word stands as a value or a key, below everything that is not the word itself."""
    for word in words:
        for path, value in _leaves(document.value, ()):
            if value == word:
                return document.place(path)
        for path, place in document.keys.items():
            if path and path[-1] == word:
                return place
    return None


def _of_key(names: list[str], document: Document) -> Place | None:
    for name in names:
        wanted = tuple(name.split("."))
        for path, place in document.keys.items():
            if path[-len(wanted) :] == wanted:
                return place
    return None


def _of_code(code: str, document: Document) -> Place | None:
    path = PARTS.get(code)
    return document.place(path) if path else None


def _leaves(value: object, path: Path) -> list[tuple[Path, object]]:
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in _leaves(inner, (*path, str(key)))]
    if isinstance(value, list):
        return [leaf for number, inner in enumerate(value) for leaf in _leaves(inner, (*path, number))]
    return [(path, value)]
