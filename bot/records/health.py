"""What monitoring found in one window: calibrated drift, performance, and what was not judged."""

from __future__ import annotations

from typing import Literal

from bot.records.base import Part, Record

Status = Literal["healthy", "alarm", "unknown"]
Role = Literal["input", "prediction", "target"]
Task = Literal["classification", "regression"]
FamilyName = Literal["drift", "performance", "labels", "checks"]
Cause = Literal["performance", "drift", "inputs", "skew", "traffic", "operation"]


class Side(Part):
    """One of the two tables. `sampled` is how many rows the permutations saw, equal to `rows` when all fitted."""

    source: str
    rows: int
    sampled: int
    duplicates: int = 0


class Budget(Part):
    """How the false alarms that the user allows are spent.

    `per_window` is the chance that an undrifted window alarms: `false_alarms_per_month / windows_per_month`. It is
    divided among `families` (drift; performance and labels when rows have labels), see Family. `permutations` is how
    many gave the distribution that the drift family is judged by. `level` is the p-value at or under which one window
    is raised: it is larger than `per_window` when several windows must agree. `expected_per_month` is how many false
    alarms that makes a month at most, None in records of before there was a level.
    """

    false_alarms_per_month: float
    windows_per_month: float
    per_window: float
    families: tuple[str, ...]
    permutations: int
    level: float | None = None
    expected_per_month: float | None = None


class Persistence(Part):
    """How many windows must be raised before it is an alarm: `needed` of the last `of`, this one included.

    `raised` of the `seen` windows were (seen <= of: fewer at the start), in the family that was most often.
    `correlation` is how far windows go together because they share their reference.
    """

    needed: int
    of: int
    seen: int
    raised: int
    correlation: float


class Family(Part):
    """What is judged with a `share` of the false alarms (0 to 1; all shares add up to 1).

    This window is odd in it when `p_value` (None: not judged) is at or under `level`; `raised` of the last `seen`
    windows were, this one included, and `alarm` says that this one and enough others were. `correlation` is how far its
    windows go together, because they share their reference and, where labels come late, their rows.
    """

    name: FamilyName
    share: float
    level: float
    correlation: float
    p_value: float | None
    seen: int
    raised: int
    alarm: bool


def is_odd(one: Family) -> bool:
    """Whether this window is odd in a family, which alone need not be an alarm."""
    return one.p_value is not None and one.p_value <= one.level


class ColumnDrift(Part):
    """One test of one column. `effect` is 0 to 1, `p_adjusted` holds over all columns and tests together.

    `q`: the column is drifted at this false discovery rate over columns (Benjamini & Hochberg 1995), the same for all
    tests of the column. `alarm`: it is one of the columns to look at in a window that is raised.
    """

    column: str
    role: Role
    test: str
    effect: float
    p_adjusted: float
    alarm: bool
    q: float | None = None


class JointDrift(Part):
    """All columns judged together. `effect` is 0 to 1: for the domain classifier 2 AUC - 1, cross-validated."""

    test: str
    effect: float
    p_adjusted: float
    alarm: bool


class Performance(Part):
    """A metric on labelled rows of both tables; `worse` is how much worse the current one is, with its interval."""

    metric: str
    reference: float
    current: float
    worse: float
    low: float
    high: float
    confidence: float
    n_reference: int
    n_current: int
    alarm: bool
    p_value: float | None = None


class Estimated(Part):
    """A metric of unlabelled rows, estimated from calibrated probabilities (CBPE): never an alarm by itself.

    `reference` is measured on labelled rows, `current` estimated; `low` and `high` hold what chance does to `rows` rows
    (95 %), not what a broken assumption does. `assumption` says when it holds, `fails_when` when it is wrong.
    """

    metric: str
    reference: float
    current: float
    assumption: str
    low: float | None = None
    high: float | None = None
    rows: int | None = None
    fails_when: tuple[str, ...] = ()


class Note(Part):
    """Something that a reader must know: a stable code and a sentence."""

    code: str
    sentence: str


class Check(Part):
    """Something looked at besides drift and performance; `column` None means all rows.

    `value` is measured, `limit` is where the alarm begins; each None where there is no number.
    """

    cause: Cause
    code: str
    sentence: str
    alarm: bool
    column: str | None = None
    value: float | None = None
    limit: float | None = None


class Joined(Part):
    """Logged rows that got a label by request id, and labels that were not used, by reason.

    `labelled` rows were scored. `late` labels belong to rows older than the policy's `labels_within`. `duplicates` say
    the same again, `corrected` were replaced by a newer one; of a `conflicting` row two labels differ and neither is
    newer, so none is used. `orphans` name no logged row of this release, `unknown_class` none of the model's classes.
    """

    rows: int
    labelled: int
    late: int
    duplicates: int
    corrected: int
    conflicting: int
    orphans: int
    unknown_class: int


class Aged(Part):
    """A released version on the same new labelled rows: what each age of the model is worth today."""

    version: str
    artifact_digest: str
    released_at: str
    is_live: bool
    metric: str
    value: float
    low: float | None
    high: float | None
    n: int
    better_than_live: bool = False


class Health(Record):
    """Health of a model in one window. `unknown` means that nothing could be judged; the notes say why.

    `environment` and `version` are None for two plain tables. `smallest_detectable` is the share by which two
    distribution functions must differ before this many rows show it, None when nothing was tested. `judged_at`,
    `since` and `until` (RFC 3339, UTC) are when it was judged and which rows; None for two plain tables. `causes` are
    what alarms, after persistence. `alarm` of a column or a metric says that this window is odd in it.
    """

    schema_version: Literal[1] = 1
    model: str
    environment: str | None = None
    version: str | None = None
    status: Status
    reference: Side
    current: Side
    budget: Budget
    least_effect: float
    smallest_detectable: float | None
    drift: tuple[ColumnDrift, ...]
    performance: tuple[Performance, ...]
    estimated: tuple[Estimated, ...]
    notes: tuple[Note, ...]
    p_value: float | None = None
    raised: bool = False
    task: Task | None = None
    joint: tuple[JointDrift, ...] = ()
    persistence: Persistence | None = None
    families: tuple[Family, ...] = ()
    judged_at: str | None = None
    since: str | None = None
    until: str | None = None
    artifact_digest: str | None = None
    labels: Joined | None = None
    checks: tuple[Check, ...] = ()
    versions: tuple[Aged, ...] = ()
    causes: tuple[Cause, ...] = ()
