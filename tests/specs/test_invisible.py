# ruff: noqa: E501 (one row a case)
"""What is hidden in a word, and what is fine in free text, by any version of Unicode."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from bot.specs.invisible import hidden_in_prose, is_hidden, is_selector
from bot.specs.yaml import read_yaml

FINE = [
    ("a scientist", "👩\u200d🔬"), ("a family", "👨\u200d👩\u200d👧\u200d👦"), ("a heart on fire", "❤\ufe0f\u200d🔥"),
    ("a colour of skin", "👩🏽\u200d⚕\ufe0f"), ("a pirate flag", "🏴\u200d☠\ufe0f"), ("a keycap", "1\ufe0f\u20e3"),
    ("Persian", "می\u200cخواهم"), ("Persian at the end of a word", "شده\u200c است"), ("Hindi", "क्\u200dष"),
    ("Malayalam of old", "അവന\u0d4d\u200d"), ("Sinhala", "ශ්\u200dරී"), ("newer than this Python", "\U0001fae9"),
    ("newer than any", "\U0001fbfa\U00016fff"), ("an ideograph in one of its forms", "葛\U000e0100"),
    ("accents", "cafe\u0301"), ("Chinese", "数据泄漏"),
]  # fmt: skip
HIDDEN = [
    ("a joiner between Latin letters", "ch\u200durn", "\u200d"), ("at the start", "\u200dمی", "\u200d"),
    ("two joiners", "می\u200c\u200cخ", "\u200c\u200c"), ("a joiner after a picture", "👩\u200d x", "\u200d"),
    ("a picture kept apart", "👩\u200c🔬", "\u200c"), ("pictures and letters", "👩\u200da", "\u200d"),
    ("right to left", "a\u202eb", "\u202e"), ("an isolate", "a\u2066b", "\u2066"), ("a mark of direction", "a\u200fb", "\u200f"),
    ("tags of a flag", "🏴\U000e0067\U000e007f", "\U000e0067\U000e007f"), ("a byte order mark", "a\ufeff", "\ufeff"),
    ("a zero-width space", "a\u200bb", "\u200b"), ("a blank letter", "\u3164", "\u3164"), ("a selector of nothing", " \ufe0f", "\ufe0f"),
    ("many selectors", "a\ufe0f\ufe0e", "\ufe0e"), ("private use", "\ue000", "\ue000"), ("no character", "\U0001ffff", "\U0001ffff"),
    ("a line end", "a\u2028b", "\u2028"), ("a control", "a\x07b", "\x07"), ("kept for later, and ignored", "\u2065\ufff1\U000e0fff", "\u2065\ufff1\U000e0fff"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text"), FINE, ids=[one[0] for one in FINE])
def test_what_people_type_in_any_script_hides_nothing(name: str, text: str) -> None:
    assert list(hidden_in_prose(f"wait: {text}")) == []
    assert read_yaml(f"description: {text}".encode(), "model.yaml").value == {"description": text}


@pytest.mark.parametrize(("name", "text", "found"), HIDDEN, ids=[one[0] for one in HIDDEN])
def test_what_cannot_be_seen_is_found(name: str, text: str, found: str) -> None:
    assert "".join(hidden_in_prose(text)) == found


def test_everything_that_this_python_knows_to_be_hidden_is() -> None:
    """Format characters with a shape, and what no version has yet, are the only ones that differ."""
    shaped = {0x600, 0x601, 0x602, 0x603, 0x604, 0x605, 0x6DD, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
    for point in range(sys.maxunicode + 1):
        character = chr(point)
        if unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp") and point not in shaped:
            assert is_hidden(character), hex(point)
        if unicodedata.category(character)[0] in "LNPSZ" and is_hidden(character):
            assert point in (0x115F, 0x1160, 0x2028, 0x2029, 0x2800, 0x3164, 0xFFA0, 0xFFFC), hex(point)
        assert not (is_selector(character) and is_hidden(character))
