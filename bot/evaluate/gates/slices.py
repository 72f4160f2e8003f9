"""Slices against a limit: the worst is named first, and asking many slices the same is corrected for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from bot.evaluate.evidence import Evidence
from bot.evaluate.gates.interface import Finding, more_rows, settling
from bot.evaluate.holm import holm
from bot.evaluate.rows import Floats
from bot.evaluate.words import rows, show, signed
from bot.records.measured import Sliced


@dataclass(frozen=True)
class Asked:
    """One slice's quantity, turned so that more is better: its value, standard error and limit."""

    slice: Sliced
    value: float
    error: float
    limit: float
    shown: float


def judge_slices(asked: list[Asked], said: str, code: str, evidence: Evidence) -> Finding:
    """Fail when a slice is below its limit, pass when all are above, both at the corrected confidence.

    p-values are one-sided and normal; `said` begins the sentence, such as `accuracy on`.
    """
    if not asked:
        sentence = "No declared slice has enough test rows to be judged."
        return Finding("inconclusive", "slices_missing", sentence)
    distance = np.array([one.value - one.limit for one in asked])
    error = np.array([max(one.error, 1e-12) for one in asked])
    below, above = _p(distance / error, evidence.correction), _p(-distance / error, evidence.correction)
    tail = (1 - evidence.confidence) / 2
    worst = int(np.argmin(distance))
    fails = np.flatnonzero(below < tail)
    unclear = np.flatnonzero((above >= tail) & (below >= tail))
    if len(fails):
        first = int(fails[np.argmin(distance[fails])])
        return _finding("fail", code, asked[first], said, f"{len(fails)} of {len(asked)} slices are beyond the limit.")
    if len(unclear):
        first = int(unclear[np.argmin(distance[unclear])])
        one = asked[first]
        needed = more_rows(one.slice.n, float(distance[first]), one.error, evidence.confidence)
        ending = f"{len(unclear)} of {len(asked)} slices cannot be told. {settling(needed, ' of that slice')}"
        return _finding("inconclusive", "evidence_insufficient", one, said, ending, needed)
    return _finding("pass", "gate_passed", asked[worst], said, f"All {len(asked)} slices are within the limit.")


def _p(z: Floats, correction: str) -> Floats:
    p = ndtr(z)
    return holm(p) if correction == "holm" else np.asarray(p)


def _finding(verdict: str, code: str, one: Asked, said: str, ending: str, needed: int | None = None) -> Finding:
    reach = 1.96 * one.error
    value = signed(one.shown, reach) if "against" in said else show(one.shown, reach)
    sentence = f"Worst slice: {said} {one.slice.name} ({rows(one.slice.n)}) {value}. {ending}"
    return Finding(verdict, code, sentence, one.shown, one.limit, needed)  # type: ignore[arg-type]
