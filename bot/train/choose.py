"""Which inputs are kept and which parameters are used: selection, then search, each on its own folds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from bot.records.training import DroppedInput, SelectionPoint
from bot.train.learner import Learner
from bot.train.matrix import Encoded, encode
from bot.train.prepare import Prepared
from bot.train.scoring import scorer_for
from bot.train.search import Budget, Found, search
from bot.train.selection import select_fast
from bot.train.thorough import Pruner

FRESH_SEEDS = (101, 102)  # rows count once a seed, which makes the bar stricter: the sets were searched for on them
START = 2  # of the fast path's sets, from the smallest, the search starts at: the ranking may have left out too much


@dataclass(frozen=True)
class Engine:
    """How the many fits are run: `map` over argument tuples, the number of jobs, seconds since the start, progress."""

    map: Callable[[Callable[..., Any], Iterable[tuple[Any, ...]]], list[Any]]
    jobs: int
    elapsed: Callable[[], float]
    tell: Callable[[str, int, int], None]

    def budget(self, phase: str, max_fits: int | None, max_minutes: float | None) -> Budget:
        """Limits that start now."""
        start = self.elapsed()
        return Budget(
            max_fits,
            lambda: max_minutes is not None and self.elapsed() - start > 60 * max_minutes,
            lambda done, total: self.tell(phase, done, total),
        )


@dataclass(frozen=True)
class Chosen:
    """The outcome of selection."""

    prepared: Prepared
    method: str
    curve: tuple[SelectionPoint, ...]
    dropped: tuple[DroppedInput, ...]


def choose_inputs(prepared: Prepared, engine: Engine) -> Chosen:
    """The prepared data with the kept inputs only."""
    spec, settings = prepared.spec, prepared.spec.selection
    if settings.method == "none":
        return Chosen(prepared, "none", (), prepared.inputs.dropped)
    folds = _encoded(prepared, settings.folds, spec.seed)
    scorer = scorer_for(spec, None, prepared.target.classes)
    calibrates = scorer.wants in ("score", "probabilities") and not spec.has_probabilities
    learner = Learner(spec, prepared.target.classes, calibrates and spec.estimator.calibration != "none")
    always = frozenset(settings.always)
    names = prepared.inputs.names
    selected = select_fast(learner, scorer, folds, names, always, settings.at_most, engine.map)
    kept, points = selected.kept, selected.curve
    if settings.path == "thorough":
        budget = engine.budget("select", None, settings.max_minutes)
        pruner = Pruner(learner, scorer, engine.map, budget.is_over, budget.tell)
        skipped = START - 1 if settings.at_most is None else 0
        ranked = selected.sets[: max(1, len(selected.sets) - skipped)]
        searched = pruner.sets_down(folds, ranked[-1], always)
        fresh = [fold for seed in FRESH_SEEDS for fold in _encoded(prepared, settings.folds, spec.seed + seed)]
        chosen, confirmed = pruner.confirmed(fresh, ranked, searched, settings.at_most)
        points = tuple(_rows_once(one) for one in confirmed)
        kept = tuple(name for name in names if name in chosen)
    dropped = tuple(DroppedInput(column=name, reason="uninformative") for name in names if name not in kept)
    method = f"{settings.method}/{settings.path}"
    return Chosen(prepared.only(kept), method, points, (*prepared.inputs.dropped, *dropped))


def _rows_once(point: SelectionPoint) -> SelectionPoint:
    """With the error of rows that count once: the bar is stricter than this, what people read is not."""
    return point.model_copy(update={"standard_error": point.standard_error * len(FRESH_SEEDS) ** 0.5})


def choose_parameters(prepared: Prepared, engine: Engine) -> Found | None:
    """The best parameters of the search, None when the spec has none."""
    settings = prepared.spec.search
    if settings is None:
        return None
    folds = _encoded(prepared, settings.folds, settings.seed)
    budget = engine.budget("search", settings.max_fits, settings.max_minutes)
    spec, classes = prepared.spec, prepared.target.classes
    learner = Learner(spec, classes, spec.estimator.calibration != "none")
    scorer = scorer_for(spec, settings.scoring, classes)
    return search(settings, learner, scorer, folds, engine.map, budget, engine.jobs)


def _encoded(prepared: Prepared, n_folds: int, seed: int) -> list[Encoded]:
    folds = prepared.folds(n_folds, seed)
    return encode(prepared.framed, prepared.target, folds, prepared.inputs, prepared.needs, prepared.spec.seed)
