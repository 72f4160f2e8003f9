"""Lines of a comment -> those that GitHub shows elsewhere than in a plain paragraph, where our parser sees one.

GitHub's Markdown knows footnotes, formulas, struck text and tables of one column, and lets a paragraph run on into
lines that follow it without a mark. Whatever may be one of these holds no command.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_FENCE = re.compile(r" {0,3}(?:```|~~~)")
_FOOTNOTE = re.compile(r" {0,3}\[\^[^\]\s]+\]:")
# What looks like a link's definition may be the start of a paragraph of the quote or the list that it stands in.
_DEFINED_INSIDE = re.compile(r" {0,3}(?:>|[-+*][ \t]|\d{1,9}[.)][ \t]).*\]:")
_DELIMITERS = re.compile(r" {0,3}(?=.*[|:])\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_UNDERLINE = re.compile(r" {0,3}(?:-+|=+)[ \t]*")
_STRIKE, _STRUCK = re.compile(r"(?<!\S)~~?(?=\S)|\S~~?(?=\w)"), re.compile(r"(?<=\S)~~?")


def aside(lines: Sequence[str]) -> list[bool]:
    """Whether a command on the line would not be seen as one: also an indented line, which begins with a space."""
    found = [line[:1].isspace() for line in lines]
    for start, end in _blocks(lines):
        for first, last in _ranges(lines, start, end):
            found[first:last] = [True] * (last - first)
    return found


def _blocks(lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Runs of lines between blank ones and fences, as (first, one after the last)."""
    start = 0
    for number, line in enumerate([*lines, ""]):
        if not line.strip() or _FENCE.match(line):
            if start < number:
                yield start, number
            start = number + 1


def _ranges(lines: Sequence[str], start: int, end: int) -> Iterator[tuple[int, int]]:
    for number in range(start, end):
        line = lines[number]
        if _FOOTNOTE.match(line) or _DEFINED_INSIDE.match(line):
            yield number, end
        if number > start and _DELIMITERS.fullmatch(line):
            yield number - 1, end
        if number > start and _UNDERLINE.fullmatch(line) and "|" in lines[number - 1]:
            yield start, end  # a heading of several lines there, a table of one column here
    formulas = [number for number in range(start, end) if "$$" in lines[number]]
    if len(formulas) > 1:
        yield formulas[0], formulas[-1] + 1
    opened = [number for number in range(start, end) if _STRIKE.search(lines[number])]
    closed = [number for number in range(start, end) if _STRUCK.search(lines[number])]
    if opened and closed and opened[0] < closed[-1]:
        yield opened[0] + 1, closed[-1] + 1
