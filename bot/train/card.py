"""A Training (and its Evaluation, once there is one) -> the model card README.md, with Hugging Face front matter."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from bot.records.evaluation import Evaluation, Metric, SliceResult
from bot.records.numbers import decimals, number, with_unit
from bot.records.training import Training
from bot.specs.model import ModelSpec


def card(spec: ModelSpec, training: Training, evaluation: Evaluation | None = None) -> str:
    """Markdown. Text of the spec is escaped, so that it can add neither markup nor front matter."""
    from jinja2 import Environment, StrictUndefined

    # The output is Markdown: every value goes through one of the filters below.
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True)  # noqa: S701
    environment.filters.update(quote=_quote, text=_text, code=_code, shown=_shown, bounds=_bounds)
    return environment.from_string(files("bot.train").joinpath("card.md.j2").read_text()).render(
        spec=spec,
        training=training,
        evaluation=evaluation,
        parameters=json.dumps(training.parameters, sort_keys=True),
        pipeline_tag="tabular-regression" if training.task == "regression" else "tabular-classification",
    )


def _shown(metric: Metric | SliceResult) -> str:
    """The value as the report shows it; empty when there is none."""
    if metric.value is None:
        return ""
    return with_unit(number(metric.value, decimals(metric.low, metric.high, metric.value)), getattr(metric, "unit", ""))


def _bounds(metric: Metric | SliceResult) -> str:
    """The interval as the report shows it; empty when none is defined."""
    if metric.value is None or metric.low is None or metric.high is None:
        return ""
    digits = decimals(metric.low, metric.high, metric.value)
    return f"{number(metric.low, digits)} to {number(metric.high, digits)}"


def _quote(value: Any) -> str:
    return json.dumps(str(value))


def _code(value: Any) -> str:
    return str(value).replace("`", "'").replace("|", "\\|").replace("\n", " ")


def _text(value: Any) -> str:
    escaped = "".join(f"\\{c}" if c in "\\`*_[]<>|#@" else c for c in str(value))
    return " ".join(escaped.split())
