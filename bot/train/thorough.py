"""Fewer inputs than the fast path finds, confirmed on new folds of the same rows.

From a few more columns than the fast path's, the one whose loss hurts least is left out, again and again, down to the
bar: a greedy search, which fits its own folds. So sets on the way are scored again on fresh folds, and the smallest
that is within the bar there is kept. Two short cuts: after the first round only the half of the columns that cost least
when they were last left out is tried, and a column that looks bad on the first folds is not tried on the others.
Columns are compared by the rows' losses, since a score moves in larger steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.records.training import SelectionPoint
from bot.train.bar import (
    SEARCHED,
    Trial,
    curve,
    is_within,
    mean_loss,
    mean_score,
    standard_error,
    trial,
)
from bot.train.learner import Learner
from bot.train.matrix import Encoded
from bot.train.scoring import Scorer

FIRST_ROWS = 600  # validation rows that the first folds have at least
GO_ON = 2  # columns that are tried on all folds, of those that look best on the first ones
AT_LEAST = 4  # columns that are tried in each round
Columns = frozenset[str]


@dataclass(frozen=True)
class Pruner:
    """The greedy search. `run` maps a function over argument tuples, maybe in parallel; `is_over` says whether the time
    is up.
    """

    learner: Learner
    scorer: Scorer
    run: Callable[[Callable[..., Any], list[tuple[Any, ...]]], list[Any]]
    is_over: Callable[[], bool]
    tell: Callable[[int, int], None]

    def sets_down(self, folds: Sequence[Encoded], start: Columns, always: Columns) -> list[Columns]:
        """Ever smaller sets below the start, while the score is within one standard error of the start's."""
        sets: list[Columns] = []
        kept, found = start, self._tried(folds, [start])[0]
        first, rises = found, dict[str, float]()
        while len(kept) > max(1, len(always)) and not self.is_over():
            kept, found = self._without_one(folds, kept, always, found, rises)
            if mean_score(first) - mean_score(found) > standard_error(first):
                break
            sets.append(kept)
            self.tell(len(start) - len(kept), len(start))
        return sets

    def _without_one(
        self, folds: Sequence[Encoded], kept: Columns, always: Columns, known: list[Trial], rises: dict[str, float]
    ) -> tuple[Columns, list[Trial]]:
        """`known` are the trials of `kept`; `rises`, by column, is how much the loss rose when it was last left out."""
        columns = sorted(kept - always, key=lambda name: (rises.get(name, -np.inf), name))
        columns = columns[: max(AT_LEAST, len(columns) // 2, sum(name not in rises for name in columns))]
        turn = len(kept) % len(folds)  # other folds begin each time, so that none decides alone
        folds, known = [*folds[turn:], *folds[:turn]], [*known[turn:], *known[:turn]]
        n_first = -(-FIRST_ROWS // len(folds[0].valid.values))
        first = self._tried(folds[:n_first], [kept - {name} for name in columns])
        least = mean_loss(known[:n_first])
        rises.update((name, mean_loss(trials) - least) for name, trials in zip(columns, first, strict=True))
        best = sorted(range(len(columns)), key=lambda i: (rises[columns[i]], i))[:GO_ON]
        rest = self._tried(folds[n_first:], [kept - {columns[i]} for i in best])
        whole = [(kept - {columns[i]}, [*first[i], *more]) for i, more in zip(best, rest, strict=True)]
        without, trials = min(whole, key=lambda one: mean_loss(one[1]))
        return without, [*trials[-turn:], *trials[:-turn]] if turn else trials

    def _tried(self, folds: Sequence[Encoded], sets: Sequence[Columns]) -> list[list[Trial]]:
        flat = iter(self.run(try_set, [(self.learner, self.scorer, fold, kept) for kept in sets for fold in folds]))
        return [[next(flat) for _ in folds] for _ in sets]

    def confirmed(
        self, fresh: Sequence[Encoded], ranked: Sequence[Columns], searched: Sequence[Columns], at_most: int | None
    ) -> tuple[Columns, tuple[SelectionPoint, ...]]:
        """The smallest set within the bar on fresh folds, with the curve there.

        `ranked` sets shrink from all columns to the start of the search, `searched` ones from there. The bar hangs on
        the best of the first and the last ranked one: a set that was searched for on the same rows looks too good. The
        edge is looked for from the smallest up, in growing steps, then by halving.
        """
        sets = [*ranked, *searched]
        trials: dict[int, list[Trial]] = {}
        ends = {len(ranked[0]), len(ranked[-1])}

        def passes(kept: Columns) -> bool:
            if len(kept) not in trials:
                trials[len(kept)] = self._tried(fresh, [kept])[0]
            return not ends <= set(trials) or is_within(trials, len(kept), SEARCHED, ends)

        passes(ranked[0]), passes(ranked[-1])
        good, bad, step = len(sets) - 1, len(sets), 1
        while good > 0 and not passes(sets[good]):
            good, bad, step = max(0, good - step), good, 2 * step
        while bad - good > 1:
            middle = (good + bad) // 2
            good, bad = (middle, bad) if passes(sets[middle]) else (good, middle)
        chosen = next(kept for kept in sets[good:] if at_most is None or len(kept) <= at_most)
        passes(chosen)
        return chosen, curve(trials, len(chosen))


def try_set(learner: Learner, scorer: Scorer, fold: Encoded, kept: Columns) -> Trial:
    """One set on one fold."""
    return trial(scorer, fold, learner.fold(fold, fold.columns_of(kept))[1])
