"""What the caller of the stage lends it, since a stage builds no adapter and knows no other stage's metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bot.monitor.inputs import Known
from bot.monitor.measured import Measured, Paired
from bot.records.evaluation import Evaluation
from bot.records.release import Release
from bot.records.training import Training
from bot.specs.contract import Contract
from bot.specs.model import ModelSpec


class Location(Protocol):
    """Tables at a place. `broken` names files that could not be read to their end."""

    broken: dict[str, str]

    def batches(self, since: datetime | None = None) -> Iterable[Any]:
        """Record batches; files that hold nothing from `since` on may be passed over."""


Answer = Callable[[Any], Any]


@dataclass(frozen=True)
class Reference:
    """What is known of a release.

    `table`: its test rows with inputs, target and its own answers in the log's columns. `types`: Arrow type of each
    logged input in training. `categories`: the known values of each text input. `answer` appends the artifact's answers
    to a table of inputs. `golden`: why the golden predictions are not reproduced, empty when they are. `spec` is what
    the release was trained from.
    """

    training: Training
    evaluation: Evaluation
    contract: Contract | None
    table: Any
    types: Mapping[str, Any]
    categories: Mapping[str, Known]
    answer: Answer
    golden: str = ""
    spec: ModelSpec | None = None


@dataclass(frozen=True)
class Lent:
    """What a stage cannot build: tables at a place, a release's test rows and answers, its metric, a server's page."""

    tables: Callable[[str], Location]
    reference: Callable[[Release], Reference]
    answer: Callable[[Release], Answer]
    measure: Callable[[Reference, Any], Measured | None]
    compare: Callable[[Reference, Any, Any], Paired | None]
    page: Callable[[str], str | None]
