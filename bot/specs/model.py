"""model.yaml: everything that mlbot knows about a machine-learning model before training it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, WithJsonSchema, field_validator, model_validator

from bot.errors import Place, UserError
from bot.records.event import LOGIN_PATTERN, TEAM_PATTERN
from bot.specs.base import Spec, wrong
from bot.specs.data import Data, Split
from bot.specs.estimators import has_probabilities, unknown_estimator
from bot.specs.expression import columns_of, condition_columns
from bot.specs.features import Categorical, DateTime, Features, Numeric, Selection, Text
from bot.specs.fitting import Estimator, Search
from bot.specs.idle import idle_keys
from bot.specs.metrics import is_metric, known_metrics
from bot.specs.shorthand import NAME_PATTERN, ONE_OR_MORE, Column, Short, by
from bot.specs.size import Size, size_bytes
from bot.specs.validation import did_you_mean, validate
from bot.specs.yaml import Document, Places, read_yaml

Task = Literal["binary", "multiclass", "regression"]
RiskTier = Literal["low", "medium", "high"]
Login = Annotated[str, Field(pattern=rf"^@?(?:{LOGIN_PATTERN}|{TEAM_PATTERN})$")]
Environment = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,29}$")]

# What `bot.specs.gates` reads: those classes are built only for a spec that has gates.
_GATES = {"type": "array", "items": {"type": "object", "required": ["id", "kind"]}}

MODEL_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class Metrics(Spec):
    """What is measured on the test rows."""

    primary: str
    """The metric that search, selection and the headline of the report go by. Refused when the estimator does not give
    what it is measured on: probabilities, which `calibration` gives too."""
    also: tuple[str, ...] = ()
    cost: dict[str, dict[str, float]] | None = None
    """For `cost`: cost by true label, then by predicted label; 0 where nothing is written. Refused for a label that is
    no class, and when no metric is `cost`."""
    unit: Annotated[str, Field(max_length=20)] = ""
    """Unit of the target of a regression, such as `minutes`: shown with `mae`, `rmse` and the like."""

    def costs(self, classes: Sequence[str] | None) -> tuple[tuple[float, ...], ...] | None:
        """Costs by true class, then by predicted class, 0 where the table says nothing; None without a table."""
        declared = self.cost
        if declared is None or classes is None:
            return None
        return tuple(tuple(declared.get(true, {}).get(said, 0.0) for said in classes) for true in classes)

    @property
    def names(self) -> tuple[str, ...]:
        """The primary metric, then the others, each once."""
        return tuple(dict.fromkeys((self.primary, *self.also)))


class Slice(Spec):
    """Rows that are also measured apart: the values of a column, its bins, crossings of columns, or a condition."""

    columns: Annotated[tuple[Column, ...], ONE_OR_MORE, Field(max_length=2)] = ()
    """One column, or two to cross."""
    bins: Annotated[int, Field(ge=2, le=20)] | None = None
    """Cut a numeric column at quantiles of the training rows. Refused for another column, and beside `edges`."""
    edges: tuple[float, ...] = ()
    """Or at these values, which must rise; a value on an edge is above it."""
    where: Annotated[str, Field(max_length=500)] | None = None
    """A condition as in `data.where`, for example `distance > 1000`."""
    name: Annotated[str, Field(pattern=NAME_PATTERN)] | None = None
    """Left out: the condition, or the columns, with how they are cut where two slices share them."""

    @model_validator(mode="after")
    def _one_way(self) -> Slice:
        if bool(self.columns) == (self.where is not None):
            raise wrong("a slice needs either `columns` or `where`", "Write a column's name.")
        if self.where is not None:
            condition_columns(self.where)
        for key in ("bins", "edges"):
            if self.where is not None and getattr(self, key):
                raise wrong(f"`{key}` does nothing beside `where`", "Remove it.", key=key)
        if self.bins and self.edges:
            raise wrong("`bins` does nothing beside `edges`", "Remove one of the two.", key="bins")
        if len(set(self.columns)) < len(self.columns):
            raise wrong("a column is crossed with itself", "Name another column.", key="columns")
        if any(low >= high for low, high in pairwise(self.edges)):
            raise wrong("`edges` must rise", f"Write {sorted(set(self.edges))}.", key="edges")
        return self


def _slice(value: Any) -> Any:
    return {"columns": (value,)} if isinstance(value, str) else value


class Resources(Spec):
    """Where a model is trained in GitHub Actions."""

    runner: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")] = "ubuntu-24.04-arm"
    """A runner label that `policies/training.yaml` offers."""
    timeout_minutes: Annotated[int, Field(ge=1, le=360)] = 30
    memory: Size | None = None
    """Most memory that each process of a training may take, for example `4 GB`; more ends with an error. Left out: that
    of `policies/training.yaml`, else nine tenths of the machine's."""
    jobs: Annotated[int, Field(ge=1, le=256)] | None = None
    """Parallel fits in a search. Left out: one a core."""

    @property
    def memory_bytes(self) -> int | None:
        """The limit in bytes, None when the spec names none."""
        return size_bytes(self.memory)


class ModelSpec(Spec):
    """One model: what it predicts, from what, how it is fitted, how it is judged and where it goes."""

    task: Task
    owner: Annotated[tuple[Login, ...], ONE_OR_MORE, Field(min_length=1)]
    """GitHub logins, or `organization/team`."""
    description: Annotated[str, Field(min_length=1, max_length=4000)]
    """What it predicts and what for: the first paragraph of the model card."""
    intended_use: Annotated[str, Field(max_length=4000)] = ""
    limits: Annotated[str, Field(max_length=4000)] = ""
    """Where it must not be used: into the model card."""
    risk_tier: RiskTier = "medium"
    """What policies ask of a change; a policy may raise it, never lower it."""
    positive: str | int | bool | None = None
    """Binary only: the label whose probability is predicted. Left out: the second in sorted order."""
    data: Data
    split: Split = Split()
    features: Features
    selection: Annotated[Selection, by("method")] = Selection()
    estimator: Annotated[Estimator, by("name")]
    search: Search | None = None
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0
    """Seed of everything random but the split."""
    metrics: Annotated[Metrics, by("primary")]
    slices: tuple[Annotated[Slice, Short(_slice, {"type": "string"})], ...] = ()
    gates: Annotated[tuple[Any, ...], WithJsonSchema(_GATES)] = ()
    """Gates on top of `policies/gates.yaml`, in its format. They can only add."""
    resources: Resources = Resources()
    environments: Annotated[tuple[Environment, ...], Field(min_length=1)] = ("staging", "production")
    """Environments it may be deployed to, in order of promotion."""
    onnx: bool = True
    """Try to export ONNX as well; it is kept only when its predictions agree."""
    version: Annotated[str, Field(pattern=r"^v?(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$")] | None = None
    """Semantic version that the next release gets at least; left out, it follows from what changed."""

    _name: str = PrivateAttr(default="")
    _places: Places = PrivateAttr(default=Places())

    @property
    def name(self) -> str:
        """The folder's name below `models/`, empty when it was read from elsewhere."""
        return self._name

    def place(self, key: str) -> Place | None:
        """Where a dotted key stands in model.yaml, the nearest key above when it is left out; None without a file."""
        return self._places.of(key)

    @property
    def has_probabilities(self) -> bool:
        """Whether the estimator has probabilities, without calibration, with some of the parameters that are tried."""
        tried: dict[str, tuple[Any, ...]] = {name: (value,) for name, value in self.estimator.parameters.items()}
        for name, values in self.search.parameters.items() if self.search else ():
            tried[name] = values if isinstance(values, tuple) else ()
        return has_probabilities(self.estimator.name, tried)

    @field_validator("environments")
    @classmethod
    def _each_once(cls, environments: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(environments)) != len(environments):
            raise wrong("an environment is named twice", "Keep one of the two.")
        return environments

    @model_validator(mode="after")
    def _estimator_does_the_task(self) -> ModelSpec:
        problem = unknown_estimator(self.estimator.name, self.task)
        if problem:
            raise wrong(*problem, key="estimator.name")
        return self

    @model_validator(mode="after")
    def _fits_the_task(self) -> ModelSpec:
        for key, is_set, tasks in self._task_keys():
            if is_set and self.task not in tasks:
                raise wrong(f"`{key}` means nothing for the task {self.task}", "Remove it.", key=key)
        known = known_metrics(self.task)
        scoring = (self.search.scoring,) if self.search and self.search.scoring else ()
        for key, names in (("metrics", self.metrics.names), ("search.scoring", scoring)):
            for name in names:
                if not is_metric(name, self.task):
                    hint = did_you_mean(name, known, noun=f"{self.task} metrics")
                    raise wrong(f"unknown metric {name[:60]!r}", hint, key=key)
        return self

    def _task_keys(self) -> list[tuple[str, bool, tuple[str, ...]]]:
        estimator = self.estimator
        classes = ("binary", "multiclass")
        return [
            ("positive", self.positive is not None, ("binary",)),
            ("estimator.threshold", estimator.threshold is not None, ("binary",)),
            ("estimator.class_weight", estimator.class_weight is not None, classes),
            ("estimator.calibration", estimator.calibration != "none", classes),
            ("estimator.transform_target", estimator.transform_target != "none", ("regression",)),
            ("metrics.cost", self.metrics.cost is not None, classes),
            ("metrics.unit", bool(self.metrics.unit), ("regression",)),
            ("split.method", self.split.method == "stratified", classes),
        ]

    @model_validator(mode="after")
    def _columns_are_named(self) -> ModelSpec:
        if self.split.method == "time" and self.data.time is None:
            raise wrong("`method: time` needs a time column", "Add `time: COLUMN` under `data`.", key="split.method")
        if self.split.method == "group" and self.data.group is None:
            raise wrong("`method: group` needs a group column", "Add `group: COLUMN` under `data`.", key="split.method")
        for column in self._listed():
            if column in self.data.reserved:
                raise wrong(f"{column!r} cannot be an input: it is the target, row id or weight", key="features")
        return self

    @model_validator(mode="after")
    def _each_key_does_something(self) -> ModelSpec:
        for key, message, hint in idle_keys(self):
            raise wrong(message, hint, key=key)
        return self

    def _listed(self) -> list[str]:
        features = self.features
        blocks: tuple[Numeric | Categorical | Text | DateTime, ...] = (
            *features.numeric,
            *features.categorical,
            *features.text,
            *features.datetime,
        )
        derived = [column for text in features.derived.values() for column in columns_of(text)]
        names: list[str] = []
        for block in blocks:
            names.extend(block.columns)
        return names + derived

    @property
    def split_method(self) -> str:
        """The method of the split, also when it is left out: random, stratified, group or time."""
        if self.split.method:
            return self.split.method
        if self.data.group:
            return "group"
        return "random" if self.task == "regression" else "stratified"


def read_model_spec(data: bytes, file: str) -> ModelSpec:
    """The spec in `models/<name>/model.yaml`. Raises UserError or Problems with the place of each mistake."""
    return model_spec(read_yaml(data, file), file)


def model_spec(document: Document, file: str) -> ModelSpec:
    """The same from a Document, for callers that also want the places of its keys."""
    spec = validate(document, ModelSpec, schema="model")
    if spec.gates:
        from bot.specs.gates import spec_gates

        spec_gates(document)
    parts = file.split("/")
    spec._places = Places(document)
    if len(parts) >= 2 and parts[-1] == "model.yaml":
        check_name(parts[-2], file)
        spec._name = parts[-2]
    return spec


def check_name(name: str, file: str) -> None:
    """Raises UserError when a folder's name cannot be a model's name."""
    if not MODEL_NAME.fullmatch(name):
        hint = "Rename the folder: lower-case letters, digits and dashes, at most 63 characters."
        raise UserError(f"{name!r} is not a model name", hint=hint, place=Place(file), code="spec_invalid")
