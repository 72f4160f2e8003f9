"""Slices against a limit, each by its own interval: the worst is named first.

A fail of one among many slices is corrected for by Holm's method. A pass says that all are within the limit, which
needs no correction: one slice beyond it passes no more often than its own level (intersection-union, Berger 1982).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bot.evaluate.evidence import Evidence
from bot.evaluate.gates.interface import Finding, settling
from bot.evaluate.holm import holm
from bot.evaluate.reach import Reach
from bot.evaluate.words import rows, show, signed
from bot.records.measured import Sliced


@dataclass(frozen=True)
class Asked:
    """One slice's quantity, turned so that more is better, its limit, and the value as it is shown."""

    slice: Sliced
    reach: Reach
    limit: float
    shown: float


def judge_slices(asked: list[Asked], said: str, code: str, evidence: Evidence) -> Finding:
    """Fail when a slice is below its limit, pass when all are above; `said` begins the sentence, such as `f1 on`."""
    if not asked:
        sentence = "No declared slice has enough test rows to be judged."
        return Finding("inconclusive", "slices_missing", sentence)
    distance = np.array([one.reach.value - one.limit for one in asked])
    p_values = np.array([one.reach.p_below(one.limit) for one in asked])
    below = holm(p_values) if evidence.correction == "holm" else p_values
    tail = (1 - evidence.confidence) / 2
    fails = np.flatnonzero(below < tail)
    unclear = np.flatnonzero([one.reach.verdict(one.limit) != "pass" for one in asked])
    if len(fails):
        first = int(fails[np.argmin(distance[fails])])
        return _finding("fail", code, asked[first], said, f"{len(fails)} of {len(asked)} slices are beyond the limit.")
    if len(unclear):
        one = asked[int(unclear[np.argmin(distance[unclear])])]
        # a slice that lies beyond its limit must be told from it at the corrected level
        level = tail / len(asked) if evidence.correction == "holm" and one.reach.value < one.limit else tail
        needed = one.reach.at(level).more_rows(one.slice.n, one.limit)
        ending = f"{len(unclear)} of {len(asked)} slices cannot be told. {settling(needed, ' of that slice')}"
        return _finding("inconclusive", "evidence_insufficient", one, said, ending, needed)
    worst = asked[int(np.argmin(distance))]
    return _finding("pass", "gate_passed", worst, said, f"All {len(asked)} slices are within the limit.")


def _finding(verdict: str, code: str, one: Asked, said: str, ending: str, needed: int | None = None) -> Finding:
    reach = max(one.reach.high - one.reach.low, 1e-12) / 2
    value = signed(one.shown, reach) if "against" in said else show(one.shown, reach)
    sentence = f"Worst slice: {said} {one.slice.name} ({rows(one.slice.n)}) {value}. {ending}"
    return Finding(verdict, code, sentence, one.shown, one.limit, needed)  # type: ignore[arg-type]
