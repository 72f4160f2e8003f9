"""Plain scikit-learn for what a spec says, written from docs/model-spec.md and without mlbot's trainer."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn import model_selection as m
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression


def folds(y: Any, groups: Any, moments: Any, n: int, seed: int, *, classes: bool) -> list[tuple[Any, Any]]:
    """The folds of a spec: by time forwards, groups together, else shuffled with each class's share."""
    zeros = np.zeros(len(y))
    if moments is None and groups is None:
        kind = m.StratifiedKFold if classes else m.KFold
        return list(kind(n, shuffle=True, random_state=seed).split(zeros, y))
    by_group = m.StratifiedGroupKFold if classes else m.GroupKFold
    apart = None
    if groups is not None:
        apart = list(by_group(n, shuffle=True, random_state=seed).split(zeros, y, groups))
        if moments is None:
            return apart
    known = np.unique(moments)
    found = []
    for number, (before, after) in enumerate(m.TimeSeriesSplit(n).split(known)):
        train, valid = (np.flatnonzero(np.isin(moments, known[part])) for part in (before, after))
        if apart is not None:
            both = set(groups[train]) & set(groups[valid])
            validated = both & set(groups[apart[number][1]])
            train = np.array([row for row in train if groups[row] not in validated], dtype=int)
            valid = np.array([row for row in valid if groups[row] not in both - validated], dtype=int)
        order = np.argsort(moments[train], kind="stable"), np.argsort(moments[valid], kind="stable")
        found.append((train[order[0]], valid[order[1]]))
    return found


def fit(estimator: Any, x: Any, y: Any, weights: Any) -> Any:
    """Fitted, with weights where there are any."""
    return estimator.fit(x, y) if weights is None else estimator.fit(x, y, sample_weight=weights)


def calibrated(estimator: Any, method: str, x: Any, y: Any, weights: Any, parts: Any) -> Any:
    """A function of the positive class's probability, calibrated on out-of-fold scores of two classes."""
    if len(np.concatenate([valid for _, valid in parts])) == len(y):
        made = fit(CalibratedClassifierCV(estimator, method=method, cv=parts, ensemble=False), x, y, weights)
        return lambda rows: made.predict_proba(rows)[:, 1]
    scores, rows = [], np.concatenate([valid for _, valid in parts])
    for train, valid in parts:
        one = fit(clone(estimator), x[train], y[train], None if weights is None else weights[train])
        scores.append(one.decision_function(x[valid]))
    given = np.concatenate(scores)
    own = None if weights is None else weights[rows]
    final = fit(clone(estimator), x, y, weights)
    if method == "isotonic":
        step = IsotonicRegression(out_of_bounds="clip").fit(given, y[rows], own)
        return lambda seen: step.predict(final.decision_function(seen))
    n_pos = (y[rows] if own is None else own * y[rows]).sum()
    n_all = len(rows) if own is None else own.sum()
    high, low = (n_pos + 1) / (n_pos + 2), 1 / (n_all - n_pos + 2)  # Platt's targets
    twice = np.concatenate([given, given])[:, None]
    labels = np.repeat([1, 0], len(rows))
    target = np.where(y[rows] == 1, high, low)
    weight = np.concatenate([target, 1 - target]) * (1.0 if own is None else np.concatenate([own, own]))
    line = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000).fit(twice, labels, weight)
    return lambda seen: line.predict_proba(final.decision_function(seen)[:, None])[:, 1]
