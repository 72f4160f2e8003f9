"""A spec's estimator parameters against scikit-learn's own constraints, each mistake at its place in model.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path as File
from typing import Any

from bot.errors import Problems, UserError
from bot.specs.contract import Contract
from bot.specs.fitting import Between
from bot.specs.model import ModelSpec
from bot.specs.yaml import Document, Path

READ_WHOLE = 16 * 1024 * 1024  # bytes of data that are read to check a spec; of larger data, the columns are


def data_errors(spec: ModelSpec, document: Document, contract: Contract | None, root: File) -> Iterator[UserError]:
    """What training would say of the data that lie below `root`; nothing when there are none."""
    from bot.adapters.tables import column_names, data_files, read_table
    from bot.train.inputs import named_columns

    if not (root / spec.data.path).exists():
        return
    place = document.place(("data", "path"))
    try:
        files, _ = data_files(spec, root)
        named_columns(spec, column_names(spec, root))
        if sum(file.stat().st_size for file in files) <= READ_WHOLE:
            read_table(spec, root, None, contract)
    except Problems as problems:
        yield from (UserError(one.message, hint=one.hint, place=place, code=one.code) for one in problems.errors)
    except UserError as error:
        yield UserError(error.message, hint=error.hint, place=place, code=error.code)


def parameter_errors(spec: ModelSpec, document: Document) -> Iterator[UserError]:
    """A mistake for each parameter, of the estimator and of the search, that scikit-learn refuses."""
    for name, value in spec.estimator.parameters.items():
        yield from _refused(spec, {name: value}, document, ("estimator", "parameters", name))
    for name, values in spec.search.parameters.items() if spec.search else ():
        path: Path = ("search", "parameters", name)
        if isinstance(values, Between):
            yield from _refused(spec, {name: values.low}, document, (*path, "low"))
            yield from _refused(spec, {name: values.high}, document, (*path, "high"))
        else:
            for index, value in enumerate(values):
                yield from _refused(spec, {name: value}, document, (*path, index))


def _refused(spec: ModelSpec, parameters: dict[str, Any], document: Document, path: Path) -> Iterator[UserError]:
    from bot.train.estimator import build_estimator

    bare = spec.model_copy(
        update={"estimator": spec.estimator.model_copy(update={"parameters": {}, "class_weight": None})}
    )
    try:
        build_estimator(bare, None, parameters)
    except UserError as error:
        yield UserError(error.message, hint=error.hint, place=document.place(path), code=error.code)
