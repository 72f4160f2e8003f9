"""Blocks of input columns -> a ColumnTransformer over the frame, and which source columns each output reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.errors import UserError
from bot.specs.features import Categorical, DateTime, Numeric, Text
from bot.specs.frame import MISSING_TEXT, frame_names
from bot.train.folds import partition
from bot.train.inputs import Block, Inputs, sources_of
from bot.train.target import Target

_PLAIN_MODULES = ("tree", "ensemble", "naive_bayes", "dummy")
ENCODER_FOLDS = 5
_MAX_NATIVE_CATEGORIES = 254  # HistGradientBoosting has 255 bins for a categorical input, one of them for missing


@dataclass(frozen=True)
class Needs:
    """What an estimator asks of its input: the defaults of imputation, scaling and encoding follow from it."""

    takes_missing: bool
    takes_sparse: bool
    wants_scaled: bool
    is_tree: bool
    has_native_categories: bool


def needs_of(estimator: Any) -> Needs:
    """From scikit-learn's own tags and the module that the estimator lives in."""
    from sklearn.utils import get_tags

    tags = get_tags(estimator).input_tags
    module = type(estimator).__module__.split(".")[1]
    return Needs(
        takes_missing=tags.allow_nan,
        takes_sparse=tags.sparse,
        wants_scaled=module not in _PLAIN_MODULES,
        is_tree=module in ("tree", "ensemble"),
        has_native_categories="categorical_features" in estimator.get_params(),
    )


def preprocessor(inputs: Inputs, needs: Needs, *, seed: int, jobs: int | None = None) -> Any:
    """An unfitted ColumnTransformer with one entry a block (text: one a column), named by the block's position."""
    from sklearn.compose import ColumnTransformer

    entries: list[tuple[str, Any, Any]] = []
    for position, block in enumerate(inputs.blocks):
        if isinstance(block.settings, Text):
            for i, name in enumerate(block.names):
                entries.append((f"{position}_{i}", _chain(_text(block.settings, seed)), name))
        elif isinstance(block.settings, Categorical):
            entries.append((str(position), _chain(_categorical(block.settings, needs, seed)), list(block.names)))
        else:
            entries.append((str(position), _chain(_numeric(block, needs)), list(block.names)))
    return ColumnTransformer(entries, sparse_threshold=0.3 if needs.takes_sparse else 0.0, n_jobs=jobs)


@contextmanager
def own_folds(prepare: Any, target: Target, seed: int) -> Iterator[None]:
    """The target encoding's cross-fitting keeps groups, or moments, together while this lasts."""
    if target.groups is None and target.moments is None:
        yield
        return
    encoders = [step for _, chain, _ in prepare.transformers for step in _steps(chain) if hasattr(step, "smooth")]
    for encoder in encoders:
        encoder.set_params(cv=partition(target, ENCODER_FOLDS, seed))
    try:
        yield
    finally:
        fitted = [step for _, chain, _ in getattr(prepare, "transformers_", ()) for step in _steps(chain)]
        for encoder in (*encoders, *(step for step in fitted if hasattr(step, "smooth"))):
            encoder.cv = ENCODER_FOLDS  # the folds' positions are no part of the artifact


def n_native(inputs: Inputs) -> int:
    """How many outputs, from the first on, the estimator splits as categories (after `order_for_native`)."""
    return sum(len(block.names) for block in inputs.blocks if _is_native(block))


def _is_native(block: Block) -> bool:
    return isinstance(block.settings, Categorical) and block.settings.encode == "native"


def order_for_native(inputs: Inputs) -> Inputs:
    """Blocks with native categories first, so that their output positions do not depend on the others."""
    blocks = sorted(inputs.blocks, key=lambda block: not _is_native(block))
    return Inputs(tuple(blocks), inputs.sources, inputs.dropped)


def _chain(steps: list[Any]) -> Any:
    from sklearn.pipeline import make_pipeline

    return steps[0] if len(steps) == 1 else make_pipeline(*steps)


def imputation(settings: Numeric, needs: Needs) -> str:
    """How missing numbers are imputed, also when the spec leaves it out."""
    expands = settings.polynomial > 1 or settings.bins or settings.splines
    return settings.impute or ("none" if needs.takes_missing and not expands else "median")


def encoding(settings: Categorical, needs: Needs) -> str:
    """How categories are encoded, also when the spec leaves it out."""
    return settings.encode or ("ordinal" if needs.is_tree else "one_hot")


def _numeric(block: Block, needs: Needs) -> list[Any]:
    from sklearn import preprocessing as p
    from sklearn.impute import SimpleImputer

    settings = block.settings if isinstance(block.settings, Numeric) else Numeric(columns=("*",))
    if isinstance(block.settings, DateTime) and block.settings.cyclic:
        settings = Numeric(columns=("*",), scale="none")
    impute = imputation(settings, needs)
    steps: list[Any] = []
    if impute != "none":
        fill = {"fill_value": settings.fill if settings.fill is not None else 0.0} if impute == "constant" else {}
        imputer = SimpleImputer(strategy=impute, add_indicator=settings.indicator, keep_empty_features=True, **fill)
        steps.append(imputer)
    scale = settings.scale or ("standard" if needs.wants_scaled else "none")
    if settings.bins:
        return [*steps, p.KBinsDiscretizer(settings.bins, quantile_method="averaged_inverted_cdf")]
    if settings.splines:
        steps.append(p.SplineTransformer(settings.splines))
    if settings.polynomial > 1:
        steps.append(p.PolynomialFeatures(settings.polynomial, include_bias=False))
    if scale != "none":
        steps.append(_scaler(scale))
    # The scaler that does nothing turns the frame's columns into one float64 array and lets NaN through.
    return steps or [p.StandardScaler(with_mean=False, with_std=False)]


def _scaler(scale: str) -> Any:
    from sklearn import preprocessing as p

    makers: dict[str, Any] = {
        "standard": p.StandardScaler,
        "robust": p.RobustScaler,
        "min_max": p.MinMaxScaler,
        "quantile": lambda: p.QuantileTransformer(output_distribution="normal", random_state=0),
        "power": p.PowerTransformer,
    }
    return makers[scale]()


def _categorical(settings: Categorical, needs: Needs, seed: int) -> list[Any]:
    from sklearn import preprocessing as p
    from sklearn.impute import SimpleImputer

    steps: list[Any] = []
    if settings.impute == "most_frequent":
        steps.append(SimpleImputer(missing_values=MISSING_TEXT, strategy="most_frequent", keep_empty_features=True))
    encode = encoding(settings, needs)
    common: dict[str, Any] = {"min_frequency": settings.min_frequency, "max_categories": settings.max_categories}
    if encode == "one_hot":
        unknown = {"error": "error", "infrequent": "infrequent_if_exist"}.get(settings.unknown, "ignore")
        return [*steps, p.OneHotEncoder(handle_unknown=unknown, **common)]
    if encode == "target":
        return [*steps, p.TargetEncoder(random_state=seed)]
    if encode == "native":
        if not needs.has_native_categories:
            raise UserError(
                "`encode: native` needs an estimator with categorical splits",
                hint="Use HistGradientBoosting, or another `encode`.",
                code="spec_invalid",
            )
        common["max_categories"] = min(settings.max_categories or _MAX_NATIVE_CATEGORIES, _MAX_NATIVE_CATEGORIES)
    if settings.unknown == "error":
        return [*steps, p.OrdinalEncoder(handle_unknown="error", **common)]
    unseen = np.nan if needs.takes_missing and (encode == "native" or settings.unknown == "missing") else -1
    return [*steps, p.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=unseen, **common)]


def _text(settings: Text, seed: int) -> list[Any]:
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import FunctionTransformer

    vectorizer = TfidfVectorizer(
        analyzer=settings.analyzer,
        ngram_range=(1, settings.ngrams),
        min_df=settings.min_documents,
        max_features=settings.max_inputs,
    )
    # numpy.ravel turns an Arrow column into an array of Python text.
    steps = [FunctionTransformer(np.ravel), vectorizer]
    if settings.components:
        steps.append(TruncatedSVD(settings.components, algorithm="arpack", random_state=seed))
    return steps


def output_sources(inputs: Inputs, fitted: Any) -> list[frozenset[str]]:
    """For each output column of a fitted preprocessor, the source columns that it reads."""
    result: list[frozenset[str]] = []
    for name, transformer, _ in fitted.transformers_:
        if name == "remainder":
            continue
        position, _, inner = name.partition("_")
        block = inputs.blocks[int(position)]
        columns = [column for column in block.columns for _ in frame_names(column)]
        if inner:
            columns = [columns[int(inner)]]
        slots = [frozenset(sources_of(column)) for column in columns]
        for step in _steps(transformer):
            slots = _through(step, slots)
        result += slots
    return result


def _steps(transformer: Any) -> list[Any]:
    return [step for _, step in transformer.steps] if hasattr(transformer, "steps") else [transformer]


def _through(step: Any, slots: list[frozenset[str]]) -> list[frozenset[str]]:
    """The sources of a fitted step's outputs from those of its inputs."""
    name: str = type(step).__name__
    if name == "OneHotEncoder":
        return [slot for slot, n in zip(slots, step._n_features_outs, strict=True) for _ in range(n)]
    if name == "KBinsDiscretizer":
        return [slot for slot, n in zip(slots, step.n_bins_, strict=True) for _ in range(int(n))]
    if name == "SplineTransformer":
        return [slot for slot in slots for _ in range(step.n_features_out_ // len(slots))]
    if name == "PolynomialFeatures":
        used = [[slot for slot, power in zip(slots, row, strict=True) if power] for row in step.powers_]
        empty: frozenset[str] = frozenset()
        return [empty.union(*read) for read in used]
    if name == "SimpleImputer" and step.add_indicator:
        return slots + [slots[i] for i in step.indicator_.features_]
    if name == "TargetEncoder" and step.target_type_ == "multiclass":
        return [slot for slot in slots for _ in step.classes_]
    if name == "TruncatedSVD":
        return slots[:1] * int(step.n_components)
    if name == "TfidfVectorizer":
        return slots[:1] * len(step.vocabulary_)
    return slots
