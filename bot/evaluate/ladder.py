"""The Ladder (Blum and Hardt, ICML 2015): a result is shown only when it beats the best so far by more than chance.

Whoever sees every digit of every attempt can climb a test set by luck; who learns only of real steps cannot.
"""

from __future__ import annotations

from typing import Literal

Ladder = Literal["released", "withheld"]


def ladder(value: float, best: float | None, step: float, *, greater_is_better: bool) -> Ladder:
    """`step` is the standard error of the paired difference to the best so far, in the metric's unit."""
    if best is None:
        return "released"
    gain = value - best if greater_is_better else best - value
    return "released" if gain > step else "withheld"
