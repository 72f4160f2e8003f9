"""A spec's `estimator` -> an unfitted scikit-learn estimator, checked by scikit-learn's own constraints."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from bot.errors import UserError
from bot.specs.estimators import ESTIMATORS
from bot.specs.fitting import MANAGED
from bot.specs.model import ModelSpec
from bot.specs.validation import did_you_mean

MAX_ITERATIONS = 100_000
MAX_TEXT = 200
_HOSTILE_SIZES = ("n_estimators", "max_iter", "max_leaf_nodes", "n_quantiles", "max_bins", "n_alphas", "cache_size")


def build_estimator(spec: ModelSpec, classes: tuple[str, ...] | None, changes: Mapping[str, Any] | None = None) -> Any:
    """The estimator alone, without calibration; `changes` are a search's parameters on top of the spec's.

    Raises UserError (code `parameter_invalid`) naming the parameter.
    """
    module, _, name = ESTIMATORS[spec.estimator.name].partition(":")
    kind = getattr(importlib.import_module(module), name)
    known = kind().get_params()
    parameters = {key: _plain(value, key) for key, value in {**spec.estimator.parameters, **(changes or {})}.items()}
    for key, value in parameters.items():
        if key not in known:
            hint = did_you_mean(key, known.keys() - MANAGED.keys(), noun="parameters")
            raise UserError(f"{name} has no parameter {key!r}", hint=hint, code="parameter_invalid")
        _check_size(name, key, value, known[key])
    if "random_state" in known:
        parameters["random_state"] = spec.seed
    if spec.estimator.class_weight is not None:
        parameters["class_weight"] = _class_weight(spec, classes or (), name, known)
    estimator = kind(**parameters)
    try:
        estimator._validate_params()
    except ValueError as error:
        raise UserError(
            _sentence(error), hint=f"See scikit-learn's page of {name}.", code="parameter_invalid"
        ) from None
    return estimator


def _plain(value: Any, key: str) -> Any:
    """JSON has lists where scikit-learn wants tuples (hidden_layer_sizes, ranges)."""
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise UserError(f"`{key}`: {len(value)} characters are too many", code="parameter_invalid")
    return tuple(_plain(item, key) for item in value) if isinstance(value, list | tuple) else value


def _check_size(name: str, key: str, value: Any, default: Any) -> None:
    if isinstance(value, dict) or callable(default):
        hint = "Numbers, text, true, false, null and lists of these are."
        raise UserError(f"{name}: `{key}` as a mapping is not supported", hint=hint, code="parameter_invalid")
    if key in _HOSTILE_SIZES and isinstance(value, int | float) and value > MAX_ITERATIONS:
        raise UserError(f"{name}: `{key}: {value}` is above {MAX_ITERATIONS}", code="parameter_invalid")


def _class_weight(spec: ModelSpec, classes: tuple[str, ...], name: str, known: Mapping[str, Any]) -> Any:
    if "class_weight" not in known:
        hint = "Use an estimator with class weights, or a weight column."
        raise UserError(f"{name} has no class weights", hint=hint, code="parameter_invalid")
    weights = spec.estimator.class_weight
    if not isinstance(weights, dict):
        return weights
    return {position: weights.get(label, 1.0) for position, label in enumerate(classes)}


def _sentence(error: ValueError) -> str:
    """scikit-learn's words, shortened: they list types by module."""
    return re.sub(r"an instance of '([a-z_.]*\.)?(\w+)'", r"\2", str(error)).split("\n")[0][:500]


def transformed(estimator: Any, spec: ModelSpec) -> Any:
    """With the target's transformation round it, when the spec asks for one."""
    if spec.estimator.transform_target == "none":
        return estimator
    from sklearn.compose import TransformedTargetRegressor

    return TransformedTargetRegressor(estimator, func=np.log1p, inverse_func=np.expm1, check_inverse=False)


def takes_weights(estimator: Any) -> bool:
    """Whether `fit` has sample weights; that of a transformed target hands them to the regressor inside."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.utils.validation import has_fit_parameter

    inner = estimator.regressor if isinstance(estimator, TransformedTargetRegressor) else estimator
    return bool(has_fit_parameter(inner, "sample_weight"))
