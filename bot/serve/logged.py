"""What is kept of a request for monitoring: inputs that are not sensitive, the answer, and what gave it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.records.log import AT, DIGEST, PREDICTED, PROBABILITY, REQUEST, ROW, VERSION
from bot.serve.engine import Engine
from bot.serve.protocol import Call
from bot.specs.values import as_column, json_values

Put = Callable[[str, int, int, Callable[[], dict[str, Any]]], None]


def columns(
    engine: Engine, call: Call, predicted: Any, probabilities: Any, request_id: str, at_us: int
) -> dict[str, Any]:
    """The rows of one request as columns; `at_us` is microseconds since 1970 UTC. Sensitive inputs are left out."""
    n = call.n
    found: dict[str, Any] = {
        REQUEST: [request_id] * n,
        ROW: list(range(n)),
        AT: [at_us] * n,
        VERSION: [engine.release.version] * n,
        DIGEST: [engine.release.artifact_digest] * n,
    }
    known = {column.name: column for column in engine.signature.columns}
    for name in engine.training.inputs:
        if name not in engine.sensitive:
            found[name] = json_values(as_column(call.columns[name], known[name], engine.signature.missing))
    found[PREDICTED] = predicted.tolist()
    if probabilities is not None:
        for index, label in enumerate(engine.training.classes or ()):
            found[f"{PROBABILITY}{label}"] = probabilities[:, index].tolist()
    return found


def logger(
    put: Put, *, sample: float, random: Callable[[], float], now_us: Callable[[], int], new_id: Callable[[], str]
) -> Callable[[Engine, Call, Any, Any], str | None]:
    """What the server calls after a prediction: keeps a share of the requests; the id that a kept one has, or None.

    The columns are made later, on the thread that writes them.
    """

    def log(engine: Engine, call: Call, predicted: Any, probabilities: Any) -> str | None:
        if sample < 1.0 and random() >= sample:
            return None
        request_id, at = new_id(), now_us()  # a caller's id can be sent before by somebody else
        put(
            engine.release.model,
            call.n,
            call.size,
            lambda: columns(engine, call, predicted, probabilities, request_id, at),
        )
        return request_id

    return log
