"""policies/gates.yaml: what an evaluation must show. Every gate must hold, so a model spec can add gates, never weaken.

Values and margins are in the unit of the metric. A gate asks of an interval, not of a number: it passes when the whole
interval is on the right side, fails when the whole interval is on the wrong side, and is inconclusive in between.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from bot.errors import Place, UserError
from bot.records.base import canonical_json, sha256
from bot.records.training import Task
from bot.specs.base import Spec, wrong
from bot.specs.condition import parse
from bot.specs.metrics import is_metric, known_metrics
from bot.specs.validation import did_you_mean, validate
from bot.specs.yaml import Document, read_yaml

OnInconclusive = Literal["block", "allow"]
Share = Annotated[float, Field(gt=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]


class GateSpec(Spec):
    """What every gate has."""

    id: Word
    """Name of the gate, shown to people and kept in the record."""
    tasks: tuple[Task, ...] = ()
    """Only for models of these tasks; empty for all."""
    models: tuple[str, ...] = ()
    """Only for models whose name fits one of these patterns (`*` and `?`); empty for all."""
    inconclusive: OnInconclusive | None = None
    """What an inconclusive verdict does; without it, what the file says for all gates."""
    blocking: bool = True
    """false: the gate is shown, and stops nothing."""

    def applies_to(self, model: str, task: Task) -> bool:
        """Whether the gate is asked of this model."""
        named = not self.models or any(fnmatchcase(model, pattern) for pattern in self.models)
        return named and (not self.tasks or task in self.tasks)


class Measured(GateSpec):
    """A gate on a metric."""

    metric: str = "primary"
    """Name of a metric, or `primary` for the one that the model spec names first."""

    @field_validator("metric")
    @classmethod
    def _known(cls, metric: str) -> str:
        tasks = ("binary", "multiclass", "regression")
        if metric == "primary" or any(is_metric(metric, task) for task in tasks):
            return metric
        known = {name for task in tasks for name in known_metrics(task)} | {"primary"}
        raise wrong(f"unknown metric {metric[:60]!r}", did_you_mean(metric, known, noun="metrics"))


class Against(Measured):
    """A gate on the paired difference to a baseline on the same test rows."""

    against: str
    """An environment, or `dummy` or `linear`."""
    first: Literal["pass", "inconclusive", "fail"] = "pass"
    """The verdict while nothing is deployed there. A champion that cannot be scored is always inconclusive."""


class Floor(Measured):
    """The metric is at least `value`."""

    kind: Literal["floor"]
    value: float


class Ceiling(Measured):
    """The metric is at most `value`."""

    kind: Literal["ceiling"]
    value: float


class NonInferiority(Against):
    """The metric is worse than the baseline's by less than the margin."""

    kind: Literal["non_inferiority"]
    margin: NotNegative | None = None
    """Largest loss that is still accepted, in the metric's unit."""
    margin_share: Share | None = None
    """The same as a share of the baseline's own value; give one of the two."""

    @model_validator(mode="after")
    def _one_margin(self) -> NonInferiority:
        if (self.margin is None) == (self.margin_share is None):
            raise wrong("give either `margin` or `margin_share`", "`margin: 0.005` is in the unit of the metric.")
        return self


class Superiority(Against):
    """The metric is better than the baseline's by more than the margin."""

    kind: Literal["superiority"]
    margin: NotNegative = 0.0


class SliceGate(Measured):
    """A gate on every declared slice with enough rows."""

    columns: tuple[str, ...] = ()
    """Only these slice columns; empty for all that the model spec declares."""


class SliceFloor(SliceGate):
    """On every slice the metric is at least `value` (at most, where lower is better)."""

    kind: Literal["slice_floor"]
    value: float


class SliceNonInferiority(SliceGate):
    """On every slice the metric is worse than the baseline's by less than the margin."""

    kind: Literal["slice_non_inferiority"]
    against: str
    margin: NotNegative
    first: Literal["pass", "inconclusive", "fail"] = "pass"


class GroupGap(GateSpec):
    """Between the groups of a column the rates of a binary model differ by at most `value`."""

    kind: Literal["group_gap"]
    column: str
    measure: Literal["demographic_parity_difference", "equalised_odds_difference"]
    value: Share


class Operating(GateSpec):
    """An operating characteristic is at most `value`, or at most `times` that of a deployed model."""

    kind: Literal["operating"]
    name: Literal[
        "fit_s", "peak_memory_bytes", "artifact_bytes", "row_p50_ms", "row_p99_ms", "thousand_p50_ms", "thousand_p99_ms"
    ]
    value: Positive | None = None
    times: Positive | None = None
    against: str | None = None

    @model_validator(mode="after")
    def _one_limit(self) -> Operating:
        if (self.value is None) == (self.times is None):
            raise wrong("give either `value`, or `times` with `against`")
        if (self.times is None) != (self.against is None):
            raise wrong("`times` and `against` belong together", "`times: 1.5` and `against: production`, say.")
        return self


class DataContract(GateSpec):
    """The data were checked against a `schema.yaml`, and fit it."""

    kind: Literal["data_contract"]


class Architecture(GateSpec):
    """The model was trained and measured on one of these processor architectures."""

    kind: Literal["architecture"]
    allowed: tuple[Literal["aarch64", "x86_64"], ...] = Field(min_length=1)


class MaximumAge(GateSpec):
    """The newest row of the data is at most so many days older than the evaluation."""

    kind: Literal["maximum_age"]
    days: Positive


class ConditionGate(GateSpec):
    """A condition in the language of ease.ml/ci on accuracies and disagreement: n, o and d."""

    kind: Literal["condition"]
    condition: str
    """Such as `n - o > 0.02 +/- 0.01 /\\ d < 0.1 +/- 0.02`."""
    against: str = "production"
    reliability: Share = 0.99
    steps: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Evaluations that share the test rows; without it, the file's budget, or 1."""
    adaptivity: Literal["none", "full", "first_change"] = "full"
    mode: Literal["fp_free", "fn_free"] = "fp_free"
    """fp_free: unknown does not pass. fn_free: unknown passes."""
    bound: Literal["hoeffding", "bennett"] = "bennett"
    first: Literal["pass", "inconclusive", "fail"] = "pass"

    @field_validator("condition")
    @classmethod
    def _readable(cls, condition: str) -> str:
        try:
            parse(condition)
        except UserError as error:
            raise wrong(error.message, error.hint) from None
        return condition


class TrainTestOverlap(GateSpec):
    """At most this share of the test rows is also among the training rows, target aside."""

    kind: Literal["train_test_overlap"]
    value: Annotated[float, Field(ge=0, lt=1)]


Gate = Annotated[
    Floor
    | Ceiling
    | NonInferiority
    | Superiority
    | SliceFloor
    | SliceNonInferiority
    | GroupGap
    | Operating
    | DataContract
    | Architecture
    | MaximumAge
    | ConditionGate
    | TrainTestOverlap,
    Field(discriminator="kind"),
]


class SlicePolicy(Spec):
    """How slices are made and read."""

    minimum_rows: Annotated[int, Field(ge=1)] = 100
    """A slice with fewer rows is shown and judges nothing."""
    correction: Literal["holm", "none"] = "holm"
    """Correction for asking the same of many slices."""
    crossings: bool = True
    """Also slice by each pair of declared columns."""
    maximum: Annotated[int, Field(ge=1, le=10_000)] = 500
    """Largest number of slices; the biggest are kept."""


class BudgetPolicy(Spec):
    """How often the result on the same test rows may be seen."""

    steps: Annotated[int, Field(ge=1, le=10_000)]
    ladder: bool = False
    """true: the metric's digits are shown only when the candidate beats the best so far (Blum and Hardt 2015)."""


class GatesPolicy(Spec):
    """The file. The default of `inconclusive` is to block."""

    version: Literal[1]
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    """Of every interval. A gate looks at one end of it, so it errs half as often."""
    resamples: Annotated[int, Field(ge=200, le=100_000)] = 2000
    stratified: bool = False
    """true: the test rows were drawn with fixed shares of the classes, so resampling keeps them."""
    inconclusive: OnInconclusive = "block"
    slices: SlicePolicy = SlicePolicy()
    budget: BudgetPolicy | None = None
    gates: tuple[Gate, ...]

    @field_validator("gates")
    @classmethod
    def _distinct(cls, gates: tuple[Any, ...]) -> tuple[Any, ...]:
        if not gates:  # as a constraint, it would also complain whenever a gate is malformed
            raise wrong("a policy without gates lets everything pass", "Write at least one gate.")
        for position, gate in enumerate(gates):
            if any(gate.id == earlier.id for earlier in gates[:position]):
                raise wrong(f"two gates have the id `{gate.id}`", "Give each gate its own id.")
        return gates


def settings_digest(policy: GatesPolicy) -> str:
    """SHA-256 of how numbers are measured: what has intervals is measured anew when it changes."""
    how = policy.model_dump(mode="json", include={"confidence", "resamples", "stratified", "slices"})
    return sha256(canonical_json(how))


@dataclass(frozen=True)
class PlacedGate:
    """A gate and the line that asks for it."""

    gate: Gate
    place: Place


@dataclass(frozen=True)
class Gates:
    """A read gates file: the policy, and every gate with its place."""

    policy: GatesPolicy
    gates: tuple[PlacedGate, ...]
    budget_place: Place | None = None

    def for_model(self, model: str, task: Task) -> tuple[PlacedGate, ...]:
        """The gates that are asked of a model, in file order."""
        return tuple(placed for placed in self.gates if placed.gate.applies_to(model, task))

    def adding(self, more: tuple[PlacedGate, ...]) -> Gates:
        """With the gates of a model spec. Raises UserError when one takes the id of a gate of the policy."""
        taken = {placed.gate.id for placed in self.gates}
        for placed in more:
            if placed.gate.id in taken:
                hint = "A model spec may add gates, never change one of policies/gates.yaml: choose another id."
                message = f"the gate `{placed.gate.id}` is already asked for by the policy"
                raise UserError(message, hint=hint, place=placed.place, code="gate_taken")
            taken.add(placed.gate.id)
        return replace(self, gates=self.gates + more)


def read_gates(data: bytes, file: str = "policies/gates.yaml") -> Gates:
    """Raises UserError (or Problems) with file, line, column and hint."""
    document = read_yaml(data, file)
    policy = validate(document, GatesPolicy, schema="gates")
    return Gates(policy, placed_gates(policy.gates, document), document.place(("budget",), key=True))


def placed_gates(gates: tuple[Gate, ...], document: Document) -> tuple[PlacedGate, ...]:
    """Gates of the key `gates` of a document, each with its line."""
    return tuple(PlacedGate(gate, document.place(("gates", number))) for number, gate in enumerate(gates))


class _SpecGates(Spec):
    """The `gates` of a model spec."""

    gates: tuple[Gate, ...]


def with_spec_gates(gates: Gates, document: Document) -> Gates:
    """The policy's gates and those of a model.yaml, each with its own file and line.

    Raises UserError (or Problems) when a gate of the spec is malformed or takes the id of one of the policy.
    """
    return gates.adding(spec_gates(document))


def spec_gates(document: Document) -> tuple[PlacedGate, ...]:
    """The gates of a model.yaml. Raises UserError (or Problems) when one is malformed."""
    written = document.value.get("gates") if isinstance(document.value, dict) else None
    if not written:
        return ()
    part = replace(document, value={"gates": written})
    return placed_gates(validate(part, _SpecGates, schema="gates").gates, document)
