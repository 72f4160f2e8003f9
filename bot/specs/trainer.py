"""What, besides spec and data, decides the result of a training: bumped when the trainer would fit another model.

Change together with `bot/train/`, in the commit that changes what the same inputs give: where every model changes,
raise TRAINER_VERSION; where only some specs mean another model, add a row to REVISIONS, so that the digests of all
others stay and nobody's model is trained again for nothing. `tests/arm64/test_stored.py` notices when it was forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bot.specs.fitting import Between, TunedThreshold
from bot.specs.metrics import ALIASES

if TYPE_CHECKING:
    from bot.specs.model import ModelSpec

TRAINER_VERSION = 4

# Distributions whose version can change a fitted model or its bytes.
NUMERICAL_LIBRARIES = ("numpy", "pyarrow", "scikit-learn", "scipy", "skops")

# Families whose probabilities are shares of few rows: 0, 1 and exact ties happen.
_SHARES: tuple[str, ...] = (
    "AdaBoost",
    "Bagging",
    "BernoulliNB",
    "CategoricalNB",
    "ComplementNB",
    "DecisionTree",
    "Dummy",
    "ExtraTree",
)
_SHARES += ("KNeighbors", "MultinomialNB", "RadiusNeighbors", "RandomForest")


def _chooses(spec: ModelSpec) -> bool:
    return spec.search is not None or spec.selection.method != "none"


def _folds_in_time(spec: ModelSpec) -> bool:
    tunes = isinstance(spec.estimator.threshold, TunedThreshold)
    return spec.split_method == "time" and (_chooses(spec) or tunes)


def _own_folds_together(spec: ModelSpec) -> bool:
    is_kept_together = spec.split_method == "time" or spec.data.group is not None
    encodes = any(block.encode == "target" for block in spec.features.categorical)
    return is_kept_together and (encodes or spec.estimator.name.endswith("CV"))


def _calibrated_threshold(spec: ModelSpec) -> bool:
    return spec.estimator.calibration != "none" and isinstance(spec.estimator.threshold, TunedThreshold)


def _search_as_approved(spec: ModelSpec) -> bool:
    """Calibration, threshold, decision values, costs and equal weights count in what a search or selection goes by."""
    if not _chooses(spec):
        return False
    scoring = spec.search.scoring if spec.search and spec.search.scoring else spec.metrics.primary
    named = {ALIASES.get(one, one) for one in (scoring, spec.metrics.primary)}
    fits_otherwise = spec.estimator.calibration != "none" or spec.estimator.threshold is not None
    is_label_only = spec.task != "regression" and not spec.has_probabilities
    counts_otherwise = spec.data.weight is not None or named & {"cost", "calibration_error"}
    is_clipped = "log_loss" in named and spec.estimator.name.startswith(_SHARES)
    is_sum = "brier" in named and spec.task == "multiclass"
    return bool(fits_otherwise or is_label_only or counts_otherwise or is_clipped or is_sum)


def _fits_counted_first(spec: ModelSpec) -> bool:
    search = spec.search
    return (
        search is not None and search.max_fits is not None and search.most_candidates * search.folds > search.max_fits
    )


def _whole_ends(spec: ModelSpec) -> bool:
    ranges = [] if spec.search is None else [v for v in spec.search.parameters.values() if isinstance(v, Between)]
    return any(one.is_whole for one in ranges)


def _ties(spec: ModelSpec) -> bool:
    return spec.task == "binary" and spec.estimator.threshold is None and spec.estimator.name.startswith(_SHARES)


# name -> the specs that mean another model since; the name is in their digest.
REVISIONS: Mapping[str, Callable[[ModelSpec], bool]] = {
    "calibrated-threshold-1": _calibrated_threshold,
    "fits-counted-first-1": _fits_counted_first,
    "folds-in-time-1": _folds_in_time,
    "own-folds-together-1": _own_folds_together,
    "search-as-approved-1": _search_as_approved,
    "ties-as-scikit-learn-1": _ties,
    "whole-ends-1": _whole_ends,
}


def revisions(spec: ModelSpec) -> list[str]:
    """The names of the revisions that change what a spec means, sorted."""
    return sorted(name for name, applies in REVISIONS.items() if applies(spec))
