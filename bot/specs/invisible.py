"""Characters that draw nothing, or that change how others are drawn, as fixed ranges.

They do not depend on the Unicode version of this Python: Unicode promises that the code points that are ignored by
default stay so, the ones without a character among them, and an emoji that is newer than this table is no hidden one.
https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

JOINERS = "\u200c\u200d"
# First and last. What is ignored by default (but for variation selectors), line and paragraph ends, what sets the
# direction of text, other format characters without a shape, blanks, surrogates and private use.
_RANGES = (
    (0x00, 0x1F), (0x7F, 0x9F), (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x70F, 0x70F), (0x115F, 0x1160),
    (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F), (0x2800, 0x2800),
    (0x3164, 0x3164), (0xD800, 0xF8FF), (0xFDD0, 0xFDEF), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFC),
    (0xFFFE, 0xFFFF), (0x13430, 0x1343F), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE00FF),
    (0xE01F0, 0xE0FFF), (0xF0000, 0x10FFFF),
)  # fmt: skip
_STARTS = [first for first, _ in _RANGES]
_SELECTORS = ((0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
# Scripts whose letters a joiner binds or keeps apart, from Arabic to Myanmar and those of South and South-East Asia.
_BOUND = (
    (0x600, 0x109F), (0x1700, 0x18AF), (0x1900, 0x1CFF), (0xA800, 0xABFF), (0xFB50, 0xFDFF), (0xFE70, 0xFEFE),
    (0x10A00, 0x11FFF), (0x1E900, 0x1E95F),
)  # fmt: skip
# Pictures, their colours and their shapes: a joiner makes one of several.
_PICTURES = ((0x2190, 0x2BFF), (0x3030, 0x303D), (0x3297, 0x3299), (0x1F000, 0x1FFFD), *_SELECTORS)


def is_hidden(character: str) -> bool:
    """Whether it must not stand in a word that people rely on; joiners are hidden, too."""
    point = ord(character)
    index = bisect_right(_STARTS, point) - 1
    is_last = point & 0xFFFE == 0xFFFE  # the last two of each plane are no characters
    return is_last or (index >= 0 and point <= _RANGES[index][1])


def is_selector(character: str) -> bool:
    """Whether it only chooses the form of the character before it."""
    return _within(character, _SELECTORS)


def hidden_in_prose(text: str) -> Iterator[str]:
    """What is hidden in free text: joiners are fine where they join, selectors after something that is drawn."""
    return (text[index] for index in places_in_prose(text))


def places_in_prose(text: str) -> Iterator[int]:
    """Where `hidden_in_prose` finds something; indices count characters from 0."""
    for index, character in enumerate(text):
        before, after = text[index - 1 : index], text[index + 1 : index + 2]
        if character in JOINERS:
            if not _joins(character, before, after):
                yield index
        elif is_selector(character):
            if not before or before.isspace() or is_hidden(before) or is_selector(before):
                yield index
        elif is_hidden(character):
            yield index


def _joins(character: str, before: str, after: str) -> bool:
    """Letters of a script that is written with joiners, also at the end of a word; pictures only with a picture."""
    if before and _within(before, _BOUND):
        return not after or after not in JOINERS
    is_picture = before and _within(before, _PICTURES) and after and _within(after, _PICTURES)
    return character == "\u200d" and bool(is_picture) and not is_selector(after)


def _within(character: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= ord(character) <= last for first, last in ranges)
