"""Everything that the report may show, gathered before anything is rendered: one record for every format."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bot.records.base import Part, Record
from bot.records.decision import Decision
from bot.records.evaluation import Evaluation
from bot.records.failure import Failure
from bot.records.plan import Plan


class RunFacts(Part):
    """The workflow run that measured. `url` is its page, `page_url` the HTML report; None where there is none."""

    id: int
    attempt: int = 1
    url: str | None = None
    page_url: str | None = None


class Report(Record):
    """What is known about one head of a pull request, by model name.

    `plan` is None when only evaluations are at hand (`mlbot report FILE`). A model that is planned, and neither
    evaluated nor failed, is still running. `reused` names the models whose evaluation was measured earlier for the same
    inputs. `decision` is None before the first verdict.
    """

    schema_version: Literal[1] = 1
    number: int | None = None
    plan: Plan | None = None
    evaluations: dict[str, Evaluation] = Field(default_factory=dict)
    failures: dict[str, Failure] = Field(default_factory=dict)
    reused: tuple[str, ...] = ()
    decision: Decision | None = None
    evaluation_id: str | None = None
    run: RunFacts | None = None
