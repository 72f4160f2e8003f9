"""Declared slices as labels of the rows, their pairwise crossings, and each slice measured."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from bot.evaluate.interval import compare, estimate
from bot.evaluate.metrics.interface import Metric, Ranking
from bot.evaluate.resample import Resampler
from bot.evaluate.rows import FEWEST_GROUPS, Codes, Rows, Scores, differing
from bot.records.measured import Sliced
from bot.specs.gates import SlicePolicy
from bot.specs.slices import CROSS

Labels = NDArray[np.str_]
BIN = re.compile(r"below \S+|\S+ to \S+|\S+ or more")  # as `bot.evaluate.labels.binned` writes them


def crossed(slices: Mapping[str, Labels]) -> dict[str, Labels]:
    """The columns, and each pair of them as `a × b` with labels `x, y`; a row outside either is outside (empty)."""
    out = dict(slices)
    for one, other in combinations(slices, 2):
        if CROSS in one or CROSS in other:
            continue
        labels = np.char.add(np.char.add(slices[one], ", "), slices[other])
        out.setdefault(one + CROSS + other, np.where((slices[one] == "") | (slices[other] == ""), "", labels))
    return out


def slice_name(column: str, label: str) -> str:
    """`origin = JFK`, `age below 30`, `origin × carrier = JFK, AA`; a condition is its own name."""
    if label == column:
        return column
    return f"{column} {label}" if CROSS not in column and BIN.fullmatch(label) else f"{column} = {label}"


def members(slices: Mapping[str, Labels], policy: SlicePolicy) -> Iterator[tuple[str, str, Codes]]:
    """(column, label, row numbers) of the biggest slices, at most as many as the policy says, in column order.

    Crossings with too few rows are left out; single columns are kept, so that a small group is seen at all.
    """
    found: list[tuple[int, str, str, Codes]] = []
    for column, labels in (crossed(slices) if policy.crossings else slices).items():
        names, code = np.unique(labels, return_inverse=True)
        order = np.argsort(code, kind="stable")
        starts = np.searchsorted(code[order], np.arange(len(names) + 1))
        for position, name in enumerate(names):
            rows = order[starts[position] : starts[position + 1]]
            if name != "" and (CROSS not in column or len(rows) >= policy.minimum_rows):
                found.append((len(rows), column, str(name), rows))
    biggest = sorted(found, key=lambda one: -one[0])[: policy.maximum]
    kept = {(column, label) for _, column, label, _ in biggest}
    yield from ((column, label, rows) for _, column, label, rows in found if (column, label) in kept)


def measure(
    metric: Metric, candidate: Scores, baselines: Mapping[str, Scores], resampler: Resampler, policy: SlicePolicy
) -> tuple[Sliced, ...]:
    """Each slice with the metric and the difference to each baseline; intervals of means are analytic here."""
    settings = replace(resampler.settings, exact_rows=0)
    out = []
    for column, label, rows in members(resampler.rows.slices, policy):
        name = slice_name(column, label)
        if len(rows) < policy.minimum_rows:
            out.append(Sliced(column, name, len(rows), None, note=f"fewer than {policy.minimum_rows} rows"))
            continue
        inside = Resampler(replace(resampler.rows.where(rows), slices={}), settings)
        if inside.rows.few_groups:
            out.append(Sliced(column, name, len(rows), None, note=f"fewer than {FEWEST_GROUPS} groups"))
            continue
        if isinstance(metric, Ranking) and _one_class(inside.rows):
            out.append(Sliced(column, name, len(rows), None, note="one class only"))
            continue
        own = estimate(metric, candidate.where(rows), inside)
        if not own.is_finite:
            out.append(Sliced(column, name, len(rows), None, note="not defined on these rows"))
            continue
        theirs = {
            key: compare(metric, candidate.where(rows), scores.where(rows), inside) for key, scores in baselines.items()
        }
        theirs = {key: one for key, one in theirs.items() if one.is_finite}
        differ = {
            key: int(differing(candidate.where(rows), scores.where(rows)).sum()) for key, scores in baselines.items()
        }
        out.append(Sliced(column, name, len(rows), own, theirs, differ, own.method if own.low is None else ""))
    return tuple(out)


def worst_first(slices: Sequence[Sliced], metric: Metric, baseline: str | None) -> list[Sliced]:
    """By the difference to the baseline where there is one, else by the metric; slices without a value come last."""
    sign = 1.0 if metric.greater_is_better else -1.0

    def key(one: Sliced) -> tuple[int, float]:
        if one.estimate is None:
            return 1, -one.n
        difference = one.differences.get(baseline) if baseline else None
        return 0, sign * (difference.difference if difference else one.estimate.value)

    return sorted(slices, key=key)


def _one_class(rows: Rows) -> bool:
    return len(np.unique(rows.truth)) < 2
