"""A table and the name of its target -> the first model.yaml and schema.yaml, for people to go on from."""

from __future__ import annotations

import re
from typing import Any

import yaml

from bot.errors import UserError
from bot.specs.validation import did_you_mean

MAX_CLASSES = 30
MAX_ALLOWED_VALUES = 12

Plain = dict[str, Any]


def model_name(path: str) -> str:
    """A model's name from the name of its data."""
    stem = path.rstrip("/").rpartition("/")[2].split(".")[0].lower()
    return re.sub(r"[^a-z0-9]+", "-", stem).strip("-")[:63] or "model"


def draft_model(table: Any, path: str, target: str, owner: str) -> str:
    """The text of model.yaml. Raises UserError when there is no such column or none that could be a row id."""
    if target not in table.column_names:
        hint = did_you_mean(target, table.column_names, noun="columns")
        raise UserError(f"there is no column {target!r} in {path}", hint=hint, code="column_missing")
    task = task_of(table.column(target))
    spec: Plain = {
        "task": task,
        "owner": owner,
        "description": f"Predicts {target}. Say here what for; it becomes the first paragraph of the model card.",
        "data": {"path": path, "target": target, "row_id": row_id(table, target)},
        "features": {"auto": True},
        "selection": "one_standard_error",
        "estimator": "HistGradientBoostingRegressor" if task == "regression" else "HistGradientBoostingClassifier",
        "metrics": {"binary": "roc_auc", "multiclass": "log_loss", "regression": "mae"}[task],
    }
    head = "# yaml-language-server: $schema=../../docs/schemas/model.json\n# Every key: `mlbot schema model`.\n"
    return head + _text(spec)


def task_of(values: Any) -> str:
    """binary, multiclass or regression, by type and number of different values."""
    import pyarrow as pa

    n = len(values.drop_null().unique())
    if n < 2:
        hint = "Name another target."
        raise UserError("the target has fewer than two different values", hint=hint, code="one_class")
    if n == 2:
        return "binary"
    is_fraction = pa.types.is_floating(values.type) or pa.types.is_decimal(values.type)
    is_whole = pa.types.is_integer(values.type)
    if is_fraction or (is_whole and n > MAX_CLASSES):
        return "regression"
    if n > MAX_CLASSES:
        raise UserError(
            f"the target has {n} different texts", hint=f"At most {MAX_CLASSES} are classes.", code="too_many_classes"
        )
    return "multiclass"


def row_id(table: Any, target: str) -> str:
    """The first column with a different value in each row, preferably whole numbers or text."""
    import pyarrow as pa

    for name in table.column_names:
        values = table.column(name)
        is_plain = pa.types.is_integer(values.type) or pa.types.is_string(values.type)
        if name != target and is_plain and not values.null_count and len(values.unique()) == table.num_rows:
            return str(name)
    hint = "Add one (a number or a key that stays with the row when data grow): it decides which rows are test rows."
    raise UserError("no column has a different value in each row", hint=hint, code="row_id_missing")


def draft_contract(table: Any) -> str:
    """The text of schema.yaml: types and missing values as they are, and ranges or allowed values to tighten."""
    columns = {name: _column(table.column(name)) for name in table.column_names}
    head = "# yaml-language-server: $schema=../../docs/schemas/contract.json\n"
    head += (
        "# Drafted from the data: tighten it, and mark columns whose values must never be shown `sensitive: true`.\n"
    )
    return head + _text({"schema_type": "dataframe", "strict": True, "columns": columns})


def _column(values: Any) -> Plain:
    import pyarrow as pa

    types, kind = pa.types, values.type
    rule: Plain = {}
    if types.is_boolean(kind):
        rule["dtype"] = "bool"
    elif types.is_integer(kind):
        rule["dtype"] = "int64"
    elif types.is_floating(kind):
        rule["dtype"] = "float64"
    elif types.is_timestamp(kind) or types.is_date(kind):
        rule["dtype"] = "datetime64[ns]"
    elif types.is_string(kind) or types.is_large_string(kind):
        rule["dtype"] = "str"
        different = values.drop_null().unique()
        if 0 < len(different) <= MAX_ALLOWED_VALUES and len(different) * 10 <= len(values):
            rule["isin"] = sorted(different.to_pylist())
    return {**rule, "nullable": True} if values.null_count else rule


def _text(value: Plain) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=110)
