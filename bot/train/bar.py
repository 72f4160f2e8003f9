"""Cross-validated trials of sets of inputs -> which sets are within one standard error of the best.

A smaller set passes when its score is less than one standard error of the best score below that. The error comes from
the rows and not from the few folds, where the metric allows it. Where scores say little, at the ceiling or on few rows,
the mean loss of a row must not be beyond doubt above the least one either: the difference is paired, row by row.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.errors import UserError
from bot.records.training import SelectionPoint
from bot.specs.outputs import Outputs
from bot.train.matrix import Encoded
from bot.train.scoring import Scorer, row_losses

CEILING = 0.98


@dataclass(frozen=True)
class Bar:
    """Where scores say little: on fewer than `few_rows` rows and at the ceiling. There, the mean loss may be `doubt`
    standard errors above the least one.
    """

    doubt: float
    few_rows: int


RANKED_ANEW = Bar(doubt=2.0, few_rows=0)  # each fold chose its sets without its validation rows
SEARCHED = Bar(doubt=1.0, few_rows=2_000)  # the sets were searched for on these rows, so they look too good


@dataclass(frozen=True)
class Trial:
    """One set of inputs on one fold: the score, each validation row's part in it (None when the metric has no such
    form) and each row's loss; `n_rows` of training and validation.
    """

    score: float
    influence: Any
    loss: Any
    has_ceiling: bool
    n_rows: int


Trials = Mapping[int, Sequence[Trial]]


def trial(scorer: Scorer, fold: Encoded, outputs: Outputs) -> Trial:
    """From the outputs on the fold's validation rows."""
    truth = fold.valid.values
    influence = scorer.influence(truth, outputs)
    return Trial(
        scorer.score(truth, outputs),
        None if influence is None else influence.astype(np.float32),
        row_losses(truth, outputs).astype(np.float32),
        scorer.sign > 0,
        len(fold.train.values) + len(truth),
    )


def smallest_within(trials: Trials, bar: Bar, at_most: int | None = None) -> int:
    """The smallest size that passes and above which every size passes; at most `at_most`, whatever it scores."""
    chosen = best_by_loss(trials) if scores_say_little(trials, bar) else best_size(trials)
    for size in sorted((size for size in trials if size < chosen), reverse=True):
        if not is_within(trials, size, bar):
            break
        chosen = size
    if at_most is not None and chosen > at_most:
        return max((size for size in trials if size <= at_most), default=min(trials))
    return chosen


def best_size(trials: Trials) -> int:
    """The size with the best mean score; of equals the smallest."""
    return min(trials, key=lambda size: (-mean_score(trials[size]), size))


def mean_score(folds: Sequence[Trial]) -> float:
    """Mean over folds; minus infinity when a fold has no score."""
    return float(np.nan_to_num(np.mean([one.score for one in folds]), nan=-np.inf))


def best_by_loss(trials: Trials) -> int:
    """The size with the least mean loss of a row; of equals the smallest."""
    return min(trials, key=lambda size: (mean_loss(trials[size]), size))


def scores_say_little(trials: Trials, bar: Bar) -> bool:
    """Whether differences of scores say little: the best is near to 1, or there are few rows."""
    best = trials[best_size(trials)]
    return best[0].n_rows < bar.few_rows or (best[0].has_ceiling and mean_score(best) > CEILING)


def is_within(trials: Trials, size: int, bar: Bar, among: Collection[int] = ()) -> bool:
    """Whether a size passes the bar. The best is looked for `among` some sizes, all when empty."""
    known = {one: trials[one] for one in among} if among else trials
    best = known[best_size(known)]
    is_near = mean_score(best) - mean_score(trials[size]) <= standard_error(best)
    if not scores_say_little(known, bar):
        return is_near
    difference = _losses(trials[size]) - _losses(known[best_by_loss(known)])
    return is_near and bool(difference.mean() <= bar.doubt * difference.std(ddof=1) / np.sqrt(len(difference)))


def standard_error(folds: Sequence[Trial]) -> float:
    """Standard error of the mean score: over rows when the metric allows, else over folds."""
    if folds[0].influence is not None:
        return float(np.sqrt(sum(float(np.sum(one.influence.astype(float) ** 2)) for one in folds)) / len(folds))
    return _fold_error([one.score for one in folds])


def _fold_error(values: Sequence[float]) -> float:
    return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0


def mean_loss(folds: Sequence[Trial]) -> float:
    """Mean loss of a row."""
    return float(_losses(folds).mean())


def _losses(folds: Sequence[Trial]) -> Any:
    return np.concatenate([one.loss for one in folds])


def curve(trials: Trials, chosen: int) -> tuple[SelectionPoint, ...]:
    """Inputs against score, by size. Raises UserError (code `selection_failed`) when there is no score."""
    if not np.isfinite(mean_score(trials[chosen])):
        raise UserError(
            "the selection has no score: the primary metric is not defined on the validation rows of a fold",
            hint="Ask for fewer `selection.folds`, so that each holds every class, or go by another metric.",
            code="selection_failed",
        )
    return tuple(
        SelectionPoint(
            n_inputs=size,
            score=mean_score(trials[size]),
            standard_error=standard_error(trials[size]),
            chosen=size == chosen,
        )
        for size in sorted(trials)
        if np.isfinite(mean_score(trials[size]))
    )
