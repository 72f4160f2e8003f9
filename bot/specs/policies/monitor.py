"""`monitor:` of an environment: where predictions and labels lie, how seldom to alarm, and what follows an alarm."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bot.specs.base import Spec, wrong
from bot.specs.policies.words import Duration, seconds

Follow = Literal["issue", "retraining_pull_request", "rollback_proposal"]
# `{model}` and `{environment}` are replaced; anything else in braces is a mistake.
Location = Annotated[str, Field(min_length=1, max_length=500)]
MONTH_S = 30 * 86_400


class Persistence(Spec):
    """How many windows in a row must look odd before it is an alarm; the false alarms stay the same."""

    needed: Annotated[int, Field(ge=1, le=30)]
    of: Annotated[int, Field(ge=1, le=30)]

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.needed > self.of:
            raise wrong("more windows are needed than there are", "Write {needed: 2, of: 3}, say.", key="needed")
        return self


class Monitor(Spec):
    """How a model that is live is watched."""

    predictions: Location
    """The log of `mlbot serve`: a file, a folder or a glob (relative to the repository), a path that DVC tracks, or an
    address that Arrow opens (`s3://bucket/log/{model}`). `{model}` and `{environment}` are replaced."""
    labels: Location | None = None
    """Tables with `_request_id` (and `_row`, for requests of several rows) and the target's column; like `predictions`.
    """
    server: Location | None = None
    """The `/metrics` page of `mlbot serve`, as a file or an address: latency and errors."""
    every: Duration = "1d"
    """How often it is judged, and the length of the window whose inputs are compared with the test rows."""
    labels_within: Duration = "30d"
    """Rows so old are still scored when their label comes."""
    false_alarms_per_month: Annotated[float, Field(gt=0, le=1000)] = 0.5
    """How many alarms a month you accept while nothing is wrong."""
    least_effect: Annotated[float, Field(ge=0, le=1)] = 0.02
    """A smaller difference is no drift however certain."""
    persistence: Persistence | None = None
    """Alarm when `needed` of the last `of` windows are odd; left out: one is enough."""
    least_rows: Annotated[int, Field(ge=0)] = 1
    """Fewer rows in a window are an alarm: the log broke off, or nobody calls the model."""
    most_errors: Annotated[float, Field(ge=0, le=1)] | None = None
    """Share of requests that may fail."""
    most_p99: Annotated[float, Field(gt=0)] | None = None
    """Seconds within which 99 % of requests must be answered."""
    on_alarm: tuple[Follow, ...] = ("issue",)
    """What follows an alarm; empty: nothing but the record."""
    budget_a_month: Annotated[int, Field(ge=0, le=1000)] = 6
    """Issues and pull requests of a model that may be opened in 30 days."""
    least_retraining_rows: Annotated[int, Field(ge=1)] = 200
    """Labelled rows that a retraining pull request needs."""

    @property
    def windows_per_month(self) -> float:
        """Windows in 30 days."""
        return MONTH_S / seconds(self.every)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if seconds(self.every) == 0:
            raise wrong("a window has a length", "Write 1d, say.", key="every")
        if self.false_alarms_per_month >= self.windows_per_month:
            hint = f"There are {self.windows_per_month:g} windows a month: allow fewer alarms."
            raise wrong("every window may alarm", hint, key="false_alarms_per_month")
        if len(set(self.on_alarm)) < len(self.on_alarm):
            raise wrong("an action is named twice", "Keep one of the two.", key="on_alarm")
        for key in ("predictions", "labels", "server"):
            _check_names(getattr(self, key), key)
        if "retraining_pull_request" in self.on_alarm and self.labels is None:
            hint = "Add `labels`: without what really happened there is nothing to train on."
            raise wrong("retraining needs labels", hint, key="on_alarm")
        return self

    def place(self, text: str, model: str, environment: str) -> str:
        """A location with its names filled in."""
        return text.replace("{model}", model).replace("{environment}", environment)


def _check_names(text: str | None, key: str) -> None:
    rest = (text or "").replace("{model}", "").replace("{environment}", "")
    if "{" in rest or "}" in rest:
        raise wrong(
            f"{text!r} has other names than {{model}} and {{environment}}", "Write the braces only there.", key=key
        )
