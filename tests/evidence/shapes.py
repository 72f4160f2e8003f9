"""Simulated test rows with two models whose true metrics are known: what the coverage cells draw from.

A shape is drawn again and again at the sizes of a cell; its truth is that of a draw of two million independent rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, ndtr, ndtri
from scipy.stats import norm

from bot.evaluate.rows import Rows, Scores

Drawn = tuple[Rows, Scores, Scores]
Generator = np.random.Generator
CLOSENESS = {"near": (0.99995, 0.999), "apart": (0.6, 0.93), "same": (1.0, 1.0)}


@dataclass(frozen=True)
class Shape:
    """`draw(generator, n, groups)`: `groups` 0 for independent rows, else into how many groups the n rows fall."""

    name: str
    metrics: tuple[str, ...]
    draw: Callable[[Generator, int, int], Drawn]


RANKED = ("roc_auc", "average_precision", "log_loss", "brier", "calibration_error")
LABELLED = ("f1", "precision", "recall", "specificity", "accuracy", "balanced_accuracy", "mcc")
MACRO = (
    "roc_auc_ovr", "f1_macro", "f1_weighted", "precision_macro", "recall_macro", "accuracy", "log_loss", "brier", "mcc",
)  # fmt: skip
ERRORS = ("mae", "rmse", "r2", "pinball")


def binary(prevalence: float, area: float, closeness: str) -> Shape:
    """Two classes whose scores are normal with one spread, so that the probabilities are calibrated.

    The second model's distance between the classes is a little less, and its noise correlated with the first's.
    """
    rho, less = CLOSENESS[closeness]
    apart = float(np.sqrt(2) * ndtri(area))
    cut = _cut(prevalence, apart)

    def draw(generator: Generator, n: int, groups: int) -> Drawn:
        code = None if not groups else np.sort(np.arange(n) % groups)
        truth = (_latent(generator, n, code, 0.3) < ndtri(prevalence)).astype(np.int64)
        noise, own = _latent(generator, n, code, 0.5), _latent(generator, n, code, 0.5)
        first = _scores(apart * truth + noise, prevalence, apart, cut)
        other_noise = rho * noise + np.sqrt(1 - rho**2) * own
        second = _scores(less * apart * truth + other_noise, prevalence, less * apart, cut)
        return Rows("binary", truth, ("no", "yes"), groups=code), first, second

    return Shape(f"binary {prevalence:.0%}, area {area:g}, {closeness}", RANKED + LABELLED, draw)


def three(shares: tuple[float, ...], closeness: str) -> Shape:
    """Classes of these shares; a logit of the true class is raised by 2, all have normal noise."""
    rho, less = CLOSENESS[closeness]
    starts, k = np.cumsum((0.0, *shares[:-1])), len(shares)

    def draw(generator: Generator, n: int, groups: int) -> Drawn:
        code = None if not groups else np.sort(np.arange(n) % groups)
        truth = np.searchsorted(starts, ndtr(_latent(generator, n, code, 0.3)), side="right").astype(np.int64) - 1
        noise, own = (np.stack([_latent(generator, n, code, 0.5) for _ in range(k)], axis=1) for _ in range(2))
        found = []
        for apart, extra in ((2.5, noise), (2.5 * less, rho * noise + np.sqrt(1 - rho**2) * own)):
            logits = apart * (np.eye(k)[truth] + extra) + np.log(shares)
            chance = np.exp(logits - logits.max(axis=1, keepdims=True))
            chance /= chance.sum(axis=1, keepdims=True)
            found.append(Scores(chance.argmax(axis=1).astype(np.int64), chance))
        return Rows("multiclass", truth, tuple("abcdefgh"[:k]), groups=code), found[0], found[1]

    return Shape(f"classes {'/'.join(f'{one:.0%}' for one in shares)}, {closeness}", MACRO, draw)


ERROR_OF = {
    "normal": lambda z: z,
    "t(5)": lambda z: _student(z, 5.0),
    "t(2.5)": lambda z: _student(z, 2.5),
    "lognormal .5": lambda z: np.exp(0.5 * z) - np.exp(0.125),
    "lognormal 1": lambda z: np.exp(z) - np.exp(0.5),
}


def regression(errors: str, closeness: str) -> Shape:
    """A normal target; errors of the named kind, those of the second model correlated with the first's."""
    rho, less = CLOSENESS[closeness]
    bent = ERROR_OF[errors]

    def draw(generator: Generator, n: int, groups: int) -> Drawn:
        code = None if not groups else np.sort(np.arange(n) % groups)
        signal, z, own = (_latent(generator, n, code, 0.5) for _ in range(3))
        truth = 10 + 2 * signal + bent(z)
        first = Scores(10 + 2 * signal + 0 * z)
        second = Scores(10 + 2 * signal + (1 - less) * z + 0.5 * np.sqrt(1 - rho**2) * own)
        return Rows("regression", truth, groups=code), first, second

    return Shape(f"errors {errors}, {closeness}", ERRORS, draw)


def _student(z: np.ndarray, df: float) -> np.ndarray:
    from scipy.special import stdtrit

    return np.asarray(stdtrit(df, np.clip(ndtr(z), 1e-15, 1 - 1e-15)))


def _latent(generator: Generator, n: int, code: np.ndarray | None, share: float) -> np.ndarray:
    """(n,) standard normal; `share` of the variance is common to the rows of a group."""
    own = generator.normal(size=n)
    if code is None:
        return own
    common = generator.normal(size=int(code.max()) + 1)[code]
    return np.asarray(np.sqrt(share) * common + np.sqrt(1 - share) * own)


def _scores(score: np.ndarray, prevalence: float, apart: float, cut: float) -> Scores:
    chance = expit(np.log(prevalence / (1 - prevalence)) + apart * (score - apart / 2))
    return Scores((score >= cut).astype(np.int64), np.stack([1 - chance, chance], axis=1))


def _cut(prevalence: float, apart: float) -> float:
    """The score above which as large a share lies as is positive."""
    grid = np.linspace(-6, 12, 20001)
    share = prevalence * norm.sf(grid - apart) + (1 - prevalence) * norm.sf(grid)
    return float(grid[np.argmin(np.abs(share - prevalence))])
