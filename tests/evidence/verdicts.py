"""How often gates pass what is exactly at their limit, or fail what is fair, and what many looks buy."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from bot.evaluate.gaps import MEASURES, gaps
from bot.evaluate.gates import judge
from bot.evaluate.interval import compare
from bot.evaluate.metrics import METRICS
from bot.evaluate.reach import at_tail, spent_tail
from bot.evaluate.resample import Resampler, Settings
from bot.evaluate.rows import Rows, Scores
from bot.evaluate.slices import measure
from bot.specs.gates import SlicePolicy
from tests.evaluate.test_gates import evidence
from tests.evaluate.worlds import some_gates
from tests.evidence.coverage import truth_of
from tests.evidence.shapes import Shape, binary
from tests.evidence.study import Count, Study

Generator = np.random.Generator


def at_the_margin(shape: Shape, n: int, metric: str, generator: Generator, repeats: int) -> dict[str, Count]:
    """`non_inferiority` passes a model that is worse by exactly the margin; `superiority` one that is better by it."""
    margin = abs(truth_of(shape)[metric][1])
    asked = f"against: production, metric: {metric}, margin: {margin}"
    gates = {
        name: some_gates(f"{{id: g, kind: {name}, {asked}}}").gates[0] for name in ("non_inferiority", "superiority")
    }
    counts = dict.fromkeys(gates, Count())
    for number in range(repeats):
        rows, better, worse = shape.draw(generator, n, 0)
        resampler = Resampler(rows, Settings(resamples=500, seed=number))
        for (name, gate), (one, other) in zip(gates.items(), ((worse, better), (better, worse)), strict=True):
            found = compare(METRICS[metric], one, other, resampler)
            seen = evidence(differences={(metric, "production"): found}, metrics={metric: METRICS[metric]}, n_test=n)
            counts[name] += Count(1, int(judge(gate, seen, "block").verdict == "pass"))
    return counts


def fair_groups(groups: int, n: int, prevalence: float, generator: Generator, repeats: int) -> dict[str, Count]:
    """`group_gap` fails a model whose rates are the same in all groups; and one whose widest gap is the limit."""
    counts = {f"{name}, {truth}": Count() for name in MEASURES for truth in ("no gap", "gap at the limit")}
    gates = {
        (name, limit): some_gates(f"{{id: g, kind: group_gap, column: g, measure: {name}, value: {limit}}}").gates[0]
        for name in MEASURES
        for limit in (0.05, 0.1)
    }
    for number in range(repeats):
        for truth, limit, more in (("no gap", 0.05, 0.0), ("gap at the limit", 0.1, 0.1)):
            code, outcome = generator.integers(0, groups, n), (generator.random(n) < prevalence).astype(np.int64)
            said = (generator.random(n) < 0.15 + 0.5 * outcome + more * (code == 0)).astype(np.int64)
            rows = Rows("binary", outcome, ("no", "yes"), slices={"g": code.astype(str)})
            for gap in gaps("g", Scores(said), Resampler(rows, Settings(resamples=200, seed=number)), 1):
                found = judge(gates[gap.measure, limit], evidence(gaps={("g", gap.measure): gap}), "block")
                counts[f"{gap.measure}, {truth}"] += Count(1, int(found.verdict == "fail"))
    return counts


def equal_slices(
    metric: str, prevalence: float, rows_each: int, generator: Generator, repeats: int
) -> dict[str, Count]:
    """`slice_non_inferiority` fails one of 30 slices in all of which the two models are equally good."""
    text = f"kind: slice_non_inferiority, against: production, metric: {metric}, margin: 0.0"
    gate, policy = some_gates(f"{{id: g, {text}}}").gates[0], SlicePolicy(minimum_rows=50)
    shape, count = binary(prevalence, 0.85, "apart"), Count()
    for number in range(repeats):
        rows, one, other = shape.draw(generator, 30 * rows_each, 0)
        swap = generator.random(len(rows)) < 0.5  # which of the two answers a row is chance, so that they are equal
        first, second = _mixed(one, other, swap), _mixed(other, one, swap)
        named = replace(rows, slices={"g": np.repeat(np.arange(30), rows_each).astype(str)})
        resampler = Resampler(named, Settings(resamples=300, seed=number))
        found = measure(METRICS[metric], first, {"production": second}, resampler, policy)
        seen = evidence(slices={metric: found}, metrics={metric: METRICS[metric]})
        verdict = judge(gate, seen, "block")
        untold = verdict.reason_code == "slices_missing"
        count += Count(untold=1) if untold else Count(1, int(verdict.verdict == "fail"))
    return {"fails": count}


def _mixed(one: Scores, other: Scores, swap: np.ndarray) -> Scores:
    assert one.probabilities is not None and other.probabilities is not None
    probabilities = np.where(swap[:, None], other.probabilities, one.probabilities)
    return Scores(np.where(swap, other.predicted, one.predicted), probabilities)


def many_looks(candidates: int, n: int, generator: Generator, repeats: int) -> dict[str, Count]:
    """`superiority` passes one of so many candidates that are exactly as good as production, on the same rows."""
    gate = some_gates("{id: g, kind: superiority, against: production, metric: log_loss}").gates[0]
    count, metric = Count(), METRICS["log_loss"]
    for _ in range(repeats):
        truth, common = (generator.random(n) < 0.3).astype(np.int64), generator.normal(size=n)
        rows = Rows("binary", truth, ("no", "yes"))
        resampler, champion = Resampler(rows, Settings()), _noisy(truth, common, generator)
        passed = False
        for look in range(1, candidates + 1):
            found = compare(metric, _noisy(truth, common, generator), champion, resampler)
            found = at_tail(found, 0.95, spent_tail(look, 0.025))
            seen = evidence(differences={("log_loss", "production"): found}, metrics={"log_loss": metric}, look=look)
            passed = passed or judge(gate, seen, "block").verdict == "pass"
        count += Count(1, int(passed))
    return {"one passes": count}


def _noisy(truth: np.ndarray, common: np.ndarray, generator: Generator) -> Scores:
    score = 1.5 * truth + common + 0.5 * generator.normal(size=len(truth))
    chance = 1 / (1 + np.exp(-1.2 * (score - 0.75) + 0.85))
    return Scores((chance > 0.5).astype(np.int64), np.stack([1 - chance, chance], axis=1))


def studies() -> list[Study]:
    """At the level that is stated: 2.5 % for one end of an interval, 5 % over all looks."""
    found = [
        Study("Gates", f"exactly at the margin: {metric}, {n:,} rows, {share:.0%} positive", (0.0, 0.025),
              partial(at_the_margin, binary(share, 0.85, "apart"), n, metric))
        for metric in ("roc_auc", "average_precision", "log_loss", "f1", "accuracy", "mcc")
        for n, share in ((1000, 0.3), (1000, 0.05))
    ]  # fmt: skip
    found += [
        Study("Gates", f"`group_gap` fails: {groups} groups, {n:,} rows, {share:.0%} positive", (0.0, 0.025),
              partial(fair_groups, groups, n, share))
        for groups, n in ((2, 1000), (5, 1000), (10, 2000), (10, 20_000))
        for share in (0.3, 0.05)
    ]  # fmt: skip
    found += [
        Study("Gates", f"30 equal slices: {metric}, {each} rows each, {share:.0%} positive", (0.0, 0.025),
              partial(equal_slices, metric, share, each))
        for metric in ("roc_auc", "average_precision", "f1", "accuracy")
        for share, each in ((0.5, 100), (0.1, 100), (0.03, 400))
    ]  # fmt: skip
    return found + [
        Study(
            "Looks", f"{candidates} candidates no better, 500 rows", (0.0, 0.05), partial(many_looks, candidates, 500)
        )
        for candidates in (1, 32, 200)
    ]
