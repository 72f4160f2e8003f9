"""A spec's estimator parameters against scikit-learn's own constraints, each mistake at its place in model.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path as File
from typing import Any

from bot.errors import Problems, UserError
from bot.specs.contract import Contract
from bot.specs.fitting import Between
from bot.specs.model import ModelSpec
from bot.specs.yaml import Document
from bot.specs.yaml import Path as KeyPath

READ_WHOLE = 16 * 1024 * 1024  # bytes of data that are read to check a spec; of larger data, the columns are


def data_errors(spec: ModelSpec, document: Document, contract: Contract | None, root: File) -> Iterator[UserError]:
    """What training would say of the data that lie below `root`; nothing when there are none."""
    from bot.adapters.tables import column_names, data_files, read_table
    from bot.specs.columns import name_errors, type_errors
    from bot.train.inputs import named_columns

    if not (root / spec.data.path).exists():
        return
    place = document.place(("data", "path"))
    try:
        files, kind = data_files(spec, root)
        names = column_names(spec, root)
        unknown = list(name_errors(spec, names))
        yield from unknown
        if unknown:
            return
        named_columns(spec, names)
        if sum(file.stat().st_size for file in files) <= READ_WHOLE:
            yield from type_errors(spec, read_table(_without_condition(spec), root, None, contract).schema)
            read_table(spec, root, None, contract)
        elif kind == "parquet":
            from pyarrow.parquet import read_schema

            yield from type_errors(spec, read_schema(files[0]))
    except Problems as problems:
        yield from (UserError(one.message, hint=one.hint, place=place, code=one.code) for one in problems.errors)
    except UserError as error:
        yield UserError(error.message, hint=error.hint, place=error.place or place, code=error.code)


def _without_condition(spec: ModelSpec) -> ModelSpec:
    return spec.model_copy(update={"data": spec.data.model_copy(update={"where": None})})


def pointer_errors(spec: ModelSpec, root: File) -> Iterator[UserError]:
    """What `plan` would say of the DVC pointer of the spec's data: `data.dvc` for what lies below data/."""
    from bot.cli.held_files import filter_errors
    from bot.specs.pointer import read_pointer

    pointer = root / f"{spec.data.path.partition('/')[0]}.dvc"
    if not pointer.is_file():
        return
    errors = list(filter_errors([pointer]))
    try:
        read_pointer(pointer.read_bytes(), pointer.name)
    except Problems as problems:
        errors += problems.errors
    except UserError as error:
        errors.append(error)
    yield from errors[:1]


def parameter_errors(spec: ModelSpec, document: Document) -> Iterator[UserError]:
    """A mistake for each parameter, of the estimator and of the search, that scikit-learn refuses."""
    for name, value in spec.estimator.parameters.items():
        yield from _refused(spec, {name: value}, document, ("estimator", "parameters", name))
    for name, values in spec.search.parameters.items() if spec.search else ():
        path: KeyPath = ("search", "parameters", name)
        if isinstance(values, Between):
            yield from _refused(spec, {name: values.low}, document, (*path, "low"))
            yield from _refused(spec, {name: values.high}, document, (*path, "high"))
        else:
            for index, value in enumerate(values):
                yield from _refused(spec, {name: value}, document, (*path, index))


def estimator_errors(spec: ModelSpec) -> Iterator[UserError]:
    """A mistake for each key that the estimator has no use for."""
    from bot.train.idle import estimator_errors as found

    yield from found(spec)


def _refused(spec: ModelSpec, parameters: dict[str, Any], document: Document, path: KeyPath) -> Iterator[UserError]:
    from bot.train.estimator import build_estimator

    bare = spec.model_copy(
        update={"estimator": spec.estimator.model_copy(update={"parameters": {}, "class_weight": None})}
    )
    try:
        build_estimator(bare, None, parameters)
    except UserError as error:
        yield UserError(error.message, hint=error.hint, place=document.place(path), code=error.code)
