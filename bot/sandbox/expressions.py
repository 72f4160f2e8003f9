"""The expressions of workflow files, as far as `concurrency:`, `run-name:` and a job's `if:` use them.

https://docs.github.com/actions/reference/workflows-and-actions/expressions
"""

from __future__ import annotations

import json
import operator
import re
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<number>-?\d+(?:\.\d+)?)|(?P<text>'(?:[^']|'')*')|(?P<name>[A-Za-z_][\w-]*)|(?P<sign>\|\||&&|==|!=|<=|>=|[<>!().,\[\]]))"
)

ORDER = {"<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge}


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


def is_true(given: Any) -> bool:
    """False, zero, nothing and the empty text are false; every object is true, an empty one too."""
    return isinstance(given, dict | list) or bool(given)


def _same(one: Any, two: Any) -> bool:
    if isinstance(one, str) and isinstance(two, str):
        return one.lower() == two.lower()
    if isinstance(one, dict | list) or isinstance(two, dict | list) or type(one) is type(two):
        return bool(one == two)
    return _number(one) == _number(two)


def _number(given: Any) -> float:
    """What a value counts as when it is compared with one of another type; text that is no number is none."""
    if given is None or given == "":
        return 0.0
    try:
        return float(given)
    except (TypeError, ValueError):
        return float("nan")


class _Parser:
    """Recursive descent over `||`, `&&`, comparisons, `!`, values, paths and functions.

    A context whose name ends in `()` is what that function gives: `always()`, `cancelled()`, ...
    """

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
            left = left if is_true(left) else right
        return left

    def both(self) -> Any:
        left = self.equal()
        while self._take("&&"):
            right = self.equal()
            left = right if is_true(left) else left
        return left

    def equal(self) -> Any:
        left = self.ordered()
        while self._peek() in ("==", "!="):
            negative = self.rest.pop(0)[1] == "!="
            left = _same(left, self.ordered()) != negative
        return left

    def ordered(self) -> Any:
        left = self.single()
        while self._peek() in ORDER:
            sign = self.rest.pop(0)[1]
            left = ORDER[sign](_number(left), _number(self.single()))
        return left

    def single(self) -> Any:
        if self._take("!"):
            return not is_true(self.single())
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
            return self._inside(self._function(name.lower()))
        if name not in self.contexts:
            raise UnknownError(name)
        return self._inside(self.contexts[name])

    def _inside(self, found: Any) -> Any:
        """What the path behind a value names."""
        while self._peek() in (".", "["):
            if self.rest.pop(0)[1] == ".":
                key: Any = self.rest.pop(0)[1]
            else:
                key = self.either()
                if not self._take("]"):
                    raise UnknownError("[")
            found = _member(found, key)
        return found

    def _function(self, name: str) -> Any:
        arguments = []
        while not self._take(")"):
            arguments.append(self.either())
            self._take(",")
            if not self.rest:
                raise UnknownError(name)
        if f"{name}()" in self.contexts:
            return self.contexts[f"{name}()"]
        if name == "format":
            return re.sub(r"\{(\d+)\}", lambda m: _shown(arguments[int(m.group(1)) + 1]), str(arguments[0]))
        if name == "contains":
            whole, part = arguments
            if isinstance(whole, list):
                return any(_same(one, part) for one in whole)
            return _shown(part).lower() in _shown(whole).lower()
        if name in ("startswith", "endswith"):
            whole, part = (_shown(one).lower() for one in arguments)
            return getattr(whole, name)(part)
        if name in ("fromjson", "tojson"):
            return _json(_shown(arguments[0])) if name == "fromjson" else json.dumps(arguments[0])
        raise UnknownError(name)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise UnknownError(text) from None


def _member(whole: Any, key: Any) -> Any:
    """A property whatever the case of its letters, or an item; None when there is none."""
    if isinstance(whole, dict):
        lower = {str(name).lower(): name for name in whole}
        return whole.get(key, whole.get(lower.get(str(key).lower())))
    if isinstance(whole, list) and isinstance(key, int) and 0 <= key < len(whole):
        return whole[key]
    return None
