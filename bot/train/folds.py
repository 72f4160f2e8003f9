"""Training rows -> cross-validation folds that keep groups together, time in order or class shares equal."""

from __future__ import annotations

from typing import Any

import numpy as np

from bot.errors import UserError
from bot.specs.model import ModelSpec

Fold = tuple[Any, Any]


def make_folds(spec: ModelSpec, values: Any, groups: Any, times: Any, n_folds: int, seed: int) -> list[Fold]:
    """(train, validation) positions, `n_folds` pairs. `values` are the target's (n,), `groups` int codes (n,) or None,
    `times` sortable numbers (n,) or None.

    Raises UserError (code `folds_too_many`) when there are fewer groups or rows of a class than folds.
    """
    from sklearn import model_selection as m

    n = len(values)
    is_classes = spec.task != "regression"
    if spec.split_method == "time" and times is not None:
        order = np.argsort(times, kind="stable")
        if n < 2 * n_folds:
            raise _too_many(n_folds, n, "rows")
        return [(order[a], order[b]) for a, b in m.TimeSeriesSplit(n_folds).split(order)]
    if groups is not None:
        n_groups = len(np.unique(groups))
        if n_groups < n_folds:
            raise _too_many(n_folds, n_groups, "groups")
        splitter = m.StratifiedGroupKFold if is_classes else m.GroupKFold
        return list(splitter(n_folds, shuffle=True, random_state=seed).split(np.zeros(n), values, groups))
    smallest = int(np.bincount(values).min()) if is_classes else n
    if smallest < n_folds:
        raise _too_many(n_folds, smallest, "rows of the rarest class" if is_classes else "rows")
    kind = m.StratifiedKFold if is_classes else m.KFold
    return list(kind(n_folds, shuffle=True, random_state=seed).split(np.zeros(n), values))


def _too_many(n_folds: int, n: int, of: str) -> UserError:
    return UserError(
        f"{n_folds} folds need at least {n_folds} {of}; the training rows have {n}",
        hint="Ask for fewer `folds`, or add data.",
        code="folds_too_many",
    )
