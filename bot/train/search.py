"""Which parameters score best on the folds: grid, random or successive halving, with the best so far at the limit."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.errors import UserError
from bot.specs.fitting import Between, Search
from bot.train.learner import Learner
from bot.train.matrix import Encoded
from bot.train.scoring import Scorer
from bot.train.selection import Mapper

MAX_CANDIDATES = 10_000
HALVING_FACTOR = 3
Candidate = dict[str, Any]


@dataclass(frozen=True)
class Found:
    """The best parameters with their mean score; `trials` counts fits, `note` says why it ended early, if it did."""

    parameters: Candidate
    score: float
    standard_error: float
    trials: int
    candidates: int
    note: str = ""


@dataclass(frozen=True)
class Budget:
    """Limits: `max_fits` None means no limit; `is_over` says whether the time is up."""

    max_fits: int | None
    is_over: Callable[[], bool]
    tell: Callable[[int, int], None]


def search(
    settings: Search,
    learner: Learner,
    scorer: Scorer,
    folds: Sequence[Encoded],
    mapper: Mapper,
    budget: Budget,
    jobs: int,
) -> Found:
    """The best candidate. Of equals the first. Raises UserError when no candidate can be fitted."""
    drawn = candidates(settings)
    if settings.method == "halving":
        return _halving(settings, drawn, learner, scorer, folds, mapper, budget)
    return _all_folds(drawn, learner, scorer, folds, mapper, budget, jobs)


def candidates(settings: Search) -> list[Candidate]:
    """Every combination of a grid, or `candidates` different draws from lists and ranges."""
    names = sorted(settings.parameters)
    if settings.method == "grid":
        lists = [_values(settings.parameters[name]) for name in names]
        n = math.prod(map(len, lists))
        if n > MAX_CANDIDATES:
            hint = "List fewer values, or use `method: random`."
            raise UserError(
                f"the grid has {n} combinations, more than {MAX_CANDIDATES}", hint=hint, code="search_too_large"
            )
        return [dict(zip(names, values, strict=True)) for values in itertools.product(*lists)]
    rng = np.random.default_rng(settings.seed)
    found: dict[str, Candidate] = {}
    for _ in range(20 * settings.candidates):
        one = {name: _draw(settings.parameters[name], rng) for name in names}
        found.setdefault(repr(one), one)
        if len(found) == min(settings.candidates, MAX_CANDIDATES):
            break
    return list(found.values())


def _values(values: Any) -> Sequence[Any]:
    assert not isinstance(values, Between)
    return tuple(values)


def _draw(values: Any, rng: Any) -> Any:
    if not isinstance(values, Between):
        return values[int(rng.integers(len(values)))]
    is_whole = isinstance(values.low, int) and isinstance(values.high, int)
    low, high = (math.log(values.low), math.log(values.high)) if values.scale == "log" else (values.low, values.high)
    drawn = rng.uniform(low, high)
    drawn = math.exp(drawn) if values.scale == "log" else drawn
    if is_whole:
        return min(values.high, max(values.low, round(drawn)))
    return float(f"{drawn:.6g}")  # six digits are enough, and readable in the report


def _all_folds(
    drawn: list[Candidate],
    learner: Learner,
    scorer: Scorer,
    folds: Sequence[Encoded],
    mapper: Mapper,
    budget: Budget,
    jobs: int,
) -> Found:
    """Candidates in order, whole candidates only, in batches that fill the cores."""
    scores: list[Any] = []
    note, fits = "", 0
    batch = max(1, math.ceil(jobs / len(folds)))
    for start in range(0, len(drawn), batch):
        chunk = drawn[start : start + batch]
        if start and budget.is_over():
            note = f"the time was up after {start} of {len(drawn)} candidates"
            break
        if start and budget.max_fits is not None and fits + len(chunk) * len(folds) > budget.max_fits:
            note = f"{budget.max_fits} fits allowed {start} of {len(drawn)} candidates"
            break
        tasks = [(learner, scorer, fold, one) for one in chunk for fold in folds]
        scores += np.reshape(mapper(score_one, tasks), (len(chunk), len(folds))).tolist()
        fits += len(tasks)
        budget.tell(len(scores), len(drawn))
    return _best(drawn, scores, fits, note)


def score_one(learner: Learner, scorer: Scorer, fold: Encoded, parameters: Mapping[str, Any]) -> float:
    """The score of one candidate on one fold, minus infinity when the fit fails on these parameters."""
    try:
        _, outputs = learner.fold(fold, None, parameters)
    except UserError as error:
        if error.code == "fit_failed":
            return -math.inf
        raise
    score = scorer.score(fold.valid.values, outputs, fold.valid.weights)
    return -math.inf if math.isnan(score) else score


def _halving(
    settings: Search,
    drawn: list[Candidate],
    learner: Learner,
    scorer: Scorer,
    folds: Sequence[Encoded],
    mapper: Mapper,
    budget: Budget,
) -> Found:
    """Successive halving (Jamieson & Talwalkar 2016): a third of the candidates goes on with three times the rows."""
    rounds = max(1, math.ceil(math.log(max(2, len(drawn)), HALVING_FACTOR)))
    alive, fits, note = drawn, 0, ""
    scores: list[Any] = []
    for left in range(rounds, -1, -1):
        share = 1.0 / HALVING_FACTOR**left
        if scores and budget.is_over():
            note = f"the time was up with {len(alive)} candidates left"
            break
        if scores and budget.max_fits is not None and fits + len(alive) * len(folds) > budget.max_fits:
            note = f"{budget.max_fits} fits were used with {len(alive)} candidates left"
            break
        cut = [first_rows(fold, share, settings.seed) for fold in folds]
        tasks = [(learner, scorer, fold, one) for one in alive for fold in cut]
        scores = np.reshape(mapper(score_one, tasks), (len(alive), len(folds))).tolist()
        fits += len(tasks)
        budget.tell(rounds - left + 1, rounds + 1)
        order = sorted(range(len(alive)), key=lambda i: (-float(np.mean(scores[i])), i))
        if left and len(alive) > 1:
            order = order[: max(1, math.ceil(len(alive) / HALVING_FACTOR))]
        alive, scores = [alive[i] for i in order], [scores[i] for i in order]
    best = _best(alive, scores, fits, note)
    return Found(best.parameters, best.score, best.standard_error, fits, len(drawn), note)


def first_rows(fold: Encoded, share: float, seed: int) -> Encoded:
    """The fold with a random share of its training rows (at least 50, or all)."""
    n = fold.train_x.shape[0]
    size = min(n, max(50, int(n * share)))
    if size == n:
        return fold
    rows = np.sort(np.random.default_rng(seed).permutation(n)[:size])
    if fold.train.classes is not None and len(np.unique(fold.train.values[rows])) < len(fold.train.classes):
        return fold
    return Encoded(
        fold.train_x[rows], fold.train.at(rows), fold.valid_x, fold.valid, fold.valid_rows, fold.sources, fold.n_native
    )


def _best(drawn: list[Candidate], scores: list[Any], fits: int, note: str) -> Found:
    means = [float(np.mean(one)) for one in scores]
    best = max(range(len(means)), key=lambda i: (means[i], -i))
    if means[best] == -math.inf:
        raise UserError(
            "no candidate of the search could be fitted",
            hint="Try one of them under `estimator.parameters`, to see the reason.",
            code="search_failed",
        )
    error = float(np.std(scores[best], ddof=1) / math.sqrt(len(scores[best])))
    return Found(drawn[best], means[best], error, fits, len(drawn), note)
