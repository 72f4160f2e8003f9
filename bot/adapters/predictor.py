"""An artifact folder -> a Predictor, by scikit-learn from `model.skops` or by onnxruntime from `model.onnx`."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any, Literal

from bot.adapters.absent import skops_io
from bot.adapters.contents import check_contents
from bot.adapters.straight import straight
from bot.adapters.trusted import TYPES, check_types, plain
from bot.errors import UserError
from bot.records.training import Training
from bot.specs.frame import frame
from bot.specs.onnx_session import session
from bot.specs.outputs import Outputs, graph_names, labels, onnx_feed, onnx_outputs, pipeline_outputs
from bot.specs.signature import signature_of
from bot.specs.values import conformed

MAX_SCHEMA_BYTES = 512 * 1024 * 1024
MAX_UNPACKED_BYTES = 8 * 1024**3


def load(folder: Path, training: Training | None = None, *, prefer: Literal["skops", "onnx"] = "skops") -> FittedModel:
    """The Predictor (bot/ports.py) of an artifact folder; `training` None means that of `training.json` in it.

    ONNX is used only when asked for and when it passed the parity gate. The file's SHA-256 is compared with the
    Training before it is opened. Raises UserError: artifact_changed, _missing or _invalid, type_refused.
    """
    if training is None:
        training = Training.parse(_bytes(folder / "training.json"), source="training.json")
    if prefer == "onnx" and training.onnx == "passed":
        return OnnxModel(_checked(folder, training, "model.onnx"), training)
    return SkopsModel(read_skops(_checked(folder, training, "model.skops")), training)


class FittedModel:
    """What both kinds share: the frame, and labels from probabilities by the threshold."""

    def __init__(self, training: Training) -> None:
        self.training = training
        self.inputs = training.inputs
        self.classes = training.classes
        self.signature = signature_of(training)

    def probabilities(self, table: Any) -> Any:
        """float64 (n, n_classes); None for a regression or an estimator without probabilities."""
        return self._outputs(table).probabilities

    def predict(self, table: Any) -> Any:
        """Labels as text (n,) by the model's threshold, or float64 (n,) for a regression."""
        return labels(self._outputs(table), self.classes, self.training.threshold)

    def _framed(self, table: Any) -> Any:
        return frame(conformed(table, self.signature), self.training.columns)

    def _outputs(self, table: Any) -> Outputs:
        raise NotImplementedError


class SkopsModel(FittedModel):
    """scikit-learn's own pipeline, its parts called one after the other."""

    def __init__(self, pipeline: Any, training: Training) -> None:
        super().__init__(training)
        self.pipeline = straight(pipeline)

    def _outputs(self, table: Any) -> Outputs:
        framed = self._framed(table)
        try:
            return pipeline_outputs(self.pipeline, framed)
        except ValueError:  # its words hold a value
            raise UserError(
                "the model refuses these inputs: a category that training did not see, or a number out of range",
                hint="`unknown: ignore` under `features.categorical` takes new categories.",
                code="predict_failed",
            ) from None


class OnnxModel(FittedModel):
    """The same pipeline in onnxruntime, one thread, without scikit-learn."""

    def __init__(self, data: bytes, training: Training) -> None:
        super().__init__(training)
        self.session = session(data, int(os.environ.get("OMP_NUM_THREADS", "1")))
        self.names = graph_names(training.columns, are_numbered=training.signature is not None)

    def _outputs(self, table: Any) -> Outputs:
        feed = onnx_feed(self._framed(table), self.training.columns, self.names, self.training.onnx_limit)
        wanted = {node.name for node in self.session.get_inputs()}
        outputs = self.session.run(None, {name: value for name, value in feed.items() if name in wanted})
        return onnx_outputs(outputs, self.classes)


def read_skops(data: bytes) -> Any:
    """The object in a skops file, of listed types only. Raises UserError (`type_refused`, `artifact_invalid`)."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            size = sum(info.file_size for info in file.infolist())
            if file.getinfo("schema.json").file_size > MAX_SCHEMA_BYTES or size > MAX_UNPACKED_BYTES:
                raise UserError(f"model.skops: {size} bytes unpacked are too many", code="artifact_invalid")
            check_types(json.loads(file.read("schema.json")), "model.skops")
        pipeline = skops_io().loads(data, trusted=TYPES)
        check_contents(pipeline, "model.skops")
    except UserError:
        raise
    except Exception as error:  # a broken file may raise anything at all
        reason = plain((str(error).splitlines() or [type(error).__name__])[0])
        raise UserError(f"model.skops cannot be loaded: {reason}", code="artifact_invalid") from None
    return pipeline


def _checked(folder: Path, training: Training, name: str) -> bytes:
    data = _bytes(folder / name)
    expected = {file.name: file.sha256 for file in training.files}.get(name)
    found = "sha256:" + hashlib.sha256(data).hexdigest()
    if found != expected or (name == "model.skops" and found != training.artifact_digest):
        raise UserError(
            f"{name} is not the file that was trained: {found}, expected {expected}",
            hint="Fetch the artifact again.",
            code="artifact_changed",
        )
    return data


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise UserError(f"{path.name} is not in the artifact folder", code="artifact_missing") from None
