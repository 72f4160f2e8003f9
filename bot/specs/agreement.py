"""A model's spec and its data contract -> where the two contradict each other, before any data are read."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.errors import UserError
from bot.specs.contract import Contract
from bot.specs.data import CONTENT
from bot.specs.expression import columns_of
from bot.specs.linear import begin_with
from bot.specs.model import ModelSpec
from bot.specs.validation import did_you_mean
from bot.specs.yaml import Document, Path

HIDDEN_HINT = "Slice by a condition with `where` and a `name`, or remove the slice."
KINDS = ("numeric", "categorical", "text", "datetime")


def disagreements(spec: ModelSpec, document: Document, contract: Contract) -> list[UserError]:
    """A mistake for each column that the spec names and a strict contract does not know, and for a target that may
    never be there. Patterns are left to the data.
    """
    found = [
        UserError(message, hint=HIDDEN_HINT, place=document.place(("slices", index)), code="slice_sensitive")
        for index, message in shown_values(spec, contract)
    ]
    if not contract.strict:
        return found
    known = _known(spec, contract)
    for path, column in named_columns(spec):
        if column not in known and not _by_pattern(column, contract):
            message = f"`{'.'.join(map(str, path))}`: there is no column {column!r} in schema.yaml"
            hint = did_you_mean(column, known, noun="columns")
            found.append(UserError(message, hint=hint, place=document.place(path), code="column_unknown"))
    return found


def shown_values(spec: ModelSpec, contract: Contract) -> Iterator[tuple[int, str]]:
    """(position, sentence) of each slice that would show the values of a sensitive column."""
    for index, one in enumerate(spec.slices):
        for column in one.columns:
            if column in contract.sensitive:
                yield index, f"a slice of {column!r} would show its values, and schema.yaml marks it `sensitive`"


def named_columns(spec: ModelSpec) -> Iterator[tuple[Path, str]]:
    """(path in model.yaml, column) for each column that a spec names outright."""
    for role in ("target", "row_id", "time", "group", "weight"):
        column = getattr(spec.data, role)
        if column is not None and column != CONTENT:
            yield ("data", role), column
    if spec.data.where is not None:
        yield from ((("data", "where"), column) for column in columns_of(spec.data.where))
    for kind in KINDS:
        for block in getattr(spec.features, kind):
            plain = (column for column in block.columns if not re.search(r"[*?\[]", column))
            yield from ((("features", kind), column) for column in plain)
    for name, text in spec.features.derived.items():
        yield from ((("features", "derived", name), column) for column in columns_of(text))
    for index, one in enumerate(spec.slices):
        columns = one.columns if one.where is None else columns_of(one.where)
        yield from ((("slices", index), column) for column in columns)


def _known(spec: ModelSpec, contract: Contract) -> set[str]:
    return {*contract.columns, *spec.features.derived}


def _by_pattern(column: str, contract: Contract) -> bool:
    patterns = (name for name, rule in contract.columns.items() if rule.regex)
    return any(begin_with(pattern, [column]) for pattern in patterns)
