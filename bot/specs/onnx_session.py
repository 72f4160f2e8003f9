"""The bytes of `model.onnx` -> an onnxruntime session, the only way to one: listed operators, all data inside the file.

An ONNX file may name files beside it that hold its weights, bring functions of its own, and use whatever operators a
runtime knows, among them loops. None of that is in what `mlbot train` exports, so that a file with it is refused before
onnxruntime sees it, in every session: training's own comparison, the predictor, the server and the probe.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.errors import UserError

# Operators on tensors, as skl2onnx 1.20 makes them of what we train; tests/adversary/test_onnx.py holds the list to
# that. No control flow, so that a run ends and nothing is hidden in an inner graph; nothing of one runtime alone. An
# export that needs another operator is no failure of the training: then there is no ONNX file, and the record says why.
_TENSOR = """
Abs Add And ArgMax ArgMin Cast Ceil Clip Compress Concat Constant ConstantOfShape CumSum Div Einsum Equal Erf Exp Expand
Flatten Floor Gather GatherElements Gemm Greater GreaterOrEqual Identity IsNaN Less LessOrEqual Log MatMul Max Min Mul
Neg Not Or Pow Reciprocal ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu
Reshape Round Shape Sigmoid Sign Slice Softmax Softplus Split Sqrt Squeeze Sub Sum Tanh Tile TopK Transpose Unsqueeze
Where
"""
_LEARNT = """
ArrayFeatureExtractor Binarizer Imputer LabelEncoder LinearClassifier LinearRegressor Normalizer OneHotEncoder
SVMClassifier SVMRegressor Scaler TreeEnsembleClassifier TreeEnsembleRegressor
"""
OPERATORS = {"": frozenset(_TENSOR.split()), "ai.onnx.ml": frozenset(_LEARNT.split())}
MAX_NODES = 100_000


def checked_model(data: bytes) -> bytes:
    """The model that was looked at, written anew: what a runtime might find in the bytes beside it is not in there.

    Raises UserError: code `onnx_refused` for what no training exports, `artifact_invalid` for what is no ONNX.
    """
    import onnx

    try:
        model = onnx.load_model_from_string(data)
    except Exception as error:  # protobuf's errors share no base class with others
        raise UserError(f"model.onnx cannot be read: {type(error).__name__}", code="artifact_invalid") from None
    if model.functions or model.training_info:
        raise _refused("functions of its own")
    if any(one.domain not in OPERATORS for one in model.opset_import):
        raise _refused("operators of another domain")
    if len(model.graph.node) > MAX_NODES:
        raise _refused(f"{len(model.graph.node)} operators")
    for node in model.graph.node:
        if node.op_type not in OPERATORS.get(node.domain, ()):
            raise _refused(f"the operator {_word(node.op_type)}")
        if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
            raise _refused("a graph inside another")
    if any(tensor.external_data or tensor.data_location != tensor.DEFAULT for tensor in _tensors(model.graph)):
        raise _refused("data outside of it")
    model.DiscardUnknownFields()
    checked: bytes = model.SerializeToString(deterministic=True)
    return checked


def session(data: bytes, threads: int) -> Any:
    """An onnxruntime.InferenceSession of a checked file. Raises UserError (codes as `checked_model`)."""
    import onnxruntime

    checked = checked_model(data)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    # Should the check have missed a file's name, there is no such folder.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", "/nonexistent")
    try:
        return onnxruntime.InferenceSession(checked, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no base class
        raise UserError(f"model.onnx cannot be loaded: {type(error).__name__}", code="artifact_invalid") from None


def _refused(what: str) -> UserError:
    hint = "Only artifacts that `mlbot train` wrote are loaded."
    return UserError(f"model.onnx: refused, since it has {what}", hint=hint, code="onnx_refused")


def _word(name: str) -> str:
    return name[:60] if name.isascii() and name.isalnum() else "(unreadable)"


def _tensors(graph: Any) -> Iterator[Any]:
    """Everything in a graph that holds numbers, and could say that they are elsewhere."""
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for attribute in (attribute for node in graph.node for attribute in node.attribute):
        yield from (attribute.t, *attribute.tensors)
        for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
            yield from (sparse.values, sparse.indices)
