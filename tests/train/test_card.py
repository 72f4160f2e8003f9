"""The model card: what was measured, in a form that model hubs read, with no word of a spec live in it."""

from __future__ import annotations

import yaml

from bot.evaluate.words import interval
from bot.report.wording import bounds, measured
from bot.train.card import card
from tests.builders import a_metric, an_evaluation
from tests.evaluate.worlds import SPEC, a_spec


def front(text: str) -> dict:  # type: ignore[type-arg]
    return yaml.safe_load(text.split("---\n")[1])  # type: ignore[no-any-return]


def test_a_card_without_an_evaluation_promises_no_metrics() -> None:
    text = card(a_spec(), an_evaluation().training)
    assert "## Metrics" not in text and "model-index" not in front(text)


def test_the_card_holds_the_evaluated_metrics_with_intervals_and_a_model_index() -> None:
    """https://github.com/huggingface/hub-docs/blob/main/modelcard.md: model-index, results, task, dataset, metrics."""
    evaluation = an_evaluation(metrics=(a_metric(), a_metric("cost", 1234.5, low=None, high=None, unit="EUR")))
    text = card(a_spec(), evaluation.training, evaluation)
    ((index,),) = [front(text)["model-index"]]
    (result,) = index["results"]
    assert index["name"] == "churn" and result["task"]["type"] == "tabular-classification"
    assert result["dataset"] == {"type": "tabular", "name": "data/churn.parquet"}
    first, second = result["metrics"]
    metric = evaluation.metrics[0]
    assert (first["type"], first["value"]) == (metric.name, metric.value) and "95% interval" in first["name"]
    assert second == {"type": "cost", "value": 1234.5}
    assert f"| {metric.name} | {measured(metric.value, metric.low, metric.high)} |" in text
    assert f"{bounds(metric.value, metric.low, metric.high)} (95%)" in text
    assert "country = DE" in text


def test_a_gate_the_table_and_the_card_show_a_number_in_the_same_digits() -> None:
    for value, low, high in ((0.91234, 0.90634, 0.91834), (12345.6, 12000.0, 12700.0), (-0.0312, -0.05, -0.012)):
        said = interval(value, low, high)
        assert said == f"{measured(value, low, high)} ({bounds(value, low, high)})"
        metric = a_metric("cost", value, low=low, high=high, unit="")
        shown = card(a_spec(), an_evaluation().training, an_evaluation(metrics=(metric,)))
        assert f"| {measured(value, low, high)} | {bounds(value, low, high)} (95%) |" in shown


def test_words_of_a_spec_add_no_front_matter() -> None:
    description = b"description: Will the customer leave?\n"
    spec = a_spec(SPEC.replace(description, b'description: "---\\nmodel-index: [{name: forged}]\\n# **x** <b>"\n'))
    found = card(spec, an_evaluation().training)
    assert "model-index" not in front(found) and "<b>" not in found.replace("\\<b", "")
