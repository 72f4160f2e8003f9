"""The expressions of workflow files, as far as `concurrency:` and `run-name:` use them."""

from __future__ import annotations

import json
import re
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<number>-?\d+(?:\.\d+)?)|(?P<text>'(?:[^']|'')*')|(?P<name>[A-Za-z_][\w-]*)|(?P<sign>\|\||&&|==|!=|[!().,\[\]]))"
)


class UnknownError(Exception):
    """An expression that needs what is not known when a run is queued (a matrix, another job)."""


def fill(text: str, contexts: dict[str, Any]) -> str:
    """Replace every ${{ }} in a text. Raises UnknownError."""
    return re.sub(r"\$\{\{(.*?)\}\}", lambda match: _shown(value(match.group(1), contexts)), text, flags=re.DOTALL)


def value(source: str, contexts: dict[str, Any]) -> Any:
    """What one expression is. Raises UnknownError."""
    parser = _Parser(_tokens(source), contexts)
    result = parser.either()
    if parser.rest:
        raise UnknownError(source)
    return result


def _tokens(source: str) -> list[tuple[str, str]]:
    found, at = [], 0
    source = source.rstrip()
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            raise UnknownError(source)
        found.append((str(match.lastgroup), match.group(str(match.lastgroup))))
        at = match.end()
    return found


def _shown(given: Any) -> str:
    if given is None:
        return ""
    if isinstance(given, bool):
        return str(given).lower()
    return json.dumps(given) if isinstance(given, dict | list) else str(given)


def _same(one: Any, two: Any) -> bool:
    if isinstance(one, str) and isinstance(two, str):
        return one.lower() == two.lower()
    return bool(one == two)


class _Parser:
    """Recursive descent over `||`, `&&`, `==`, `!`, values, paths and four functions."""

    def __init__(self, tokens: list[tuple[str, str]], contexts: dict[str, Any]) -> None:
        self.rest = tokens
        self.contexts = contexts

    def _peek(self) -> str:
        return self.rest[0][1] if self.rest and self.rest[0][0] == "sign" else ""

    def _take(self, sign: str) -> bool:
        if self._peek() == sign:
            self.rest.pop(0)
            return True
        return False

    def either(self) -> Any:
        left = self.both()
        while self._take("||"):
            right = self.both()
            left = left or right
        return left

    def both(self) -> Any:
        left = self.equal()
        while self._take("&&"):
            right = self.equal()
            left = left and right
        return left

    def equal(self) -> Any:
        left = self.single()
        while self._peek() in ("==", "!="):
            negative = self.rest.pop(0)[1] == "!="
            left = _same(left, self.single()) != negative
        return left

    def single(self) -> Any:
        if self._take("!"):
            return not self.single()
        if self._take("("):
            inner = self.either()
            if not self._take(")"):
                raise UnknownError("(")
            return inner
        if not self.rest:
            raise UnknownError("nothing")
        kind, text = self.rest.pop(0)
        if kind == "text":
            return text[1:-1].replace("''", "'")
        if kind == "number":
            return float(text) if "." in text else int(text)
        if kind == "name":
            return self._named(text)
        raise UnknownError(text)

    def _named(self, name: str) -> Any:
        if name in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[name]
        if self._take("("):
            return self._function(name.lower())
        if name not in self.contexts:
            raise UnknownError(name)
        found = self.contexts[name]
        while self._peek() in (".", "["):
            if self.rest.pop(0)[1] == ".":
                key: Any = self.rest.pop(0)[1]
            else:
                key = self.either()
                if not self._take("]"):
                    raise UnknownError("[")
            found = found.get(key) if isinstance(found, dict) else None
        return found

    def _function(self, name: str) -> Any:
        arguments = []
        while not self._take(")"):
            arguments.append(self.either())
            self._take(",")
            if not self.rest:
                raise UnknownError(name)
        if name == "format":
            return re.sub(r"\{(\d+)\}", lambda m: _shown(arguments[int(m.group(1)) + 1]), str(arguments[0]))
        if name == "contains":
            whole, part = arguments
            return part in whole if isinstance(whole, list) else _shown(part).lower() in _shown(whole).lower()
        if name in ("startswith", "endswith"):
            whole, part = (_shown(one).lower() for one in arguments)
            return getattr(whole, name)(part)
        raise UnknownError(name)
