"""What every spec shares: frozen, closed, finite, and nothing converted (`"5"` is not 5, `true` is not 1)."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

# A value as YAML gives it: text, number, boolean, null, tuple or mapping of these. The reader lets nothing else in.
Plain = Any


class Spec(BaseModel):
    """A piece of what people write. Sequences are tuples, since strict validation does not turn a list into one.

    The string below a field is its description in the JSON Schema and on the pages made from it.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        defer_build=True,  # a class is built when it is first used: a command pays for what it reads
    )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        made = handler(schema)
        properties = handler.resolve_ref_schema(made).get("properties", {})
        for name, text in attribute_docstrings(cls).items():
            if name in properties:
                properties[name]["description"] = text
        return made


def attribute_docstrings(kind: type[BaseModel]) -> dict[str, str]:
    """The string below each field of a class and of those it derives from.

    pydantic's `use_attribute_docstrings` does the same, but at import, which took a third of a short command's time.
    """
    import ast
    import inspect
    import itertools
    import textwrap

    found: dict[str, str] = {}
    for one in reversed(kind.__mro__):
        if issubclass(one, BaseModel) and one.__module__.startswith("bot."):
            body = ast.parse(textwrap.dedent(inspect.getsource(one))).body[0].body  # type: ignore[attr-defined]
            for field, below in itertools.pairwise(body):
                is_field = isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
                if is_field and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
                    found[field.target.id] = inspect.cleandoc(str(below.value.value))
    return found


def wrong(message: str, hint: str | None = None, *, key: str | None = None) -> PydanticCustomError:
    """The error that a validator raises: `message` says what is wrong, `hint` the next step.

    `key` names a key (dotted: a key further down) of what is under validation, so that the place is that key's.
    """
    context: dict[str, Any] = {"text": message, "hint": hint, "key": key}
    return PydanticCustomError("spec", "{text}", context)
