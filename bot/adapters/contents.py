"""A loaded scikit-learn object -> nothing, or an error: each value in it is one that a pipeline of ours may hold.

Types alone are not enough: a text vectorizer with `input="filename"` is of a listed type and reads files. So parameters
must be what scikit-learn's own constraints allow, narrowed where a value could reach a file, run a function or compile
a pattern; functions stand in their own places only; no attribute hides a method; and what compiled code trusts, such as
the indices in a tree, is looked at (`bot.adapters.structures`).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from bot.adapters.structures import STRUCTURES, is_sound
from bot.errors import UserError

_PATTERN = r"(?u)\b\w\w+\b"  # scikit-learn's own
_WORDS: dict[str, tuple[Any, ...]] = {
    "input": ("content",),
    "encoding": ("utf-8",),
    "decode_error": ("strict",),
    "strip_accents": (None,),
    "preprocessor": (None,),
    "tokenizer": (None,),
    "stop_words": (None,),
    "analyzer": ("word", "char_wb"),
    "token_pattern": (_PATTERN,),
    "vocabulary": (None,),
}
# class -> parameter -> the values that it may have; `*` is any class. Beside scikit-learn's own constraints.
NARROW: dict[str, dict[str, tuple[Any, ...]]] = {
    "*": {
        "memory": (None,),
        "n_jobs": (None, 1),
        "verbose": (False, 0),
        "oob_score": (False, True),
        "optimizer": (None, "fmin_l_bfgs_b"),
    },
    "TfidfVectorizer": _WORDS,
    "FunctionTransformer": {"kw_args": (None,), "inv_kw_args": (None,), "feature_names_out": (None,)},
    "OneHotEncoder": {"feature_name_combiner": ("concat",)},
    "SimpleImputer": {"strategy": ("mean", "median", "most_frequent", "constant")},
    "ColumnTransformer": {"verbose_feature_names_out": (True, False)},
}
# Any other listed type may be opaque: it is made by its own constructor, from numbers.
_OPAQUE = ("sklearn._loss._loss", "sklearn.linear_model._sgd_fast", "sklearn.metrics._dist_metrics", "numpy.random")
# By scikit-learn itself when it is loaded, from the arrays beside it; and what `bot.adapters.structures` looks at.
_SETTLED = {("IsotonicRegression", "f_"), ("TreePredictor", "nodes")}


def check_contents(root: Any, file: str) -> None:
    """Raises UserError (code `value_refused`) naming the class and attribute of a value that is not to be there."""
    seen: dict[int, Any] = {}  # the objects, so that none is collected and its id given to another
    waiting: list[tuple[Any, str]] = [(root, "the file itself")]
    while waiting:
        value, where = waiting.pop()
        if _is_plain(value) or id(value) in seen:
            continue
        seen[id(value)] = value
        try:
            waiting.extend(_inside(value, where))
        except _RefusedError as error:
            raise _refusal(file, error.args[0]) from None
        except Exception:  # what is asked of a crafted object may raise anything
            raise _refusal(file, where) from None
    for value in reversed(seen.values()):  # parts before the whole: a whole that is asked something asks its parts
        if not is_sound(value):
            raise _refusal(file, type(value).__name__)


class _RefusedError(Exception):
    """Its argument names the place."""


def _refusal(file: str, where: str) -> UserError:
    hint = "Only artifacts that `mlbot train` wrote are loaded."
    return UserError(f"{file}: refused for a value that no training writes: {where}", hint=hint, code="value_refused")


def _is_plain(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "biufSUM" and type(value) is np.ndarray
    return value is None or type(value) in (bool, int, float, str, slice) or isinstance(value, np.generic | np.dtype)


def _inside(value: Any, where: str) -> Iterator[tuple[Any, str]]:
    """What is to be looked at next, with where it stands. Raises _RefusedError."""
    kind = type(value)
    if kind in (list, tuple, set, dict):
        yield from ((item, where) for item in value)
        if kind is dict:
            yield from ((item, where) for item in value.values())
    elif kind is np.ndarray and value.dtype.kind == "O":
        yield from ((item, where) for item in value.flat)
    elif kind.__module__.startswith("scipy.sparse."):
        value.check_format(full_check=True)
    elif hasattr(value, "__dict__") and kind.__module__.startswith(("sklearn.", "scipy.interpolate.")):
        yield from _object(value)
    elif kind.__name__ not in STRUCTURES and not kind.__module__.startswith(_OPAQUE):
        raise _RefusedError(where)  # a function, a type or a record outside the places that they have


def _object(value: Any) -> Iterator[tuple[Any, str]]:
    """The attributes of an object that are not settled here."""
    kind = type(value)
    parameters = frozenset(kind._get_param_names()) if hasattr(kind, "_get_param_names") else frozenset[str]()
    for name, item in vars(value).items():
        where = f"{kind.__name__}.{name if name.isidentifier() and name.isascii() and len(name) < 60 else '?'}"
        if name.startswith("__") or (name not in parameters and hasattr(kind, name)):
            raise _RefusedError(where)
        if not _narrow(kind.__name__, name, item, is_parameter=name in parameters):
            raise _RefusedError(where)
        if not _is_placed(kind.__name__, name, item) and (kind.__name__, name) not in _SETTLED:
            yield item, where
    if hasattr(kind, "_parameter_constraints"):
        value._validate_params()


def _narrow(kind: str, name: str, value: Any, *, is_parameter: bool) -> bool:
    for table in (NARROW["*"] if is_parameter else {}, NARROW.get(kind, {})):
        if name in table and not any(type(value) is type(one) and value == one for one in table[name]):
            return False
    return not (name in ("kernel", "metric") and value == "precomputed")


@functools.cache
def _places() -> dict[tuple[str, str], tuple[Any, ...]]:
    """(class, attribute) -> the functions and types that may stand there."""
    from scipy._lib.array_api_compat.numpy import asarray

    forward, back = (np.log1p, np.expm1), (np.log1p, np.expm1, None)
    return {
        ("FunctionTransformer", "func"): (np.ravel, *forward),
        ("FunctionTransformer", "inverse_func"): back,
        ("TransformedTargetRegressor", "func"): forward,
        ("TransformedTargetRegressor", "inverse_func"): back,
        ("BSpline", "_asarray"): (asarray,),
        **{(name, "dtype"): (np.float64,) for name in ("OneHotEncoder", "OrdinalEncoder", "TfidfVectorizer")},
    }


def _is_placed(kind: str, name: str, value: Any) -> bool:
    if any(value is one for one in _places().get((kind, name), ())):
        return True
    return (kind, name) == ("FunctionTransformer", "func") and _is_the_number_check(value)


def _is_the_number_check(value: Any) -> bool:
    """What HistGradientBoosting puts before columns that are no categories."""
    from sklearn.utils.validation import check_array

    if type(value) is not functools.partial or value.func is not check_array or value.args or vars(value):
        return False
    return dict(value.keywords) == {"dtype": [np.float64], "ensure_all_finite": False}
