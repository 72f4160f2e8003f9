"""Requests that wait at the same moment share a call, and nobody notices."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot.errors import UserError
from bot.serve.batching import Batcher
from bot.serve.engine import Engine


def rows(age: Any, n: int = 1, **more: Any) -> dict[str, Any]:
    """Columns of n equal rows."""
    return {"age": [age] * n, "income": [20000.5] * n, "country": ["DE"] * n, **more}


class Counting:
    """Counts the calls of a predictor."""

    def __init__(self, predictor: Any) -> None:
        self.predictor, self.calls = predictor, 0
        self.inputs, self.classes = predictor.inputs, predictor.classes

    def probabilities(self, table: Any) -> Any:
        self.calls += 1
        return self.predictor.probabilities(table)

    def predict(self, table: Any) -> Any:
        self.calls += 1
        return self.predictor.predict(table)


def together(engine: Engine, requests: list[dict[str, Any]], max_rows: int = 256) -> tuple[list[Any], int]:
    """Answers (or errors) of requests that arrive at once, and how many calls they took."""
    counting = Counting(engine.predictor)
    batcher = Batcher(replace(engine, predictor=counting), max_rows)

    async def ask() -> list[Any]:
        asked = [batcher.predict(one, len(one["age"])) for one in requests]
        return await asyncio.gather(*asked, return_exceptions=True)

    return asyncio.run(ask()), counting.calls


def test_everybody_gets_their_own_rows(engines: dict[str, Engine]) -> None:
    """Eight requests of different sizes take one call, and each answer is that of the request alone."""
    engine = engines["churn"]
    requests = [rows(20 + 7 * number, n=1 + number % 3) for number in range(8)]
    answers, calls = together(engine, requests)
    assert calls == 1
    for request, (predicted, probabilities) in zip(requests, answers, strict=True):
        alone = engine.predict(request)
        assert predicted.tolist() == alone[0].tolist()
        assert probabilities.ravel().tolist() == pytest.approx(alone[1].ravel().tolist(), abs=1e-12)


def test_one_bad_request_spoils_no_other(engines: dict[str, Engine]) -> None:
    """A value of a wrong type is refused to the one who sent it; the others are answered."""
    answers, _ = together(engines["churn"], [rows(30), rows("old"), rows(None), rows(50, extra=["x"])])
    assert [isinstance(one, UserError) or type(one).__name__ for one in answers] == ["tuple", True, "tuple", "tuple"]


def test_a_call_stays_below_its_bound(engines: dict[str, Engine]) -> None:
    """Many rows are spread over several calls."""
    answers, calls = together(engines["churn"], [rows(30, n=4) for _ in range(5)], max_rows=10)
    assert calls == 3
    assert all(len(predicted) == 4 for predicted, _ in answers)


def test_a_caller_who_leaves_is_forgotten(engines: dict[str, Engine]) -> None:
    """A cancelled request neither fails nor delays the others."""
    batcher = Batcher(engines["churn"], 256)

    async def ask() -> Any:
        leaving = asyncio.create_task(batcher.predict(rows(30), 1))
        staying = asyncio.create_task(batcher.predict(rows(40), 1))
        await asyncio.sleep(0)
        leaving.cancel()
        return await staying

    predicted, _ = asyncio.run(ask())
    assert len(predicted) == 1
