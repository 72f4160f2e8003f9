"""Scores of what was observed (first) and of rows dealt at random, on one scale: as p-values, small is odd.

Each curve is fitted to all scores, the first one too: only then are they exchangeable, and ranks of anything made from
them exact. A curve that fits badly costs power and no false alarms.
"""

from __future__ import annotations

import numpy as np

from bot.monitor.drift.interface import Floats

# A tie that differs in the last bit is a tie: discrete tests tie often, and a tie that is lost is a false alarm.
SLACK = 1 + 1e-9


def beta(smallest: Floats, own: Floats) -> tuple[Floats, Floats]:
    """From logs of smallest p-values (1 + B,), as of so many independent tests as fit; `own` logs on the same curve."""
    tests = 1 / max(float(-np.log1p(-np.exp(np.minimum(smallest, -1e-9))).mean()), 1e-12)
    scaled = [-np.expm1(tests * np.log1p(-np.exp(np.minimum(one, -1e-9)))) for one in (smallest, own)]
    return scaled[0], scaled[1]


def gamma(scores: Floats) -> Floats:
    """From scores (1 + B,) of which large is odd, by a gamma distribution of the same mean and variance."""
    from scipy.special import gammaincc

    mean, variance = float(scores.mean()), float(scores.var())
    return (
        np.ones(len(scores)) if variance <= 0 else np.asarray(gammaincc(mean**2 / variance, scores * mean / variance))
    )


def normal(scores: Floats) -> Floats:
    """From scores (1 + B,) of which large is odd, by a normal distribution."""
    from scipy.special import ndtr

    spread = float(scores.std())
    return np.ones(len(scores)) if spread <= 0 else np.asarray(ndtr((scores.mean() - scores) / spread))


def rank(value: float, scores: Floats) -> float:
    """Share of scores, the first being the observed one, that are as small as `value`; never 0."""
    return float((1 + (scores[1:] <= value * SLACK).sum()) / len(scores))


def ranks(scores: Floats) -> Floats:
    """Share of `scores` (1 + B,), logs of p-values, that are as small as each."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(np.round(scores, 9), method="max") / len(scores))


def false_discovery(p_values: Floats) -> Floats:
    """q-values (F,) of Benjamini & Hochberg (1995): a column is among the finds at this rate."""
    order = np.argsort(p_values)
    steps = p_values[order] * len(p_values) / np.arange(1, len(p_values) + 1)
    out = np.empty(len(p_values))
    out[order] = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1.0)
    return out
