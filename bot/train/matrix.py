"""Folds with their preprocessing fitted once: the arrays that search and selection fit on again and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from bot.train.blame import preparation
from bot.train.folds import Fold
from bot.train.inputs import Inputs
from bot.train.preprocess import Needs, n_native, output_sources, own_folds, preprocessor
from bot.train.target import Target


@dataclass(frozen=True)
class Encoded:
    """One fold after preprocessing. `train_x`, `valid_x` are float64 (n, m) arrays or CSR matrices; `sources` names
    the source columns that each of the m columns reads; the first `n_native` columns hold category codes.
    """

    train_x: Any
    train: Target
    valid_x: Any
    valid: Target
    valid_rows: Any
    sources: tuple[frozenset[str], ...]
    n_native: int

    def columns_of(self, kept: frozenset[str]) -> Any:
        """Positions of the columns that read kept source columns only."""
        return np.flatnonzero([kept.issuperset(read) for read in self.sources])

    @cached_property
    def spread(self) -> Any:
        """Standard deviation of each column on the training rows, float64 (m,)."""
        if hasattr(self.train_x, "toarray"):
            mean = np.asarray(self.train_x.mean(axis=0)).ravel()
            return np.sqrt(
                np.maximum(np.asarray(self.train_x.multiply(self.train_x).mean(axis=0)).ravel() - mean**2, 0)
            )
        with np.errstate(all="ignore"):
            return np.nan_to_num(np.nanstd(self.train_x, axis=0))


def fit_prepared(prepare: Any, framed: Any, target: Target, seed: int) -> Any:
    """The prepared rows (n, m) of a ColumnTransformer that is fitted here.

    Raises UserError (code `preparation_failed`) in scikit-learn's words, with the columns that are to blame.
    """
    with own_folds(prepare, target, seed):
        try:
            return prepare.fit_transform(framed, target.values)
        except Exception as error:
            raise preparation(error, prepare, framed, target.values) from None


def encode_fold(framed: Any, target: Target, fold: Fold, inputs: Inputs, needs: Needs, seed: int) -> Encoded:
    """Fit the preprocessing on the fold's training rows and apply it to both sides."""
    train, valid = fold
    prepare = preprocessor(inputs, needs, seed=seed)
    train_x = fit_prepared(prepare, framed.take(train), target.at(train), seed)
    try:
        valid_x = prepare.transform(framed.take(valid))
    except Exception as error:
        raise preparation(error, prepare, framed.take(train), target.values[train], framed.take(valid)) from None
    sources = tuple(output_sources(inputs, prepare))
    return Encoded(train_x, target.at(train), valid_x, target.at(valid), valid, sources, n_native(inputs))


def encode(
    framed: Any, target: Target, folds: Sequence[Fold], inputs: Inputs, needs: Needs, seed: int
) -> list[Encoded]:
    """Every fold."""
    return [encode_fold(framed, target, fold, inputs, needs, seed) for fold in folds]
