"""Characters that a reviewer cannot see or cannot tell apart: text -> what is wrong with it, and where."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from bot.specs.invisible import places_in_prose

# Letters of other scripts (and full-width forms) that look like ASCII letters in common fonts, after the `confusables`
# table of Unicode Technical Standard 39, cut down to what replaces a letter or a digit.
_LOOKALIKES = frozenset(
    "аеорсухіјѕһԁԛԝӏвкмнтгьАВЕКМНОРСТХІЈЅҮԌԚԜ"  # Cyrillic
    "οαινρυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧϲϳ"  # Greek
    "օսհոցզԼՕՍ"  # Armenian
    "ɡɑıȷ"  # Latin extensions
) | {chr(point) for point in range(0xFF01, 0xFF5F)}  # full-width ASCII

_ASCII = re.compile(r"[\t\n\r\x20-\x7e]*")
_WORD = re.compile(r"\w+")
_SPACES = "\t\n\r "


@dataclass(frozen=True)
class Suspect:
    """A character that must not be there. `index` counts characters from 0."""

    index: int
    message: str


def suspects(text: str) -> Iterator[Suspect]:
    """Invisible and bidirectional-control characters, and words that mix ASCII letters with look-alikes.

    Joiners and selectors are fine where they belong: in Persian or Hindi words, in emoji of several parts.
    """
    if _ASCII.fullmatch(text):
        return
    spaces = (index for index, character in enumerate(text) if character.isspace() and character not in _SPACES)
    for index in sorted({*places_in_prose(text), *spaces}):
        if text[index] not in _SPACES:
            yield Suspect(index, f"invisible character {name(text[index])}")
    for match in _WORD.finditer(text):
        yield from _mixed(match)


def name(character: str) -> str:
    """`U+0430 CYRILLIC SMALL LETTER A`."""
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()


def _mixed(match: re.Match[str]) -> Iterator[Suspect]:
    word = match.group()
    if not any(character.isascii() and character.isalpha() for character in word):
        return
    for offset, character in enumerate(word):
        if character in _LOOKALIKES:
            yield Suspect(match.start() + offset, f"{name(character)} looks like an ASCII letter in {word!a}")
