"""Bootstrap resamples of rows, groups or blocks of rows, seeded, vectorised and of bounded memory.

A unit is what is drawn: a row, a group, or (above `MAX_UNITS`) a random block of rows or groups, which keeps the
variance of means and of smooth functions of means and the cost independent of the number of rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bot.evaluate.rows import Codes, Floats, Rows

MAX_UNITS = 10_000
BLOCKS = 4_000
CHUNK_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True)
class Settings:
    """`confidence` of every interval (0 to 1), number of `resamples`, `seed` of their draws.

    `exact_rows`: from this many rows on, functions of means get the analytic (delta method) interval.
    """

    confidence: float = 0.95
    resamples: int = 2000
    seed: int = 0
    exact_rows: int = 10_000

    @property
    def tail(self) -> float:
        """Probability in each tail."""
        return (1.0 - self.confidence) / 2.0


@dataclass(frozen=True)
class Resampler:
    """Draws for one set of rows; reuse it, so that every metric sees the same draws."""

    rows: Rows
    settings: Settings

    @cached_property
    def units(self) -> Codes:
        """(n,) the unit of each row."""
        n = len(self.rows)
        code = self.group_codes
        if n and int(code.max()) >= MAX_UNITS:
            shuffled = np.random.default_rng(self.settings.seed).permutation(int(code.max()) + 1)
            code = shuffled[code] % BLOCKS
        return code.astype(np.int64)

    @cached_property
    def group_codes(self) -> Codes:
        """(n,) numbers of the groups from 0 on; each row its own group when rows are independent."""
        if self.rows.groups is None:
            return np.arange(len(self.rows))
        return np.unique(self.rows.groups, return_inverse=True)[1].astype(np.int64)

    @property
    def n_groups(self) -> int:
        """How many groups there are; 0 when rows are independent."""
        return int(self.group_codes.max()) + 1 if self.rows.groups is not None and len(self.rows) else 0

    @cached_property
    def n_units(self) -> int:
        """How many units there are."""
        return int(self.units.max()) + 1 if len(self.units) else 0

    @cached_property
    def _counts(self) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
        generator = np.random.default_rng(self.settings.seed + 1)
        counts = np.empty((self.settings.resamples, self.n_units), dtype=np.uint8)
        strata = self._strata()
        for stratum in np.unique(strata):
            members = np.flatnonzero(strata == stratum)
            counts[:, members] = _draw(generator, self.settings.resamples, len(members))
        return counts

    def _strata(self) -> Codes:
        by_row = self.rows.strata and self.rows.classes is not None and self.n_units == len(self.rows)
        return self.rows.truth.astype(np.int64) if by_row else np.zeros(self.n_units, dtype=np.int64)

    def sums(self, values: Floats) -> Floats:
        """Column sums of every resample: (n, q) values of the rows to (resamples, q)."""
        by_unit = np.stack([np.bincount(self.units, column, self.n_units) for column in values.T], axis=1)
        out = np.empty((self.settings.resamples, values.shape[1]))
        for part in self._chunks():
            out[part] = self._counts[part].astype(np.float64) @ by_unit
        return out

    def _chunks(self) -> Iterator[slice]:
        step = max(1, CHUNK_BYTES // (8 * max(1, self.n_units)))
        for start in range(0, self.settings.resamples, step):
            yield slice(start, min(start + step, self.settings.resamples))

    def unit_sums(self, influence: Floats) -> Floats:
        """Influence (n,) added up by group, or as it is when rows are independent; centred within strata."""
        if self.rows.groups is not None:
            return np.bincount(self.group_codes, influence).astype(np.float64)
        if self.rows.strata and self.rows.classes is not None:
            code = self.rows.truth.astype(np.int64)
            means = np.bincount(code, influence) / np.maximum(np.bincount(code), 1)
            return influence - means[code]
        return influence

    def standard_error(self, influence: Floats) -> float:
        """Of a value whose rows have these influences (n,), over rows or groups, within strata if drawn so."""
        sums = self.unit_sums(influence)
        grouped = self.rows.groups is not None and len(sums) > 1
        correction = len(sums) / (len(sums) - 1) if grouped else 1.0
        return float(np.sqrt((sums**2).sum() * correction)) / len(influence)


def _draw(generator: np.random.Generator, resamples: int, n: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """(resamples, n) how often each of n units was drawn, with replacement; each row adds up to n."""
    out = np.empty((resamples, n), dtype=np.uint8)
    step = max(1, CHUNK_BYTES // (8 * n))
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        drawn = generator.integers(0, n, size=(size, n)) + np.arange(size)[:, None] * n
        out[start : start + size] = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
    return out
