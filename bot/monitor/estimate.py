"""CBPE: what a classifier's metrics are worth on rows without labels, from its own calibrated probabilities.

Confidence-based performance estimation (Bialek et al. 2024, arXiv:2407.08649; formulas as in NannyML 0.13, whose code
this does not use): with isotonic calibration on labelled reference rows, each current row is right with a known
probability, and the expected confusion matrix follows by adding up. It holds while P(class | probability) stays what it
was on the reference. It cannot see that it no longer does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.monitor.coding import numbers, texts
from bot.monitor.drift.interface import Floats
from bot.records.health import Estimated

FEWEST = 200
FEWEST_OF_CLASS = 10
REACH = 1.96
# Where the estimate for the reference itself is further than this from what was measured, it is not made.
FURTHEST = 0.02
ASSUMPTION = (
    "An estimate, not a measurement: rows with the same predicted probability are as often right as on the reference."
)
FAILS_WHEN = (
    "the relation between inputs and target changed (concept drift): it stays blind",
    "inputs moved to where the reference has few rows, so that the probabilities are not calibrated there",
    "the share of a class changed for a reason that the inputs do not show",
    "few reference rows: the calibration itself is uncertain, and the interval does not know it",
)

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Columns:
    """`prediction` None: the likeliest class (of two classes: at 0.5). `probabilities`: column by class."""

    target: str
    prediction: str | None
    probabilities: Mapping[str, str]


@dataclass(frozen=True)
class Rows:
    """Classes, their probabilities (n, C), the class said (n,) and what happened (n,), -1 where unknown."""

    classes: tuple[str, ...]
    probabilities: Floats
    said: NDArray[np.int64]
    truth: NDArray[np.int64]

    def where(self, flags: Flags) -> Rows:
        """Only these rows."""
        return Rows(self.classes, self.probabilities[flags], self.said[flags], self.truth[flags])


def estimated(reference: Any, current: Any, columns: Columns) -> tuple[Estimated, ...]:
    """Accuracy, F1 and ROC AUC (macro with more than two classes) of the current table; () when that cannot be said.

    Needs 200 labelled reference rows, 10 of each class, and the probabilities in both tables. A metric whose estimate
    is wrong on the reference already is left out: the answers were not made from these probabilities.
    """
    classes = _classes(reference, columns)
    if classes is None or any(name not in current.column_names for name in columns.probabilities.values()):
        return ()
    known, asked = _rows(reference, columns, classes), _rows(current, columns, classes)
    known = known.where((known.truth >= 0) & (known.said >= 0))
    asked = asked.where(asked.said >= 0)
    counts = np.bincount(known.truth, minlength=len(classes))
    if len(known.truth) < FEWEST or counts.min() < FEWEST_OF_CLASS or len(asked.said) == 0:
        return ()
    return tuple(_compared(known, asked))


def calibration(known: Rows, happened: Floats) -> Callable[[Floats], Floats]:
    """(n, C) -> (n, C): isotonic on the reference, class by class, scaled to add up to 1 with more than two."""
    from sklearn.isotonic import IsotonicRegression

    numbers_of = range(len(known.classes)) if len(known.classes) > 2 else (1,)
    curves = [
        IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(
            known.probabilities[:, one], happened[:, one]
        )
        for one in numbers_of
    ]

    def calibrate(probabilities: Floats) -> Floats:
        found = np.stack(
            [curve.predict(probabilities[:, one]) for one, curve in zip(numbers_of, curves, strict=True)], axis=1
        )
        if found.shape[1] == 1:
            return np.hstack([1 - found, found])
        total = found.sum(axis=1, keepdims=True)
        return np.where(total > 0, found / np.where(total > 0, total, 1.0), 1 / found.shape[1])

    return calibrate


def values(said: NDArray[np.int64], scores: Floats, chances: Floats) -> dict[str, float]:
    """Every metric, from the classes said (n,), scores (n, C) and the chances (n, C) that each class happens."""
    return {"accuracy": accuracy(said, chances), "f1": f1(said, chances), "roc_auc": roc_auc(scores, chances)}


def accuracy(said: NDArray[np.int64], chances: Floats) -> float:
    """Expected share of right answers; `chances` (n, C) that each class happens, 0 or 1 where it is known."""
    return float(chances[np.arange(len(said)), said].mean())


def f1(said: NDArray[np.int64], chances: Floats) -> float:
    """F1 of the expected confusion matrix: of the second of two classes, or the mean over more."""
    of_class = []
    for number in range(chances.shape[1]) if chances.shape[1] > 2 else (1,):
        both, predicted, happened = (
            chances[said == number, number].sum(),
            (said == number).sum(),
            chances[:, number].sum(),
        )
        of_class.append(2 * both / max(predicted + happened, 1e-12))
    return float(np.mean(of_class))


def roc_auc(scores: Floats, chances: Floats) -> float:
    """Expected area under the ROC curve, ties counted half: of the second of two classes, or the mean over more.

    `scores` and `chances` are (n, C). With known truth it is the usual area.
    """
    numbers_of = range(chances.shape[1]) if chances.shape[1] > 2 else (1,)
    return float(np.mean([_area(scores[:, number], chances[:, number]) for number in numbers_of]))


def _area(scores: Floats, chance: Floats) -> float:
    _, place = np.unique(scores, return_inverse=True)
    positive, negative = np.bincount(place, chance), np.bincount(place, 1 - chance)
    below = np.cumsum(negative) - negative / 2
    return float((positive * below).sum() / max(positive.sum() * negative.sum(), 1e-12))


def _compared(known: Rows, asked: Rows) -> Iterator[Estimated]:
    happened = np.eye(len(known.classes))[known.truth]
    measured = values(known.said, known.probabilities, happened)
    calibrate = calibration(known, happened)
    before, chances = calibrate(known.probabilities), calibrate(asked.probabilities)
    checked, guessed = values(known.said, before, before), values(asked.said, chances, chances)
    errors = _errors(asked, chances)
    for metric, value in guessed.items():
        if abs(checked[metric] - measured[metric]) <= FURTHEST:
            yield Estimated(
                metric=metric,
                reference=measured[metric],
                current=value,
                assumption=ASSUMPTION,
                low=float(np.clip(value - REACH * errors[metric], 0, 1)),
                high=float(np.clip(value + REACH * errors[metric], 0, 1)),
                rows=len(asked.said),
                fails_when=FAILS_WHEN,
            )


def _errors(asked: Rows, chances: Floats, times: int = 40, seed: int = 0) -> dict[str, float]:
    """Standard deviation of each metric when classes are drawn with these chances."""
    generator = np.random.default_rng(seed)
    ends = np.cumsum(chances, axis=1)
    drawn = []
    for _ in range(times):
        place = (generator.random((len(ends), 1)) > ends[:, :-1]).sum(axis=1)
        drawn.append(values(asked.said, chances, np.eye(chances.shape[1])[place]))
    return {name: float(np.std([one[name] for one in drawn])) for name in drawn[0]}


def _classes(reference: Any, columns: Columns) -> tuple[str, ...] | None:
    """The class that has no probability first, if that is one of two; None when one of more lacks."""
    seen = {one for one in texts(reference[columns.target].combine_chunks()).unique().to_pylist() if one is not None}
    given = tuple(columns.probabilities)
    others = sorted(seen - set(given))
    if len(given) == 1 and len(others) == 1:
        return (others[0], given[0])
    return given if len(given) > 1 and not others else None


def _rows(table: Any, columns: Columns, classes: tuple[str, ...]) -> Rows:
    given = {label: numbers(table[name].combine_chunks()) for label, name in columns.probabilities.items()}
    if len(given) == 1:
        given[classes[0]] = 1 - given[classes[1]]
    probabilities = np.stack([given[label] for label in classes], axis=1)
    said = np.asarray(np.nan_to_num(probabilities, nan=-1.0).argmax(axis=1), dtype=np.int64)
    if columns.prediction is not None and columns.prediction in table.column_names:
        said = _places(table[columns.prediction], classes)
    said = np.where(np.isnan(probabilities).any(axis=1), -1, said)
    has_labels = columns.target in table.column_names
    truth = _places(table[columns.target], classes) if has_labels else np.full(table.num_rows, -1)
    return Rows(classes, probabilities, said, truth)


def _places(column: Any, classes: tuple[str, ...]) -> NDArray[np.int64]:
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.index_in(texts(column.combine_chunks()), value_set=pa.array(classes, pa.string()))
    return np.asarray(pc.fill_null(found, -1).to_numpy(zero_copy_only=False), dtype=np.int64)
