"""Numbers as people read them: as many digits as the interval supports, and the unit."""

from __future__ import annotations

import math


def show(value: float, reach: float | None = None, unit: str = "") -> str:
    """`value` to the second digit of `reach` (half-width of its interval), or to four significant digits."""
    if not math.isfinite(value):
        return "undefined"
    text = plain(value) if not reach else f"{value:,.{decimals(reach)}f}"
    return f"{text} {unit}".rstrip()


def decimals(reach: float) -> int:
    """Decimal places that show two digits of `reach`, 0 to 6."""
    return min(6, max(0, 1 - math.floor(math.log10(abs(reach))))) if reach else 4


def interval(value: float, low: float | None, high: float | None, unit: str = "") -> str:
    """`0.912 (0.903 to 0.921)`; without bounds the value alone."""
    if low is None or high is None:
        return show(value, unit=unit)
    reach = max(high - low, 1e-12) / 2
    return f"{show(value, reach, unit)} ({show(low, reach)} to {show(high, reach)})"


def signed(value: float, reach: float | None = None) -> str:
    """With its sign: `+0.014`, `-0.003`."""
    text = show(value, reach)
    return text if text.startswith("-") else f"+{text}"


def plain(value: float) -> str:
    """A measured quantity without an interval: `357,508`, `24.12`."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def rows(n: int) -> str:
    """`1 row`, `12,345 rows`."""
    return f"{n:,} row{'' if n == 1 else 's'}"
