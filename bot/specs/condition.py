"""The condition language of ease.ml/ci (Renggli et al., MLSys 2019): text -> clauses.

n: accuracy of the candidate; o: of the deployed model; d: share of rows predicted differently.

Grammar: F = C ("/\\" C)*; C = E (">" | "<") number "+/-" number; E = term (("+" | "-") term)*;
term = variable | number "*" variable | variable "*" number. Parentheses and division do not exist.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from bot.errors import UserError

VARIABLES = ("n", "o", "d")
HINT = "Write it like `n - o > 0.02 +/- 0.01 /\\ d < 0.1 +/- 0.02` with n, o and d."
_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d*)?|\.\d+)|([A-Za-z_]\w*)|(\+/-|/\\|[-+*<>()]|.))")


@dataclass(frozen=True)
class Clause:
    """`coefficients` of n, o and d (absent ones are 0) summed `>` or `<` `threshold`, within `tolerance`."""

    coefficients: tuple[float, float, float]
    relation: Literal[">", "<"]
    threshold: float
    tolerance: float

    def __str__(self) -> str:
        text = ""
        for factor, name in zip(self.coefficients, VARIABLES, strict=True):
            if factor:
                size = name if abs(factor) == 1 else f"{abs(factor):g}*{name}"
                text += f" {'-' if factor < 0 else '+'} {size}"
        text = text.removeprefix(" + ").removeprefix(" ")
        return f"{text} {self.relation} {self.threshold:g} +/- {self.tolerance:g}"


def parse(text: str) -> tuple[Clause, ...]:
    """Raises UserError (code `condition_invalid`) that names the word it stopped at."""
    return _Parser(text).condition()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [match.group().strip() for match in _TOKEN.finditer(text) if match.group().strip()]
        self.position = 0

    def condition(self) -> tuple[Clause, ...]:
        clauses = [self._clause()]
        while self._peek() == "/\\":
            self._next()
            clauses.append(self._clause())
        if self._peek():
            raise self._unexpected("nothing more")
        return tuple(clauses)

    def _clause(self) -> Clause:
        factors = dict.fromkeys(VARIABLES, 0.0)
        sign = 1.0
        if self._peek() in ("+", "-"):
            sign = -1.0 if self._next() == "-" else 1.0
        while True:
            factor, name = self._term()
            factors[name] += sign * factor
            if self._peek() not in ("+", "-"):
                break
            sign = -1.0 if self._next() == "-" else 1.0
        if self._peek() not in (">", "<"):
            raise self._unexpected("`>` or `<`")
        relation: Literal[">", "<"] = ">" if self._next() == ">" else "<"
        threshold = self._signed_number()
        if self._next() != "+/-":
            self.position -= 1
            raise self._unexpected("`+/-` and the tolerance")
        return self._checked(Clause((factors["n"], factors["o"], factors["d"]), relation, threshold, self._number()))

    def _term(self) -> tuple[float, str]:
        if self._peek() in VARIABLES:
            name = self._next()
            if self._peek() == "*":
                self._next()
                return self._number(), name
            return 1.0, name
        factor = self._number()
        if self._peek() != "*":
            raise self._unexpected("`*` and a variable")
        self._next()
        if self._peek() not in VARIABLES:
            raise self._unexpected("n, o or d")
        return factor, self._next()

    def _checked(self, clause: Clause) -> Clause:
        if clause.tolerance <= 0:
            raise self._error("the tolerance after `+/-` must be above 0")
        if not any(clause.coefficients):
            raise self._error("the variables cancel out")
        return clause

    def _signed_number(self) -> float:
        if self._peek() == "-":
            self._next()
            return -self._number()
        return self._number()

    def _number(self) -> float:
        try:
            value = float(self._peek())
        except ValueError:
            raise self._unexpected("a number") from None
        self._next()
        return value

    def _peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self.position += 1
        return token

    def _unexpected(self, wanted: str) -> UserError:
        found = f"found {self._peek()!r}" if self._peek() else "it ends"
        return self._error(f"{wanted} expected, {found}")

    def _error(self, why: str) -> UserError:
        return UserError(f"condition {self.text!r}: {why}", hint=HINT, code="condition_invalid")
