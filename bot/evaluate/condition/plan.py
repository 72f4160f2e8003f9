"""What `mlbot testset-size` answers about a condition."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bot.errors import UserError
from bot.evaluate.condition.differ import (
    is_active,
    is_helped,
    is_unlabelled,
    most_that_differ,
    parts_of,
    rows_of_clause,
)
from bot.evaluate.condition.exact import exact_rows, normal_rows
from bot.evaluate.condition.size import (
    Plan,
    bennett_tolerance,
    hoeffding_rows,
    hoeffding_tolerance,
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

    `differ`: largest share of rows on which the models differ, by default what a clause `d < A +/- B` lets pass;
    `known` when it was measured on other rows. `rows`: test rows that there are.
    Raises UserError when Bennett's bound is asked of a condition that it cannot help.
    """
    if differ is not None and not any(map(is_helped, clauses)):
        raise UserError(
            "Bennett's bound helps conditions about n - o or d",
            hint="Write `n - o > 0.02 +/- 0.01`, or leave `--differ` out.",
            code="condition_invalid",
        )
    share = differ if differ is not None else most_that_differ(clauses)
    found: dict[str, int | float] = {"rows": hoeffding_rows(clauses, plan)}
    exact = exact_rows(clauses[0], plan) if len(clauses) == 1 else None
    if exact is not None:
        found["rows_exact_binomial"] = exact
    if share is not None:
        found |= _where_models_agree(clauses, share, plan, known=known)
    if rows is not None:
        found["smallest_tolerance"] = max(hoeffding_tolerance(clause, rows, plan) for clause in clauses)
        if share is not None and is_active(clauses):
            parts = 2 if known else 2 * max(2, len(clauses))
            found["smallest_tolerance_bennett"] = bennett_tolerance(share, rows, plan, parts=parts)
    return found


def _where_models_agree(clauses: Sequence[Clause], share: float, plan: Plan, *, known: bool) -> dict[str, int | float]:
    """Labelled rows, and rows without labels for clauses that need none; labels when only differing rows get one."""
    labelled = [one for one in clauses if not is_unlabelled(one)]
    sizes = {one: rows_of_clause(one, len(clauses), share, plan, known=known) for one in clauses}
    found: dict[str, int | float] = {}
    if labelled:
        found["rows_bennett"] = max(sizes[one] for one in labelled)
    if len(labelled) < len(clauses):
        found["rows_without_labels"] = max(sizes[one] for one in clauses if one not in labelled)
    gaps = [one for one in labelled if parts_of(one).count == 1 and parts_of(one).gap]
    normal = [size for one in gaps if (size := normal_rows(one, share, plan)) is not None]
    if normal and len(gaps) == len(labelled):
        found["rows_normal_approximation"] = max(normal)
    if labelled and is_active(clauses) and gaps == labelled:
        found["labels_per_evaluation"] = max(math.ceil(labels_per_step(one, share, plan.reliability)) for one in gaps)
    return found
