"""How often the interval of a model, and that of a difference of two, hold the truth."""

from __future__ import annotations

from functools import partial

import numpy as np

from bot.evaluate.interval import compare, estimate, estimate_value
from bot.evaluate.metrics import METRICS
from bot.evaluate.resample import Resampler, Settings
from tests.evidence.shapes import Shape, binary, regression, three
from tests.evidence.study import Count, Study

PROMISE = (0.93, 0.97)
ROWS_OF_TRUTH = 2_000_000
_TRUTH: dict[str, dict[str, tuple[float, float]]] = {}


def truth_of(shape: Shape) -> dict[str, tuple[float, float]]:
    """By metric: the first model's value and the difference, on many independent rows."""
    if shape.name not in _TRUTH:
        rows, *models = shape.draw(np.random.default_rng(987), ROWS_OF_TRUTH, 0)
        whole = Resampler(rows, Settings(resamples=2))
        found = {name: [estimate_value(METRICS[name], one, whole) for one in models] for name in shape.metrics}
        _TRUTH[shape.name] = {name: (one, one - other) for name, (one, other) in found.items()}
    return _TRUTH[shape.name]


def cover(
    shape: Shape, n: int, groups: int, generator: np.random.Generator, repeats: int, resamples: int = 500
) -> dict[str, Count]:
    """By metric, of the model and of the difference."""
    truth = truth_of(shape)
    counts = {f"{name}, {kind}": Count() for name in shape.metrics for kind in ("model", "difference")}
    for number in range(repeats):
        rows, one, other = shape.draw(generator, n, groups)
        resampler = Resampler(rows, Settings(resamples=resamples, seed=number))
        for name in shape.metrics:
            alone, paired = estimate(METRICS[name], one, resampler), compare(METRICS[name], one, other, resampler)
            for kind, found, value in zip(("model", "difference"), (alone, paired), truth[name], strict=True):
                counts[f"{name}, {kind}"] += _held(value, found.low, found.high)
    return counts


def _held(value: float, low: float | None, high: float | None) -> Count:
    if low is None or high is None:
        return Count(untold=1)
    return Count(1, int(low - 1e-12 <= value <= high + 1e-12))


def studies() -> list[Study]:
    """From few rows to many, rare classes, models near and apart, areas up to 0.999, groups, heavy tails."""
    found: list[tuple[Shape, int, int]] = []
    for n in (200, 1000, 12_000):
        for prevalence in (0.5, 0.05, 0.01):
            for area in (0.85, 0.999):
                found += [(binary(prevalence, area, closeness), n, 0) for closeness in ("near", "apart")]
        found += [(three((0.9, 0.08, 0.02), closeness), n, 0) for closeness in ("near", "apart")]
        errors = ("normal", "t(5)", "lognormal .5", "t(2.5)")
        found += [(regression(kind, closeness), n, 0) for kind in errors for closeness in ("near", "apart")]
    for groups, n in ((6, 600), (20, 1000), (200, 2000)):
        found += [(binary(0.3, 0.85, "apart"), n, groups), (regression("normal", "apart"), n, groups)]
    return [
        Study("Coverage", f"{shape.name}; {n:,} rows{f' in {groups} groups' if groups else ''}", PROMISE,
              partial(cover, shape, n, groups))
        for shape, n, groups in found
    ]  # fmt: skip
