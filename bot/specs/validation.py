"""A Document and a pydantic class -> an instance, or every mistake with its place and the nearest valid word."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from bot.errors import UserError
from bot.specs.yaml import Document, Path, key_path, together

Model = TypeVar("Model", bound=BaseModel)

_SAYS = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
}


def validate(document: Document, kind: type[Model], *, schema: str | None = None) -> Model:
    """An instance of `kind` from the document; `schema` is what `mlbot schema` calls it, for the hint.

    Raises UserError (code `spec_invalid`), or Problems, with the line and column of each mistake.
    """
    if document.value is None:
        hint = f"`mlbot schema {schema}` prints every key." if schema else None
        raise UserError("the file is empty", hint=hint, place=document.place(()), code="spec_invalid")
    try:
        return kind.model_validate(_with_tuples(document.value))
    except ValidationError as error:
        errors = _without_consequences(error.errors(include_url=False))
        raise together([_problem(one, document, kind, schema) for one in errors]) from None


def _without_consequences(errors: list[Any]) -> list[Any]:
    """Without the keys that are missing only because they are mistyped beside."""
    typed = [error["loc"] for error in errors if error["type"] == "extra_forbidden"]

    def is_consequence(error: Any) -> bool:
        if error["type"] != "missing":
            return False
        *parent, name = error["loc"]
        beside = [str(place[-1]) for place in typed if list(place[:-1]) == parent]
        return nearest(str(name), beside) is not None

    return [error for error in errors if not is_consequence(error)]


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The choice that a mistyped word most likely means, None when none is near."""
    known = list(choices)
    lower = {choice.lower(): choice for choice in known}
    close = difflib.get_close_matches(word.lower(), lower, n=1, cutoff=0.6)
    return lower[close[0]] if close else None


def did_you_mean(word: str, choices: Iterable[str], *, noun: str) -> str:
    """`Did you mean x?`, or the list of what is known when nothing is near and the list is short."""
    known = sorted(choices)
    close = nearest(word, known)
    if close:
        return f"Did you mean `{close}`?"
    if len(known) <= 25:
        return f"Known {noun}: {', '.join(known)}."
    return f"There are {len(known)} {noun}, for example {', '.join(known[:5])}."


def _with_tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_tuples(inner) for key, inner in value.items()}
    return tuple(map(_with_tuples, value)) if isinstance(value, list) else value


def _problem(error: Any, document: Document, kind: type[BaseModel], schema: str | None) -> UserError:
    path = _path(error["loc"], document.value)
    name = _dotted(path)
    context = error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            unknown = str(error["loc"][-1])
            if not path or path[-1] != unknown:
                path = (*path, unknown)
            hint = did_you_mean(unknown, _known_keys(kind, error["loc"][:-1]), noun="keys")
            return _at(document, path, f"unknown key `{_dotted(path)}`", hint, key=True)
        case "missing":
            missing = _dotted((*path, str(error["loc"][-1])))
            hint = f"`mlbot schema {schema}` prints every key." if schema else "Add the key."
            return _at(document, path, f"the key `{missing}` is missing", hint, key=True)
        case "spec":
            inner = (*path, *key_path(context["key"])) if context.get("key") else path
            message = f"`{name}`: {context['text']}" if name else context["text"]
            return _at(document, inner, message, context.get("hint"), key=bool(context.get("key")))
        case "literal_error" | "union_tag_invalid" | "enum":
            return _choice(error, document, path, name)
    says = _SAYS.get(error["type"]) or _plain(error["msg"])
    return _at(document, path, f"`{name}` {says}{_found(error)}" if name else f"the file {says}", _quoting(error))


def _choice(error: Any, document: Document, path: Path, name: str) -> UserError:
    context = error["ctx"]
    choices = [word.strip().strip("'") for word in _choices(context.get("expected", context.get("expected_tags", "")))]
    if error["type"] == "union_tag_invalid":
        path = (*path, str(context["discriminator"]).strip("'"))
        found = str(context.get("tag", ""))
    else:
        found = str(error["input"])
    message = f"`{_dotted(path) or name}` must be one of {', '.join(choices)}; found {_short(found)}"
    close = nearest(found, choices)
    return _at(document, path, message, f"Did you mean `{close}`?" if close else f"Write one of {', '.join(choices)}.")


def _choices(text: str) -> list[str]:
    return [part for comma in text.split(", ") for part in comma.split(" or ")]


def _at(document: Document, path: Path, message: str, hint: str | None, *, key: bool = False) -> UserError:
    return UserError(message, hint=hint, place=document.place(path, key=key), code="spec_invalid")


def _path(location: tuple[int | str, ...], value: Any) -> Path:
    """The part of a pydantic location that names places in the document: union tags and missing keys are left out."""
    path: list[str | int] = []
    for step in location:
        is_key = isinstance(value, dict) and step in value
        if is_key or (isinstance(value, list | tuple) and isinstance(step, int) and step < len(value)):
            path.append(step)
            value = value[step]
    return tuple(path)


def _dotted(path: Path) -> str:
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ").replace("Input should be", "must be").replace("String should", "must")


def _found(error: Any) -> str:
    value = error["input"]
    return "" if isinstance(value, dict | list | tuple) else f"; found {_short(value)}"


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _quoting(error: Any) -> str | None:
    if error["type"] == "string_type" and isinstance(error["input"], bool | int | float):
        return f'Quote it: "{error["input"]}".'
    if error["type"] in ("int_type", "float_type", "bool_type") and isinstance(error["input"], str):
        return "Remove the quotes." if error["input"].strip() else "Write a value."
    return None


def _known_keys(kind: Any, location: tuple[int | str, ...]) -> set[str]:
    kinds = [kind]
    for step in location:
        kinds = [inner for one in kinds for inner in _below(one, step)]
    return {key for one in kinds for model in _models(one) for key in _keys(model)}


def _keys(model: type[BaseModel]) -> Iterator[str]:
    for name, info in model.model_fields.items():
        yield info.alias or name


def _below(kind: Any, step: int | str) -> Iterator[Any]:
    """The types that a step of a location leads to from `kind`."""
    for one in _members(kind):
        if isinstance(one, type) and issubclass(one, BaseModel):
            fields = {info.alias or name: info for name, info in one.model_fields.items()}
            if step in fields:
                yield fields[str(step)].annotation
            elif _has_tag(one, step):
                yield one
        elif get_origin(one) in (tuple, list, dict):
            yield from [argument for argument in get_args(one) if argument is not Ellipsis]


def _members(kind: Any) -> Iterator[Any]:
    if isinstance(kind, typing.TypeAliasType) if hasattr(typing, "TypeAliasType") else False:
        yield from _members(kind.__value__)
    elif get_origin(kind) is Annotated:
        yield from _members(get_args(kind)[0])
    elif get_origin(kind) in (Union, types.UnionType):
        for argument in get_args(kind):
            yield from _members(argument)
    else:
        yield kind


def _has_tag(model: type[BaseModel], step: int | str) -> bool:
    literals = [get_args(info.annotation) for info in model.model_fields.values() if get_args(info.annotation)]
    return step == model.__name__ or any(step in values for values in literals)


def _models(kind: Any) -> Iterator[type[BaseModel]]:
    for one in _members(kind):
        if isinstance(one, type) and issubclass(one, BaseModel):
            yield one
