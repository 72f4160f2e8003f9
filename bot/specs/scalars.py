"""One plain YAML word -> the value on which YAML 1.1 and 1.2 agree, or the trap that it is."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

MAX_DIGITS = 30

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")  # https://yaml.org/type/int.html
_OTHER_BASE = re.compile(r"[-+]?(0[0-9_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|0b[01_]+)")
_UNDERSCORED = re.compile(r"[-+]?[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?")
# https://yaml.org/type/bool.html, but for `y` and `n`: no reader in use converts these, and columns have such names.
_BOOLEAN_WORDS = frozenset(("yes", "no", "on", "off", "true", "false"))
_NOT_FINITE = frozenset((".inf", "+.inf", "-.inf", ".nan"))


@dataclass(frozen=True)
class Trap:
    """A word that readers take differently."""

    message: str
    hint: str


def resolve(word: str) -> str | int | float | bool | Trap | None:
    """The value of a plain (unquoted) word."""
    if word in ("", "~", "null"):
        return None
    if word in ("true", "false"):
        return word == "true"
    lower = word.lower()
    if lower in _BOOLEAN_WORDS or lower == "null":
        return _word_trap(word, lower)
    return _number(word) if word[0] in "+-.0123456789" else word


def _number(word: str) -> str | int | float | Trap:
    if _INTEGER.fullmatch(word):
        return _too_long(word) or int(word)
    if _FLOAT.fullmatch(word):
        return _too_long(word) or _finite(word)
    if word.lower() in _NOT_FINITE:
        return Trap(f"{word} is not a finite number", "Leave the key out if there is no limit.")
    if _SEXAGESIMAL.fullmatch(word):
        return _quote(word, "is a number to base 60 for YAML 1.1")
    if _OTHER_BASE.fullmatch(word):
        return _quote(word, "is an octal, hexadecimal or binary number for some readers", " Or write it in decimal.")
    if _UNDERSCORED.fullmatch(word):
        return _quote(word, "is a number for YAML 1.1 and text for YAML 1.2", " Or leave the underscores out.")
    return word


def _finite(word: str) -> float | Trap:
    value = float(word)
    return value if math.isfinite(value) else Trap(f"{word} is not a finite number", "Write a smaller number.")


def _too_long(word: str) -> Trap | None:
    if len(word) <= MAX_DIGITS:
        return None
    return Trap(f"a number of {len(word)} characters", f"Quote it if it is text; numbers have at most {MAX_DIGITS}.")


def _word_trap(word: str, lower: str) -> Trap:
    if lower == "null":
        return Trap(f"`{word}` is text for some readers and null for others", f'Write null, or "{word}" for the text.')
    boolean = "true" if lower in ("yes", "on", "true") else "false"
    return Trap(f"`{word}` is true or false for YAML 1.1", f'Write {boolean}, or "{word}" in quotes for the text.')


def _quote(word: str, why: str, more: str = "") -> Trap:
    return Trap(f"`{word}` {why}", f'Write "{word}" in quotes if it is text.{more}')
