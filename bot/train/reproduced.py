"""An evaluation and one of the same inputs that another run made -> whether it is the same, and how not.

On the same architecture and numerical kernel the bytes and every number must be equal, times and memory aside.
Elsewhere the last digits differ, by what the estimator's family can hold (`bot.train.compare`): golden answers within
`tolerance`, and each metric by no more than that, where solvers stop early by no more than the share of labels that may
flip.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from bot.records.evaluation import Evaluation
from bot.records.measured import Measured
from bot.records.reproduction import Outcome
from bot.records.training import Golden, Training
from bot.train.compare import ITERATIVE_FLIPS, OTHER_TOLERANCE, agreement, tolerance

EVERYWHERE = ("task", "target", "estimator", "classes", "n_train", "n_test", "test_rows_digest", "inputs")
SAME_MACHINE = ("artifact_digest", "threshold", "parameters", "columns", "onnx")
MOVES_ON = ("judged_at", "newest_age_days", "settings")  # of Measured: times, and how the policy has things measured


def compared(one: Evaluation, other: Evaluation, golden: tuple[Golden, Golden]) -> tuple[Outcome, str]:
    """What `other` is to the stored `one`, and a sentence; `golden` are the golden answers of both."""
    odd = next(_other_facts(one.training, other.training, EVERYWHERE), None)
    if odd is None and _files(one.training) != _files(other.training):
        odd = "data"
    if odd is not None:
        return "differs", f"its {odd} is another."
    if _kernel(one.training) == _kernel(other.training) or one.artifact_digest == other.artifact_digest:
        problem = next(_differences(one, other), None)
        return ("differs", problem) if problem else ("same", "The same artifact digest and metrics.")
    return _elsewhere(one, other, golden)


def _elsewhere(one: Evaluation, other: Evaluation, golden: tuple[Golden, Golden]) -> tuple[Outcome, str]:
    """On another architecture or numerical kernel."""
    allowed = tolerance(one.training)
    moved = _moved(one, other, max(allowed, ITERATIVE_FLIPS if allowed > OTHER_TOLERANCE else 0.0))
    if moved:
        return "differs", moved
    where = f"on {other.training.machine.architecture}, {other.training.machine.blas}"
    if golden[0].rows != golden[1].rows:
        return "differs", f"{where}, its golden rows are others."
    found = agreement(one.training, other.training, *_answers(*golden))
    if not found.holds:
        return "differs", f"{where}, its golden answers differ by {found.largest:.1e} (allowed {found.tolerance:.0e})."
    return "within_tolerance", f"Other bytes {where}; metrics and golden answers within {allowed:.0e}."


def _kernel(training: Training) -> tuple[str, str]:
    return training.machine.architecture, training.machine.blas


def _files(training: Training) -> set[tuple[str, str]]:
    return {(file.path, file.md5) for file in training.data_files}


def _other_facts(one: Training, other: Training, names: tuple[str, ...]) -> Iterator[str]:
    return (name.replace("_", " ") for name in names if getattr(one, name) != getattr(other, name))


def _differences(one: Evaluation, other: Evaluation) -> Iterator[str]:
    """What is not equal, in words, the artifact first."""
    if one.artifact_digest != other.artifact_digest:
        yield f"it gave the artifact {other.artifact_digest[:19]}, not {one.artifact_digest[:19]}."
    yield from (f"its {name} is another." for name in _other_facts(one.training, other.training, SAME_MACHINE))
    yield from filter(None, [_moved(one, other, 0.0)])
    ours, theirs = numbers(one), numbers(other)
    is_same_policy = (one.measured and one.measured.settings) == (other.measured and other.measured.settings)
    for name in ours.keys() | theirs.keys() if is_same_policy else ours.keys() & theirs.keys():
        if ours.get(name) != theirs.get(name):
            yield f"{name} is {theirs.get(name, 'missing')}, not {ours.get(name, 'there')}."


def numbers(found: Evaluation) -> dict[str, Any]:
    """Every number that gates may look at and that the inputs settle, by its place: times and memory aside."""
    flat = dict(_flat("confusion", found.confusion)) | dict(_flat("calibration", found.calibration))
    flat |= {"artifact_bytes": found.operating.get("artifact_bytes")}
    if found.measured is not None:
        tree = found.measured.model_dump(mode="json", exclude=set(MOVES_ON))
        for baseline in tree["baselines"].values():
            del baseline["operating"]
        flat |= dict(_flat("measured", tree)) | {"newest row": _newest(found.measured)}
    return flat


def _newest(measured: Measured) -> str | None:
    """When the newest row is from, to the minute: its age grows, that does not."""
    if measured.judged_at is None or measured.newest_age_days is None:
        return None
    at = datetime.fromisoformat(measured.judged_at) - timedelta(days=measured.newest_age_days)
    return (at + timedelta(seconds=30)).isoformat(timespec="minutes")


def _flat(place: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield from _flat(f"{place} {name}", one)
    elif isinstance(value, list | tuple):
        for at, one in enumerate(value):
            yield from _flat(f"{place} {at}", one)
    else:
        yield place, value


def _moved(one: Evaluation, other: Evaluation, allowed: float) -> str:
    """The first metric of the two that differs by more than a share of its size, in words; empty when none does."""
    ours, theirs = ({metric.name: metric for metric in found.metrics} for found in (one, other))
    if one.primary_metric != other.primary_metric or not ours.keys() <= theirs.keys():
        return f"it measured other metrics: {', '.join(sorted(ours.keys() ^ theirs.keys()))}."
    for name, metric in ours.items():
        found = theirs[name]
        if (metric.n, metric.unit) != (found.n, found.unit):
            return f"{name} was measured on {found.n} rows, not {metric.n}."
        if not abs(metric.value - found.value) <= allowed * max(1.0, abs(metric.value)):
            return f"{name} is {found.value:.6g}, not {metric.value:.6g}."
    return ""


def _answers(one: Golden, other: Golden) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    said = [np.asarray(golden.predictions) for golden in (one, other)]
    sure = [None if golden.probabilities is None else np.asarray(golden.probabilities) for golden in (one, other)]
    return (said[0], said[1]), (sure[0], sure[1])
