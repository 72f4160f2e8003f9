"""How each field of GitHub's schema is answered: one module a family of types, each with a written table.

A field without a row is answered with an error that names it, never with a silent null. Families of
types share rows, so a type may have a row for a field that only its relatives have; nobody can ask for that one.
"""

from __future__ import annotations

from bot.sandbox.graphql.fields import (
    accounts,
    checks,
    commits,
    issues,
    mutations,
    protection,
    pulls,
    queue,
    refs,
    releases,
    repositories,
    root,
    timeline,
    written,
)
from bot.sandbox.graphql.fields.interface import Field

_MODULES = (
    root,
    mutations,
    accounts,
    repositories,
    refs,
    protection,
    releases,
    issues,
    pulls,
    queue,
    timeline,
    written,
    commits,
    checks,
)

# (type of the schema, field) -> what answers it
TABLE: dict[tuple[str, str], Field] = {
    (kind, name): field
    for module in _MODULES
    for kind, fields in module.FIELDS.items()
    for name, field in fields.items()
}
