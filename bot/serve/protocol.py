"""Open Inference Protocol v2: request body -> columns, predictions -> response.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from bot.errors import UserError
from bot.records.training import TableSignature, Training
from bot.serve.tensors import DTYPES, Column, column_of, split_matrix, take_binary

HEADER_LENGTH = "inference-header-content-length"
MAX_ID = 128  # characters of a caller's own id, which the answer and the log repeat
MAX_NAME = 200  # as the name of a column in a spec
MAX_DIGITS = 15  # of a length
PREDICT, PROBABILITIES = "predict", "predict_proba"


class RequestError(UserError):
    """A request that is not answered; `status` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Call:
    """A request as words. `id` None means that the caller gave none; `binary` names outputs wanted as bytes, `size` is
    that of the body.
    """

    id: str | None
    columns: dict[str, Column]
    n: int
    outputs: tuple[str, ...]
    binary: frozenset[str]
    size: int = 0


def read_call(body: bytes, training: Training, header_length: str | None, *, max_rows: int) -> Call:
    """The columns of an inference request. Raises RequestError (400 or 413) saying what is wrong with it."""
    head, tail = _parts(body, header_length)
    try:
        request = orjson.loads(head)
    except orjson.JSONDecodeError as error:
        raise RequestError(400, f"the body is not JSON: {error}") from None
    if not isinstance(request, dict) or not isinstance(request.get("inputs"), list) or not request["inputs"]:
        raise RequestError(400, "the body needs `inputs`, a list of tensors")
    columns: dict[str, Column] = {}
    n = -1
    for tensor in request["inputs"]:
        tail = _add(columns, tensor, tail, training)
    for name, column in columns.items():
        n = len(column) if n < 0 else n
        if len(column) != n:
            raise RequestError(400, f"the tensor {name!r} has {len(column)} rows, others have {n}")
    if tail:
        raise RequestError(400, f"{len(tail)} bytes of binary data belong to no tensor")
    if n == 0:
        raise RequestError(400, "there are no rows")
    if n > max_rows:
        raise RequestError(413, f"{n} rows are more than {max_rows} in one request")
    missing = [name for name in training.inputs if name not in columns]
    if missing:
        raise RequestError(400, f"missing inputs: {', '.join(missing)}; the model reads {', '.join(training.inputs)}")
    identity = request.get("id")
    if identity is not None and not (isinstance(identity, str) and len(identity) <= MAX_ID):
        raise RequestError(400, f"`id` must be text of at most {MAX_ID} characters")
    return Call(identity, columns, max(n, 0), *_wanted(request, training), len(body))


def _parts(body: bytes, header_length: str | None) -> tuple[bytes, memoryview]:
    if header_length is None:
        return body, memoryview(b"")
    is_length = header_length.isdecimal() and header_length.isascii() and len(header_length) <= MAX_DIGITS
    if not is_length or int(header_length) > len(body):
        raise RequestError(400, f"{HEADER_LENGTH}: {header_length[:20]!r} is not a length of this body")
    cut = int(header_length)
    return body[:cut], memoryview(body)[cut:]


def _add(columns: dict[str, Column], tensor: Any, tail: memoryview, training: Training) -> memoryview:
    if not isinstance(tensor, dict) or not isinstance(tensor.get("name"), str):
        raise RequestError(400, "every tensor needs a `name`")
    name, kind = tensor["name"], tensor.get("datatype")
    if len(name) > MAX_NAME:
        raise RequestError(400, f"the name of a tensor has at most {MAX_NAME} characters")
    if name in columns:
        raise RequestError(400, f"the tensor {name!r} is there twice")
    shape: Any = tensor.get("shape")
    if not isinstance(kind, str) or (kind not in DTYPES and kind != "BYTES"):
        raise RequestError(
            400, f"the tensor {name!r}: unknown datatype {_short(kind)}; known: {', '.join([*DTYPES, 'BYTES'])}"
        )
    if not _is_shape(shape):
        raise RequestError(400, f"the tensor {name!r}: `shape` must be one or two numbers, such as [1] or [1, 1]")
    try:
        parameters = _parameters(tensor)
        if "binary_data_size" in parameters:
            values, tail = take_binary(tail, parameters["binary_data_size"], kind, shape)
        else:
            values = column_of(tensor.get("data"), kind, shape)
        if len(shape) == 2 and shape[1] != 1:
            columns.update(split_matrix(values, shape, training.inputs))
        else:
            columns[name] = values
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise RequestError(400, f"the tensor {name!r}: {error}") from None
    return tail


def _is_shape(shape: Any) -> bool:
    return isinstance(shape, list) and len(shape) in (1, 2) and all(type(size) is int and size >= 0 for size in shape)


def _wanted(request: Mapping[str, Any], training: Training) -> tuple[tuple[str, ...], frozenset[str]]:
    known = output_names(training)
    every = bool(_parameters(request).get("binary_data_output", False))
    asked = request.get("outputs")
    if asked is None:
        return known, frozenset(known if every else ())
    names, binary = [], set()
    for output in asked if isinstance(asked, list) else [None]:
        name = output.get("name") if isinstance(output, dict) else None
        if not isinstance(output, dict) or not isinstance(name, str) or name not in known:
            raise RequestError(400, f"unknown output {_short(name)}; the model gives {', '.join(known)}")
        if name in names:
            raise RequestError(400, f"the output {name!r} is asked for twice")
        names.append(name)
        if _parameters(output).get("binary_data", every):
            binary.add(name)
    return tuple(names), frozenset(binary)


def _short(word: Any) -> str:
    """A caller's own word in an answer, cut."""
    return repr(word)[:80]


def _parameters(of: Mapping[str, Any]) -> Mapping[str, Any]:
    found = of.get("parameters")
    if found is not None and not isinstance(found, dict):
        raise RequestError(400, "`parameters` must be an object")
    return found or {}


def output_names(training: Training) -> tuple[str, ...]:
    """What the model can answer."""
    return (PREDICT,) if training.classes is None else (PREDICT, PROBABILITIES)


def response_head(model: str, version: str, identity: str | None) -> dict[str, Any]:
    """The part of a response that does not depend on the predictions."""
    head: dict[str, Any] = {"model_name": model, "model_version": version}
    if identity is not None:
        head["id"] = identity
    return head


def output_tensors(call: Call, predicted: Any, probabilities: Any) -> tuple[list[dict[str, Any]], list[bytes]]:
    """The wanted outputs as tensors, and the bytes of those wanted as binary, in the same order."""
    values = {PREDICT: predicted, PROBABILITIES: probabilities}
    tensors: list[dict[str, Any]] = []
    tail: list[bytes] = []
    for name in call.outputs:
        array = values[name]
        if array is None:
            continue
        tensor: dict[str, Any] = {"name": name, "shape": list(array.shape), "datatype": _datatype(array)}
        if name in call.binary:
            tail.append(_raw(array))
            tensor["parameters"] = {"binary_data_size": len(tail[-1])}
        else:
            tensor["data"] = array.ravel().tolist()
        tensors.append(tensor)
    return tensors, tail


def _datatype(array: Any) -> str:
    return "FP64" if array.dtype.kind == "f" else "BYTES"


def _raw(array: Any) -> bytes:
    if array.dtype.kind == "f":
        return bytes(np.ascontiguousarray(array, dtype="<f8").tobytes())
    texts = [str(text).encode() for text in array.ravel()]
    return b"".join(len(text).to_bytes(4, "little") + text for text in texts)


def metadata(
    training: Training, signature: TableSignature, version: str, versions: Sequence[str], digest: str
) -> dict[str, Any]:
    """A model's metadata: version and digest say exactly which bytes answer, `signature` what each input holds."""
    known = {column.name: column for column in signature.columns}
    inputs = [{"name": name, "datatype": known[name].datatype, "shape": [-1]} for name in training.inputs]
    outputs: list[dict[str, Any]] = [
        {"name": PREDICT, "datatype": "FP64" if training.classes is None else "BYTES", "shape": [-1]}
    ]
    if training.classes is not None:
        outputs.append({"name": PROBABILITIES, "datatype": "FP64", "shape": [-1, len(training.classes)]})
    return {
        "name": training.model,
        "versions": list(versions),
        "platform": "mlbot",
        "inputs": inputs,
        "outputs": outputs,
        "parameters": {
            "version": version,
            "artifact_digest": digest,
            "classes": list(training.classes or ()),
            "signature": signature.model_dump(mode="json", exclude_none=True),
        },
    }
