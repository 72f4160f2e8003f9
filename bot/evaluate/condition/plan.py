"""What `mlbot testset-size` answers about a condition."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bot.errors import UserError
from bot.evaluate.condition.exact import exact_rows, normal_rows
from bot.evaluate.condition.size import (
    Plan,
    bennett_rows,
    bennett_tolerance,
    hoeffding_rows,
    hoeffding_tolerance,
    is_disagreement_limit,
    is_gap,
    labels_per_step,
)
from bot.specs.condition import Clause


def answer(
    clauses: Sequence[Clause],
    plan: Plan,
    *,
    differ: float | None = None,
    known: bool = False,
    rows: int | None = None,
) -> dict[str, int | float]:
    """Words to numbers, in the order to show them.

    `differ`: largest share of rows on which the models differ; `known` when it was measured on other rows. `rows`:
    test rows that there are. Raises UserError when Bennett's bound is asked of a condition without `n - o`.
    """
    found: dict[str, int | float] = {"rows": hoeffding_rows(clauses, plan)}
    gaps = [clause for clause in clauses if is_gap(clause)]
    limits = [clause for clause in clauses if is_disagreement_limit(clause)]
    if differ is None and gaps and limits:
        differ = limits[0].threshold / limits[0].coefficients[2]
    if differ is not None and len(gaps) != 1:
        raise UserError(
            "Bennett's bound needs one part of the condition to be about n - o",
            hint="Write `n - o > 0.02 +/- 0.01`, or leave `--differ` out.",
            code="condition_invalid",
        )
    parts = 2 if known else 4
    exact = exact_rows(clauses[0], plan) if len(clauses) == 1 else None
    if exact is not None:
        found["rows_exact_binomial"] = exact
    if differ is not None:
        found["rows_bennett"] = bennett_rows(gaps[0], differ, plan, parts=parts)
        normal = normal_rows(gaps[0], differ, plan)
        if normal is not None:
            found["rows_normal_approximation"] = normal
        found["labels_per_evaluation"] = math.ceil(labels_per_step(gaps[0], differ, plan.reliability))
    if rows is not None:
        found["smallest_tolerance"] = max(hoeffding_tolerance(clause, rows, plan) for clause in clauses)
        if differ is not None:
            found["smallest_tolerance_bennett"] = bennett_tolerance(differ, rows, plan, parts=parts)
    return found
