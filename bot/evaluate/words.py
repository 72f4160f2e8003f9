"""Numbers of gates and tables of the terminal, in the digits that the report shows them in."""

from __future__ import annotations

import math

from bot.records.numbers import MINUS, decimals, number, with_unit

NARROWEST = 1e-11


def show(value: float, reach: float | None = None, unit: str = "") -> str:
    """`value` in the digits that `reach` (half-width of its interval) supports, or in four significant digits."""
    if not math.isfinite(value):
        return "undefined"
    text = number(value, decimals(-reach, reach, value)) if reach else plain(value)
    return with_unit(text, unit)


def interval(value: float, low: float | None, high: float | None, unit: str = "") -> str:
    """`0.912 (0.903 to 0.921)`; without bounds the value alone."""
    if low is None or high is None:
        return show(value, unit=unit)
    reach = half_width(low, high)
    return f"{show(value, reach, unit)} ({show(low, reach)} to {show(high, reach)})"


def half_width(low: float, high: float) -> float | None:
    """Of an interval; None of one that is a point, which says nothing about digits."""
    return (high - low) / 2 if high - low > NARROWEST else None


def signed(value: float, reach: float | None = None) -> str:
    """With its sign: `+0.014`, `−0.003`."""
    text = show(value, reach)
    return text if not value or text.startswith(MINUS) else f"+{text}"


def plain(value: float) -> str:
    """A measured quantity without an interval: `357,508`, `24.12`."""
    text = f"{abs(value):,.0f}" if abs(value) >= 1000 else f"{abs(value):.4g}"
    return f"{MINUS}{text}" if value < 0 else text


def rows(n: int) -> str:
    """`1 row`, `12,345 rows`."""
    return f"{n:,} row{'' if n == 1 else 's'}"
