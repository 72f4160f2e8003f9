"""The fewest source columns whose cross-validated score is within one standard error of the best: the fast path.

In each fold the estimator is fitted on all columns, the least important ones (by its own gains or coefficients) are
left out, and so on. The sizes between the smallest that passes and the largest that fails are then tried too. The
columns of the chosen size are those that stay longest over all folds. What passes is said in `bot.train.bar`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.records.training import SelectionPoint
from bot.train.bar import RANKED_ANEW, Trial, curve, is_within, smallest_within, trial
from bot.train.importance import source_importances
from bot.train.learner import Learner
from bot.train.matrix import Encoded
from bot.train.scoring import Scorer

STEP = 0.35  # share of the columns that each step leaves out; larger steps rank worse, smaller ones cost more
Mapper = Callable[[Callable[..., Any], Iterable[tuple[Any, ...]]], list[Any]]


@dataclass(frozen=True)
class Selected:
    """The kept source columns, the curve from all columns down, and the sets of the sizes that were looked at, from
    all columns down to the kept ones.
    """

    kept: tuple[str, ...]
    curve: tuple[SelectionPoint, ...]
    sets: tuple[frozenset[str], ...]


@dataclass
class Path:
    """What one fold knows: by size, the columns, what they score (Trial) and how much each matters."""

    kept: dict[int, frozenset[str]] = field(default_factory=dict)
    trials: dict[int, Trial] = field(default_factory=dict)
    importances: dict[int, dict[str, float]] = field(default_factory=dict)


def sizes_down(n: int, floor: int) -> list[int]:
    """n, then STEP fewer each time, down to `floor`."""
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
    path.trials[size] = trial(scorer, fold, outputs)
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

    def go(size: int) -> None:
        nonlocal paths
        paths = mapper(
            visit, [(learner, scorer, fold, path, size, always) for fold, path in zip(folds, paths, strict=True)]
        )

    for size in sizes_down(len(names), floor):
        go(size)
        if not is_within(_table(paths), size, RANKED_ANEW):
            break
    while True:
        chosen = smallest_within(_table(paths), RANKED_ANEW, at_most)
        lower = max((size for size in paths[0].kept if size < chosen), default=floor - 1)
        if chosen - lower <= 1:
            break
        go((chosen + lower) // 2)
    sizes = sorted((size for size in paths[0].kept if size >= chosen), reverse=True)
    sets = tuple(stayed_longest(paths, names, size, always) for size in sizes)
    return Selected(tuple(name for name in names if name in sets[-1]), curve(_table(paths), chosen), sets)


def _table(paths: Sequence[Path]) -> dict[int, list[Trial]]:
    return {size: [path.trials[size] for path in paths] for size in paths[0].trials}


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
