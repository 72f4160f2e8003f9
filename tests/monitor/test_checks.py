"""Checks of single windows alarm no more often by chance than their share of the false alarms."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from bot.monitor.inputs import Known, is_beyond, unseen

LEVEL = 0.001


def known(values: np.ndarray) -> Known:
    names, counts = np.unique(values, return_counts=True)
    return Known(frozenset(map(str, names)), len(values), int((counts == 1).sum()))


@pytest.mark.parametrize(
    ("levels", "rows", "window"),
    [(500, 2000, 40), (500, 2000, 500), (500, 10_000, 150), (100, 2000, 150), (50, 1000, 40)],
)
def test_rare_values_that_training_missed_by_chance_are_no_alarm(levels: int, rows: int, window: int) -> None:
    """Zipf's law, as in names, shops and postal codes: half of these windows have a value that training never saw."""
    generator, alarms, windows = np.random.default_rng(levels + window), 0, 400
    chance = np.arange(1, levels + 1) ** -1.2
    for _ in range(windows):
        there, here = (generator.choice(levels, size, p=chance / chance.sum()) for size in (rows, window))
        table = pa.table({"shop": pa.array([str(one) for one in here])})
        alarms += any(check.alarm for check in unseen(table, {"shop": known(there)}, LEVEL))
    assert alarms <= 4  # 0.4 are allowed


@pytest.mark.parametrize("share", [0.02, 0.1])
def test_a_new_value_in_many_rows_is_an_alarm(share: float) -> None:
    generator = np.random.default_rng(1)
    there, here = generator.choice(50, 2000).astype(str), generator.choice(50, 400).astype(str)
    here[: int(400 * share)] = "moon"
    (check,) = unseen(pa.table({"shop": pa.array(here)}), {"shop": known(there)}, LEVEL)
    assert check.alarm and check.value == pytest.approx(share)


def test_many_new_values_once_each_are_an_alarm() -> None:
    generator = np.random.default_rng(2)
    there, here = generator.choice(50, 2000).astype(str), [f"new {number}" for number in range(20)] + ["1"] * 380
    (check,) = unseen(pa.table({"shop": pa.array(here)}), {"shop": known(there)}, LEVEL)
    assert check.alarm


@pytest.mark.parametrize(
    ("count", "rows", "beyond"), [(1, 40, False), (3, 100, False), (8, 100, True), (30, 1000, True), (14, 1000, False)]
)
def test_a_share_above_the_limit_must_be_so_beyond_chance(count: int, rows: int, beyond: bool) -> None:
    assert is_beyond(count, rows, 0.01, LEVEL) is beyond
