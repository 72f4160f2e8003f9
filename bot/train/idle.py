"""Keys of `features`, `data` and `estimator` that would do nothing with the estimator that the spec names."""

from __future__ import annotations

from collections.abc import Iterator

from bot.errors import UserError
from bot.specs.features import Categorical, Numeric
from bot.specs.model import ModelSpec
from bot.train.estimator import build_estimator, takes_weights
from bot.train.preprocess import Needs, encoding, imputation, needs_of

Problem = tuple[str, str, str]  # key of the block, message, hint


def estimator_errors(spec: ModelSpec) -> Iterator[UserError]:
    """A mistake, at its place, for each key that does nothing, or is refused, beside this estimator.

    Raises UserError (code `parameter_invalid`) when the estimator cannot be built.
    """
    plain = spec.estimator.model_copy(update={"class_weight": None, "parameters": {}})
    estimator = build_estimator(spec.model_copy(update={"estimator": plain}), None)
    name = spec.estimator.name
    if spec.data.weight is not None and not takes_weights(estimator):
        hint = "Use another estimator, or remove `data.weight`."
        yield _error(spec, "data.weight", f"{name} cannot be fitted with weights", hint)
    if spec.estimator.class_weight is not None and "class_weight" not in estimator.get_params():
        hint = "Use an estimator with class weights, or a weight column."
        yield _error(spec, "estimator.class_weight", f"{name} has no class weights", hint)
    needs = needs_of(estimator)
    for kind in ("numeric", "categorical"):
        for number, block in enumerate(getattr(spec.features, kind)):
            problem = _numeric(block, needs, name) if kind == "numeric" else _categorical(block, needs, name)
            if problem is not None:
                key, message, hint = problem
                yield _error(spec, f"features.{kind}.{number}.{key}", message, hint)


def _error(spec: ModelSpec, key: str, message: str, hint: str) -> UserError:
    return UserError(f"`{key}`: {message}", hint=hint, place=spec.place(key), code="spec_invalid")


def _numeric(block: Numeric, needs: Needs, name: str) -> Problem | None:
    if block.indicator and imputation(block, needs) == "none":
        hint = "Write `impute: median`, or remove `indicator`."
        return "indicator", f"it does nothing: {name} takes missing values as they are", hint
    return None


def _categorical(block: Categorical, needs: Needs, name: str) -> Problem | None:
    encode = encoding(block, needs)
    if encode == "native" and not needs.has_native_categories:
        return (
            "encode",
            f"`native` needs categorical splits of its own, which {name} has not",
            "Use HistGradientBoosting, or another `encode`.",
        )
    if block.unknown == "infrequent" and encode != "one_hot":
        hint = "Write `encode: one_hot`, or `unknown: ignore`, by which a new category has a number of its own."
        return "unknown", f"`infrequent` does nothing beside `encode: {encode}`", hint
    if block.unknown == "missing" and encode == "one_hot":
        hint = "Write `unknown: ignore`: a new category is in no input then."
        return "unknown", "`missing` does nothing beside `encode: one_hot`", hint
    if block.unknown == "missing" and encode == "ordinal" and not needs.takes_missing:
        return "unknown", f"`missing` does nothing: {name} takes no missing values", "Write `unknown: ignore`."
    return None
