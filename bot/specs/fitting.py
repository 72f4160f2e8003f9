"""How a model is fitted: the `estimator` and `search` parts of model.yaml."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from bot.specs.base import Plain, Spec, wrong

Parameter = Annotated[str, Field(pattern=r"^[a-z_A-Z][a-z_A-Z0-9]{0,60}$")]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]

# Set by the trainer, so that a result does not depend on the machine or leave a trace outside the artifact.
# Name -> what to do instead.
MANAGED: dict[str, str] = {
    "categorical_features": "Write `encode: native` for these columns under `features.categorical`.",
    "n_jobs": "Remove it; `resources.jobs` are the parallel fits of a search.",
    "random_state": "Remove it; `seed` at the top level is the seed of everything random.",
    "verbose": "Remove it.",
    "warm_start": "Remove it.",
}


class TunedThreshold(Spec):
    """A decision threshold chosen on out-of-fold predictions of the training rows."""

    tune: Literal["accuracy", "balanced_accuracy", "f1", "mcc", "youden"]


class Estimator(Spec):
    """A scikit-learn classifier or regressor of the written list."""

    name: Annotated[str, Field(max_length=100)]
    parameters: dict[Parameter, Plain] = Field(default={})
    """scikit-learn's own parameters, checked against scikit-learn's own constraints. Refused: what the trainer sets
    (`random_state` is `seed`, `n_jobs`, `verbose`, `warm_start`, `categorical_features`), and what is searched. Folds
    that an estimator makes itself (`LassoCV`) keep groups and moments together too; rows that it sets aside to stop
    early are drawn as scikit-learn draws them."""
    class_weight: Literal["balanced"] | dict[str, Annotated[float, Field(gt=0)]] | None = None
    """`balanced`, or a weight for each label, 1 where none is given. Refused for a label that is no class, beside
    `class_weight` under `parameters`, and beside an estimator without class weights."""
    calibration: Literal["none", "sigmoid", "isotonic"] = "none"
    """Map probabilities so that 0.8 means 80 %, on out-of-fold predictions of the training rows: the estimator of all
    training rows, and one calibrator for five folds (`CalibratedClassifierCV` with `ensemble=False`). With a split by
    time, each fold is predicted from the rows before it, and the first rows are not predicted."""
    threshold: Annotated[float, Field(gt=0, lt=1)] | TunedThreshold | None = None
    """Binary only: rows with at least this probability of `positive` are predicted so. Left out: the most probable
    class, of equals the first, as scikit-learn does. Refused beside an estimator without probabilities."""
    transform_target: Literal["none", "log1p"] = "none"
    """Regression only: fit on the transformed target, predict in its own unit."""

    @field_validator("parameters")
    @classmethod
    def _are_free(cls, parameters: dict[str, Any]) -> dict[str, Any]:
        return _not_managed(parameters)


def _not_managed(parameters: dict[str, Any]) -> dict[str, Any]:
    for name in sorted(MANAGED.keys() & parameters.keys()):
        raise wrong(f"`{name}` is set by the trainer", MANAGED[name], key=name)
    return parameters


class Between(Spec):
    """A range to draw from: `{low: 0.01, high: 1, scale: log}`. Whole numbers are drawn when both ends are."""

    low: int | float
    high: int | float
    scale: Literal["linear", "log"] = "linear"

    @property
    def is_whole(self) -> bool:
        """Whether whole numbers are drawn."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @model_validator(mode="after")
    def _ordered(self) -> Between:
        if self.low >= self.high:
            raise wrong("`low` must be below `high`", "Swap the two.", key="low")
        if self.scale == "log" and self.low <= 0:
            raise wrong("a logarithmic range starts above 0", "Write a positive `low`.", key="low")
        return self


Choices = Annotated[tuple[Plain, ...], Field(min_length=1, max_length=1000)]


class Search(Spec):
    """Which parameters are tried on cross-validation folds of the training rows.

    A candidate is judged as the model that it would become: calibrated and with the threshold where the spec says so,
    each tuned again on the fold's own training rows, and by decision values where there are no probabilities. Rows
    count alike. A candidate that cannot be fitted or cannot predict on a fold is the worst one.
    """

    method: Literal["grid", "random", "halving"] = "grid"
    parameters: Annotated[dict[Parameter, Choices | Between], Field(min_length=1)]
    """Values to try by parameter of the estimator, or a range for `random` and `halving`. Refused: what the trainer
    sets, `class_weight` beside `estimator.class_weight`, a value that is listed twice."""
    folds: Annotated[int, Field(ge=2, le=50)] = 5
    """With a split by time, `TimeSeriesSplit` over the different moments; else shuffled by `seed`, with equal shares of
    the classes. Groups stay together: of those before and after a moment, a share is validated in each fold, and the
    others are trained on."""
    scoring: str | None = None
    """A metric by mlbot's name. Left out: the primary metric. Refused when the estimator does not give what it is
    measured on, and `cost` without a table."""
    candidates: Annotated[int, Field(ge=1, le=100_000)] = 20
    """How many `random` and `halving` draw. Refused beside `grid`, which tries every combination."""
    max_fits: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Try as many whole candidates as this many fits allow, a fit for each fold, whatever the number of cores; those of
    calibration and threshold are not counted. Refused when less than `folds`."""
    max_minutes: Annotated[float, Field(gt=0)] | None = None
    """Stop after this many minutes with the best so far. Makes the result depend on the machine's speed."""
    seed: Seed = 0
    dask: bool = False
    """Spread it over a Dask cluster, where whoever trains offers one: `dask` in `policies/training.yaml`, or the
    variable `MLBOT_DASK`. Else it runs on this machine."""

    @property
    def most_candidates(self) -> int:
        """How many candidates it has at most."""
        if self.method != "grid":
            return self.candidates
        return math.prod(len(values) for values in self.parameters.values() if isinstance(values, tuple))

    @field_validator("dask", mode="before")
    @classmethod
    def _names_no_address(cls, value: Any) -> Any:
        if isinstance(value, str):
            hint = "Write `dask: true`; the address is `dask` in policies/training.yaml, or `mlbot train --dask`."
            raise wrong("a spec names no address that is connected to", hint)
        return value

    @field_validator("parameters")
    @classmethod
    def _are_free(cls, parameters: dict[str, Any]) -> dict[str, Any]:
        return _not_managed(parameters)

    @model_validator(mode="after")
    def _grid_of_values(self) -> Search:
        if self.method == "grid":
            for name, values in self.parameters.items():
                if isinstance(values, Between):
                    raise wrong(
                        f"`{name}` is a range, which a grid cannot walk", "List values, or use `method: random`."
                    )
        return self
