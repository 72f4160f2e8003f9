"""The Ladder (Blum and Hardt, ICML 2015): a result is shown only when it beats the best so far by more than chance.

Whoever sees every digit of every attempt can climb a test set by luck; who learns only of real steps cannot.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from bot.records.evaluation import Evaluation

Ladder = Literal["released", "withheld"]


def ladder(value: float, best: float | None, step: float, *, greater_is_better: bool) -> Ladder:
    """`step` is the candidate's own standard error, in the metric's unit.

    The paper's is that of the paired difference to the best so far, whose answers are not kept; it is smaller whenever
    the two correlate by more than a half, so ours withholds more and never shows more.
    """
    if best is None:
        return "released"
    gain = value - best if greater_is_better else best - value
    return "released" if gain > step else "withheld"


def best_released(evaluations: Iterable[Evaluation], metric: str) -> float | None:
    """The best value of the metric among evaluations whose digits people saw; None when there is none."""
    seen = [
        one
        for evaluation in evaluations
        if all(budget.ladder != "withheld" for budget in evaluation.budget)
        for one in evaluation.metrics
        if one.name == metric
    ]
    if not seen:
        return None
    return (max if seen[0].greater_is_better else min)(one.value for one in seen)
