"""schema.yaml: what a model's data must look like, in pandera's own YAML format, plus `sensitive` and freshness.

pandera reads these files as they are (`pandera.io.from_yaml`): it passes over the keys that only mlbot knows. Here they
are read without pandera, which would bring pandas; `bot.specs.conformity` checks a table against them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from bot.specs import linear
from bot.specs.base import Spec, wrong
from bot.specs.shorthand import Column as ColumnName
from bot.specs.validation import did_you_mean, validate
from bot.specs.yaml import read_yaml

Scalar = str | int | float | bool
MAX_PATTERNS = 100
Values = Annotated[tuple[Scalar, ...], Field(max_length=10_000)]
Expression = Annotated[str, Field(max_length=500)]

# pandera's dtype spellings by the family of types that they accept. A family also accepts narrower Arrow types.
DTYPES: dict[str, tuple[str, ...]] = {
    "integer": ("int", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "Int64", "Int32"),
    "number": ("float", "float16", "float32", "float64", "Float64", "decimal"),
    "text": ("str", "string", "object", "string[python]", "string[pyarrow]", "category"),
    "boolean": ("bool", "boolean"),
    "time": ("datetime64[ns]", "datetime64[us]", "datetime64[ms]", "datetime64[s]", "datetime64[ns, UTC]", "date"),
}
FAMILIES = {spelling: family for family, spellings in DTYPES.items() for spelling in spellings}


class InRange(Spec):
    """Bounds; both ends count unless said otherwise."""

    min_value: Scalar
    max_value: Scalar
    include_min: bool = True
    include_max: bool = True


class StringLength(Spec):
    """Characters."""

    min_value: Annotated[int, Field(ge=0)] | None = None
    max_value: Annotated[int, Field(ge=0)] | None = None
    exact_value: Annotated[int, Field(ge=0)] | None = None


class Column(Spec):
    """What one column must look like: type, missing values, and pandera's built-in checks by name."""

    dtype: str | None = None
    """pandera's name of a type, for example `int64`, `float64`, `str`, `bool`, `datetime64[ns]`."""
    nullable: bool = False
    """Whether values may be missing."""
    unique: bool = False
    """Whether each value may occur once only."""
    required: bool = True
    """Whether the column must be there."""
    coerce: bool = False
    """For pandera; mlbot never converts."""
    regex: bool = False
    """The column's name is a pattern, and each column that fits it must conform."""
    sensitive: bool = False
    """Values of this column are never shown: not in messages, reports or logs."""
    title: str | None = None
    description: str | None = None
    equal_to: Scalar | None = None
    not_equal_to: Scalar | None = None
    greater_than: Scalar | None = None
    greater_than_or_equal_to: Scalar | None = None
    less_than: Scalar | None = None
    less_than_or_equal_to: Scalar | None = None
    in_range: InRange | None = None
    isin: Values | None = None
    notin: Values | None = None
    str_matches: Expression | None = None
    """A regular expression (RE2) that the value starts with."""
    str_contains: Expression | None = None
    str_startswith: Expression | None = None
    str_endswith: Expression | None = None
    str_length: StringLength | None = None
    unique_values_eq: Values | None = None
    """Exactly these values occur."""

    @model_validator(mode="before")
    @classmethod
    def _flat(cls, value: Any) -> Any:
        """pandera's older shapes (`checks: {...}` and `checks: [...]`) in the flat shape."""
        if isinstance(value, dict) and "checks" in value:
            rest = {key: inner for key, inner in value.items() if key != "checks"}
            return {**rest, **_checks(value["checks"])}
        return value

    @model_validator(mode="after")
    def _known_dtype(self) -> Column:
        if self.dtype is not None and self.dtype not in FAMILIES:
            raise wrong(f"unknown dtype {self.dtype!r}", did_you_mean(self.dtype, FAMILIES, noun="dtypes"), key="dtype")
        return self

    @model_validator(mode="after")
    def _linear(self) -> Column:
        for key in ("str_matches", "str_contains"):
            if (text := getattr(self, key)) is not None:
                linear.check(text, key=key)
        return self

    @property
    def family(self) -> str | None:
        """integer, number, text, boolean or time; None when any type will do."""
        return FAMILIES[self.dtype] if self.dtype else None


def _checks(checks: Any) -> dict[str, Any]:
    if checks is None:
        return {}
    if isinstance(checks, dict):
        return {name: _without_options(stats) for name, stats in checks.items()}
    if not isinstance(checks, tuple) or not all(isinstance(one, dict) for one in checks):
        raise wrong("`checks` must be a mapping or a list of mappings", "Write `isin: [...]` beside `dtype`.")
    found = {}
    for one in checks:
        options = one.get("options") or {}
        if not isinstance(options, dict) or not isinstance(options.get("check_name"), str):
            raise wrong("a check without `options.check_name`", "Write `isin: [...]` beside `dtype`.")
        found[options["check_name"]] = _without_options(one)
    return found


def _without_options(stats: Any) -> Any:
    if not isinstance(stats, dict):
        return stats
    rest = {key: value for key, value in stats.items() if key != "options"}
    return rest["value"] if set(rest) == {"value"} else rest


class Freshness(Spec):
    """The newest value of a time column may be this old."""

    column: ColumnName
    max_age_days: Annotated[float, Field(gt=0)]


class Metadata(Spec):
    """mlbot's own conditions on the whole table, where pandera keeps a dictionary for its users."""

    freshness: Freshness | None = None
    min_rows: Annotated[int, Field(ge=0)] | None = None
    max_rows: Annotated[int, Field(ge=1)] | None = None


class Contract(Spec):
    """What a model's data must look like."""

    columns: Annotated[dict[ColumnName, Column], Field(min_length=1)]
    strict: bool = False
    """Whether columns that are not named here are an error."""
    ordered: bool = False
    """Whether the columns must stand in this order."""
    unique: ColumnName | tuple[ColumnName, ...] | None = None
    """Columns whose values together may occur once only."""
    metadata: Metadata = Metadata()
    title: str | None = None
    description: str | None = None
    name: str | None = None
    schema_type: Literal["dataframe"] = "dataframe"
    version: str | None = None
    """The version of pandera that wrote the file."""
    api: str | None = None
    dataframe_library: str | None = None
    coerce: bool = False
    """For pandera; mlbot never converts."""
    dtype: None = None
    index: None = None
    checks: None = None
    report_duplicates: Literal["all", "exclude_first", "exclude_last"] = "all"
    unique_column_names: bool = False
    add_missing_columns: bool = False
    drop_invalid_rows: bool = False

    @model_validator(mode="after")
    def _patterns(self) -> Contract:
        patterns = [name for name, column in self.columns.items() if column.regex]
        if len(patterns) > MAX_PATTERNS:
            raise wrong(f"{len(patterns)} columns are patterns; at most {MAX_PATTERNS} may be", key="columns")
        for name in patterns:
            linear.check(name, key="columns")
        return self

    @property
    def sensitive(self) -> frozenset[str]:
        """Columns whose values are never shown."""
        return frozenset(name for name, column in self.columns.items() if column.sensitive)


def read_contract(data: bytes, file: str) -> Contract:
    """The contract in `models/<name>/schema.yaml`. Raises UserError or Problems with the place of each mistake."""
    return validate(read_yaml(data, file), Contract, schema="contract")
