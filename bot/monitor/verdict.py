"""What was found in a window -> its p-value, what is named, whether it is an alarm: the Health record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from bot.monitor.calibrate import Found, Together
from bot.monitor.families import Allotted, expected, family, together
from bot.monitor.persist import Rule
from bot.monitor.settings import Settings
from bot.records.health import (
    Budget,
    Cause,
    ColumnDrift,
    Estimated,
    Family,
    FamilyName,
    Health,
    JointDrift,
    Note,
    Performance,
    Persistence,
    Side,
    Status,
    Task,
    is_odd,
)

FALSE_DISCOVERIES = 0.05
CAUSES: tuple[Cause, ...] = ("performance", "drift")
CAUSE: dict[FamilyName, Cause] = {"performance": "performance", "drift": "drift", "labels": "drift"}


@dataclass
class Judged:
    """What was found in a window."""

    drift: tuple[ColumnDrift, ...] = ()
    joint: tuple[JointDrift, ...] = ()
    performance: tuple[Performance, ...] = ()
    estimated: tuple[Estimated, ...] = ()
    notes: list[Note] = field(default_factory=list)


def health(
    model: str,
    sides: tuple[Side, Side],
    settings: Settings,
    budget: Budget,
    task: Task | None,
    found: Judged,
    shares: Sequence[Allotted],
    past: Sequence[Health],
) -> Health:
    """An alarm when a column is gone, or when a family is odd in this window and in enough of the `past` ones.

    `shares`: the columns' own first.
    """
    is_gone = any(note.code == "column_gone" for note in found.notes)
    p_values = _p_of_drift(found, settings), _p_of_performance(found, settings)
    families = [family(one, p_value, settings, past) for one, p_value in zip(shares, p_values, strict=False)]
    p_value = together(families, budget.level or 0.0)
    causes = (*causes_of(families), *(("inputs",) if is_gone else ()))
    status: Status = "alarm" if causes else "healthy" if p_value is not None else "unknown"
    return Health(
        model=model,
        status=status,
        reference=sides[0],
        current=sides[1],
        budget=budget.model_copy(
            update={"expected_per_month": expected(families, budget.windows_per_month, settings.rule)}
        ),
        least_effect=settings.least_effect,
        smallest_detectable=_detectable(sides, families[0].level, len(found.drift)) if found.drift else None,
        drift=found.drift,
        performance=found.performance,
        estimated=found.estimated,
        notes=tuple(found.notes),
        p_value=p_value,
        raised=any(map(is_odd, families)) or is_gone,
        task=task,
        joint=found.joint,
        persistence=persistence(families, settings.rule),
        families=tuple(families),
        causes=causes,
    )


def causes_of(families: Iterable[Family]) -> tuple[Cause, ...]:
    """What alarms: performance before drift."""
    found = {CAUSE[one.name] for one in families if one.alarm}
    return tuple(one for one in CAUSES if one in found)


def persistence(families: Sequence[Family], rule: Rule) -> Persistence:
    """The rule, and the family that was most often odd."""
    most = max(families, key=lambda one: one.raised)
    return Persistence(needed=rule.needed, of=rule.of, seen=most.seen, raised=most.raised, correlation=most.correlation)


def _p_of_drift(found: Judged, settings: Settings) -> float | None:
    """Over what is large enough to matter; None when no column was judged."""
    if not found.drift:
        return None
    return min((one.p_adjusted for one in _tests(found) if one.effect >= settings.least_effect), default=1.0)


def _p_of_performance(found: Judged, settings: Settings) -> float | None:
    if not found.performance:
        return None
    losses = [(one.p_value or 0.0) * len(found.performance) for one in found.performance if _matters(one, settings)]
    return min([1.0, *losses])


def _tests(found: Judged) -> list[ColumnDrift | JointDrift]:
    return [*found.drift, *found.joint]


def _matters(one: Performance, settings: Settings) -> bool:
    return one.worse >= settings.least_loss * (one.reference if one.metric == "mae" else 1.0)


def _detectable(sides: Sequence[Side], level: float, tests: int) -> float:
    """Kolmogorov-Smirnov's distance at the level that each test has by Bonferroni, at most 1."""
    n, m = (side.rows for side in sides)
    return float(min(1.0, np.sqrt(-np.log(level / tests / 2) / 2 * (n + m) / (n * m))))


def _is_certain(one: Found | Together, settings: Settings, alpha: float) -> bool:
    return one.p_adjusted <= alpha and one.effect >= settings.least_effect


def joint(one: Together, settings: Settings, alpha: float) -> JointDrift:
    """A test of all columns, judged at `alpha`."""
    alarm = _is_certain(one, settings, alpha)
    return JointDrift(test=one.test, effect=one.effect, p_adjusted=one.p_adjusted, alarm=alarm)


def columns(
    found: Sequence[Found], together: Sequence[JointDrift], settings: Settings, alpha: float
) -> tuple[ColumnDrift, ...]:
    """Tests of single columns, oddest first.

    In a window that is raised anyhow a column's best test is named at a false discovery rate: that finds more columns.
    """
    is_raised = any(one.alarm for one in together) or any(_is_certain(one, settings, alpha) for one in found)
    best = {one.column: one for one in sorted(found, key=lambda one: (-one.p_adjusted, one.effect))}
    drift = []
    for one in found:
        is_found = one is best[one.column] and one.q <= FALSE_DISCOVERIES and one.effect >= settings.least_effect
        drift.append(
            ColumnDrift(
                column=one.column,
                role=settings.role(one.column),
                test=one.test,
                effect=one.effect,
                p_adjusted=one.p_adjusted,
                alarm=_is_certain(one, settings, alpha) or (is_raised and is_found),
                q=one.q,
            )
        )
    return tuple(sorted(drift, key=lambda one: (one.p_adjusted, -one.effect)))
