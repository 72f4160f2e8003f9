"""Numbers for people: the digits that an interval supports, thousands apart, units, words for sizes and times."""

from __future__ import annotations

import math
import sys

MINUS = "\N{MINUS SIGN}"
MAX_DECIMALS = 7
SIZES = ("bytes", "kB", "MB", "GB", "TB")
BEFORE = frozenset({"$", "€", "£"})
TIGHT = frozenset({"%", "°"})


def decimals(low: float | None, high: float | None, value: float) -> int:
    """Decimals to show (negative: round before the point), by the interval's half-width.

    The Particle Data Group's rule (https://pdg.lbl.gov, Introduction, 5.3): of the three leading digits of the
    uncertainty, 100-354 gives two digits, 355-949 one, 950-999 two of 1000. Without an interval: four leading digits.
    """
    if low is None or high is None or not high > low:
        return _clamped(4 - 1 - _exponent(value)) if value else 0
    half = max((high - low) / 2, sys.float_info.min)  # below it 10 ** exponent is zero
    exponent = _exponent(half)
    leading = round(half / 10.0**exponent * 100)
    return _clamped((2 if leading < 355 else 1 if leading < 950 else 2 - 1) - 1 - exponent)


def decimals_of_difference(low: float, high: float, value: float) -> int:
    """`decimals`, and more when a bound that is not zero would be shown as zero: its side of zero is the answer."""
    digits = decimals(low, high, value)
    while digits < MAX_DECIMALS and any(bound and not round(bound, digits) for bound in (low, high)):
        digits += 1
    return digits


def unbroken(text: str) -> str:
    """The text on one line wherever it is shown."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0


def _clamped(digits: int) -> int:
    return max(-12, min(MAX_DECIMALS, digits))


def number(value: float, digits: int) -> str:
    """`value` with `digits` decimals, thousands apart, a true minus sign, never a negative zero."""
    rounded = round(value, digits) + 0.0
    text = f"{rounded:,.{max(digits, 0)}f}" if abs(rounded) < 1e15 else f"{rounded:.3e}"
    return text.replace("-", MINUS) if rounded else text.lstrip("-")


def signed(value: float, digits: int) -> str:
    """`number` with its sign; nothing before a zero."""
    text = number(value, digits)
    return f"+{text}" if round(value, digits) > 0 else text


def with_unit(text: str, unit: str) -> str:
    """The number and its unit; symbols of money stand before it. Empty units add nothing."""
    if not unit or unit in ("1", "score"):
        return text
    return f"{unit}{text}" if unit in BEFORE else f"{text}{unit}" if unit in TIGHT else f"{text} {unit}"


def count(value: float) -> str:
    """A whole number, thousands apart."""
    return f"{value:,.0f}".replace("-", MINUS)


def counted(n: int, one: str, many: str | None = None) -> str:
    """`1 model`, `3 models`."""
    return f"{count(n)} {one if n == 1 else many or one + 's'}"


def share(part: float, whole: float) -> str:
    """A share in per cent, one digit after the point below 10 %; an en dash when there is no whole."""
    if not whole:
        return "–"
    percent = 100 * part / whole
    return f"{percent:.1f}%" if 0 < percent < 10 else f"{percent:.0f}%"


def size(n_bytes: float) -> str:
    """Bytes in powers of 1,000 with three digits."""
    step = 0
    while abs(n_bytes) >= 999.5 and step < len(SIZES) - 1:
        n_bytes, step = n_bytes / 1000, step + 1
    return f"{n_bytes:.3g} {SIZES[step]}"


def duration(seconds: float) -> str:
    """Seconds below two minutes, then minutes, then hours."""
    if seconds < 120:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def listed(words: list[str], limit: int = 5) -> str:
    """`a, b and c`; beyond `limit`: `a, b and 7 more`."""
    if len(words) > limit:
        words = [*words[: limit - 1], f"{len(words) - limit + 1} more"]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1] if words else ""
