"""Keys of model.yaml that would do nothing beside the others: each is a mistake, with the nearest key that does.

What needs no data and no scikit-learn is found here; `bot.train.idle` knows what an estimator makes of its inputs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bot.specs.metrics import ALIASES, OF_PROBABILITIES, OF_SCORES

if TYPE_CHECKING:
    from bot.specs.model import ModelSpec

Idle = tuple[str, str, str]  # dotted key, message, hint
KINDS = ("numeric", "categorical", "text", "datetime")
_CALIBRATE = "Add `calibration: sigmoid` under `estimator`"


def idle_keys(spec: ModelSpec) -> Iterator[Idle]:
    """Every key that would do nothing, in the order of the page."""
    yield from _split(spec)
    yield from _columns(spec)
    yield from _estimator(spec)
    yield from _search(spec)
    yield from _metrics(spec)
    yield from _slices(spec)


def _split(spec: ModelSpec) -> Iterator[Idle]:
    split, written = spec.split, spec.split.model_fields_set
    if spec.split_method == "time" and "seed" in written:
        yield "split.seed", "`seed` does nothing: a split by time draws no rows", "Remove it."
    if split.test_from is not None and "test" in written:
        yield "split.test", "`test` does nothing beside `test_from`", "Remove one of the two."


def _columns(spec: ModelSpec) -> Iterator[Idle]:
    features = spec.features
    seen: dict[str, str] = {}
    for kind in KINDS:
        for block in getattr(features, kind):
            for column in block.columns:
                if column in seen:
                    where = "twice" if seen[column] == kind else f"under `{seen[column]}` already"
                    yield f"features.{kind}", f"the column {column!r} is named {where}", "Keep one of the two."
                elif column in features.exclude:
                    hint = "Remove it from one of the two."
                    yield "features.exclude", f"the column {column!r} is listed under `{kind}` as well", hint
                seen[column] = kind


def _estimator(spec: ModelSpec) -> Iterator[Idle]:
    estimator, name = spec.estimator, spec.estimator.name
    searched = spec.search.parameters if spec.search else {}
    for key in estimator.parameters:
        if key in searched:
            hint = "Remove it here: each candidate has the search's value."
            yield f"estimator.parameters.{key}", f"`{key}` does nothing: it is searched", hint
    if estimator.class_weight is not None:
        for place, found in (("estimator", estimator.parameters), ("search", searched)):
            if "class_weight" in found:
                hint = "Remove one of the two."
                yield f"{place}.parameters.class_weight", "`estimator.class_weight` sets it already", hint
    is_without = spec.task != "regression" and estimator.calibration == "none" and not spec.has_probabilities
    if estimator.threshold is not None and is_without:
        hint = f"{_CALIBRATE}, or remove it."
        yield "estimator.threshold", f"{name} has no probabilities to put a threshold on", hint


def _slices(spec: ModelSpec) -> Iterator[Idle]:
    seen: list[object] = []
    for number, one in enumerate(spec.slices):
        if one in seen or (one.name and one.name in [other.name for other in spec.slices[:number]]):
            hint = "Remove one of the two." if one in seen else "Give it another name."
            yield f"slices.{number}", "the slice is named already", hint
        seen.append(one)


def _search(spec: ModelSpec) -> Iterator[Idle]:
    search = spec.search
    if search is None:
        return
    written = search.model_fields_set
    if search.method == "grid" and "candidates" in written:
        hint = "Remove it, or use `method: random`."
        yield "search.candidates", "`candidates` does nothing: a grid tries every combination", hint
    is_drawn = search.method != "grid" or spec.split_method != "time" or spec.data.group is not None
    if "seed" in written and not is_drawn:
        yield "search.seed", "`seed` does nothing: a grid on folds in time draws nothing", "Remove it."
    if search.max_fits is not None and search.max_fits < search.folds:
        hint = f"Write at least {search.folds}, or ask for fewer `folds`."
        yield "search.max_fits", f"`max_fits` is less than one candidate takes: {search.folds} folds", hint
    for name, values in search.parameters.items():
        if isinstance(values, tuple) and len({repr(value) for value in values}) < len(values):
            yield f"search.parameters.{name}", f"a value of `{name}` is listed twice", "Remove one."


def _metrics(spec: ModelSpec) -> Iterator[Idle]:
    metrics = spec.metrics
    plain = [ALIASES.get(name, name) for name in (metrics.primary, *metrics.also)]
    for index, name in enumerate(plain[1:]):
        if name in plain[: index + 1]:
            yield f"metrics.also.{index}", f"the metric {name!r} is named already", "Remove one of the two."
    scoring = spec.search.scoring if spec.search else None
    wanted = [*plain, ALIASES.get(scoring or "", scoring or "")]
    for key, index in (("metrics.primary", 0), ("search.scoring", -1)):
        if wanted[index] == "cost" and metrics.cost is None:
            hint = "Add `cost: {TRUE_LABEL: {PREDICTED_LABEL: 1}}` under `metrics`."
            yield key, "the metric cost needs a cost table", hint
    if "cost" in plain[1:] and metrics.cost is None:
        yield "metrics.also", "the metric cost needs a cost table", "Add `cost` under `metrics`."
    if metrics.cost is not None and "cost" not in wanted and "cost" not in _gated(spec):
        yield "metrics.cost", "the cost table does nothing: no metric is `cost`", "Add `cost` to `also`."
    if spec.task == "regression" or spec.estimator.calibration != "none" or spec.has_probabilities:
        return
    hint = f"{_CALIBRATE}, or go by accuracy, mcc, f1_macro or another metric of labels."
    for position, name in enumerate(wanted):
        is_scoring = position == len(plain)
        if name in OF_PROBABILITIES and not (is_scoring and name in OF_SCORES):
            key = (
                "search.scoring"
                if is_scoring
                else "metrics.primary"
                if position == 0
                else f"metrics.also.{position - 1}"
            )
            yield key, f"{spec.estimator.name} has no probabilities, which {name} is measured on", hint


def _gated(spec: ModelSpec) -> set[str]:
    """Metrics that the spec's own gates name."""
    return {str(one.get("metric")) for one in spec.gates if isinstance(one, dict)}
