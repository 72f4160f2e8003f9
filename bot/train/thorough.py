"""Fewer inputs than the fast path finds, confirmed on folds that the search for them never saw.

From the fast path's columns, the one whose loss hurts least is left out, again and again, down to the bar: a greedy
search, which fits its own folds. So every set on the way is scored again on fresh folds, and the smallest that is
within the bar there is kept. A column that already looks bad on two folds is not tried on the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.records.training import SelectionPoint
from bot.train.bar import Trial, curve, mean_score, smallest_within, standard_error, trial
from bot.train.learner import Learner
from bot.train.matrix import Encoded
from bot.train.scoring import Scorer

FIRST_FOLDS = 2
GO_ON = 3  # columns that are tried on all folds, of those that look best on the first ones
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
        """The start and ever smaller sets, while the score is within one standard error of the best."""
        sets = [start]
        trials = {len(start): self.trials(folds, [start])[0]}
        while len(sets[-1]) > max(1, len(always)) and not self.is_over():
            smaller, found = self._without_one(folds, sets[-1], always)
            trials[len(smaller)] = found
            best = max(trials.values(), key=mean_score)
            if mean_score(best) - mean_score(found) > standard_error(best):
                break
            sets.append(smaller)
            self.tell(len(start) - len(smaller), len(start))
        return sets

    def _without_one(self, folds: Sequence[Encoded], kept: Columns, always: Columns) -> tuple[Columns, list[Trial]]:
        sets = [kept - {name} for name in sorted(kept - always)]
        first = self.trials(folds[:FIRST_FOLDS], sets)
        order = sorted(range(len(sets)), key=lambda i: (-mean_score(first[i]), sorted(sets[i])))[:GO_ON]
        rest = self.trials(folds[FIRST_FOLDS:], [sets[i] for i in order])
        whole = [(sets[i], [*first[i], *more]) for i, more in zip(order, rest, strict=True)]
        return max(whole, key=lambda one: mean_score(one[1]))

    def trials(self, folds: Sequence[Encoded], sets: Sequence[Columns]) -> list[list[Trial]]:
        """A list of trials, one a fold, for each set."""
        tasks = [(self.learner, self.scorer, fold, kept) for kept in sets for fold in folds]
        flat = self.run(try_set, tasks)
        return [flat[i : i + len(folds)] for i in range(0, len(flat), len(folds))]

    def confirmed(
        self, fresh: Sequence[Encoded], sets: Sequence[Columns], full: Columns, at_most: int | None
    ) -> tuple[Columns, tuple[SelectionPoint, ...]]:
        """The smallest set within the bar on fresh folds, with the curve there; `full` holds all columns."""
        known = list(dict.fromkeys([full, *sets]))
        trials = {len(kept): one for kept, one in zip(known, self.trials(fresh, known), strict=True)}
        chosen = smallest_within(trials, at_most)
        return next(kept for kept in known if len(kept) == chosen), curve(trials, chosen)


def try_set(learner: Learner, scorer: Scorer, fold: Encoded, kept: Columns) -> Trial:
    """One set on one fold."""
    _, outputs = learner.fold(fold, fold.columns_of(kept))
    return trial(scorer, fold, outputs)
