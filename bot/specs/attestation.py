"""models/<name>/attestation.yaml: tests of the ML Test Score that people vouch for, since no machine can see them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from bot.specs.base import Spec, wrong
from bot.specs.validation import did_you_mean, validate
from bot.specs.yaml import read_yaml

IDS = tuple(f"{section}{number}" for section in "DMIS" for number in range(1, 8))


class Attested(Spec):
    """One test."""

    how: Literal["manual", "automated"]
    """manual: done by hand and written down (half a point). automated: runs by itself (one point)."""
    by: Annotated[str, Field(min_length=1, max_length=100)]
    """Who vouches for it."""
    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    """When, as "2026-01-31"."""
    where: Annotated[str, Field(max_length=500)] = ""
    """Where the result is written down."""


class Attestation(Spec):
    """The file: test id (D1 to D7, M1 to M7, I1 to I7, S1 to S7) to who vouches for it."""

    version: Literal[1]
    tests: dict[str, Attested]

    @field_validator("tests")
    @classmethod
    def _known(cls, tests: dict[str, Attested]) -> dict[str, Attested]:
        for name in tests:
            if name not in IDS:
                raise wrong(f"there is no test {name!r}", did_you_mean(name, IDS, noun="tests"))
        return tests


def read_attestation(data: bytes, file: str) -> Attestation:
    """Raises UserError (or Problems) with file, line, column and hint."""
    return validate(read_yaml(data, file), Attestation, schema="attestation")
