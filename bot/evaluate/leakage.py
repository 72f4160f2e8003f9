"""Test rows that the training rows give away: the same inputs, or the same in all inputs but one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.evaluate.fingerprint import column_prints
from bot.records.evaluation import Section


@dataclass(frozen=True)
class Leakage:
    """Test rows, and how many of them have a twin among the training rows.

    `same`: all inputs and the target are equal. `same_inputs`: all inputs are. `near`: all inputs but one are, by the
    column that differs; rows counted in `same_inputs` are left out.
    """

    n: int
    same: int
    same_inputs: int
    near: dict[str, int]

    @property
    def share(self) -> float:
        """Share of the test rows whose inputs are those of a training row."""
        return self.same_inputs / self.n if self.n else 0.0


def leakage(train: Any, test: Any, inputs: Sequence[str], target: str) -> Leakage:
    """`train` and `test` are pyarrow.Tables with the inputs and the target."""
    ours = {column: column_prints(test[column], column) for column in inputs}
    theirs = {column: column_prints(train[column], column) for column in inputs}
    with np.errstate(over="ignore"):
        zero = np.uint64(0)
        all_ours, all_theirs = sum(ours.values(), start=zero), sum(theirs.values(), start=zero)
        twin = np.isin(all_ours, all_theirs)
        same = np.isin(
            all_ours + column_prints(test[target], target), all_theirs + column_prints(train[target], target)
        )
        near = {
            column: int((np.isin(all_ours - ours[column], all_theirs - theirs[column]) & ~twin).sum())
            for column in (inputs if len(inputs) > 1 else ())
        }
    return Leakage(test.num_rows, int(same.sum()), int(twin.sum()), {k: n for k, n in near.items() if n})


def leakage_section(found: Leakage) -> Section:
    """The counts as a table; near twins by column, the most first."""
    rows = [
        ("the same inputs and target", f"{found.same:,}", f"{found.same / max(found.n, 1):.2%}"),
        ("the same inputs", f"{found.same_inputs:,}", f"{found.share:.2%}"),
    ]
    for column, count in sorted(found.near.items(), key=lambda one: -one[1])[:10]:
        rows.append((f"all inputs but {column}", f"{count:,}", f"{count / max(found.n, 1):.2%}"))
    return Section(
        id="train_test_overlap",
        heading="Test rows with a twin among the training rows",
        columns=("Twin in", "Test rows", "Share"),
        rows=tuple(rows),
        note="Columns of few values make twins by chance; twins that differ in a number or a name are a leak.",
    )
