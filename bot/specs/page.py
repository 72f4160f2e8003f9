"""A JSON Schema of what people write -> a Markdown page: a table of keys for each mapping, in the schema's order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]


def page(schema: Schema, *, title: str, example: str, intro: str, elsewhere: tuple[str, ...] = ()) -> str:
    """The whole page; `example` is YAML text; keys in `elsewhere` are described on a page of their own."""
    keys = {key: _shallow(value) if key in elsewhere else value for key, value in schema["properties"].items()}
    sections = _sections({**schema, "properties": keys})
    parts = [f"# {title}", intro, "```yaml\n" + example.rstrip() + "\n```", *sections]
    return "\n\n".join(parts) + "\n"


def _shallow(value: Schema) -> Schema:
    return {key: inner for key, inner in value.items() if key in ("type", "description", "default")}


def _sections(schema: Schema) -> Iterator[str]:
    definitions: dict[str, Schema] = schema.get("$defs", {})
    yield _section("Top level", schema, definitions)
    seen: list[str] = []
    queue = _named(schema)
    while queue:
        name = queue.pop(0)
        if name not in seen:
            seen.append(name)
            if "properties" in definitions[name]:
                yield _section(name, definitions[name], definitions)
            queue.extend(_named(definitions[name]))


def _named(schema: Any) -> list[str]:
    """Definitions that a schema refers to, in order."""
    if isinstance(schema, dict):
        own = [schema["$ref"].rpartition("/")[2]] if "$ref" in schema else []
        return own + [name for key, value in schema.items() if key != "$defs" for name in _named(value)]
    return [name for value in schema for name in _named(value)] if isinstance(schema, list) else []


def _section(name: str, schema: Schema, definitions: dict[str, Schema]) -> str:
    rows = ["| key | value | default | |", "|---|---|---|---|"]
    required = set(schema.get("required", ()))
    for key, value in schema.get("properties", {}).items():
        default = "required" if key in required else _default(value)
        cells = (f"`{key}`", _type(value, definitions), default, value.get("description", ""))
        rows.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    text = schema.get("description", "")
    return f"## {name}\n\n" + (f"{text}\n\n" if text else "") + "\n".join(rows)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _default(value: Schema) -> str:
    if "default" not in value or value["default"] is None:
        return ""
    text = json.dumps(value["default"])
    return f"`{text}`" if len(text) <= 40 else "see there"


def _type(value: Schema, definitions: dict[str, Schema]) -> str:
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return (
            f"[{name}](#{name.lower()})" if "properties" in definitions[name] else _type(definitions[name], definitions)
        )
    if "anyOf" in value or "oneOf" in value:
        members = [_type(one, definitions) for one in value.get("anyOf") or value["oneOf"]]
        return " or ".join(dict.fromkeys(member for member in members if member != "null"))
    if "enum" in value:
        return ", ".join(f"`{one}`" for one in value["enum"])
    if "const" in value:
        return f"`{value['const']}`"
    return _plain(value, definitions)


def _plain(value: Schema, definitions: dict[str, Schema]) -> str:
    kind = value.get("type", "anything")
    if kind == "array":
        items = value.get("items")
        return f"list of {_type(items, definitions)}" if items else "list"
    if kind == "object":
        inner = value.get("additionalProperties") or next(iter(value.get("patternProperties", {}).values()), None)
        return f"mapping to {_type(inner, definitions)}" if isinstance(inner, dict) else "mapping"
    words = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
    return str(words.get(kind, kind)) + _bounds(value)


def _bounds(value: Schema) -> str:
    signs = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
    found = [f"{sign} {value[key]}" for key, sign in signs.items() if key in value]
    return f" ({', '.join(found)})" if found else ""
