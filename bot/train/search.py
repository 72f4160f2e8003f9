"""Which parameters score best on the folds: grid, random or successive halving, with the best so far at the limit."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.errors import UserError
from bot.specs.fitting import Between, Search, TunedThreshold
from bot.train.learner import Learner
from bot.train.matrix import Encoded
from bot.train.scoring import Scorer
from bot.train.selection import Mapper
from bot.train.threshold import tuned

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

    def candidates(self, n_folds: int) -> int | None:
        """How many candidates may be tried on every fold, at least one; None means all."""
        return None if self.max_fits is None else max(1, self.max_fits // n_folds)


@dataclass(frozen=True)
class Scored:
    """A candidate's score on a fold, minus infinity when there is none, and then why."""

    score: float
    why: str = ""


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
    drawn, trials = candidates(settings), Trials(learner, scorer, mapper)
    if settings.method == "halving":
        return _halving(settings, drawn, trials, folds, budget)
    return _all_folds(drawn, trials, folds, budget, jobs)


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
    is_log = values.scale == "log"
    if values.is_whole:  # each whole number stands for the range up to the next, so that the ends are drawn as often
        low, high = (math.log(values.low), math.log(values.high + 1)) if is_log else (values.low, values.high + 1)
        drawn = rng.uniform(low, high)
        return min(int(values.high), max(int(values.low), math.floor(math.exp(drawn) if is_log else drawn)))
    low, high = (math.log(values.low), math.log(values.high)) if is_log else (values.low, values.high)
    drawn = rng.uniform(low, high)
    return float(f"{math.exp(drawn) if is_log else drawn:.6g}")  # six digits are enough, and readable in the report


@dataclass(frozen=True)
class Trials:
    """What the candidates of a search are tried with."""

    learner: Learner
    scorer: Scorer
    mapper: Mapper

    def scores(self, tried: Sequence[Candidate], folds: Sequence[Encoded]) -> list[list[Scored]]:
        """One row a candidate, one value a fold."""
        flat = self.mapper(score_one, [(self.learner, self.scorer, fold, one) for one in tried for fold in folds])
        return [flat[start : start + len(folds)] for start in range(0, len(flat), len(folds))]


def _all_folds(drawn: list[Candidate], trials: Trials, folds: Sequence[Encoded], budget: Budget, jobs: int) -> Found:
    """Candidates in order, whole candidates only, in batches that fill the cores; only the time ends a batch early."""
    allowed = drawn[: budget.candidates(len(folds))]
    note = _allowed(budget, allowed, drawn)
    scored: list[list[Scored]] = []
    batch = max(1, math.ceil(jobs / len(folds)))
    for start in range(0, len(allowed), batch):
        if start and budget.is_over():
            note = f"the time was up after {start} of {len(drawn)} candidates"
            break
        scored += trials.scores(allowed[start : start + batch], folds)
        budget.tell(len(scored), len(allowed))
    return _best(allowed, scored, len(drawn), len(scored) * len(folds), note)


def _allowed(budget: Budget, allowed: list[Candidate], drawn: list[Candidate]) -> str:
    if len(allowed) == len(drawn):
        return ""
    return f"{budget.max_fits} fits allowed {len(allowed)} of {len(drawn)} candidates"


def score_one(learner: Learner, scorer: Scorer, fold: Encoded, parameters: Mapping[str, Any]) -> Scored:
    """One candidate on one fold, judged as the model that it would become: calibrated and with the threshold."""
    try:
        _, outputs = learner.fold(fold, None, parameters)
        threshold = _threshold(learner, scorer, fold, parameters)
    except UserError as error:
        if error.code in ("fit_failed", "predict_failed", "folds_too_many"):
            return Scored(-math.inf, error.message)
        raise
    score = scorer.score(fold.valid.values, outputs, threshold)
    if math.isnan(score):
        return Scored(-math.inf, f"`{scorer.name}` is not defined on the validation rows of a fold")
    return Scored(score)


def _threshold(learner: Learner, scorer: Scorer, fold: Encoded, parameters: Mapping[str, Any]) -> float | None:
    """The decision threshold: where the spec tunes it and the metric needs it, on the fold's own training rows."""
    wanted = learner.spec.estimator.threshold
    if not isinstance(wanted, TunedThreshold) or scorer.wants != "labels":
        return wanted if isinstance(wanted, float) else None

    def ask(train: Any, valid: Any) -> Any:
        estimator = learner.fit(fold.train_x[train], fold.train.at(train), fold.n_native, parameters)
        return learner.outputs(estimator, fold.train_x[valid])

    return tuned(wanted.tune, fold.train, learner.spec.seed, ask)


def _halving(
    settings: Search, drawn: list[Candidate], trials: Trials, folds: Sequence[Encoded], budget: Budget
) -> Found:
    """Successive halving (Jamieson & Talwalkar 2016): a third of the candidates goes on with three times the rows."""
    alive, fits = drawn[: budget.candidates(len(folds))], 0
    note = _allowed(budget, alive, drawn)
    rounds = max(1, math.ceil(math.log(max(2, len(alive)), HALVING_FACTOR)))
    scored: list[list[Scored]] = []
    for left in range(rounds, -1, -1):
        if scored and budget.is_over():
            note = f"the time was up with {len(alive)} candidates left"
            break
        if scored and budget.max_fits is not None and fits + len(alive) * len(folds) > budget.max_fits:
            note = f"{budget.max_fits} fits were used with {len(alive)} candidates left"
            break
        scored = trials.scores(alive, [first_rows(fold, 1.0 / HALVING_FACTOR**left, settings.seed) for fold in folds])
        fits += len(alive) * len(folds)
        budget.tell(rounds - left + 1, rounds + 1)
        order = sorted(range(len(alive)), key=lambda i: (-_mean(scored[i]), i))
        if left and len(alive) > 1:
            order = order[: max(1, math.ceil(len(alive) / HALVING_FACTOR))]
        alive, scored = [alive[i] for i in order], [scored[i] for i in order]
    return _best(alive, scored, len(drawn), fits, note)


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


def _mean(scored: Sequence[Scored]) -> float:
    return float(np.mean([one.score for one in scored]))


def _best(tried: list[Candidate], scored: list[list[Scored]], n_drawn: int, fits: int, note: str) -> Found:
    means = [_mean(one) for one in scored]
    best = max(range(len(means)), key=lambda i: (means[i], -i))
    if means[best] == -math.inf:
        why = next((one.why for one in scored[best] if one.why), "")
        raise UserError(
            f"no candidate of the search could be fitted and scored on every fold; the first one: {why}",
            hint="Try it under `estimator.parameters`, or change `search.folds` or `search.scoring`.",
            code="search_failed",
        )
    scores = [one.score for one in scored[best]]
    error = float(np.std(scores, ddof=1) / math.sqrt(len(scores)))
    return Found(tried[best], means[best], error, fits, n_drawn, note)
