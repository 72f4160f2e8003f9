"""Charts in plain text: Unicode bars and intervals, and Mermaid `xychart` source of numbers and own words only."""

from __future__ import annotations

import json
import math
import re

from bot.report.blocks import Chart

EIGHTHS = " ▏▎▍▌▋▊▉█"
BLANK = "\N{NO-BREAK SPACE}"  # a space would be collapsed
WIDTH = 12
HALF = 8  # characters on each side of no difference
# Readable on GitHub's light and dark ground, and no larger than the tables around it.
LOOK = {
    "xyChart": {"width": 640, "height": 280},
    "themeVariables": {"xyChart": {"plotColorPalette": "#1f6feb, #bf8700"}},
}
UNSAFE_LABEL = re.compile(r"[^A-Za-z0-9_ .,()-]")


def bar(value: float, most: float, width: int = WIDTH) -> str:
    """A bar whose full width stands for `most`; longer values are drawn as full, negative ones as empty."""
    eighths = round(max(0.0, min(1.0, value / most if most > 0 else 0.0)) * width * 8)
    full, rest = divmod(eighths, 8)
    return "█" * full + (EIGHTHS[rest] if rest else "") or "▏"


def interval_plot(low: float, middle: float, high: float, reach: float) -> str:
    """`low` to `high` with its middle on an axis from -reach to reach, no difference (`┊`) in the centre.

    Always 2 * HALF + 1 characters wide.
    """
    cells = [BLANK] * (2 * HALF + 1)
    start, end = _place(low, reach), _place(high, reach)
    for place in range(start, end + 1):
        cells[place] = "─"
    cells[start], cells[end] = "├", "┤"
    cells[HALF] = "┼" if start < HALF < end else "┊"
    cells[_place(middle, reach)] = "●"
    return "".join(cells)


def _place(value: float, reach: float) -> int:
    return HALF + max(-HALF, min(HALF, round(value / reach * HALF) if reach > 0 else 0))


def mermaid(chart: Chart) -> str:
    """Source of a Mermaid xychart: lines over numbers, axes that hold all of them.

    Mermaid spreads the values of a line evenly between the ends of the x axis, so unequal steps become categories.
    """
    y = [value for one in chart.series for value in one.values]
    low, high = _padded(min(y), max(y))
    low = max(low, 0.0) if min(y) >= 0 else low
    even = len({round(b - a, 9) for a, b in zip(chart.x, chart.x[1:], strict=False)}) <= 1
    steps = f"{chart.x[0]:g} --> {chart.x[-1]:g}" if even else "[" + ", ".join(f'"{x}"' for x in _ticks(chart.x)) + "]"
    lines = [
        f"%%{{init: {json.dumps(LOOK)}}}%%",
        "xychart-beta",
        f'    title "{label(chart.title)}"',
        f'    x-axis "{label(chart.x_label)}" {steps}',
        f'    y-axis "{label(chart.y_label)}" {low:.6g} --> {high:.6g}',
        *(f"    {one.kind} [{', '.join(f'{value:.6g}' for value in one.values)}]" for one in chart.series),
    ]
    return "\n".join(lines)


def _ticks(values: tuple[float, ...]) -> list[str]:
    """Each value with as few digits as tell them apart."""
    for digits in range(2, 8):
        ticks = [f"{value:.{digits}g}" for value in values]
        if len(set(ticks)) == len(set(values)):
            break
    return ticks


def label(text: str) -> str:
    """Text that cannot end a quoted Mermaid string or begin a directive: other characters become spaces."""
    return " ".join(UNSAFE_LABEL.sub(" ", text).split())[:60] or "value"


def _padded(low: float, high: float) -> tuple[float, float]:
    spread = high - low or abs(high) or 1.0
    step = 10.0 ** math.floor(math.log10(spread)) / 5
    return math.floor((low - 0.05 * spread) / step) * step, math.ceil((high + 0.05 * spread) / step) * step
