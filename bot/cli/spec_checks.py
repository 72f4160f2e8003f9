"""A spec's estimator parameters against scikit-learn's own constraints, each mistake at its place in model.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.errors import UserError
from bot.specs.fitting import Between
from bot.specs.model import ModelSpec
from bot.specs.yaml import Document, Path


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
