"""The names that a spec may ask for are the metrics that there are."""

from bot.evaluate.metrics import ALIASES as THERE_ALIASES
from bot.evaluate.metrics import METRICS as THERE
from bot.specs.metrics import ALIASES, METRICS, is_metric


def test_the_two_lists_are_one():
    there = {name: set(metric.tasks) for name, metric in THERE.items()}
    there.pop("pinball", None)
    assert {name: set(tasks) for name, tasks in METRICS.items()} == there
    assert ALIASES == THERE_ALIASES


def test_a_quantile_loss_is_named_by_its_quantile():
    assert is_metric("pinball_0.9", "regression")
    assert not is_metric("pinball_0.9", "binary")
    assert not is_metric("pinball_9", "regression")
    assert is_metric("neg_log_loss", "binary")
