"""One table on its whole way: what `init` drafts passes `validate`, `train`, `evaluate`; the server answers alike."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bot.adapters.described import described
from bot.adapters.predictor import load
from bot.adapters.tables import read_table
from bot.cli import run
from bot.records.training import ColumnSignature, Training
from bot.serve.app import Serving, build
from bot.serve.engine import Engine
from bot.serve.golden import check_golden
from bot.specs.draft import draft_contract, draft_model
from bot.specs.model import ModelSpec, read_model_spec
from bot.specs.split import split_rows
from bot.specs.values import json_values
from tests.real_data import ROOT
from tests.serve.asgi import Client
from tests.serve.conftest import a_release

NUMPY = {"BOOL": "?", "FP32": "<f4", "FP64": "<f8"} | {
    f"{sign}INT{bits}": f"<{sign.lower() or 'i'}{bits // 8}" for sign in ("", "U") for bits in (8, 16, 32, 64)
}
MODEL = "walked"


class Refused(Exception):
    """A verb ended with exit 1: what it said."""


@dataclass(frozen=True)
class Walked:
    """What came of a table."""

    spec: ModelSpec
    training: Training
    folder: Path
    table: Any  # all rows, as training read them


def walked(file: Path, target: str, root: Path, changes: Any = None) -> Walked:
    """The artifact of a table, from the draft on. `changes` may edit the text of model.yaml. Raises Refused."""
    place = root / "data" / file.name
    place.parent.mkdir(parents=True, exist_ok=True)
    if file != place:
        (shutil.copytree if file.is_dir() else shutil.copy)(file, place)
    with said():
        table, how = described(root, f"data/{file.name}")
    model = draft_model(table, how, target, "owen")
    folder = root / "models" / MODEL
    folder.mkdir(parents=True, exist_ok=True)
    model += "resources: {jobs: 1}\n"  # processes that import scikit-learn cost more than such a table
    (folder / "model.yaml").write_text(changes(model) if changes else model, encoding="utf-8")
    (folder / "schema.yaml").write_text(draft_contract(table), encoding="utf-8")
    with contextlib.chdir(root):
        verb("validate", "models")
        verb("train", MODEL, "--out", f"out/{MODEL}")
        verb("evaluate", f"out/{MODEL}", "--test", "--gates", str(ROOT / "policies/gates.yaml"))
    out = root / "out" / MODEL
    spec = read_model_spec((folder / "model.yaml").read_bytes(), f"models/{MODEL}/model.yaml")
    training = Training.parse((out / "training.json").read_bytes(), source="training.json")
    return Walked(spec, training, out, read_table(spec, root))


@contextlib.contextmanager
def said() -> Iterator[io.StringIO]:
    """What is printed."""
    from bot.errors import MlbotError

    text = io.StringIO()
    try:
        with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
            yield text
    except MlbotError as error:
        raise Refused(f"{error.message} | {error.hint}") from None


def verb(*arguments: str) -> str:
    """A verb of the CLI in this process. Raises Refused for exit 1, AssertionError for a bug."""
    with said() as text:
        code = run(list(arguments))
    is_verdict = arguments[0] == "evaluate" and "evaluation.json written" in text.getvalue()
    if code == 1 and not is_verdict:
        raise Refused(f"{arguments[0]}: {text.getvalue().strip()[-700:]}")
    assert code in (0, 1), f"{arguments}: exit {code}: {text.getvalue()[-3000:]}"
    return text.getvalue()


def monitored(file: Path, target: str) -> int:
    """The exit code of `monitor` for a table beside itself, as it lies there: 0 healthy, 5 too little to judge."""
    with said() as text:
        code = run(["monitor", "--reference", str(file), "--current", str(file), "--target", target])
    assert code in (0, 5), text.getvalue()[-2000:]
    return code


def differences(made: Walked, rows: int = 60) -> list[str]:
    """Where a served answer is not the evaluated one: both runtimes, JSON and binary, whole and row by row."""
    _, test = split_rows(made.spec, made.table)
    table = made.table.filter(pa.array(test)).slice(0, rows)
    reference = load(made.folder, made.training)
    expected = (reference.predict(table), reference.probabilities(table))
    found = []
    for kind in ("skops", "onnx") if made.training.onnx == "passed" else ("skops",):
        engine = Engine(a_release(made.training), made.training, load(made.folder, made.training, prefer=kind), kind)
        check_golden(engine, (made.folder / "golden.json").read_bytes())
        client = Client(build(serving(engine)))
        tolerance = 1e-9 if kind == "skops" else 2e-4
        for way in (as_json, as_binary, as_text):
            for part, n in ((table, table.num_rows), (table.slice(0, 1), 1), (table.slice(table.num_rows - 1), 1)):
                at = 0 if part.num_rows == table.num_rows or n == table.num_rows else None
                begin = 0 if at == 0 or (part is not table and part.equals(table.slice(0, 1))) else table.num_rows - 1
                wanted = tuple(None if one is None else one[begin : begin + part.num_rows] for one in expected)
                problem = compared(wanted, way(made.training, engine, client, part), tolerance)
                if problem:
                    found.append(f"{kind} {way.__name__} {part.num_rows} rows: {problem}")
    return found


def serving(engine: Engine) -> Serving:
    """A server of one engine."""
    models = {engine.training.model: engine}
    return Serving(monotonic=time.monotonic, engines=models, expected=frozenset(models), started=True)


def compared(expected: tuple[Any, Any], answer: Any, tolerance: float) -> str:
    """What differs, empty when nothing does."""
    if answer.status_code != 200:
        return f"HTTP {answer.status_code} {answer.text[:300]}"
    outputs = {one["name"]: one for one in answer.json()["outputs"]}
    predicted = np.array(outputs["predict"]["data"])
    numbers = outputs.get("predict_proba")
    if expected[1] is not None and numbers is not None:
        gap = np.max(np.abs(np.reshape(numbers["data"], numbers["shape"]) - expected[1]))
        flips = int((predicted != expected[0]).sum())
        return "" if gap <= tolerance and not flips else f"{flips} labels, probabilities by {gap:.2e}"
    if predicted.dtype.kind == "f":
        scale = max(1.0, float(np.abs(expected[0]).max()))
        gap = float(np.max(np.abs(predicted - expected[0]))) / scale
        return "" if gap <= tolerance else f"numbers by {gap:.2e}"
    return "" if (predicted == expected[0]).all() else "labels"


def as_json(training: Training, engine: Engine, client: Client, table: Any) -> Any:
    """As the server's metadata asks, in JSON."""
    return post(training, client, [tensor(one, table) for one in asked(engine, client, training)])


def tensor(asks: tuple[str, str, ColumnSignature], table: Any) -> dict[str, Any]:
    """One input in JSON; null is missing."""
    name, datatype, _ = asks
    values = json_values(table[name])
    if datatype == "BYTES":
        values = [one if one is None or isinstance(one, str) else str(one) for one in values]
    return {"name": name, "datatype": datatype, "shape": [len(values)], "data": values}


def asked(engine: Engine, client: Client, training: Training) -> list[tuple[str, str, ColumnSignature]]:
    """(name, datatype, signature) of each input, from the metadata."""
    found = client.get(f"/v2/models/{training.model}").json()
    signed = {one.name: one for one in engine.signature.columns}
    return [(one["name"], one["datatype"], signed[one["name"]]) for one in found["inputs"]]


def as_text(training: Training, engine: Engine, client: Client, table: Any) -> Any:
    """Everything as text, missing as a spelling of it."""
    inputs = []
    for name, _, _ in asked(engine, client, training):
        words = [_word(one) for one in json_values(table[name])]
        inputs.append({"name": name, "datatype": "BYTES", "shape": [len(words)], "data": words})
    return post(training, client, inputs)


def _word(value: Any) -> str:
    return "NA" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def as_binary(training: Training, engine: Engine, client: Client, table: Any) -> Any:
    """As the metadata asks, in binary; numbers with missing ones as FP64 with NaN, text as an empty one."""
    inputs, tail = [], b""
    for name, datatype, _ in asked(engine, client, training):
        values = json_values(table[name])
        if datatype == "BYTES":
            words = [_word(one) if one is not None else "" for one in values]
            raw = b"".join(len(word.encode()).to_bytes(4, "little") + word.encode() for word in words)
        else:
            if any(one is None for one in values):
                datatype = "FP64"
            raw = np.array([np.nan if one is None else one for one in values], dtype=NUMPY[datatype]).tobytes()
        parameters = {"binary_data_size": len(raw)}
        inputs.append({"name": name, "datatype": datatype, "shape": [len(values)], "parameters": parameters})
        tail += raw
    head = json.dumps({"inputs": inputs}).encode()
    length = {"Inference-Header-Content-Length": str(len(head))}
    return client.post(f"/v2/models/{training.model}/infer", content=head + tail, headers=length)


def post(training: Training, client: Client, inputs: list[dict[str, Any]]) -> Any:
    """One request."""
    return client.post(f"/v2/models/{training.model}/infer", json={"inputs": inputs})


def plain_sklearn(made: Walked) -> str:
    """How far scikit-learn by hand, on the same rows and inputs, is from the artifact; empty when it is not."""
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.preprocessing import OrdinalEncoder

    kinds = {column.kind for column in made.training.columns}
    if not kinds <= {"numeric", "categorical"}:
        return ""
    train, test = (made.table.filter(pa.array(side)) for side in split_rows(made.spec, made.table))
    numeric = [place for place, one in enumerate(made.training.columns) if one.kind == "numeric"]
    words = [place for place, one in enumerate(made.training.columns) if one.kind == "categorical"]
    encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    prepare = ColumnTransformer([("n", "passthrough", numeric), ("c", encode, words)])
    rows = [
        np.array([_cells(one, side[one.name]) for one in made.training.columns], dtype=object).T
        for side in (train, test)
    ]
    x, x_test = prepare.fit_transform(rows[0]).astype(float), prepare.transform(rows[1]).astype(float)
    reference = load(made.folder, made.training)
    if made.training.classes is None:
        y = pc.cast(train[made.spec.data.target], pa.float64()).to_numpy()
        by_hand = HistGradientBoostingRegressor(random_state=0).fit(x, y).predict(x_test)
        gap = np.max(np.abs(by_hand - reference.predict(test))) / max(1.0, np.abs(by_hand).max())
    else:
        labels = np.array(pc.cast(train[made.spec.data.target], pa.string()).to_pylist())
        y = np.array([made.training.classes.index(one) for one in labels])
        by_hand = HistGradientBoostingClassifier(random_state=0).fit(x, y).predict_proba(x_test)
        gap = np.max(np.abs(by_hand - reference.probabilities(test)))
    return "" if gap <= 1e-9 else f"plain scikit-learn differs by {gap:.2e}"


def _cells(column: Any, values: Any) -> list[Any]:
    if column.kind == "categorical":
        return ["" if one is None else one for one in pc.cast(values, pa.string()).to_pylist()]
    return [np.nan if one is None or not np.isfinite(float(one)) else float(one) for one in values.to_pylist()]


if __name__ == "__main__":
    import sys
    import tempfile
    import traceback

    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for argument in sys.argv[1:]:
        name, _, column = argument.partition("=")
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            try:
                made = walked(Path(name), column, Path(folder))
                problems = [*differences(made), *filter(None, [plain_sklearn(made)])]
                onnx = made.training.onnx_detail if made.training.onnx != "passed" else "passed"
                outcome = "; ".join(problems) or f"ok: {made.training.task}, ONNX {onnx}"
            except Refused as error:
                outcome = f"REFUSED {error}"
            except Exception:
                outcome = "CRASH " + traceback.format_exc()[-1500:]
            print(f"{Path(name).name} -> {column}: {outcome} {time.perf_counter() - began:.1f}s", flush=True)
