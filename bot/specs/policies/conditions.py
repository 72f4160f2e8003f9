"""`when`: to which changes a rule or a tier applies. Every key that is written must hold."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from bot.specs.base import Spec, wrong
from bot.specs.policies.words import ChangeKind, Glob, Name


class When(Spec):
    """A condition. Patterns are anchored globs: `*` stays within a folder, `**` does not."""

    always: Literal[True] | None = None
    risk_tier: tuple[Name, ...] | None = Field(None, min_length=1)
    """Any of these tiers."""
    change_kinds: tuple[ChangeKind, ...] | None = Field(None, min_length=1)
    """Any file of these kinds changed."""
    models: tuple[Glob, ...] | None = Field(None, min_length=1)
    """The model's name fits one of these patterns."""
    models_changed: bool | None = None
    """Whether the change affects a model at all."""
    declared_tier: tuple[Name, ...] | None = Field(None, min_length=1)
    """The model's own spec declares one of these tiers."""
    paths: tuple[Glob, ...] | None = Field(None, min_length=1)
    """Any changed path (a deleted one too) fits."""
    only_paths: tuple[Glob, ...] | None = Field(None, min_length=1)
    """Every changed path fits; false when nothing changed."""
    base_branches: tuple[Glob, ...] | None = Field(None, min_length=1)
    """The pull request's base branch fits."""
    from_fork: bool | None = None
    author_roles: tuple[Name, ...] | None = Field(None, min_length=1)
    """The pull request's author holds one of these roles."""
    any_of: tuple[When, ...] | None = Field(None, min_length=1)
    all_of: tuple[When, ...] | None = Field(None, min_length=1)
    none_of: tuple[When, ...] | None = Field(None, min_length=1)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        written = self.written()
        if not written:
            raise wrong("the condition is empty", "Write `always: true` if it always applies.")
        if "always" in written and len(written) > 1:
            raise wrong("`always` does not go with other conditions", "Remove one of them.", key="always")
        return self

    def written(self) -> tuple[str, ...]:
        """The keys that are set."""
        return tuple(name for name in type(self).model_fields if getattr(self, name) is not None)

    def parts(self) -> tuple[When, ...]:
        """This condition and all inside it."""
        inner = (*(self.any_of or ()), *(self.all_of or ()), *(self.none_of or ()))
        return (self, *(part for one in inner for part in one.parts()))
