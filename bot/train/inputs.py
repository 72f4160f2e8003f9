"""The `features` of a spec and the training rows' columns -> blocks of input columns, and what is left out and why."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.errors import UserError
from bot.records.training import DroppedInput, InputColumn
from bot.specs.expression import columns_of
from bot.specs.features import Categorical, DateTime, Numeric, Text
from bot.specs.frame import frame_names
from bot.specs.model import ModelSpec
from bot.specs.validation import did_you_mean

Settings = Numeric | Categorical | Text | DateTime
MAX_INPUTS = 20_000


@dataclass(frozen=True)
class Block:
    """Columns that are prepared alike. `settings.columns` may hold patterns; `columns` are the resolved ones."""

    settings: Settings
    columns: tuple[InputColumn, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Their names in the frame."""
        return tuple(name for column in self.columns for name in frame_names(column))


@dataclass(frozen=True)
class Inputs:
    """What the pipeline reads: the blocks, the columns that only expressions read, and what `auto` left out."""

    blocks: tuple[Block, ...]
    sources: tuple[InputColumn, ...]
    dropped: tuple[DroppedInput, ...]

    @property
    def columns(self) -> tuple[InputColumn, ...]:
        """All columns, as the Training records them: sources of expressions last."""
        return tuple(column for block in self.blocks for column in block.columns) + self.sources

    @property
    def names(self) -> tuple[str, ...]:
        """Source columns, each once, in order."""
        return tuple(dict.fromkeys(source for column in self.columns for source in sources_of(column)))

    def only(self, kept: Iterable[str]) -> Inputs:
        """Without every column that reads a source column that is not kept."""
        kept = frozenset(kept)
        blocks = [
            replace(block, columns=tuple(column for column in block.columns if kept.issuperset(sources_of(column))))
            for block in self.blocks
        ]
        blocks = [block for block in blocks if block.columns]
        read = {source for block in blocks for column in block.columns for source in sources_of(column)}
        plain = {column.name for block in blocks for column in block.columns if column.kind != "derived"}
        sources = tuple(column for column in self.sources if column.name in read - plain)
        return replace(self, blocks=tuple(blocks), sources=sources)


def sources_of(column: InputColumn) -> tuple[str, ...]:
    """The source columns that an input column reads."""
    return columns_of(column.expression) if column.expression is not None else (column.name,)


def named_columns(spec: ModelSpec, names: Sequence[str]) -> tuple[str, ...]:
    """The columns of the data that may become inputs, in the data's order; what reading has to fetch.

    Raises UserError when the spec names a column or pattern that matches none.
    """
    features = spec.features
    blocks: tuple[Settings, ...]
    blocks = (*features.numeric, *features.categorical, *features.text, *features.datetime)
    wanted = {name for block in blocks for pattern in block.columns for name in _matching(pattern, names)}
    for name, text in features.derived.items():
        if name in names:
            hint = "Give the derived column another name."
            raise UserError(
                f"`features.derived`: the data have a column {name!r} already", hint=hint, code="column_doubled"
            )
        wanted |= {source for column in columns_of(text) for source in _matching(column, names)}
    if features.auto_settings is not None:
        never = {spec.data.target, spec.data.row_id, spec.data.weight, spec.data.time, spec.data.group}
        never |= {name for pattern in features.exclude for name in _matching(pattern, names)}
        wanted |= {name for name in names if name not in never}
    wanted -= spec.data.reserved
    if len(wanted) > MAX_INPUTS:
        hint = f"At most {MAX_INPUTS}: name fewer, or use `exclude`."
        raise UserError(f"{len(wanted)} columns are too many inputs", hint=hint, code="inputs_too_many")
    return tuple(name for name in names if name in wanted)


def resolve_inputs(spec: ModelSpec, table: Any) -> Inputs:
    """Blocks in the order of the spec, then those of `auto`. `table` holds the training rows only."""
    names, blocks = table.column_names, list[Block]()
    taken: set[str] = set()
    features = spec.features
    taken |= spec.data.reserved
    taken |= {name for pattern in features.exclude for name in _matching(pattern, names, must=False)}
    for kind, settings in _listed(spec):
        found: list[str] = []
        for pattern in settings.columns:
            new = [name for name in _matching(pattern, names) if name not in taken]
            if not new:
                raise UserError(
                    f"`features.{kind}`: {pattern!r} names no column that is not taken already, or excluded",
                    hint="Name each column under one kind; of two patterns the first takes a column.",
                    place=spec.place(f"features.{kind}"),
                    code="column_taken",
                )
            found += new
            taken.update(new)
        if found:
            columns = tuple(_column(kind, name, table, settings) for name in dict.fromkeys(found))
            blocks.append(Block(settings, columns))
    derived = tuple(InputColumn(name=name, kind="derived", expression=text) for name, text in features.derived.items())
    if derived:
        blocks.append(Block(Numeric(columns=tuple(features.derived)), derived))
    dropped: tuple[DroppedInput, ...] = ()
    if features.auto_settings is not None:
        auto, dropped = _auto(spec, table, taken)
        blocks += auto
    plain = {column.name for block in blocks for column in block.columns if column.kind != "derived"}
    read = dict.fromkeys(source for column in derived for source in sources_of(column) if source not in plain)
    sources = tuple(InputColumn(name=name, kind="source", type=str(table.schema.field(name).type)) for name in read)
    inputs = Inputs(tuple(_apart(blocks)), sources, dropped)
    if not blocks:
        why = "; ".join(f"{one.column}: {one.reason}" for one in dropped[:5])
        raise UserError(f"no input is left ({why})" if why else "no input is left", code="inputs_none")
    return inputs


def _apart(blocks: Sequence[Block]) -> list[Block]:
    """The blocks with dates whose parts are called like no other column: `seen__month` may be a column of its own."""
    columns = [column for block in blocks for column in block.columns]
    taken = {column.name for column in columns if column.kind != "datetime"}
    renamed: dict[str, InputColumn] = {}
    for column in columns:
        found = column
        while column.kind == "datetime" and not taken.isdisjoint(frame_names(found)):
            found = found.model_copy(update={"prefix": f"{found.prefix or found.name}_"})
        taken.update(frame_names(found) if column.kind == "datetime" else ())
        renamed[column.name] = found
    return [
        replace(block, columns=tuple(one if one.kind != "datetime" else renamed[one.name] for one in block.columns))
        for block in blocks
    ]


def _listed(spec: ModelSpec) -> list[tuple[str, Settings]]:
    features = spec.features
    kinds: tuple[tuple[str, tuple[Settings, ...]], ...] = (
        ("numeric", features.numeric),
        ("categorical", features.categorical),
        ("text", features.text),
        ("datetime", features.datetime),
    )
    return [(kind, settings) for kind, blocks in kinds for settings in blocks]


def _column(kind: Any, name: str, table: Any, settings: Settings | None) -> InputColumn:
    type_ = table.schema.field(name).type
    parts: dict[str, Any] = {}
    if isinstance(settings, DateTime):
        parts = {"parts": settings.parts, "cyclic": settings.cyclic, "zone": settings.zone or _zone(type_)}
    return InputColumn(name=name, kind=kind, type=str(type_), **parts)


def _zone(type_: Any) -> str | None:
    import pyarrow as pa

    zone: str | None = type_.tz if pa.types.is_timestamp(type_) else None
    return zone


def _matching(pattern: str, names: Sequence[str], *, must: bool = True) -> list[str]:
    if pattern in names:
        return [pattern]
    found = [name for name in names if fnmatch.fnmatchcase(name, pattern)] if any(c in pattern for c in "*?[") else []
    if not found and must:
        hint = did_you_mean(pattern, names, noun="columns")
        raise UserError(f"no column is called {pattern!r}", hint=hint, code="column_missing")
    return found


def _auto(spec: ModelSpec, table: Any, taken: set[str]) -> tuple[list[Block], tuple[DroppedInput, ...]]:
    """Blocks by type and number of different values, for columns that no list names."""
    settings = spec.features.auto_settings
    assert settings is not None
    roles = {spec.data.target, spec.data.row_id, spec.data.weight, spec.data.time, spec.data.group}
    by_kind: dict[str, list[InputColumn]] = {}
    dropped = []
    for field, values in zip(table.schema, table.columns, strict=True):
        if field.name in taken or field.name in roles:
            continue
        kind, why = _kind(field.type, values, settings)
        if kind is None:
            dropped.append(DroppedInput(column=field.name, reason="not_usable", detail=why))
            continue
        parts = DateTime(columns=(field.name,)) if kind == "datetime" else None
        by_kind.setdefault(kind, []).append(_column(kind, field.name, table, parts))
    makers = {"numeric": Numeric, "categorical": Categorical, "text": Text, "datetime": DateTime}
    blocks = [
        Block(makers[kind](columns=tuple(column.name for column in columns)), tuple(columns))
        for kind, columns in sorted(by_kind.items(), key=lambda item: list(makers).index(item[0]))
    ]
    return blocks, tuple(dropped)


def _kind(kind: Any, values: Any, settings: Any) -> tuple[Any, str]:
    import pyarrow as pa
    import pyarrow.compute as pc

    types = pa.types
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_boolean(kind):
        return "numeric", ""
    if types.is_timestamp(kind) or types.is_date(kind):
        return "datetime", ""
    if types.is_null(kind):
        return None, "every value is missing"
    if not (types.is_string(kind) or types.is_large_string(kind) or types.is_dictionary(kind)):
        return None, f"{kind} is not a type of an input"
    n_different = len(values.unique())
    if n_different <= settings.max_categories:
        return "categorical", ""
    texts = values.cast(pa.string())
    words = pc.mean(pc.count_substring(texts, " ")).as_py()
    if words is not None and words + 1 >= settings.text_from_words:
        return "text", ""
    return None, f"{n_different} different values, more than auto.max_categories {settings.max_categories}"
