"""How often the parts of the monitor that are judged window by window alarm while nothing has changed."""

from __future__ import annotations

from functools import partial

import numpy as np
import pyarrow as pa

from bot.evaluate.interval import estimate
from bot.evaluate.metrics import METRICS
from bot.evaluate.resample import Resampler, Settings
from bot.monitor.inputs import Known, is_beyond, unseen
from bot.monitor.measured import Measured, against
from tests.evidence.shapes import binary
from tests.evidence.study import Count, Study

LEVEL = 0.01  # higher than in use, so that a rate can be seen in a thousand repeats
Generator = np.random.Generator


def rare_values(levels: int, rows: int, window: int, generator: Generator, repeats: int) -> dict[str, Count]:
    """Values by Zipf's law, some of which training has missed by chance."""
    share = np.arange(1, levels + 1) ** -1.2
    count = Count()
    for _ in range(repeats):
        there, here = (generator.choice(levels, size, p=share / share.sum()) for size in (rows, window))
        names, counts = np.unique(there, return_counts=True)
        known = Known(frozenset(map(str, names)), rows, int((counts == 1).sum()))
        found = unseen(pa.table({"x": pa.array(here.astype(str))}), {"x": known}, LEVEL)
        count += Count(1, int(any(one.alarm for one in found)))
    return {"alarms": count}


def shares_at_the_limit(window: int, generator: Generator, repeats: int) -> dict[str, Count]:
    """Exactly one row in a hundred breaks the contract."""
    hits = sum(is_beyond(int(one), window, 0.01, LEVEL) for one in generator.binomial(window, 0.01, repeats))
    return {"alarms": Count(repeats, hits)}


def performance(metric: str, prevalence: float, labelled: int, generator: Generator, repeats: int) -> dict[str, Count]:
    """The same model on test rows and on new labelled rows of the same world."""
    shape, count = binary(prevalence, 0.85, "apart"), Count()
    for number in range(repeats):
        sides = []
        for n in (2000, labelled):
            rows, one, _ = shape.draw(generator, n, 0)
            found = estimate(METRICS[metric], one, Resampler(rows, Settings(resamples=500, seed=number)))
            better = METRICS[metric].greater_is_better
            sides.append(Measured(metric, found.value, found.low, found.high, found.df, n, better))
        judged = against(sides[0], sides[1], LEVEL)
        count += Count(untold=1) if judged is None else Count(1, int(judged.alarm))
    return {"alarms": count}


def studies() -> list[Study]:
    """Each at a level of 1 %."""
    found = [
        Study("Monitoring", f"values never seen: {levels} levels, {rows:,} known, window of {window}", (0.0, LEVEL),
              partial(rare_values, levels, rows, window))
        for levels, rows in ((500, 2000), (500, 10_000), (100, 2000), (50, 1000))
        for window in (40, 150, 500)
    ]  # fmt: skip
    found += [
        Study("Monitoring", f"one row in a hundred is wrong, window of {window}", (0.0, LEVEL),
              partial(shares_at_the_limit, window))
        for window in (40, 150, 500, 5000)
    ]  # fmt: skip
    return found + [
        Study("Monitoring", f"performance by {metric}, {share:.0%} positive, {labelled} labelled rows", (0.0, LEVEL),
              partial(performance, metric, share, labelled))
        for metric in ("roc_auc", "average_precision", "recall", "f1", "accuracy", "log_loss")
        for share, labelled in ((0.3, 60), (0.1, 300), (0.05, 300))
    ]  # fmt: skip
