"""What every spec shares: frozen, closed, finite, and nothing converted (`"5"` is not 5, `true` is not 1)."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError


class Spec(BaseModel):
    """A piece of what people write. Sequences are tuples, since strict validation does not turn a list into one."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        defer_build=True,  # a class is built when it is first used: a command pays for what it reads
        validate_default=False,
        use_attribute_docstrings=True,
    )


def wrong(message: str, hint: str | None = None, *, key: str | None = None) -> PydanticCustomError:
    """The error that a validator raises: `message` says what is wrong, `hint` the next step.

    `key` names a key (dotted: a key further down) of what is under validation, so that the place is that key's.
    """
    context: dict[str, Any] = {"text": message, "hint": hint, "key": key}
    return PydanticCustomError("spec", "{text}", context)
