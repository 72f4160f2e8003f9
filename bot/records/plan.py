"""Which models a change affects and why, and which it does not and why not."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bot.records.base import Part, Record


class DataFile(Part):
    """One file as DVC tracks it. `path` is from the root of the repository; `size` is in bytes, None when unknown.

    `sha256` is of the bytes that were read, None before they were; DVC itself knows files by their MD5.
    """

    path: str
    md5: str
    size: int | None = None
    sha256: str | None = None


class Reason(Part):
    """Why a model is affected or skipped: a stable code and a sentence. `path` is the changed file, None if none is."""

    code: str
    sentence: str
    path: str | None = None


class Planned(Part):
    """A model to evaluate. `known_evaluation` is a stored Evaluation's digest with the same inputs digest, or None."""

    kind: Literal["planned"] = "planned"
    model: str
    inputs_digest: str
    base_inputs_digest: str | None
    reasons: tuple[Reason, ...]
    data_files: tuple[DataFile, ...]
    runner: str
    timeout_minutes: int
    risk_tier: str
    known_evaluation: str | None = None


class Skipped(Part):
    """A model that the change does not affect."""

    kind: Literal["skipped"] = "skipped"
    model: str
    reason: Reason
    inputs_digest: str | None = None


class Invalid(Part):
    """A model whose spec or data cannot be read at the head; it blocks until it is mended. `code` is the error's."""

    kind: Literal["invalid"] = "invalid"
    model: str
    file: str
    line: int | None
    column: int | None = None
    message: str
    hint: str | None
    code: str = ""

    @property
    def is_about_data(self) -> bool:
        """Whether the data are missing or broken, and the spec may be as it should."""
        return self.code.startswith(("data_", "remote_", "listing_", "pointer_"))


Entry = Annotated[Planned | Skipped | Invalid, Field(discriminator="kind")]


class Plan(Record):
    """What `plan` makes of two Git trees. Entries are sorted by model name."""

    schema_version: Literal[1] = 1
    base_sha: str
    head_sha: str
    entries: tuple[Entry, ...]
    changed_paths: tuple[str, ...]
    change_kinds: tuple[
        str, ...
    ]  # sorted: spec, data, schema, docs, code, evaluator, policy, workflow, data_remote, other
    n_models: int

    @property
    def planned(self) -> tuple[Planned, ...]:
        """The entries to evaluate."""
        return tuple(entry for entry in self.entries if isinstance(entry, Planned))

    @property
    def invalid(self) -> tuple[Invalid, ...]:
        """The entries that cannot be read."""
        return tuple(entry for entry in self.entries if isinstance(entry, Invalid))
