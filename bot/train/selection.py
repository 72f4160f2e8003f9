"""The fewest source columns whose cross-validated score is within one standard error of the best: the fast path.

In each fold the estimator is fitted on all columns, the least important quarter (by its own gains or coefficients) is
left out, and so on. The sizes between the smallest that passes and the largest that fails are then tried too. Scores
are averaged by size; the columns of the chosen size are those that stay longest over all folds. For few rows, or scores
at the ceiling, the bar is set on the paired loss of each row instead, since a score's own error is too wide there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bot.records.training import SelectionPoint
from bot.train.importance import source_importances
from bot.train.learner import Learner
from bot.train.matrix import Encoded
from bot.train.scoring import Scorer, row_losses

SMALL_ROWS = 2000
CEILING = 0.99
STEP = 0.25
Mapper = Callable[[Callable[..., Any], Iterable[tuple[Any, ...]]], list[Any]]


@dataclass(frozen=True)
class Selected:
    """The kept source columns and the curve from all columns down."""

    kept: tuple[str, ...]
    curve: tuple[SelectionPoint, ...]
    fits: int


@dataclass
class Path:
    """What one fold knows: by size, the columns, the score, the loss of each validation row and the importances."""

    kept: dict[int, frozenset[str]] = field(default_factory=dict)
    score: dict[int, float] = field(default_factory=dict)
    loss: dict[int, Any] = field(default_factory=dict)
    importances: dict[int, dict[str, float]] = field(default_factory=dict)


def sizes_down(n: int, floor: int) -> list[int]:
    """n, then a quarter fewer each time, down to `floor`."""
    sizes = [n]
    while sizes[-1] > floor:
        sizes.append(max(floor, min(sizes[-1] - 1, int(sizes[-1] * (1 - STEP)))))
    return sizes


def visit(learner: Learner, scorer: Scorer, fold: Encoded, path: Path, size: int, always: frozenset[str]) -> Path:
    """Add a size to a fold's path: the most important columns of the next larger size that was visited."""
    larger = min((known for known in path.kept if known > size), default=None)
    if larger is None:
        kept = frozenset().union(*fold.sources) if fold.sources else frozenset()
    else:
        ranking = ranked(path.kept[larger], path.importances[larger], always)
        kept = frozenset(ranking[:size])
    columns = fold.columns_of(kept)
    estimator, outputs = learner.fold(fold, columns)
    path.kept[size] = kept
    path.score[size] = scorer.score(fold.valid.values, outputs, fold.valid.weights)
    path.loss[size] = row_losses(fold.valid.values, outputs).astype(np.float32)
    path.importances[size] = source_importances(learner, estimator, fold, columns, outputs)
    return path


def ranked(kept: Iterable[str], importances: dict[str, float], always: frozenset[str]) -> list[str]:
    """Columns from the most to the least important; those to keep always come first."""
    return sorted(kept, key=lambda column: (column not in always, -importances.get(column, 0.0), column))


def select_fast(
    learner: Learner,
    scorer: Scorer,
    folds: Sequence[Encoded],
    names: Sequence[str],
    always: frozenset[str],
    at_most: int | None,
    mapper: Mapper,
) -> Selected:
    """The chosen columns in the order of `names`. `mapper` runs a function over argument tuples, maybe in parallel."""
    paths = [Path() for _ in folds]
    floor = max(1, len(always))
    fits = 0

    def go(size: int) -> None:
        nonlocal paths, fits
        paths = mapper(
            visit, [(learner, scorer, fold, path, size, always) for fold, path in zip(folds, paths, strict=True)]
        )
        fits += len(folds)

    for size in sizes_down(len(names), floor):
        go(size)
        if hopeless(paths, scorer, size):
            break
    while True:
        chosen = smallest_within(paths, scorer, at_most)
        lower = max((size for size in paths[0].kept if size < chosen), default=floor - 1)
        if chosen - lower <= 1:
            break
        go((chosen + lower) // 2)
    kept = stayed_longest(paths, names, chosen, always)
    return Selected(tuple(name for name in names if name in kept), curve(paths, chosen), fits)


def hopeless(paths: Sequence[Path], scorer: Scorer, size: int) -> bool:
    """Whether smaller sets need not be looked at: this one is far below the bar."""
    scores = _scores(paths)
    best = max(scores, key=lambda known: scores[known].mean())
    gap = scores[best] - scores[size]
    return bool(gap.mean() > 4 * max(_error(scores[best]), _error(gap)) and not within(paths, scorer, size))


def smallest_within(paths: Sequence[Path], scorer: Scorer, at_most: int | None) -> int:
    """The smallest visited size that is within the bar, and every larger one too; at most `at_most`, if any is."""
    sizes = sorted(paths[0].kept, reverse=True)
    chosen = best_size(paths)
    for size in sizes:
        if size < chosen and within(paths, scorer, size):
            chosen = size
    if at_most is not None and chosen > at_most:
        return max((size for size in sizes if size <= at_most), default=min(sizes))
    return chosen


def best_size(paths: Sequence[Path]) -> int:
    """The size with the best mean score; of equals the smallest."""
    scores = _scores(paths)
    return min(scores, key=lambda size: (-scores[size].mean(), size))


def within(paths: Sequence[Path], scorer: Scorer, size: int) -> bool:
    """Whether a size passes the bar set by the best size."""
    scores = _scores(paths)
    best = best_size(paths)
    is_small = sum(len(path.loss[best]) for path in paths) < SMALL_ROWS
    if is_small or (scorer.sign > 0 and scores[best].mean() > CEILING):
        return within_by_row(paths, size)
    return bool(scores[size].mean() >= scores[best].mean() - _error(scores[best]))


def within_by_row(paths: Sequence[Path], size: int) -> bool:
    """Whether the mean loss is within one standard error of the paired difference of the rows' losses."""
    losses = {known: np.concatenate([path.loss[known] for path in paths]) for known in paths[0].loss}
    best = min(losses, key=lambda known: (losses[known].mean(), known))
    difference = losses[size] - losses[best]
    return bool(difference.mean() <= difference.std(ddof=1) / np.sqrt(len(difference)))


def stayed_longest(paths: Sequence[Path], names: Sequence[str], size: int, always: frozenset[str]) -> frozenset[str]:
    """The `size` columns that most folds keep at that size; ties go by the importance in the larger sets."""
    votes = {name: sum(name in path.kept[size] for path in paths) for name in names}
    weight: dict[str, float] = dict.fromkeys(names, 0.0)
    for path in paths:
        for importances in path.importances.values():
            total = sum(importances.values()) or 1.0
            for name, value in importances.items():
                weight[name] += value / total
    order = sorted(names, key=lambda name: (name not in always, -votes[name], -weight[name], name))
    return frozenset(order[:size])


def curve(paths: Sequence[Path], chosen: int) -> tuple[SelectionPoint, ...]:
    """Inputs against score, by size."""
    scores = _scores(paths)
    return tuple(
        SelectionPoint(
            n_inputs=size,
            score=float(scores[size].mean()),
            standard_error=_error(scores[size]),
            chosen=size == chosen,
        )
        for size in sorted(scores)
    )


def _scores(paths: Sequence[Path]) -> dict[int, Any]:
    return {size: np.nan_to_num([path.score[size] for path in paths], nan=-np.inf) for size in paths[0].score}


def _error(values: Any) -> float:
    """Standard error of the mean over folds."""
    return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
