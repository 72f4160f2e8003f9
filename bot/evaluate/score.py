"""The ML Test Score of a model (Breck et al. 2017): 28 tests in four sections, the score being the lowest section's.

A test is worth one point when it runs by itself, half a point when somebody did it by hand and wrote it down. Tests
that an evaluation shows are computed here; the rest come from what the caller knows and from attestation.yaml.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.records.evaluation import Evaluation, Section
from bot.records.health import Health
from bot.records.release import DRILL, Release, Verification
from bot.specs.attestation import Attestation

SECTIONS = {"D": "data", "M": "model", "I": "infrastructure", "S": "monitoring"}
Check = Callable[[Evaluation], bool]


def _passed(*kinds: str) -> Check:
    """There are gates of these kinds, and each looked and passed: neither a fail nor "cannot tell" earns it."""

    def check(one: Evaluation) -> bool:
        asked = [gate for gate in one.gates if gate.kind in kinds]
        return bool(asked) and all(gate.reason_code == "gate_passed" for gate in asked)

    return check


def _always(_: Evaluation) -> bool:
    """True of whatever went through a pull request here."""
    return True


def _fits_schema(one: Evaluation) -> bool:
    return any(section.id == "data_contract" and not section.rows for section in one.sections)


def _beats_simple(one: Evaluation) -> bool:
    """Better than the linear model on the primary metric, by the whole interval."""
    better = {metric.name: metric.greater_is_better for metric in one.metrics}
    for found in one.comparisons:
        if found.metric == one.primary_metric and found.baseline == "linear":
            bound = found.low if better[found.metric] else found.high
            return bound is not None and (bound > 0 if better[found.metric] else bound < 0)
    return False


def _is_gated(one: Evaluation) -> bool:
    return any(gate.blocks for gate in one.gates)


def _stable(one: Evaluation) -> bool:
    return bool(one.metrics) and not any("onverge" in warning for warning in one.training.warnings)


@dataclass(frozen=True)
class Criterion:
    """`check` says whether an evaluation shows it, None when none can; `next_step` is how to earn it."""

    id: str
    what: str
    check: Check | None
    next_step: str


TESTS: tuple[Criterion, ...] = (
    Criterion("D1", "Expectations of the data are in a schema", _fits_schema, "write a schema.yaml that the data fit"),
    Criterion("D2", "Every input is useful", lambda one: one.training.selection_method != "none", "add `selection`"),
    Criterion("D3", "No input costs too much", None, "attest what each input costs"),
    Criterion("D4", "Inputs meet the owner's requirements", None, "attest the review of the inputs"),
    Criterion("D5", "Private data are kept private", None, "mark columns `sensitive`, attest the review"),
    Criterion("D6", "New inputs can be added quickly", None, "attest the time from plan to merge"),
    Criterion("D7", "Code that makes inputs is tested", lambda one: bool(one.training.columns), "declare `features`"),
    Criterion("M1", "The spec is reviewed and versioned", _always, ""),
    Criterion("M2", "The offline metric follows the online one", None, "attest the correlation"),
    Criterion("M3", "Hyperparameters are tuned", lambda one: one.training.trials > 1, "add `search`"),
    Criterion("M4", "The effect of staleness is known", None, "release it twice, and give `mlbot monitor` labels"),
    Criterion("M5", "A simpler model is not better", _beats_simple, "beat the linear model"),
    Criterion(
        "M6",
        "Quality is good on important slices",
        _passed("slice_floor", "slice_non_inferiority"),
        "pass a `slice_floor` gate",
    ),
    Criterion("M7", "Groups are treated alike", _passed("group_gap"), "pass a `group_gap` gate"),
    Criterion("I1", "Training is reproducible", None, "`mlbot reproduce` on another machine"),
    Criterion("I2", "The spec is unit tested", None, "attest a test of the spec"),
    Criterion("I3", "The whole pipeline is tested", _always, ""),
    Criterion("I4", "Quality is checked before serving", _is_gated, "add gates"),
    Criterion("I5", "One prediction can be followed", lambda one: _has(one, "golden.json"), "train again"),
    Criterion("I6", "Canary before full serving", None, "verify it in `staging` before `production`"),
    Criterion("I7", "Rollback is practised", None, "`mlbot rollback` in staging as a drill"),
    Criterion("S1", "Changed dependencies are told", None, "attest who is told"),
    Criterion("S2", "Requests fit the schema", None, "log requests for `mlbot monitor`"),
    Criterion("S3", "Training and serving see the same inputs", None, "log requests for `mlbot monitor`"),
    Criterion("S4", "The model is not too old", _passed("maximum_age"), "pass a `maximum_age` gate"),
    Criterion("S5", "Numbers are stable", _stable, "mend the convergence warnings"),
    Criterion("S6", "Speed and size have not regressed", _passed("operating"), "pass an `operating` gate"),
    Criterion("S7", "Live quality has not regressed", None, "give `mlbot monitor` labels"),
)


@dataclass(frozen=True)
class Score:
    """Points by test id (0, 0.5 or 1), by section, the score, and the test to add next (None when all are there)."""

    points: Mapping[str, float]
    how: Mapping[str, str]
    sections: Mapping[str, float]
    score: float
    next_test: Criterion | None


def _has(one: Evaluation, name: str) -> bool:
    return any(file.name == name for file in one.training.files)


def ml_test_score(
    one: Evaluation, attested: Attestation | None = None, known: Mapping[str, str] | None = None
) -> Score:
    """`known` are tests that the caller knows to run by themselves, such as a rollback drill: id -> how."""
    points, how = {}, {}
    for test in TESTS:
        points[test.id], how[test.id] = _points(test, one, attested, known or {})
    sections = {letter: sum(value for id, value in points.items() if id[0] == letter) for letter in SECTIONS}
    lowest = min(sections, key=lambda letter: sections[letter])
    missing = [test for test in TESTS if test.id[0] == lowest and points[test.id] < 1]
    # what a line in a file earns is cheaper than what asks for people
    missing.sort(key=lambda test: (test.check is None, points[test.id]))
    return Score(points, how, sections, sections[lowest], missing[0] if missing else None)


def tests_in_use(
    releases: Sequence[Release], verifications: Sequence[Verification], health: Sequence[Health]
) -> dict[str, str]:
    """Ids of tests that a model's history shows to have run by themselves, and when. `health` is the newest of each
    environment.

    I6: bytes that passed a verification in one environment before they went to another. I7: a rollback, or its drill.
    """
    passed = {(one.artifact_digest, one.environment): one.counter for one in verifications if one.outcome == "passed"}
    canary = any(
        digest == one.artifact_digest and environment != one.environment and counter < one.counter
        for (digest, environment), counter in passed.items()
        for one in releases
        if one.action == "promote"
    )
    back = [one for one in releases if one.action == "rollback"]
    found = _watched(health) | ({"I6": "computed"} if canary else {})
    return found | ({"I7": f"computed: {_rolled_back(back[-1], releases)}"} if back else {})


def _watched(health: Sequence[Health]) -> dict[str, str]:
    """M4: older versions on newer rows. S2, S3, S7: logged requests, their skew, and labels that came later."""
    found: dict[str, str] = {}
    for one in health:
        causes = {check.cause for check in one.checks}
        ran = {"M4": len(one.versions) > 1, "S2": "inputs" in causes, "S3": "skew" in causes, "S7": one.performance}
        how = f"computed: monitored in {one.environment}, {(one.judged_at or '')[:10]}"
        found |= {id: how for id, has_run in ran.items() if has_run}
    return found


def _rolled_back(back: Release, releases: Sequence[Release]) -> str:
    """The last rollback in words; of a drill also how long the way back and forth took."""
    day = back.released_at[:10]
    forth = [
        one for one in releases
        if one.environment == back.environment and one.counter > back.counter and one.promoted_by == back.promoted_by
    ]  # fmt: skip
    if back.reason != DRILL or not forth:
        return f"{back.environment} went back to {back.version} on {day}"
    took = datetime.fromisoformat(forth[0].released_at) - datetime.fromisoformat(back.released_at)
    return (
        f"drill in {back.environment} on {day}, to {back.version} and back to {forth[0].version} in "
        f"{took.total_seconds():.0f} s"
    )


def _points(
    test: Criterion, one: Evaluation, attested: Attestation | None, known: Mapping[str, str]
) -> tuple[float, str]:
    if test.id in known:
        return 1.0, known[test.id]
    if test.check is not None and test.check(one):
        return 1.0, "computed"
    vouched = attested.tests.get(test.id) if attested else None
    if vouched is None:
        return 0.0, ""
    said = f"attested by {vouched.by} on {vouched.date}"
    return (1.0 if vouched.how == "automated" else 0.5), said


def score_section(score: Score) -> Section:
    """All tests, those without points first in each section, and the sentence that matters as the note."""
    rows = tuple(
        (test.id, SECTIONS[test.id[0]], test.what, f"{score.points[test.id]:g}", score.how[test.id] or test.next_step)
        for test in sorted(TESTS, key=lambda test: (list(SECTIONS).index(test.id[0]), score.points[test.id]))
    )
    each = ", ".join(f"{SECTIONS[letter]} {value:g}" for letter, value in score.sections.items())
    step = score.next_test
    ending = f" Cheapest next test: {step.id}, {step.what.lower()}: {step.next_step}." if step else ""
    return Section(
        id="ml_test_score",
        heading=f"ML Test Score: {score.score:g}",
        columns=("Test", "Section", "What", "Points", "How"),
        rows=rows,
        note=f"The lowest of {each} (7 each).{ending}",
    )
