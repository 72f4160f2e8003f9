"""Slices as labels: values, bins, conditions and crossings."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from bot.errors import UserError
from bot.evaluate.labels import binned, quantile_edges, slice_labels
from bot.evaluate.slices import crossed, members
from bot.specs.gates import SlicePolicy
from bot.specs.slices import slice_columns
from tests.evaluate.worlds import SPEC, a_spec, a_table

COUNTRIES = ("DE", "FR", "IT")


def spec_with(slices: str):
    return a_spec(SPEC.replace(b"slices: [country, {columns: age, bins: 2}]", f"slices: {slices}".encode()))


def labels(slices: str, table: pa.Table | None = None) -> dict[str, list[str]]:
    table = table if table is not None else a_table(200)
    return {name: list(values) for name, values in slice_labels(spec_with(slices), table, table).items()}


@pytest.mark.parametrize(
    ("slices", "title", "expected"),
    [
        ("[country]", "country", {"DE", "FR", "IT"}),
        ("[{columns: age, edges: [30, 50]}]", "age", {"below 30", "30 to 50", "50 or more"}),
        ("[{where: age > 40, name: old}]", "old", {"", "old"}),
        ("[{where: age > 40}]", "age > 40", {"", "age > 40"}),
        (
            "[{columns: [country, left]}]",
            "country × left",
            {f"{a}, {b}" for a in ("DE", "FR", "IT") for b in ("yes", "no")},
        ),
    ],
)
def test_declared_slices_label_every_row(slices: str, title: str, expected: set[str]) -> None:
    assert set(labels(slices)[title]) == expected


def test_a_number_of_many_values_is_cut_at_quartiles_of_the_training_rows() -> None:
    found = labels("[age]")["age"]
    assert len(set(found)) == 4
    assert all(abs(found.count(name) - 50) <= 5 for name in set(found))


def test_cuts_are_round_numbers_that_people_can_read() -> None:
    values = np.random.default_rng(0).normal(40, 10, 5000)
    edges = quantile_edges(values, 4)
    assert edges == tuple(round(edge, 1) for edge in edges)
    assert edges == pytest.approx(np.quantile(values, [0.25, 0.5, 0.75]), abs=0.05)
    assert quantile_edges(values * 1e6, 2)[0] % 1e5 == 0
    assert set(binned(values, edges)) >= {f"below {edges[0]:g}", f"{edges[2]:g} or more"}


def test_missing_values_are_a_slice_of_their_own() -> None:
    table = pa.table(
        {"country": ["DE", None], "age": [1.0, None], "left": ["yes", "no"], "id": [1, 2], "spend": [1.0, 2]}
    )
    found = labels("[country, {columns: age, edges: [0]}]", table)
    assert found["country"] == ["DE", "(missing)"] and found["age"] == ["0 or more", "(missing)"]


def test_bins_of_repeated_values_are_fewer() -> None:
    assert quantile_edges(np.array([0.0] * 90 + [5.0] * 10), 4) == (0.0,)
    assert list(binned(np.array([1.0]), ())) == ["all"]


def test_columns_of_conditions_are_read_too() -> None:
    assert slice_columns(spec_with("[country, {where: age > 40 and spend < 1}]")) == ("country", "age", "spend")


def test_a_condition_on_a_lost_column_is_a_user_error() -> None:
    with pytest.raises(UserError, match="income"):
        labels("[{where: income > 40}]")


def test_crossings_leave_out_small_slices_and_keep_the_biggest() -> None:
    one, other = np.array(["a"] * 90 + ["b"] * 10), np.array(["x"] * 50 + ["y"] * 50)
    found = crossed({"one": one, "other": other})
    assert set(found) == {"one", "other", "one × other"}
    policy = SlicePolicy(minimum_rows=20)
    kept = [(column, label) for column, label, _ in members({"one": one, "other": other}, policy)]
    assert ("one", "b") in kept and ("one × other", "b, y") not in kept and ("one × other", "a, x") in kept
    biggest = members({"one": one, "other": other}, SlicePolicy(minimum_rows=20, maximum=1))
    assert [(column, label) for column, label, _ in biggest] == [("one", "a")]
