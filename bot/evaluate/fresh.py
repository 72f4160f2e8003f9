"""Test rows that come new with a change of the data: what is live against what is proposed, on them alone."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bot.evaluate.interval import compare
from bot.evaluate.metrics.interface import Metric
from bot.evaluate.resample import Resampler
from bot.evaluate.rows import Mask
from bot.evaluate.words import show, signed
from bot.records.evaluation import Section

if TYPE_CHECKING:
    from bot.evaluate.evaluate import Baseline, Case

FEWEST = 30
COLUMNS = ("live in", "metric", "keep", "retrain", "retrain minus keep", "answer")


def is_new(ids: Any, known: Any) -> Mask | None:
    """Boolean (n,): rows whose id the base commit's data did not hold; None without a base."""
    import pyarrow.compute as pc

    if known is None:
        return None
    same = known.cast(ids.type).combine_chunks() if known.type != ids.type else known.combine_chunks()
    return np.asarray(pc.invert(pc.is_in(ids, value_set=same)).to_numpy(), dtype=bool)


def fresh_sections(case: Case, metric: Metric, resampler: Resampler) -> tuple[Section, ...]:
    """A paired comparison with each environment on the new test rows; none where there are none or nothing is live."""
    live = {name: one for name, one in case.baselines.items() if one.artifact_digest is not None}
    if case.fresh is None or not case.fresh.any() or not live:
        return ()
    n = int(case.fresh.sum())
    inside = Resampler(replace(case.rows.where(case.fresh), slices={}), resampler.settings)
    enough = n >= FEWEST and not inside.rows.few_groups
    rows = tuple(_row(name, one, case, metric, inside) for name, one in live.items()) if enough else ()
    note = f"On the {n:,} test rows that this change brings, which neither of the two was trained on."
    if not enough:
        note = f"{n:,} test rows are new; {FEWEST} are needed to tell."
    return (Section(id="fresh_rows", heading="Retrain or keep", columns=COLUMNS, rows=rows, note=note),)


def _row(name: str, baseline: Baseline, case: Case, metric: Metric, inside: Resampler) -> tuple[str, ...]:
    assert case.fresh is not None
    found = compare(metric, case.candidate.where(case.fresh), baseline.scores.where(case.fresh), inside)
    if not math.isfinite(found.difference):
        return (name, metric.name, "", "", "", "not defined on these rows")
    if found.low is None or found.high is None:
        return (name, metric.name, show(found.champion), show(found.candidate), signed(found.difference), found.method)
    better = found.low > 0 if metric.greater_is_better else found.high < 0
    worse = found.high < 0 if metric.greater_is_better else found.low > 0
    answer = "retrain is better" if better else "keep is better" if worse else "no difference that these rows can show"
    reach = (found.high - found.low) / 2
    bounds = f"{signed(found.difference, reach)} ({signed(found.low, reach)} to {signed(found.high, reach)})"
    return (name, metric.name, show(found.champion, reach), show(found.candidate, reach), bounds, answer)
