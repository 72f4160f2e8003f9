"""Another name wherever one is kept: fields are found by their declared type, so that none is forgotten."""

from __future__ import annotations

import dataclasses
import functools
import types
from collections.abc import Callable
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

Change = Callable[[str], str | None]


@dataclasses.dataclass(frozen=True)
class NamesIn:
    """Marks the type of a plain JSON object that keeps names of type `alias` in lists under `keys`."""

    alias: Any
    keys: tuple[str, ...]


def relabel(value: Any, kind: Any, alias: Any, change: Change, *, nobody: str = "") -> Any:
    """The value, of declared type `kind`, with every name of type `alias` changed.

    `change` answers None for a name that is gone: it is left out of lists and mappings, and `nobody` stands in its
    place anywhere else. Records that can change do so in place.
    """
    if kind == alias:
        return change(value) or nobody
    origin, inside = get_origin(kind), get_args(kind)
    go_on = functools.partial(relabel, alias=alias, change=change, nobody=nobody)
    if origin is Annotated:
        return _in_json(value, inside[1], alias, change)
    if origin in (Union, types.UnionType):
        known = [one for one in inside if one is not type(None)]
        return None if value is None else go_on(value, known[0])
    if origin in (list, tuple):
        kept = [one for one in value if inside[0] != alias or change(one) is not None]
        return origin(go_on(one, inside[0]) for one in kept)
    if origin is dict:
        pairs = [(key, one) for key, one in value.items() if inside[0] != alias or change(key) is not None]
        return {go_on(key, inside[0]): go_on(one, inside[1]) for key, one in pairs}
    return _in_record(value, kind, go_on) if dataclasses.is_dataclass(kind) else value


def _in_record(value: Any, kind: Any, go_on: Callable[[Any, Any], Any]) -> Any:
    old = {name: getattr(value, name) for name in hints(kind)}
    new = {name: go_on(old[name], declared) for name, declared in hints(kind).items()}
    changed = {name: one for name, one in new.items() if one is not old[name]}
    if value.__dataclass_params__.frozen:
        return dataclasses.replace(value, **changed) if any(new[name] != old[name] for name in new) else value
    for name, one in changed.items():
        setattr(value, name, one)
    return value


def _in_json(value: Any, mark: Any, alias: Any, change: Change) -> Any:
    if not isinstance(mark, NamesIn) or mark.alias != alias:
        return value
    lists = {key: [change(name) for name in value[key]] for key in mark.keys if key in value}
    return {**value, **{key: [name for name in names if name is not None] for key, names in lists.items()}}


@functools.cache
def hints(kind: Any) -> dict[str, Any]:
    """Declared type by field of a record."""
    declared = get_type_hints(kind, include_extras=True)
    return {one.name: declared[one.name] for one in dataclasses.fields(kind)}
