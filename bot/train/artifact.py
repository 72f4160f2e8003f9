"""Chosen inputs and parameters -> the files of the artifact folder and the Training record."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.errors import UserError
from bot.records.base import sha256
from bot.records.plan import Planned
from bot.records.training import ArtifactFile, Machine, Seconds, Training
from bot.specs.outputs import Outputs
from bot.train.canonical import canonical_skops
from bot.train.choose import Chosen
from bot.train.fit import Recipe, decision_threshold, predict
from bot.train.golden import golden
from bot.train.onnx_export import Export, export
from bot.train.scoring import scorer_for
from bot.train.search import Found

MAX_WARNINGS = 20


@dataclass(frozen=True)
class Artifact:
    """The files by name and what they were made from."""

    files: dict[str, bytes]
    chosen: Chosen
    found: Found | None
    threshold: float | None
    exported: Export

    def training(
        self, *, planned: Planned, caught: Sequence[str], seconds: Seconds, peak_memory_bytes: int, machine: Machine
    ) -> Training:
        """The record."""
        prepared, found = self.chosen.prepared, self.found
        spec = prepared.spec
        return Training(
            model=planned.model,
            task=spec.task,
            inputs_digest=planned.inputs_digest,
            artifact_digest=sha256(self.files["model.skops"]),
            files=tuple(ArtifactFile(name=n, sha256=sha256(data), size=len(data)) for n, data in self.files.items()),
            data_files=planned.data_files,
            target=spec.data.target,
            classes=prepared.target.classes,
            threshold=self.threshold,
            n_train=prepared.framed.num_rows,
            n_test=prepared.test_framed.num_rows,
            test_rows_digest=prepared.test_rows_digest,
            inputs=prepared.inputs.names,
            columns=prepared.inputs.columns,
            signature=prepared.signature,
            dropped=self.chosen.dropped,
            selection_method=self.chosen.method,
            selection_curve=self.chosen.curve,
            estimator=spec.estimator.name,
            parameters={**spec.estimator.parameters, **(found.parameters if found else {})},
            trials=found.trials if found else 0,
            scoring=scorer_for(spec, spec.search.scoring if spec.search else None).name,
            onnx=self.exported.status,
            onnx_detail=self.exported.detail,
            onnx_limit=self.exported.limit,
            warnings=tuple([*prepared.warnings, *_sentences(caught, found)][:MAX_WARNINGS]),
            seconds=seconds,
            peak_memory_bytes=peak_memory_bytes,
            machine=machine,
        )


@dataclass(frozen=True)
class Fitted:
    """The pipeline that was fitted on all training rows, and its decision threshold."""

    pipeline: Any
    threshold: float | None


def fit(chosen: Chosen, found: Found | None) -> Fitted:
    """Fit on all training rows."""
    prepared = chosen.prepared
    spec, classes = prepared.spec, prepared.target.classes
    recipe = Recipe(spec, prepared.inputs, prepared.needs, classes, found.parameters if found else {})
    threshold = decision_threshold(recipe, prepared.framed, prepared.target)
    return Fitted(recipe.fit(prepared.framed, prepared.target), threshold)


def make_artifact(chosen: Chosen, found: Found | None, fitted: Fitted) -> Artifact:
    """Write the canonical bytes, and try ONNX against every test row."""
    prepared, pipeline, threshold = chosen.prepared, fitted.pipeline, fitted.threshold
    spec, classes = prepared.spec, prepared.target.classes
    files = {"model.skops": canonical_skops(pipeline)}  # before any prediction: some estimators count their queries
    outputs = predict(pipeline, prepared.test_framed, len(classes or ()))
    _check_finite(outputs)
    record = golden(prepared, pipeline, threshold, sha256(files["model.skops"]))
    files["golden.json"] = record.canonical()
    if not spec.onnx:
        return Artifact(files, chosen, found, threshold, Export("not_tried", "the spec says `onnx: false`"))
    made = export(pipeline, prepared, outputs, threshold)
    if made.data is not None:
        files["model.onnx"] = made.data
    return Artifact(files, chosen, found, threshold, made)


def _check_finite(outputs: Outputs) -> None:
    numbers = outputs.predicted if outputs.probabilities is None else outputs.probabilities
    n = int((~np.isfinite(np.asarray(numbers, dtype=np.float64))).sum())
    if n:
        raise UserError(
            f"it was fitted, but {n:,} of its predictions for the test rows are not finite",
            hint="Look at the estimator's parameters, `transform_target`, and inputs that are very large.",
            code="predict_failed",
        )


def _sentences(caught: Sequence[str], found: Found | None) -> list[str]:
    """The first line of each different warning, without addresses and timings, so that runs compare."""
    lines = [re.sub(r"\s+", " ", text.strip().split("\n")[0])[:300] for text in caught]
    return [*dict.fromkeys(lines), *([f"search: {found.note}"] if found and found.note else [])]
