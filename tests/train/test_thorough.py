"""The thorough path: which sets are tried, and which of them is kept when fresh folds are asked."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from bot.train.bar import Trial
from bot.train.thorough import Pruner

ROWS = 2_500
WAVE = np.resize([1.0, -1.0], ROWS)
NAMES = [f"c{i}" for i in range(8)]
FOLDS = [SimpleNamespace(valid=SimpleNamespace(values=np.zeros(ROWS))) for _ in range(3)]


def pruner(score, loss=None, tried=None) -> Pruner:
    """A search in a world where `score(columns)` and `loss(columns)` are what every fold finds. Every set that is
    fitted is added to the list `tried`.
    """
    tried = [] if tried is None else tried

    def run(_, tasks):
        tried.extend(kept for *_, kept in tasks)
        return [
            Trial(score(kept), 0.5 * WAVE / ROWS, np.full(ROWS, (loss or (lambda _: 0.0))(kept)), True, 10_000)
            for *_, kept in tasks
        ]

    return Pruner(None, None, run, lambda: False, lambda *_: None)


def sets(*sizes: int) -> list[frozenset]:
    return [frozenset(NAMES[:size]) for size in sizes]


@pytest.mark.parametrize(
    ("scores", "kept"),
    [
        ({8: 0.8, 6: 0.8, 5: 0.8, 4: 0.8, 3: 0.8, 2: 0.7}, 3),
        ({8: 0.8, 6: 0.8, 5: 0.8, 4: 0.7, 3: 0.7, 2: 0.7}, 5),  # the search went too far: back to the next larger set
        ({8: 0.8, 6: 0.7, 5: 0.7, 4: 0.7, 3: 0.7, 2: 0.7}, 8),  # the fast path did, too
        ({8: 0.7, 6: 0.8, 5: 0.8, 4: 0.8, 3: 0.7, 2: 0.7}, 4),  # all columns are worse than fewer
        ({8: 0.8, 6: 0.8, 5: 0.9, 4: 0.8, 3: 0.8, 2: 0.7}, 3),  # what looks best was searched for: no bar hangs on it
    ],
)
def test_the_smallest_set_that_holds_on_fresh_folds_is_kept(scores, kept):
    one = pruner(lambda columns: scores[len(columns)])
    chosen, points = one.confirmed(FOLDS, sets(8, 6), sets(5, 4, 3, 2), None)
    assert len(chosen) == kept
    assert [point.n_inputs for point in points if point.chosen] == [kept]


def test_at_most_is_obeyed_whatever_it_scores():
    one = pruner(lambda columns: 0.8 if len(columns) > 6 else 0.5)
    assert len(one.confirmed(FOLDS, sets(8, 6), sets(5, 4), 5)[0]) == 5


def test_columns_are_compared_by_the_loss_of_the_rows_where_the_score_cannot_tell():
    one = pruner(lambda _: 0.8, lambda columns: 0.1 * ("c7" not in columns) + 0.2 * ("c0" not in columns))
    down = one.sets_down(FOLDS, frozenset(NAMES[:3] + NAMES[7:]), frozenset())
    assert [len(kept) for kept in down] == [3, 2, 1]
    assert down[-1] == {"c0"} and down[-2] == {"c0", "c7"}


def test_the_search_ends_where_the_score_falls_and_keeps_what_is_always_kept():
    one = pruner(lambda columns: 0.8 if len(columns) > 3 else 0.5)
    down = one.sets_down(FOLDS, frozenset(NAMES), frozenset({"c5"}))
    assert [len(kept) for kept in down] == [7, 6, 5, 4]
    assert all("c5" in kept for kept in down)


def test_a_column_that_looks_bad_on_the_first_folds_is_not_tried_on_the_others():
    tried: list[frozenset] = []
    one = pruner(lambda _: 0.8, lambda columns: 0.1 * ("c7" not in columns), tried)
    every = frozenset(NAMES[:3] + NAMES[7:])
    one.sets_down(FOLDS, every, frozenset())
    assert [tried.count(every - {name}) for name in ("c0", "c1", "c2")] == [len(FOLDS), len(FOLDS), 1]


def test_a_column_that_cost_much_is_not_tried_again_and_again():
    """After the first round only the half of the columns that cost least is tried."""
    names, tried = [f"c{i}" for i in range(10)], []
    one = pruner(lambda _: 0.8, lambda columns: sum(0.01 * i for i in range(10) if f"c{i}" not in columns), tried)
    down = one.sets_down(FOLDS, frozenset(names), frozenset())
    assert [len(kept) for kept in down] == list(range(9, 0, -1)) and down[-1] == {"c9"}
    second = {names.index(*(down[0] - kept)) for kept in tried if len(kept) == 8}
    assert second == {1, 2, 3, 4}


def test_a_twin_is_left_out_once_and_not_twice():
    """Each of two equal columns can go; when one is gone, the other must stay."""

    def loss(columns):
        return 1.0 * ("c0" not in columns and "c1" not in columns) + 0.1 * sum(
            f"c{i}" not in columns for i in range(2, 8)
        )

    down = pruner(lambda _: 0.8, loss).sets_down(FOLDS, frozenset(NAMES), frozenset())
    assert down[0] in (frozenset(NAMES) - {"c0"}, frozenset(NAMES) - {"c1"})
    assert all({"c0", "c1"} & kept for kept in down)
