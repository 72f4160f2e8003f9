"""The evidence: metrics with intervals, paired comparisons, slices, gates. Its digest is what people approve."""

from __future__ import annotations

from typing import Any, Literal

from bot.records.base import Part, Record
from bot.records.measured import Measured
from bot.records.training import Training

Verdict = Literal["pass", "fail", "inconclusive"]


class Metric(Part):
    """A metric on the test rows. `low` and `high` bound it at `confidence`; None where no interval is defined."""

    name: str
    value: float
    low: float | None
    high: float | None
    confidence: float
    unit: str
    greater_is_better: bool
    n: int


class Comparison(Part):
    """Candidate minus baseline on the same rows, paired.

    `baseline` is an environment name, `dummy` or `linear`; `baseline_artifact_digest` is None for the last two.
    `n_differ` counts rows on which the two predict differently; `smallest_detectable` is the smallest absolute
    difference that this test set shows at this confidence four times in five (same unit as the metric). Without `low`
    and `high` no interval can be trusted, as `method` says.
    """

    metric: str
    baseline: str
    baseline_artifact_digest: str | None
    candidate: float
    champion: float
    difference: float
    low: float | None
    high: float | None
    confidence: float
    n: int
    n_differ: int
    smallest_detectable: float | None
    method: str
    p_value: float | None = None


class SliceResult(Part):
    """A metric on the rows of one slice, e.g. `origin = JFK`. `comparison` is None without a champion.

    `p_adjusted` is the p-value of no difference, corrected by Holm's method for the number of slices.
    """

    slice: str
    n: int
    metric: str
    value: float | None
    low: float | None
    high: float | None
    comparison: Comparison | None
    note: str = ""
    column: str = ""
    p_adjusted: float | None = None


class GateResult(Part):
    """One gate: its verdict, a reason code, a sentence, and the line of the file that asks for it.

    `rows_needed` counts further labelled rows that would settle it. A pass holds until `valid_until` (RFC 3339, UTC):
    from then on it is a fail, though nothing else has changed; None means that it does not age. `next_step` is what its
    author can do, empty for a pass.
    """

    gate: str
    kind: str
    verdict: Verdict
    blocks: bool
    reason_code: str
    sentence: str
    file: str
    line: int | None
    observed: float | None = None
    threshold: float | None = None
    rows_needed: int | None = None
    valid_until: str | None = None
    next_step: str = ""


NOTHING_DEPLOYED = "nothing is deployed there yet"


class MissingBaseline(Part):
    """An environment that could not be compared with, and why.

    `code`: `nothing_deployed` (there is no model to compare with), or `not_scored` (there is one, and it could not be
    loaded or scored on these rows), which no gate forgives.
    """

    environment: str
    reason: str
    code: Literal["nothing_deployed", "not_scored"] = "not_scored"


class Budget(Part):
    """Uses of a test set: `used` counts this one. `allowed` None means that no budget is declared.

    `ladder`: whether people may see the digits of this result; `off` when the policy does not ask. `best` is the best
    value that was released before on these rows, None while there is none.
    """

    test_rows_digest: str
    metric: str
    used: int
    allowed: int | None
    ladder: Literal["off", "released", "withheld"] = "off"
    best: float | None = None


class Section(Part):
    """A table for the report that has no field of its own yet: heading, column names, rows of text."""

    id: str
    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


class Evaluation(Record):
    """Everything that report and decide need about one candidate, self-contained."""

    schema_version: Literal[1] = 1
    model: str
    primary_metric: str
    training: Training
    n_test: int
    metrics: tuple[Metric, ...]
    comparisons: tuple[Comparison, ...]
    missing_baselines: tuple[MissingBaseline, ...]
    slices: tuple[SliceResult, ...]
    gates: tuple[GateResult, ...]
    verdict: Verdict
    budget: tuple[Budget, ...]
    operating: dict[str, float]
    confusion: tuple[tuple[int, ...], ...] | None
    calibration: tuple[tuple[float, float, int], ...]
    sections: tuple[Section, ...]
    policy_digest: str
    run: dict[str, Any]
    measured: Measured | None = None
    """What the gates were judged from; None in records of before there was such."""

    @property
    def inputs_digest(self) -> str:
        """Identity of what was trained."""
        return self.training.inputs_digest

    @property
    def artifact_digest(self) -> str:
        """SHA-256 of the model file."""
        return self.training.artifact_digest
