"""Training rows -> cross-validation folds: groups and moments together, time in order, or class shares equal."""

from __future__ import annotations

from typing import Any

import numpy as np

from bot.errors import UserError
from bot.train.target import Target

Fold = tuple[Any, Any]


def make_folds(target: Target, n_folds: int, seed: int) -> list[Fold]:
    """(train, validation) positions, `n_folds` pairs.

    With moments each validation part comes after its training part (`TimeSeriesSplit` over the different moments), and
    the first moments are never validated. Otherwise the validation parts are a partition of the rows. Rows of one group
    never stand on both sides of a fold.

    Raises UserError (code `folds_too_many`) when there are fewer moments, groups or rows of a class than folds.
    """
    if target.moments is None:
        return partition(target, n_folds, seed)
    from sklearn.model_selection import TimeSeriesSplit

    moments, of_row = np.unique(target.moments, return_inverse=True)
    if len(moments) <= n_folds:
        raise _too_many(n_folds, n_folds + 1, len(moments), "different moments")
    order = np.argsort(of_row, kind="stable")
    folds = [
        (order[np.isin(of_row[order], train)], order[np.isin(of_row[order], valid)])
        for train, valid in TimeSeriesSplit(n_folds).split(moments)
    ]
    if target.groups is None:
        return folds
    parts = _grouped(target, n_folds, seed)
    return [_apart(fold, part, target.groups, i) for i, (fold, (_, part)) in enumerate(zip(folds, parts, strict=True))]


def partition(target: Target, n_folds: int, seed: int) -> list[Fold]:
    """(train, validation) positions where each row is validated once; groups, else moments, are kept together."""
    from sklearn import model_selection as m

    if target.groups is not None or target.moments is not None:
        return _grouped(target, n_folds, seed)
    is_classes, n = target.classes is not None, len(target.values)
    smallest = int(np.bincount(target.values).min()) if is_classes else n
    if smallest < n_folds:
        raise _too_many(n_folds, n_folds, smallest, "rows of the rarest class" if is_classes else "rows")
    kind = m.StratifiedKFold if is_classes else m.KFold
    return list(kind(n_folds, shuffle=True, random_state=seed).split(np.zeros(n), target.values))


def _grouped(target: Target, n_folds: int, seed: int) -> list[Fold]:
    from sklearn import model_selection as m

    groups, of = (target.moments, "moments") if target.groups is None else (target.groups, "groups")
    n_groups = len(np.unique(groups))
    if n_groups < n_folds:
        raise _too_many(n_folds, n_folds, n_groups, of)
    splitter = m.GroupKFold if target.classes is None else m.StratifiedGroupKFold
    zeros = np.zeros(len(target.values))
    try:
        return list(splitter(n_folds, shuffle=True, random_state=seed).split(zeros, target.values, groups))
    except ValueError:  # no class has as many rows as there are folds
        raise _too_many(n_folds, n_folds, int(np.bincount(target.values).max()), "rows of a class") from None


def _apart(fold: Fold, part: Any, groups: Any, number: int) -> Fold:
    """Without the rows that would put a group on both sides: of the groups seen on both, those of the fold's `part`
    are validated, the others are trained on.
    """
    train, valid = fold
    both = np.intersect1d(groups[train], groups[valid])
    validated = np.intersect1d(both, groups[part])
    kept = (
        train[~np.isin(groups[train], validated)],
        valid[~np.isin(groups[valid], np.setdiff1d(both, validated))],
    )
    if not len(kept[0]) or not len(kept[1]):
        raise UserError(
            f"fold {number + 1} is empty: every group stands before and after its moment",
            hint="Ask for fewer `folds`, add data, or split by `group` alone.",
            code="folds_too_many",
        )
    return kept


def _too_many(n_folds: int, needed: int, n: int, of: str) -> UserError:
    return UserError(
        f"{n_folds} folds need at least {needed} {of}; the training rows have {n}",
        hint="Ask for fewer `folds`, or add data.",
        code="folds_too_many",
    )
