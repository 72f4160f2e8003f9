"""An ONNX file is data: what it could have read, run or repeat for ever is refused in every session."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

import bot
from bot.adapters.predictor import load
from bot.cli.probe import probe
from bot.errors import UserError
from bot.records.base import sha256
from bot.records.training import Training
from bot.specs.onnx_session import checked_model, session
from bot.train import onnx_export
from tests.train.small import a_spec, rows, trained

X = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 1])
Y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 1])


def model(*nodes: Any, weights: tuple[Any, ...] = (), domains: tuple[str, ...] = ("",), **more: Any) -> Any:
    graph = helper.make_graph(list(nodes), "g", [X], [Y], initializer=list(weights), **more)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid(name, 18 if not name else 1) for name in domains]
    )


def plain() -> Any:
    return model(helper.make_node("Add", ["x", "w"], ["y"]), weights=(numpy_helper.from_array(np.float32([1]), "w"),))


def outside(name: str, tensor: Any) -> Any:
    """A tensor whose numbers are in a file."""
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=name)
    return tensor


def weights_outside() -> Any:
    made = plain()
    outside("weights.bin", made.graph.initializer[0])
    return made


def said_outside_and_kept_inside() -> Any:
    made = plain()
    made.graph.initializer[0].external_data.add(key="location", value="weights.bin")
    return made


def constant_outside() -> Any:
    tensor = outside("weights.bin", numpy_helper.from_array(np.float32([1]), "c"))
    return model(helper.make_node("Constant", [], ["w"], value=tensor), helper.make_node("Add", ["x", "w"], ["y"]))


def sparse_outside() -> Any:
    made = plain()
    values = outside("weights.bin", numpy_helper.from_array(np.float32([1]), "w"))
    indices = numpy_helper.from_array(np.int64([0]), "i")
    made.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [1]))
    made.graph.ClearField("initializer")
    return made


def a_loop() -> Any:
    number, flag = TensorProto.INT64, TensorProto.BOOL
    goes_in = [("i", number, []), ("go", flag, []), ("v", TensorProto.FLOAT, [None, 1])]
    comes_out = [("on", flag, []), ("out", TensorProto.FLOAT, [None, 1])]
    steps = [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Identity", ["v"], ["out"])]
    ends = [[helper.make_tensor_value_info(*one) for one in side] for side in (goes_in, comes_out)]
    body = helper.make_graph(steps, "body", *ends)
    times = numpy_helper.from_array(np.int64(2**62), "n")
    return model(helper.make_node("Loop", ["n", "", "x"], ["y"], body=body), weights=(times,))


def a_function() -> Any:
    made = model(helper.make_node("Mine", ["x"], ["y"], domain="own"), domains=("", "own"))
    steps = [helper.make_node("Identity", ["a"], ["b"])]
    made.functions.append(helper.make_function("own", "Mine", ["a"], ["b"], steps, [helper.make_opsetid("", 18)]))
    return made


ATTACKS: dict[str, Callable[[], Any]] = {
    "weights in a file": weights_outside,
    "weights here and in a file": said_outside_and_kept_inside,
    "a constant in a file": constant_outside,
    "sparse weights in a file": sparse_outside,
    "a loop without end": a_loop,
    "a function of its own": a_function,
    "an operator of one runtime": lambda: model(
        helper.make_node("Gelu", ["x"], ["y"], domain="com.microsoft"), domains=("", "com.microsoft")
    ),
    "an operator that nobody knows": lambda: model(helper.make_node("ReadFile", ["x"], ["y"])),
    "a listed operator in another domain": lambda: model(
        helper.make_node("Add", ["x", "x"], ["y"], domain="custom"), domains=("", "custom")
    ),
    "another domain that nothing uses": lambda: model(helper.make_node("Neg", ["x"], ["y"]), domains=("", "custom")),
    "random answers": lambda: model(helper.make_node("RandomUniformLike", ["x"], ["y"])),
}  # fmt: skip


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Training]:
    training, out = trained(tmp_path_factory.mktemp("onnx"), a_spec(resources="{jobs: 1}"))
    assert training.onnx == "passed"
    return out, training


def with_onnx(artifact: tuple[Path, Training], into: Path, data: bytes) -> tuple[Path, Training]:
    """The artifact as whoever made it would hand it over, with another model.onnx."""
    folder, training = artifact
    for file in folder.iterdir():
        (into / file.name).write_bytes(file.read_bytes())
    (into / "model.onnx").write_bytes(data)
    files = [
        one.model_copy(update={"sha256": sha256(data)}) if one.name == "model.onnx" else one for one in training.files
    ]
    changed = training.model_copy(update={"files": tuple(files)})
    (into / "training.json").write_bytes(changed.canonical())
    return into, changed


def test_the_file_without_a_trick_is_run() -> None:
    found = session(plain().SerializeToString(), 1).run(None, {"x": np.float32([[1]])})
    assert found[0].tolist() == [[2.0]]


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_what_no_training_exports_is_refused(
    attack: Callable[[], Any], artifact: tuple[Path, Training], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the session, by the predictor that serves and evaluates, and by the probe before a release."""
    data = attack().SerializeToString()
    monkeypatch.chdir(tmp_path)
    Path("weights.bin").write_bytes(b"\0\0\x80?")
    with pytest.raises(UserError) as caught:
        session(data, 1)
    assert caught.value.code == "onnx_refused"
    folder, training = with_onnx(artifact, tmp_path, data)
    with pytest.raises(UserError) as caught:
        load(folder, training, prefer="onnx")
    assert caught.value.code == "onnx_refused"
    assert "refused" in probe(folder)["onnx"]


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_an_export_with_it_is_no_onnx_file(attack: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Should a later converter make one: the training goes on without."""
    monkeypatch.setattr(onnx_export, "_converted", lambda pipeline, inputs: attack().SerializeToString())
    prepared = SimpleNamespace(inputs=None, test_framed=None, target=SimpleNamespace(classes=None))
    made = onnx_export.export(None, prepared, None, None)  # type: ignore[arg-type]
    assert made.status == "failed" and made.data is None and "refused" in made.detail


@pytest.mark.parametrize("data", [b"", b"text", b"\0\0\0\0ORTM" + bytes(100), plain().SerializeToString()[:-9]])
def test_what_is_no_onnx_is_an_error_for_people(data: bytes) -> None:
    with pytest.raises(UserError) as caught:
        session(data, 1)
    assert caught.value.code in ("artifact_invalid", "onnx_refused")


def test_what_the_check_does_not_know_never_reaches_the_runtime() -> None:
    """A field of a later ONNX is left out, so that nothing is run that was not looked at."""
    unknown = b"\xfa\x3f\x04evil"  # field 1023, a text
    data = plain().SerializeToString()
    assert b"evil" not in checked_model(data + unknown)
    assert checked_model(data + unknown) == checked_model(data)


def test_no_other_session_is_opened_anywhere() -> None:
    """The one door: whoever wants a session comes by the check."""
    root = Path(bot.__file__).parent
    openers = {
        str(file.relative_to(root))
        for file in root.rglob("*.py")
        if re.search(r"\bInferenceSession\(|\bonnx\.load|load_model_from_string", file.read_text())
    }
    assert openers == {"specs/onnx_session.py"}


BINARY = (
    "LogisticRegression", "HistGradientBoostingClassifier", "RandomForestClassifier", "GradientBoostingClassifier",
    "MLPClassifier", "GaussianNB",
)  # fmt: skip


@pytest.mark.parametrize("estimator", [*BINARY, "Ridge", "HistGradientBoostingRegressor", "MLPRegressor", "SVR"])
def test_what_training_exports_is_on_the_list(tmp_path: Path, estimator: str) -> None:
    parts = {"estimator": estimator, "resources": "{jobs: 1}", "features": "{numeric: [signal], categorical: [shop]}"}
    if estimator not in BINARY:
        data = "{path: data/rows.parquet, target: amount, row_id: id}"
        parts |= {"task": "regression", "data": data, "metrics": "mae"}
    training, _ = trained(tmp_path, a_spec(**parts), rows(80))
    assert "refused" not in training.onnx_detail
