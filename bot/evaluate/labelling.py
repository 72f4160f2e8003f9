"""Rows worth a label: where two models say the same, no label tells which of them is right more often.

Active labelling of ease.ml/ci (Renggli et al., MLSys 2019, 4.1): n - o is what the candidate wins less what it loses on
the rows where they differ, divided by the number of all rows.
"""

from __future__ import annotations

from typing import Any

from bot.errors import UserError
from bot.evaluate.assemble import Fitted
from bot.evaluate.rows import differing
from bot.evaluate.tables import scores_of, texts


def rows_to_label(candidate: Fitted, champion: Fitted, table: Any, row_id: str) -> list[str]:
    """Ids of the rows that the two predict differently, in the table's order; `table` needs no target.

    Raises UserError for a regression, and for models of different targets.
    """
    classes = candidate.training.classes
    if classes is None or champion.training.classes is None:
        hint = "Two regressions differ on nearly every row: label a random sample."
        raise UserError("only classifiers agree on rows", hint=hint, code="label_regression")
    if candidate.training.target != champion.training.target:
        said = f"one predicts {candidate.training.target}, the other {champion.training.target}"
        raise UserError(said, hint="Compare models of one target.", code="label_target")
    scores = [scores_of(one.predictor, one.training, table, classes) for one in (candidate, champion)]
    ids = texts(table[row_id])
    return [str(one) for one in ids[differing(*scores)]]
