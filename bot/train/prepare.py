"""The table -> what every later phase of training works on: frame, target, sides of the split, folds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bot.errors import UserError
from bot.specs.frame import frame
from bot.specs.model import ModelSpec
from bot.specs.split import split_rows, test_rows_digest
from bot.train.estimator import build_estimator
from bot.train.folds import Fold, make_folds
from bot.train.inputs import Inputs, resolve_inputs
from bot.train.preprocess import Needs, needs_of, order_for_native
from bot.train.screen import screen
from bot.train.target import Target, read_target


@dataclass(frozen=True)
class Prepared:
    """`framed` and `target` hold the training rows; `test_framed` and `test_table` the test rows. `groups` are
    codes and `times` sortable numbers of the training rows, None where the spec names none.
    """

    spec: ModelSpec
    inputs: Inputs
    needs: Needs
    framed: Any
    target: Target
    groups: Any
    times: Any
    test_framed: Any
    test_table: Any
    test_target: Target
    test_rows_digest: str
    warnings: tuple[str, ...]

    def folds(self, n_folds: int, seed: int) -> list[Fold]:
        """Folds of the training rows; they differ with the seed."""
        return make_folds(self.spec, self.target.values, self.groups, self.times, n_folds, seed)

    def only(self, kept: tuple[str, ...]) -> Prepared:
        """With fewer source columns."""
        return replace(self, inputs=self.inputs.only(kept))


def prepare(spec: ModelSpec, table: Any) -> Prepared:
    """Split first, then look at training rows only: test rows decide nothing."""
    import pyarrow as pa

    train, test = split_rows(spec, table)
    target = read_target(spec, table, train)
    train_table = table.filter(pa.array(train))
    inputs, said = _screened(spec, resolve_inputs(spec, train_table), train_table, target.at(train))
    inputs = order_for_native(inputs)
    test_table = table.filter(pa.array(test))
    return Prepared(
        spec=spec,
        inputs=inputs,
        needs=needs_of(build_estimator(spec, target.classes)),
        framed=frame(train_table, inputs.columns),
        target=target.at(train),
        groups=_codes(train_table, spec.data.group),
        times=_times(train_table, spec.data.time if spec.split_method == "time" else None),
        test_framed=frame(test_table, inputs.columns),
        test_table=test_table.select([*inputs.names, spec.data.row_id]),
        test_target=target.at(test),
        test_rows_digest=test_rows_digest(table, spec.data.row_id, test),
        warnings=(*_infinite(train_table, inputs), *said),
    )


def _screened(spec: ModelSpec, inputs: Inputs, table: Any, target: Target) -> tuple[Inputs, list[str]]:
    """Without suspect columns where mlbot chooses (`auto`, `selection`), and what is said of the others."""
    chooses = spec.selection.method != "none" or spec.features.auto_settings is not None
    found = screen(table, inputs, target, spec.data.time)
    out = [one for one in found if chooses and one.certain and one.column not in spec.selection.always]
    said = [one.sentence() for one in found if one not in out]
    gone = {one.column for one in out}
    left = inputs.only(name for name in inputs.names if name not in gone)
    if not left.blocks:
        raise UserError(f"no input is left: {'; '.join(one.sentence() for one in out[:5])}", code="inputs_none")
    return replace(left, dropped=(*left.dropped, *(one.dropped() for one in out))), said


def _codes(table: Any, column: str | None) -> Any:
    if column is None:
        return None
    encoded = table[column].combine_chunks().dictionary_encode()
    return encoded.indices.to_numpy(zero_copy_only=False)


def _times(table: Any, column: str | None) -> Any:
    import pyarrow.compute as pc

    return None if column is None else np.asarray(pc.rank(table[column].combine_chunks(), tiebreaker="first"))


def _infinite(table: Any, inputs: Inputs) -> list[str]:
    import pyarrow as pa
    import pyarrow.compute as pc

    found = []
    known = dict(zip(table.column_names, table.columns, strict=True))
    for column in inputs.columns:
        if column.kind == "numeric" and pa.types.is_floating(known[column.name].type):
            n = pc.sum(pc.is_inf(known[column.name])).as_py() or 0
            if n:
                found.append(f"{column.name}: {n} infinite values of the training rows count as missing")
    return found
