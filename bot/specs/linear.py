"""Regular expressions that people write in a contract: RE2, whose time grows with the text alone, for any of them.

Python's own engine takes years for some patterns, and whoever may write a spec may write those.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.specs.base import wrong

MAX_LENGTH = 500
HINT = "Patterns are RE2: https://github.com/google/re2/wiki/Syntax. Look-around and back references are not in it."


def begin_with(pattern: str, names: Sequence[str]) -> list[str]:
    """Those of the names that the pattern fits from the first character. Raises ValueError for what RE2 refuses."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.match_substring_regex(pa.array(names, pa.string()), f"^(?:{pattern})")
    return [name for name, fits in zip(names, found.to_pylist(), strict=True) if fits]


def check(pattern: str, *, key: str | None = None) -> None:
    """Raises PydanticCustomError unless RE2 takes the pattern."""
    try:
        if len(pattern) > MAX_LENGTH:
            raise ValueError(f"longer than {MAX_LENGTH} characters")
        begin_with(pattern, [""])
    except ValueError as error:  # ArrowInvalid is one
        said = str(error).removeprefix("Invalid regular expression: ")[:200]
        raise wrong(f"not a pattern: {said}", HINT, key=key) from None
