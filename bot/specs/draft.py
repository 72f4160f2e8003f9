"""A table and the name of its target -> the first model.yaml and schema.yaml, for people to go on from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from bot.errors import UserError
from bot.specs.data import CONTENT, MISSING, Csv
from bot.specs.shorthand import COLUMN_PATTERN
from bot.specs.validation import did_you_mean

MAX_CLASSES = 30  # different whole numbers; more are an amount
MAX_LABELS = 1_000  # different texts
MAX_ALLOWED_VALUES = 12
ROWS_OF_CLASS = 15  # of the rarest class, for folds that each have some
ROWS_TO_SELECT = 60
_IS_NAMED_ID = re.compile(r"(^|[^a-z])(id|ids|key|uuid|guid|index|rownames?|row|no|nr|number|code)$")

Plain = dict[str, Any]


@dataclass(frozen=True)
class Described:
    """How a table is to be read, as `data` in a spec says it; `csv` None for Parquet."""

    path: str
    csv: Csv | None = None
    missing: tuple[str, ...] = MISSING


def model_name(path: str) -> str:
    """A model's name from the name of its data."""
    stem = path.rstrip("/").rpartition("/")[2].split(".")[0].lower()
    return re.sub(r"[^a-z0-9]+", "-", stem).strip("-")[:63].strip("-") or "model"


def draft_model(table: Any, described: Described, target: str, owner: str) -> str:
    """The text of model.yaml; comments say what a person has to know. Raises UserError when there is no such column,
    it cannot be predicted, or a column's name cannot be written in a spec.
    """
    _check_names(table.column_names)
    if target not in table.column_names:
        hint = did_you_mean(target, table.column_names, noun="columns")
        raise UserError(f"there is no column {target!r} in {described.path}", hint=hint, code="column_missing")
    known = table.filter(table[target].is_valid())
    task, notes = task_of(known[target]), list[str]()
    identity = row_id(known, target)
    if identity == CONTENT:
        notes.append(
            "No column has a different value in each row: the row's own content decides its side of the split."
        )
    rarest = _rarest(known[target]) if task != "regression" else known.num_rows
    is_selected = rarest >= (ROWS_OF_CLASS if task != "regression" else ROWS_TO_SELECT)
    if not is_selected:
        what = "rows" if task == "regression" else "rows of the rarest class"
        notes.append(f"No `selection: one_standard_error`: {rarest} {what} are too few for its folds.")
    data: Plain = {"path": described.path, "target": target, "row_id": identity}
    if described.csv is not None and (form := described.csv.model_dump(exclude_defaults=True)):
        data["csv"] = form
    if described.missing != MISSING:
        data["missing"] = list(described.missing)
    spec: Plain = {
        "task": task,
        "owner": owner,
        "description": f"Predicts {target}. Say here what for; it becomes the first paragraph of the model card.",
        "data": data,
        "features": {"auto": True},
        **({"selection": "one_standard_error"} if is_selected else {}),
        "estimator": "HistGradientBoostingRegressor" if task == "regression" else "HistGradientBoostingClassifier",
        "metrics": {"binary": "roc_auc", "multiclass": "log_loss", "regression": "mae"}[task],
    }
    head = "# yaml-language-server: $schema=../../docs/schemas/model.json\n# Every key: `mlbot schema model`.\n"
    return head + "".join(f"# {note}\n" for note in notes) + _text(spec)


def _check_names(names: list[str]) -> None:
    for place, name in enumerate(names, 1):
        if not re.search(COLUMN_PATTERN, name):
            why = "is longer than 200 characters" if len(name) > 200 else "is empty or has a line break in it"
            raise UserError(f"the name of column {place} {why}", hint="Rename the column.", code="column_name")


def _rarest(values: Any) -> int:
    import pyarrow.compute as pc

    counts = pc.value_counts(values).field("counts")
    return int(pc.min(counts).as_py())


def task_of(values: Any) -> str:
    """binary, multiclass or regression, by type and number of different values; none is missing.

    Whole numbers in a column of fractions are whole numbers: a missing value among 0 and 1 made fractions of them.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    types, kind, n = pa.types, values.type, len(values.unique())
    if n < 2:
        hint = "Name another target."
        raise UserError("the target has fewer than two different values", hint=hint, code="one_class")
    if types.is_temporal(kind) or types.is_nested(kind) or types.is_binary(kind):
        hint = "Name a target of numbers, text or true and false."
        raise UserError(f"the target is {kind}, which no model predicts", hint=hint, code="target_type")
    if n == 2:
        return "binary"
    is_whole = types.is_integer(kind)
    if types.is_floating(kind) or types.is_decimal(kind):
        numbers = values.cast(pa.float64())
        is_whole = bool(pc.all(pc.equal(pc.floor(numbers), numbers)).as_py())
        if not is_whole:
            return "regression"
    if is_whole:
        return "regression" if n > MAX_CLASSES or 2 * n > len(values) else "multiclass"
    if n > MAX_LABELS or 2 * n > len(values):
        hint = f"At most {MAX_LABELS} are classes, of two rows each on average."
        raise UserError(f"the target has {n} different texts in {len(values)} rows", hint=hint, code="too_many_classes")
    return "multiclass"


def row_id(table: Any, target: str) -> str:
    """A column with a different value in each row that is called like an id, else the first column, else one of text,
    where it has such values; else the row's content.
    """
    unique = [name for name in table.column_names if name != target and _is_key(table[name])]
    called = [name for name in unique if _IS_NAMED_ID.search(name.lower())]
    first = [name for name in unique if name == table.column_names[0]]
    texts = [name for name in unique if str(table.schema.field(name).type) == "string"]
    found: list[str] = [*called, *first, *texts, CONTENT]
    return found[0]


def _is_key(values: Any) -> bool:
    import pyarrow as pa

    is_plain = pa.types.is_integer(values.type) or pa.types.is_string(values.type)
    return is_plain and not values.null_count and len(values.unique()) == len(values)


def draft_contract(table: Any) -> str:
    """The text of schema.yaml: types and missing values as they are, and ranges or allowed values to tighten."""
    columns = {name: _column(table.column(name)) for name in table.column_names}
    head = "# yaml-language-server: $schema=../../docs/schemas/contract.json\n"
    head += (
        "# Drafted from the data: tighten it, and mark columns whose values must never be shown `sensitive: true`.\n"
    )
    return head + _text({"schema_type": "dataframe", "strict": True, "columns": columns})


def _column(values: Any) -> Plain:
    rule: Plain = {}
    dtype = next(_dtypes(values.type), None)
    if dtype is not None:
        rule["dtype"] = dtype
    if dtype == "str":
        different = values.drop_null().unique()
        if 0 < len(different) <= MAX_ALLOWED_VALUES and len(different) * 10 <= len(values):
            rule["isin"] = sorted(different.to_pylist())
    return {**rule, "nullable": True} if values.null_count else rule


def _dtypes(kind: Any) -> Iterator[str]:
    import pyarrow as pa

    types = pa.types
    tests = (
        ("bool", types.is_boolean(kind)),
        ("int64", types.is_integer(kind)),
        ("float64", types.is_floating(kind)),
        ("decimal", types.is_decimal(kind)),
        ("datetime64[ns]", types.is_timestamp(kind) or types.is_date(kind)),
        ("str", types.is_string(kind) or types.is_large_string(kind)),
    )
    yield from (name for name, holds in tests if holds)


class _Dumper(yaml.SafeDumper):
    """Quotes text that some reader of YAML would take for something else: 00008, 1e3, 12:30."""


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if re.match(r"[-+.\d]", text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _quoted)


def _text(value: Plain) -> str:
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
