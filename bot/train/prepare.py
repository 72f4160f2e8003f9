"""The table -> what every later phase of training works on: frame, target, sides of the split, folds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from bot.errors import UserError
from bot.records.training import TableSignature
from bot.specs.frame import frame
from bot.specs.model import ModelSpec
from bot.specs.signature import sign
from bot.specs.split import split_rows, test_rows_digest, unlearnt
from bot.specs.values import conformed
from bot.train.estimator import build_estimator
from bot.train.folds import Fold, make_folds
from bot.train.idle import estimator_errors
from bot.train.inputs import Inputs, resolve_inputs
from bot.train.preprocess import Needs, needs_of, order_for_native
from bot.train.screen import screen
from bot.train.target import Target, read_target, with_together

ROW_ID = "\n(row id)"  # a name that no column can have


@dataclass(frozen=True)
class Prepared:
    """`framed` and `target` hold the training rows; `test_framed` and `test_table` the test rows. `signature` says how
    the source columns are read, `sensitive` which of them are never shown, `ends` the least and greatest of each in the
    training rows (two rows).
    """

    spec: ModelSpec
    inputs: Inputs
    signature: TableSignature
    sensitive: frozenset[str]
    ends: Any
    needs: Needs
    framed: Any
    target: Target
    test_framed: Any
    test_table: Any
    test_target: Target
    test_rows_digest: str
    warnings: tuple[str, ...]

    def folds(self, n_folds: int, seed: int) -> list[Fold]:
        """Folds of the training rows; they differ with the seed."""
        return make_folds(self.target, n_folds, seed)

    def only(self, kept: tuple[str, ...]) -> Prepared:
        """With fewer source columns."""
        inputs = self.inputs.only(kept)
        columns = tuple(column for column in self.signature.columns if column.name in inputs.names)
        return replace(self, inputs=inputs, signature=self.signature.model_copy(update={"columns": columns}))


def prepare(spec: ModelSpec, table: Any, sensitive: frozenset[str] = frozenset()) -> Prepared:
    """Split first, then look at training rows only: test rows decide nothing."""
    import pyarrow as pa

    for error in estimator_errors(spec):
        raise error
    train, test = split_rows(spec, table)
    left_out = _left_out(spec, table, train, test)
    target = read_target(spec, table, train)
    train_table = table.filter(pa.array(train))
    inputs = resolve_inputs(spec, train_table)
    signature = sign(inputs.columns, train_table, spec.data.missing, sensitive)
    read = conformed(train_table, signature)
    inputs, said = _screened(spec, inputs, _to_screen(read, train_table, signature, spec), target.at(train))
    inputs = order_for_native(inputs)
    known = [column for column in signature.columns if column.name in inputs.names]
    signature = signature.model_copy(update={"columns": tuple(known)})
    test_table = table.filter(pa.array(test))
    test_read = conformed(test_table, signature)
    return Prepared(
        spec=spec,
        inputs=inputs,
        needs=needs_of(build_estimator(spec, target.classes)),
        signature=signature,
        sensitive=sensitive,
        ends=ends_of(read),
        framed=frame(read, inputs.columns),
        target=with_together(target.at(train), spec, train_table),
        test_framed=frame(test_read, inputs.columns),
        test_table=test_read.append_column(ROW_ID, test_table[spec.data.row_id]),
        test_target=target.at(test),
        test_rows_digest=test_rows_digest(table, spec.data.row_id, test),
        warnings=(*left_out, *_infinite(train_table, inputs), *said),
    )


def _to_screen(read: Any, table: Any, signature: TableSignature, spec: ModelSpec) -> Any:
    """The columns as the pipeline reads them, but whole numbers as such, and the time of the row to compare with."""
    columns = dict(zip(read.column_names, read.columns, strict=True))
    columns |= {one.name: table[one.name] for one in signature.columns if one.kind == "integer"}
    if spec.data.time is not None:
        columns.setdefault(spec.data.time, table[spec.data.time])
    return type(table).from_arrays(list(columns.values()), names=list(columns))


def ends_of(table: Any) -> Any:
    """The least and the greatest known value of each column, as two rows."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = {}
    for name, values in zip(table.column_names, table.columns, strict=True):
        ends = pc.min_max(values)
        found[name] = pa.array([ends["min"], ends["max"]], values.type)
    return pa.table(found)


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


def _left_out(spec: ModelSpec, table: Any, train: Any, test: Any) -> list[str]:
    """What the rules took out, each with its number of rows; reading counted its own in the schema's metadata."""
    counted = table.schema.metadata or {}
    filtered, unknown = (int(counted.get(name, 0)) for name in (b"rows_filtered", b"rows_without_target"))
    found = []
    if filtered:
        found.append(f"{filtered} rows are left out by `data.where`")
    if unknown:
        found.append(f"{unknown} rows are left out: their {spec.data.target} is missing")
    neither = ~train & ~test
    of_class = int(unlearnt(spec, table, train, neither).sum())
    if of_class:
        found.append(f"{of_class} rows are no test rows: no training row has their class")
    of_groups = int(neither.sum()) - of_class
    if of_groups:
        found.append(
            f"{of_groups} rows are in neither set: other rows of their {spec.data.group} are test rows, and a split by"
            f" {spec.split_method} does not keep these together"
        )
    return found


def _infinite(table: Any, inputs: Inputs) -> list[str]:
    import pyarrow as pa
    import pyarrow.compute as pc

    found = []
    known = dict(zip(table.column_names, table.columns, strict=True))
    for column in inputs.columns:
        values = known.get(column.name)
        if column.kind == "numeric" and values is not None and pa.types.is_floating(values.type):
            n = pc.sum(pc.is_inf(values)).as_py() or 0
            if n:
                found.append(f"{column.name}: {n} infinite values of the training rows count as missing")
    return found
