"""Requests that wait at the same moment are predicted together: scikit-learn's cost is a call, hardly a row.

Nothing waits for company: whoever is there when the predictor becomes free shares a call, so one caller alone loses
some microseconds, and eight at once are answered in little more than the time of one.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.serve.engine import Engine
from bot.serve.tensors import Column

# Turns of the event loop between the first request and the call, so that requests already received are parsed.
TURNS = 3


@dataclass
class Waiting:
    """One request. Its answer is (predictions, probabilities or None)."""

    columns: dict[str, Column]
    n: int
    answer: asyncio.Future[tuple[Any, Any]]


class Batcher:
    """Collects the requests of one engine."""

    def __init__(self, engine: Engine, max_rows: int) -> None:
        self.engine, self.max_rows = engine, max_rows
        self.queue: list[Waiting] = []
        self.is_scheduled = False

    async def predict(self, columns: dict[str, Column], n: int) -> tuple[Any, Any]:
        """What `Engine.predict` gives for these columns."""
        loop = asyncio.get_running_loop()
        waiting = Waiting(columns, n, loop.create_future())
        self.queue.append(waiting)
        if not self.is_scheduled:
            self.is_scheduled = True
            loop.call_soon(self._turn, TURNS)
        return await waiting.answer

    def _turn(self, left: int) -> None:
        if left:
            asyncio.get_running_loop().call_soon(self._turn, left - 1)
            return
        answer_all(self.engine, self._take())
        self.is_scheduled = bool(self.queue)
        if self.queue:
            asyncio.get_running_loop().call_soon(self._turn, TURNS)

    def _take(self) -> list[Waiting]:
        taken, rows = 0, 0
        for waiting in self.queue:
            if taken and rows + waiting.n > self.max_rows:
                break
            taken, rows = taken + 1, rows + waiting.n
        batch, self.queue = self.queue[:taken], self.queue[taken:]
        return [waiting for waiting in batch if not waiting.answer.done()]  # a caller who left waits no more


def answer_all(engine: Engine, batch: list[Waiting]) -> None:
    """One call for all; when it fails, a call each, so that one bad request spoils no other."""
    if len(batch) > 1:
        try:
            _share(batch, engine.predict(joined(batch)))
            return
        except Exception:  # whose request it is shows below
            batch = [waiting for waiting in batch if not waiting.answer.done()]
    for waiting in batch:
        try:
            waiting.answer.set_result(engine.predict(waiting.columns))
        except Exception as error:
            waiting.answer.set_exception(error)


def joined(batch: list[Waiting]) -> dict[str, Column]:
    """The requests' columns one after the other; names that not all of them have are left out (no model reads them)."""
    names = set(batch[0].columns).intersection(*(waiting.columns for waiting in batch[1:]))
    return {
        name: [value for waiting in batch for value in as_list(waiting.columns[name])]
        for name in batch[0].columns
        if name in names
    }


def as_list(column: Column) -> list[Any]:
    """A column as a list, without numbers of numpy's own types."""
    values: list[Any] = column.tolist() if isinstance(column, np.ndarray) else column
    return values


def _share(batch: list[Waiting], found: tuple[Any, Any]) -> None:
    predicted, probabilities = found
    at = 0
    for waiting in batch:
        end = at + waiting.n
        part = None if probabilities is None else probabilities[at:end]
        waiting.answer.set_result((predicted[at:end], part))
        at = end
