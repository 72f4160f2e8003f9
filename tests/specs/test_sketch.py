"""Overlap of test sets from sketches of their row ids."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from bot.specs.sketch import SIZE, share_held, sketch_of


def ids(*numbers: range) -> pa.Array:
    return pa.array([one for some in numbers for one in some])


@pytest.mark.parametrize(
    ("rows", "earlier", "share"),
    [
        (ids(range(12_000)), ids(range(12_000)), 1.0),
        (ids(range(12_001)), ids(range(12_000)), 1.0),
        (ids(range(12_000)), ids(range(6_000)), 0.5),
        (ids(range(6_000)), ids(range(12_000)), 1.0),
        (ids(range(12_000)), ids(range(12_000, 24_000)), 0.0),
        (ids(range(100)), ids(range(50, 150)), 0.5),
        (ids(range(100)), ids(range(100_000)), 1.0),
    ],
    ids=["the same", "one more row", "half was seen", "a part of it", "others", "few rows", "cannot be told"],
)
def test_the_share_of_rows_that_were_seen_before(rows: pa.Array, earlier: pa.Array, share: float) -> None:
    assert share_held(sketch_of(rows), sketch_of(earlier)) == pytest.approx(share, abs=0.1)


def test_the_order_of_rows_and_the_type_of_ids_do_not_matter() -> None:
    numbers = np.random.default_rng(0).permutation(5000)
    first, second = sketch_of(pa.array(numbers)), sketch_of(pa.array(sorted(str(one) for one in numbers)))
    assert first == second and len(first) == SIZE


def test_without_a_sketch_nothing_is_said_to_overlap() -> None:
    assert share_held((), sketch_of(ids(range(10)))) == share_held(sketch_of(ids(range(10))), ()) == 0.0
