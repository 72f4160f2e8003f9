"""A condition on measured n, o and d: true, false or unknown, by interval arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from bot.evaluate.condition.size import Plan, bennett_rows, hoeffding_rows, is_disagreement_limit, is_gap
from bot.records.evaluation import Verdict
from bot.specs.condition import Clause

Truth = Literal["true", "false", "unknown"]
Mode = Literal["fp_free", "fn_free"]


def truth(clause: Clause, measured: tuple[float, float, float]) -> Truth:
    """`measured` are n, o and d; a value within the tolerance of the threshold is unknown."""
    value = sum(factor * one for factor, one in zip(clause.coefficients, measured, strict=True))
    beyond = value - clause.threshold if clause.relation == ">" else clause.threshold - value
    if beyond > clause.tolerance:
        return "true"
    return "false" if beyond < -clause.tolerance else "unknown"


def verdict(clauses: Sequence[Clause], measured: tuple[float, float, float], mode: Mode) -> Verdict:
    """`fp_free` never passes what is unknown, `fn_free` never fails it; a clause that is false fails both."""
    truths = {truth(clause, measured) for clause in clauses}
    if "false" in truths:
        return "fail"
    if "unknown" in truths:
        return "inconclusive" if mode == "fp_free" else "pass"
    return "pass"


def rows_for(clauses: Sequence[Clause], plan: Plan, bound: Literal["hoeffding", "bennett"]) -> int:
    """Test rows that the condition needs. Bennett's bound serves `d < A +/- B /\\ n - o > C +/- D`; else Hoeffding's.

    With Bennett's bound the models differ on at most A + 2B of the rows once `d` was seen below A + B.
    """
    limits = [clause for clause in clauses if is_disagreement_limit(clause)]
    gaps = [clause for clause in clauses if is_gap(clause)]
    if bound == "hoeffding" or len(clauses) != 2 or len(limits) != 1 or len(gaps) != 1:
        return hoeffding_rows(clauses, plan)
    limit, gap = limits[0], gaps[0]
    factor = abs(limit.coefficients[2])
    difference = min(1.0, (limit.threshold + 2 * limit.tolerance) / factor)
    return min(bennett_rows(gap, difference, plan), hoeffding_rows(clauses, plan))
