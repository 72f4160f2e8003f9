"""A condition on measured n, o and d: true, false or unknown, by interval arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from bot.evaluate.condition.differ import bennett_condition_rows, most_that_differ
from bot.evaluate.condition.size import Plan, hoeffding_rows
from bot.records.evaluation import Verdict
from bot.specs.condition import Clause

Truth = Literal["true", "false", "unknown"]
Mode = Literal["fp_free", "fn_free"]
SMALLEST_TOLERANCE = 1e-4  # a distance below it would need billions of rows


def truth(clause: Clause, measured: tuple[float, float, float]) -> Truth:
    """`measured` are n, o and d; a value within the tolerance of the threshold is unknown."""
    beyond = _beyond(clause, measured)
    if beyond > clause.tolerance:
        return "true"
    return "false" if beyond < -clause.tolerance else "unknown"


def _beyond(clause: Clause, measured: tuple[float, float, float]) -> float:
    """How far the clause's value lies on the side that makes it true."""
    value = sum(factor * one for factor, one in zip(clause.coefficients, measured, strict=True))
    return value - clause.threshold if clause.relation == ">" else clause.threshold - value


def sharpened(clauses: Sequence[Clause], measured: tuple[float, float, float]) -> tuple[Clause, ...] | None:
    """The same condition with tolerances that would tell it at these values; None when a value is the threshold."""
    found = []
    for clause in clauses:
        distance = abs(_beyond(clause, measured))
        if distance < SMALLEST_TOLERANCE:
            return None
        found.append(replace(clause, tolerance=min(clause.tolerance, 0.99 * distance)))
    return tuple(found)


def verdict(clauses: Sequence[Clause], measured: tuple[float, float, float], mode: Mode) -> Verdict:
    """`fp_free` never passes what is unknown, `fn_free` never fails it; a clause that is false fails both."""
    truths = {truth(clause, measured) for clause in clauses}
    if "false" in truths:
        return "fail"
    if "unknown" in truths:
        return "inconclusive" if mode == "fp_free" else "pass"
    return "pass"


def rows_for(clauses: Sequence[Clause], plan: Plan, bound: Literal["hoeffding", "bennett"]) -> int:
    """Test rows that the condition needs: by Bennett's bound when it limits d (`d < A +/- B`), else by Hoeffding's.

    The models differ on at most A + 2B of the rows once d was seen below A + B.
    """
    share = most_that_differ(clauses) if bound == "bennett" else None
    return hoeffding_rows(clauses, plan) if share is None else bennett_condition_rows(clauses, share, plan)
