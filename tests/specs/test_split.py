"""Test rows stay test rows: whatever the order, the neighbours, the growth or the file format of the data."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.specs.model import ModelSpec, read_model_spec
from bot.specs.split import row_hashes, share, split_rows
from bot.specs.split import test_rows_digest as digest_of


def spec(data: str = "", split: str = "{test: 0.3}") -> ModelSpec:
    text = f"""
task: binary
owner: owen
description: A test.
data: {{path: data/x.parquet, target: y, row_id: id{data}}}
split: {split}
features: {{auto: true}}
estimator: LogisticRegression
metrics: log_loss
"""
    return read_model_spec(text.encode(), "models/x/model.yaml")


def table(n: int = 1000) -> pa.Table:
    return pa.table({"id": np.arange(n), "g": np.arange(n) // 10, "t": np.arange(n) * 2})


def test_rows_keep_their_side_when_data_grow_or_change_order():
    _, small = split_rows(spec(), table(500))
    order = np.random.default_rng(0).permutation(1000)
    _, large = split_rows(spec(), table(1000).take(order))
    sides = dict(zip(order.tolist(), large.tolist(), strict=True))
    assert [sides[i] for i in range(500)] == small.tolist()
    assert 0.25 < large.mean() < 0.35


def test_another_seed_draws_other_test_rows():
    assert (split_rows(spec(), table())[1] != split_rows(spec(split="{test: 0.3, seed: 1}"), table())[1]).any()


@given(st.lists(st.text(max_size=400), min_size=1, max_size=20), st.integers(0, 2**32 - 1))
def test_a_row_hash_depends_on_its_own_id_only(ids, seed):
    together = row_hashes(pa.array(ids), seed)
    assert together.tolist() == [row_hashes(pa.array([one]), seed)[0] for one in ids]


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20))
def test_a_number_hashes_as_its_digits(ids):
    assert row_hashes(pa.array(ids), 0).tolist() == row_hashes(pa.array([str(one) for one in ids]), 0).tolist()


def test_hashes_are_uniform_also_for_consecutive_ids():
    parts = np.bincount((row_hashes(pa.array(np.arange(200_000)), 0) >> np.uint64(60)).astype(int), minlength=16)
    assert (np.abs(parts / 12_500 - 1) < 0.05).all()
    assert abs(share(row_hashes(pa.array(np.arange(200_000)), 3), 0.25).mean() - 0.25) < 0.005


def test_a_group_is_never_on_both_sides():
    train, test = split_rows(spec(", group: g"), table())
    groups = table()["g"].to_numpy()
    assert not set(groups[train]) & set(groups[test]) and (train | test).all()


def test_a_split_by_time_takes_the_newest_and_keeps_groups_apart():
    train, test = split_rows(spec(", time: t, group: g", "{method: time, test: 0.205}"), table())
    assert table()["t"].to_numpy()[test].min() > table()["t"].to_numpy()[train].max()
    groups = table()["g"].to_numpy()
    assert not set(groups[train]) & set(groups[test]) and not (train | test).all()


def test_test_from_keeps_the_test_rows_when_data_grow():
    fixed = spec(", time: t", '{method: time, test_from: "1500"}')
    assert split_rows(fixed, table(800))[1].sum() == 50 and split_rows(fixed, table(1000))[1].sum() == 250


def test_an_empty_side_and_a_missing_id_are_errors():
    with pytest.raises(UserError, match="no test row"):
        split_rows(spec(), table(1))
    with pytest.raises(UserError, match="missing"):
        split_rows(spec(), pa.table({"id": pa.array([1, None]), "g": [1, 2], "t": [1, 2]}))


def test_the_digest_names_the_test_rows_whatever_their_order():
    mask = np.arange(1000) % 4 == 0
    order = np.random.default_rng(1).permutation(1000)
    assert digest_of(table(), "id", mask) == digest_of(table().take(order), "id", mask[order])
    assert digest_of(table(), "id", mask) != digest_of(table(), "id", ~mask)
