"""The Jinja2 environment of the Markdown templates: whatever is not finished Markdown is escaped, without exception."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import ChoiceLoader, DictLoader, PackageLoader, StrictUndefined, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bot.words import Markdown, inline

# No filter that makes finished text out of anything: a template cannot switch the escaping off by accident.
FILTERS = ("indent", "length", "count", "first", "last", "list", "sort", "unique", "batch", "slice", "round", "default")


def environment(templates: Mapping[str, str] | None = None) -> ImmutableSandboxedEnvironment:
    """Templates by name; a team's own (`policies/templates/`) come before the bot's."""
    return _environment(tuple(sorted((templates or {}).items())))


@lru_cache(maxsize=4)
def _environment(templates: tuple[tuple[str, str], ...]) -> ImmutableSandboxedEnvironment:
    loader = ChoiceLoader([DictLoader(dict(templates)), PackageLoader("bot.report", "templates")])
    made = ImmutableSandboxedEnvironment(  # `finalize` escapes: for Markdown, which HTML escaping does not
        loader=loader,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=finished,
        keep_trailing_newline=True,
    )
    made.filters = {name: made.filters[name] for name in FILTERS}
    return made


def finished(value: Any) -> Any:
    """Finished Markdown as it is, an undefined name as the error it is, everything else escaped."""
    if isinstance(value, Markdown | Undefined):
        return value
    return inline(str(value))
