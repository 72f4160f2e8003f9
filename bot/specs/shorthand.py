"""Short forms that people write (`estimator: Ridge`) and the long forms they stand for, also in the JSON Schema."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from bot.specs.base import wrong

COLUMN_PATTERN = r"^[^\x00-\x1f]{1,200}$"
NAME_PATTERN = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$"

Column = Annotated[str, Field(pattern=COLUMN_PATTERN, description="A column's name.")]
Pattern = Annotated[str, Field(pattern=COLUMN_PATTERN, description="A column's name, or a pattern such as `wind_*`.")]

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": {"type": "string"}}


class Short:
    """Annotation: also accepts a shorter form, turned into the long one by `expand` before validation."""

    def __init__(self, expand: Callable[[Any], Any], *forms: JsonSchemaValue) -> None:
        self.expand = expand
        self.forms = forms

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return BeforeValidator(self.expand).__get_pydantic_core_schema__(source, handler)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [handler(schema), *self.forms]}


def _name(key: str) -> Callable[[Any], Any]:
    return lambda value: {key: value} if isinstance(value, str) else value


def _blocks(value: Any) -> Any:
    if isinstance(value, str):
        return ({"columns": (value,)},)
    if isinstance(value, dict):
        return (value,)
    if isinstance(value, tuple) and value and all(isinstance(item, str) for item in value):
        return ({"columns": value},)
    if isinstance(value, tuple) and any(isinstance(item, str) for item in value):
        raise wrong("mixes names and mappings", "Write either a list of names or a list of mappings with `columns`.")
    return value


def _one_or_more(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def by(key: str) -> Short:
    """`x` stands for `{key: x}`."""
    return Short(_name(key), _TEXT)


BLOCKS = Short(_blocks, _TEXT, _TEXTS, {"type": "object"})
ONE_OR_MORE = Short(_one_or_more, _TEXT)
