"""Selection of inputs on real data against scikit-learn's RFECV with the one-standard-error rule added, and against
greedy pruning as it is usually written.

`python tests/benchmarks/selection.py [SEEDS]` prints the table of docs/selection.md (half an hour; flights come
from PyPI). Every row: a new split by row id, selection on the training rows alone, numbers on the untouched test rows.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(name, "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np  # noqa: E402
import pyarrow as pa  # noqa: E402

from bot.specs.outputs import Outputs, pipeline_outputs  # noqa: E402
from bot.train.bar import Trial, standard_error  # noqa: E402
from bot.train.choose import Engine, choose_inputs  # noqa: E402
from bot.train.fit import Recipe  # noqa: E402
from bot.train.importance import histogram_gains, source_importances  # noqa: E402
from bot.train.learner import Learner  # noqa: E402
from bot.train.matrix import Encoded, encode  # noqa: E402
from bot.train.prepare import Prepared, prepare  # noqa: E402
from bot.train.preprocess import preprocessor  # noqa: E402
from bot.train.scoring import scorer_for  # noqa: E402
from tests.train.small import a_spec  # noqa: E402

ENGINE = Engine(lambda function, tasks: [function(*task) for task in tasks], 1, time.monotonic, lambda *_: None)
LINEAR = "{name: LogisticRegression, parameters: {max_iter: 1000}}"
TREES = "{name: HistGradientBoostingClassifier, parameters: {max_iter: 60}}"


@dataclass(frozen=True)
class Case:
    """A data set, how it is split and what is fitted on it."""

    name: str
    table: pa.Table
    keys: str
    task: str
    estimator: str
    metric: str
    test: float

    def prepared(self, seed: int, path: str = "fast") -> Prepared:
        spec = a_spec(
            task=self.task,
            data=f"{{path: data/x.parquet, {self.keys}}}",
            split=f"{{test: {self.test}, seed: {seed}}}",
            features="{auto: true}",
            selection=f"{{method: one_standard_error, path: {path}}}",
            estimator=self.estimator,
            metrics=self.metric,
        )
        return prepare(spec, self.table)


@dataclass(frozen=True)
class Figures:
    """Inputs kept, loss of score as against all inputs in standard errors of the test rows, processor seconds."""

    kept: int
    lost: float
    seconds: float


def of_scikit_learn(load: Callable, name: str, task: str, metric: str) -> Case:
    """A data set that comes with scikit-learn, half of it test rows, a linear model."""
    x, y = load(return_X_y=True)
    columns = {f"p{i:02d}": x[:, i] for i in range(x.shape[1])}
    table = pa.table({**columns, "target": y.astype(str), "id": np.arange(len(y))})
    return Case(name, table, "target: target, row_id: id", task, LINEAR, metric, 0.5)


def digits() -> Case:
    from sklearn.datasets import load_digits

    return of_scikit_learn(load_digits, "digits", "multiclass", "accuracy")


def breast_cancer() -> Case:
    from sklearn.datasets import load_breast_cancer

    return of_scikit_learn(load_breast_cancer, "breast cancer", "binary", "roc_auc")


def flights(folder: Path) -> Case:
    """60,000 flights of January to March, 20,000 of them training rows, boosted trees."""
    from tests.data_sets import flight_table, install

    install(folder)
    table = flight_table(folder)
    table = table.filter(table["outcome"].is_valid())
    rows = np.random.default_rng(0).permutation(table.num_rows)[:60_000]
    return Case("flights", table.take(rows), "target: outcome, row_id: flight_id", "binary", TREES, "roc_auc", 2 / 3)


def tested(prepared: Prepared) -> tuple[float, float]:
    """Score on the test rows and its standard error."""
    recipe = Recipe(prepared.spec, prepared.inputs, prepared.needs, prepared.target.classes, {})
    return scored(prepared, pipeline_outputs(recipe.fit(prepared.framed, prepared.target), prepared.test_framed))


def scored(prepared: Prepared, outputs: Outputs) -> tuple[float, float]:
    scorer, truth = scorer_for(prepared.spec), prepared.test_target.values
    influence = scorer.influence(truth, outputs)
    score = scorer.score(truth, outputs)
    return score, standard_error([Trial(score, influence, None, True, len(truth))])


def ours(case: Case, seed: int, path: str) -> Figures:
    prepared = case.prepared(seed, path)
    start = time.process_time()
    chosen = choose_inputs(prepared, ENGINE).prepared
    seconds = time.process_time() - start
    (full, error), (few, _) = tested(prepared), tested(chosen)
    return Figures(len(chosen.inputs.names), (full - few) / error, seconds)


def rfecv(case: Case, seed: int) -> Figures:
    """The same preprocessing, estimator and rows; the fewest columns whose mean is within std / sqrt(5) of the best."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.feature_selection import RFE, RFECV
    from sklearn.linear_model import LogisticRegression

    prepared = case.prepared(seed)
    encoder, truth = preprocessor(prepared.inputs, prepared.needs, seed=0), prepared.target.values
    train_x = encoder.fit_transform(prepared.framed, truth)
    estimator, how = LogisticRegression(max_iter=1000), {}
    if case.estimator is TREES:  # stock RFECV refuses them: they have no coefficients and no importances
        estimator = HistGradientBoostingClassifier(max_iter=60, random_state=0)
        how = {"importance_getter": lambda fitted: histogram_gains(fitted, fitted.n_features_in_)}
    start = time.process_time()
    found = RFECV(estimator, cv=5, scoring=case.metric, **how).fit(train_x, truth)
    seconds = time.process_time() - start
    mean, spread = (found.cv_results_[f"{what}_test_score"] for what in ("mean", "std"))
    n = int(found.cv_results_["n_features"][np.flatnonzero(mean >= mean.max() - spread[mean.argmax()] / 5**0.5)[0]])
    few = RFE(estimator, n_features_to_select=n, **how).fit(train_x, truth)
    full, error = tested(prepared)
    score, _ = scored(prepared, Outputs(None, few.predict_proba(encoder.transform(prepared.test_framed))))
    return Figures(n, (full - score) / error, seconds)


def pruning(case: Case, seed: int, searched: bool) -> Figures:
    """A path that leaves out a fifth of the columns each time, cut where the mean of five folds is within std / sqrt(5)
    of the best. When `searched`, then greedy pruning down to the same bar on the same folds, and of all sets on the way
    the smallest that is within the bar on five fresh folds.
    """
    prepared = case.prepared(seed)
    walk = Walk(prepared)
    start = time.process_time()
    folds, rows = walk.encoded(prepared.folds(5, seed)), np.arange(len(prepared.target.values))
    paths = [walk.down(fold) for fold in folds]
    table = [np.array([score for _, score in step]) for step in zip(*paths, strict=True)]
    way = [kept for kept, _ in walk.down(walk.encoded([(rows, rows)])[0])]
    way = way[: 1 + max(i for i, one in enumerate(table) if one.mean() >= bar_of(table))]
    while searched and len(way[-1]) > 1:
        score, name = max((walk.scores(folds, way[-1] - {name}).mean(), name) for name in way[-1])
        if score < bar_of(table):
            break
        way.append(way[-1] - {name})
    if searched:
        fresh = walk.encoded(prepared.folds(5, seed + 101))
        table = [walk.scores(fresh, kept) for kept in way]
        way = [kept for kept, one in zip(way, table, strict=True) if one.mean() >= bar_of(table)]
    seconds = time.process_time() - start
    (full, error), (few, _) = tested(prepared), tested(prepared.only(tuple(sorted(way[-1]))))
    return Figures(len(way[-1]), (full - few) / error, seconds)


@dataclass(frozen=True)
class Walk:
    """Fits and scores sets of columns."""

    prepared: Prepared

    def encoded(self, folds: list) -> list[Encoded]:
        return encode(
            self.prepared.framed, self.prepared.target, folds, self.prepared.inputs, self.prepared.needs, seed=0
        )

    def scores(self, folds: list[Encoded], kept: frozenset[str]) -> np.ndarray:
        return np.array([self._fitted(fold, kept)[0] for fold in folds])

    def down(self, fold: Encoded) -> list[tuple[frozenset[str], float]]:
        """From all columns to one, the least important fifth left out each time, with the scores."""
        kept, steps = frozenset(self.prepared.inputs.names), []
        while True:
            score, worth = self._fitted(fold, kept)
            steps.append((kept, score))
            if len(kept) == 1:
                return steps
            order = sorted(kept, key=lambda name: (-worth.get(name, 0.0), name))
            kept = frozenset(order[: min(len(kept) - 1, int(len(kept) * 0.8))])

    def _fitted(self, fold: Encoded, kept: frozenset[str]) -> tuple[float, dict[str, float]]:
        learner, columns = Learner(self.prepared.spec, self.prepared.target.classes), fold.columns_of(kept)
        estimator, outputs = learner.fold(fold, columns)
        score = scorer_for(self.prepared.spec).score(fold.valid.values, outputs)
        return score, source_importances(learner, estimator, fold, columns, outputs)


def bar_of(table: list[np.ndarray]) -> float:
    """The best mean over folds less one standard error of it, from the folds."""
    best = max(table, key=np.mean)
    return best.mean() - best.std(ddof=1) / len(best) ** 0.5


def main() -> None:
    seeds = range(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
    print(
        "| data | by | inputs kept (least to most) | score lost in standard errors (most) | CPU s |\n"
        + "|---" * 5
        + "|"
    )
    with tempfile.TemporaryDirectory() as folder:
        for case in (breast_cancer(), digits(), flights(Path(folder))):
            for by, run in (
                ("`fast`", lambda seed, case=case: ours(case, seed, "fast")),
                ("`thorough`", lambda seed, case=case: ours(case, seed, "thorough")),
                ("RFECV", lambda seed, case=case: rfecv(case, seed)),
                ("path", lambda seed, case=case: pruning(case, seed, searched=False)),
                ("greedy pruning", lambda seed, case=case: pruning(case, seed, searched=True)),
            ):
                rows = [run(seed) for seed in (seeds if case.table.num_rows < 10_000 else seeds[:3])]
                kept, lost = [one.kept for one in rows], [one.lost for one in rows]
                print(
                    f"| {case.name} | {by} | {np.mean(kept):.1f} ({min(kept)} to {max(kept)})"
                    f" | {np.mean(lost):.2f} ({max(lost):.2f}) | {np.median([one.seconds for one in rows]):.1f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
