"""The protocol as a caller sees it."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import replace
from typing import Any

import numpy as np
import orjson
import pytest

from bot.serve.app import build
from bot.serve.serving import Limits, Serving
from tests.serve.asgi import Client

ROWS: dict[str, Any] = {
    "id": "42",
    "inputs": [
        {"name": "age", "shape": [2], "datatype": "FP64", "data": [30, None]},
        {"name": "income", "shape": [2, 1], "datatype": "FP32", "data": [[20000.5], [31000]]},
        {"name": "country", "shape": [2], "datatype": "BYTES", "data": ["DE", "never seen"]},
    ],
}


def test_prediction_by_named_columns(client: Client) -> None:
    """One tensor a column, with text and missing values; the answer names version and digest and echoes the id."""
    answer = client.post("/v2/models/churn/infer", json=ROWS).json()
    assert (answer["model_name"], answer["model_version"], answer["id"]) == ("churn", "v1.0.0", "42")
    assert answer["parameters"]["artifact_digest"].startswith("sha256:")
    labels, probabilities = answer["outputs"]
    assert (labels["name"], labels["datatype"], labels["shape"]) == ("predict", "BYTES", [2])
    assert set(labels["data"]) <= {"no", "yes"}
    assert (probabilities["name"], probabilities["shape"]) == ("predict_proba", [2, 2])
    assert sum(probabilities["data"]) == pytest.approx(2.0)


def test_onnx_answers_like_skops(client: Client) -> None:
    """Whatever engine answers, the probabilities agree to 1e-4."""
    one = client.post("/v2/models/churn/infer", json=ROWS).json()["outputs"]
    two = client.post("/v2/models/churn-onnx/infer", json=ROWS).json()["outputs"]
    assert one[0]["data"] == two[0]["data"]
    assert one[1]["data"] == pytest.approx(two[1]["data"], abs=1e-4)


def test_regression_gives_numbers(client: Client) -> None:
    """A regression has one output of numbers."""
    outputs = client.post("/v2/models/price/infer", json=ROWS).json()["outputs"]
    assert [(one["name"], one["datatype"]) for one in outputs] == [("predict", "FP64")]


def test_binary_tensors_answer_the_same(client: Client) -> None:
    """The binary tensor extension: raw inputs, raw outputs, the same numbers."""
    texts = b"".join(struct.pack("<I", len(word)) + word for word in (b"DE", b"never seen"))
    raw = [np.array([30, np.nan], "<f8").tobytes(), np.array([20000.5, 31000], "<f4").tobytes(), texts]
    inputs = [
        {
            **{key: tensor[key] for key in ("name", "datatype")},
            "shape": [2],
            "parameters": {"binary_data_size": len(data)},
        }
        for tensor, data in zip(ROWS["inputs"], raw, strict=True)
    ]
    head = orjson.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}})
    answer = client.post(
        "/v2/models/churn/infer", content=head + b"".join(raw),
        headers={"Inference-Header-Content-Length": str(len(head))},
    )  # fmt: skip
    cut = int(answer.headers["inference-header-content-length"])
    outputs = orjson.loads(answer.content[:cut])["outputs"]
    expected = client.post("/v2/models/churn/infer", json=ROWS).json()["outputs"]
    sizes = [one["parameters"]["binary_data_size"] for one in outputs]
    probabilities = np.frombuffer(answer.content[cut + sizes[0] : cut + sum(sizes)], "<f8")
    assert probabilities.tolist() == expected[1]["data"]
    first = struct.unpack("<I", answer.content[cut : cut + 4])[0]
    assert answer.content[cut + 4 : cut + 4 + first].decode() == expected[0]["data"][0]


@pytest.mark.parametrize("version", ["", "/versions/v1.0.0"])
def test_metadata_and_readiness(client: Client, version: str) -> None:
    """Metadata lists inputs, outputs, version and digest, with or without the version in the path."""
    found = client.get(f"/v2/models/churn{version}").json()
    assert found["versions"] == ["v1.0.0"]
    assert found["parameters"]["artifact_digest"].startswith("sha256:")
    assert [(one["name"], one["datatype"]) for one in found["inputs"]] == [
        ("age", "FP64"), ("income", "FP64"), ("country", "BYTES"),
    ]  # fmt: skip
    assert client.get(f"/v2/models/churn{version}/ready").status_code == 200
    assert client.get("/v2/health/live").status_code == 200
    assert client.get("/v2/health/ready").json() == {"ready": True}


def tensor(name: str = "age", **changes: Any) -> dict[str, Any]:
    """One tensor of one row."""
    return {"name": name, "shape": [1], "datatype": "FP64", "data": [1.0], **changes}


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        ("churn", b"{", 400, "not JSON"),
        ("churn", b"[]", 400, "`inputs`"),
        ("churn", b'{"inputs": []}', 400, "`inputs`"),
        ("churn", b'{"inputs": [1]}', 400, "`name`"),
        ("churn", {"inputs": [tensor()]}, 400, "missing inputs: income, country"),
        ("churn", {"inputs": [tensor(datatype="FP8")]}, 400, "unknown datatype 'FP8'"),
        ("churn", {"inputs": [tensor(shape=[2])]}, 400, "1 values do not fill the shape [2]"),
        ("churn", {"inputs": [tensor(shape=[-1])]}, 400, "`shape`"),
        ("churn", {"inputs": [tensor(shape=None)]}, 400, "`shape`"),
        ("churn", {"inputs": [tensor(shape=[1, 2, 3])]}, 400, "`shape`"),
        ("churn", {"inputs": [tensor(data=["x"])]}, 400, "FP64 holds a str"),
        ("churn", {"inputs": [tensor(data=[[[1]]])]}, 400, "FP64 holds a list"),
        ("churn", {"inputs": [tensor(data=None)]}, 400, "`data` must be a list"),
        ("churn", {"inputs": [tensor(), tensor("income", shape=[2], data=[1, 2])]}, 400, "others have"),
        ("churn", {"inputs": [tensor(shape=[1, 2], data=[1, 2])]}, 400, "2 columns, but the model reads 3"),
        ("churn", {**ROWS, "id": 7}, 400, "`id`"),
        ("churn", {**ROWS, "outputs": [{"name": "explain"}]}, 400, "unknown output 'explain'"),
        ("churn", {**ROWS, "outputs": 3}, 400, "unknown output None"),
        ("nobody", ROWS, 404, "there is no model 'nobody'"),
        ("churn/versions/v9.0.0", ROWS, 404, "v1.0.0 is"),
    ],
)  # fmt: skip
def test_bad_requests_are_told_what_is_wrong(client: Client, path: str, body: Any, status: int, says: str) -> None:
    """A wrong request gets 4xx and a sentence, never a traceback."""
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    answer = client.post(f"/v2/models/{path}/infer", content=content)
    assert (answer.status_code, says in answer.json()["error"]) == (status, True), answer.json()


def test_wrong_kind_of_values_is_a_bad_request_in_both_engines(client: Client) -> None:
    """Text where numbers are read is refused with the column's name."""
    rows = {
        "inputs": [
            tensor("age", datatype="BYTES", data=["old"]),
            tensor("income"),
            tensor("country", datatype="BYTES", data=["DE"]),
        ]
    }
    for model in ("churn", "churn-onnx"):
        answer = client.post(f"/v2/models/{model}/infer", json=rows)
        assert answer.status_code == 400
        assert "'age'" in answer.json()["error"]


def test_no_request_is_answered_with_what_is_no_number(client: Client) -> None:
    """Numbers too large for the model's arithmetic: a finite answer or a refusal, never NaN as a probability."""
    rows = {
        "inputs": [
            tensor(data=[1e300]),
            tensor("income", data=[-1e300]),
            ROWS["inputs"][2] | {"shape": [1], "data": ["DE"]},
        ]
    }
    statuses = set()
    for model in ("churn", "churn-onnx", "price"):
        answer = client.post(f"/v2/models/{model}/infer", json=rows)
        statuses.add(answer.status_code)
        if answer.status_code == 200:
            assert all(type(value) is float for value in answer.json()["outputs"][-1]["data"])
        else:
            said = answer.json()["error"]
            assert answer.status_code == 400
            assert "no finite answer" in said or "a number is beyond" in said
    assert 400 in statuses


def test_limits(serving: Serving) -> None:
    """A body or a number of rows beyond the limit is refused with 413."""
    serving.limits = Limits(body_bytes=300, rows=1)
    client = Client(build(serving))
    assert client.post("/v2/models/churn/infer", content=b"x" * 301).status_code == 413
    serving.limits = Limits(rows=1)
    assert client.post("/v2/models/churn/infer", json=ROWS).status_code == 413
    serving.limits = Limits(concurrency=0)
    assert client.post("/v2/models/churn/infer", json=ROWS).status_code == 503


def test_token(serving: Serving) -> None:
    """With a token, everything but health asks for it."""
    serving.token_digest = hashlib.sha256(b"a secret").hexdigest()
    client = Client(build(serving))
    for ask in (
        lambda **extra: client.post("/v2/models/churn/infer", json=ROWS, **extra),
        lambda **extra: client.get("/v2/models/churn", **extra),
        lambda **extra: client.get("/metrics", **extra),
    ):
        assert ask().status_code == 401
        assert ask(headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert ask(headers={"Authorization": "Bearer a secret"}).status_code == 200
    assert client.get("/v2/health/live").status_code == 200


def test_large_requests_leave_the_event_loop(serving: Serving) -> None:
    """A request of many rows answers the same from a thread."""
    client = Client(build(serving))
    inline = client.post("/v2/models/churn/infer", json=ROWS).json()
    serving.limits = Limits(inline_rows=1)
    assert client.post("/v2/models/churn/infer", json=ROWS).json() == inline


def test_metrics_count_what_was_served(client: Client) -> None:
    """Prometheus finds requests by status and version, rows, latencies and the live digest."""
    client.post("/v2/models/churn/infer", json=ROWS)
    client.post("/v2/models/churn/infer", content=b"{")
    client.post("/v2/models/nobody/infer", content=b"{")
    text = client.get("/metrics").text
    assert 'mlbot_requests_total{model="churn",version="v1.0.0",status="200"} 1' in text
    assert 'mlbot_requests_total{model="churn",version="v1.0.0",status="400"} 1' in text
    assert 'mlbot_requests_total{model="",version="",status="404"} 1' in text
    assert 'mlbot_rows_total{model="churn"} 2' in text
    assert 'mlbot_request_seconds_bucket{model="churn",le="+Inf"} 2' in text
    assert 'mlbot_model_info{model="churn",version="v1.0.0"' in text


def test_a_model_that_fails_answers_500_and_keeps_serving(serving: Serving) -> None:
    """An exception inside a pipeline is an answer for its caller, told to the operator, and no end of the server."""

    class Failing:
        inputs, classes = ("age", "income", "country"), ("no", "yes")

        def probabilities(self, table: Any) -> Any:
            raise ZeroDivisionError("inside")

        predict = probabilities

    told: list[Exception] = []
    serving.failed = told.append
    serving.engines = {**serving.engines, "churn": replace(serving.engines["churn"], predictor=Failing())}
    client = Client(build(serving))
    answer = client.post("/v2/models/churn/infer", json=ROWS)
    assert (answer.status_code, answer.json()) == (500, {"error": "the model failed on this request"})
    assert isinstance(told[0], ZeroDivisionError)
    assert client.post("/v2/models/churn-onnx/infer", json=ROWS).status_code == 200
