"""What every record shares: frozen, closed, finite, and one canonical JSON form whose SHA-256 is its digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.errors import UserError

MAX_RECORD_BYTES = 8 * 1024 * 1024
_READ = "_read"


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys, no spaces, shortest round-trip floats and UTF-8; NaN and infinity raise ValueError."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")


def sha256(data: bytes) -> str:
    """`sha256:` and 64 hexadecimal digits."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Part(BaseModel):
    """A piece of a record: frozen, unknown keys refused, numbers finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)


class Record(Part):
    """A noun that crosses from a stage to a stage as JSON. Subclasses pin `schema_version` with a Literal."""

    schema_version: int

    def canonical(self) -> bytes:
        """The canonical JSON bytes, the form that is stored and digested.

        Of a record that was read in this form they are the bytes that were read: a version of mlbot that knows one more
        optional field must not see another digest in what is stored, approved, signed and live.
        """
        read = self.__dict__.get(_READ)
        if read is not None and canonical_json(json.loads(read)) == read:
            found: bytes = read
            return found
        return canonical_json(self.model_dump(mode="json"))

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, which is a record of its own: its bytes are no longer those that were read."""
        copied = super().model_copy(update=update, deep=deep)
        copied.__dict__.pop(_READ, None)
        return copied

    def digest(self) -> str:
        """SHA-256 of the canonical JSON, `sha256:<hex>`."""
        return sha256(self.canonical())

    @classmethod
    def parse(cls, data: bytes, *, source: str) -> Self:
        """Read JSON bytes; `source` names them in the error.

        Raises UserError on oversize, unknown keys, another schema number, non-finite numbers and duplicate keys.
        """
        name = cls.__name__
        if len(data) > MAX_RECORD_BYTES:
            raise UserError(
                f"{source}: {len(data)} bytes are too many for a record of kind {name}", code="record_too_large"
            )
        try:
            raw = json.loads(data, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
            record = cls.model_validate(raw)
            record.__dict__[_READ] = bytes(data)  # beside the fields, as a cached property would be
            return record
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "(top level)"
            raise UserError(
                f"{source}: not a {name} record: {where}: {first['msg']}",
                hint=f"`mlbot schema {name.lower()}` prints the schema.",
                code="record_invalid",
            ) from None
        except (ValueError, RecursionError) as error:
            raise UserError(f"{source}: not a {name} record: {error}", code="record_invalid") from None


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise ValueError(f"duplicate key {key!r}")
        result[key] = value
    return result


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a finite number")
