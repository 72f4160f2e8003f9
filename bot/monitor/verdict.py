"""What was found in a window -> its p-value, what is named, whether it is an alarm: the Health record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from bot.monitor.calibrate import Found, Together
from bot.monitor.persist import raised, shared
from bot.monitor.settings import Settings
from bot.records.health import (
    Budget,
    Cause,
    ColumnDrift,
    Estimated,
    Health,
    JointDrift,
    Note,
    Performance,
    Persistence,
    Side,
    Status,
    Task,
)

FALSE_DISCOVERIES = 0.05


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
    past: Sequence[Health],
) -> Health:
    """An alarm when a column is gone, or when this window and enough of the `past` ones are raised."""
    is_gone = any(note.code == "column_gone" for note in found.notes)
    p_value = _p_value(found, settings, len(budget.families))
    level = budget.level or 0.0
    p_values = [*(one.p_value for one in past if one.p_value is not None), *([] if p_value is None else [p_value])]
    rule = settings.rule
    persistence = Persistence(
        needed=rule.needed,
        of=rule.of,
        seen=min(len(p_values), rule.of),
        raised=raised(p_values, level, rule),
        correlation=shared(sides[0].rows, sides[1].rows),
    )
    is_raised = p_value is not None and p_value <= level
    is_lasting = is_raised and persistence.raised >= rule.needed
    is_alarm = is_gone or is_lasting
    status: Status = "alarm" if is_alarm else "healthy" if p_value is not None else "unknown"
    return Health(
        model=model,
        status=status,
        reference=sides[0],
        current=sides[1],
        budget=budget,
        least_effect=settings.least_effect,
        smallest_detectable=_detectable(sides, budget, len(found.drift)) if found.drift else None,
        drift=found.drift,
        performance=found.performance,
        estimated=found.estimated,
        notes=tuple(found.notes),
        p_value=p_value,
        raised=is_raised or is_gone,
        task=task,
        joint=found.joint,
        persistence=persistence,
        causes=(*(_causes(found) if is_lasting else ()), *(("inputs",) if is_gone else ())),
    )


def _p_value(found: Judged, settings: Settings, families: int) -> float | None:
    """The window's own, over what is large enough to matter; None when nothing was judged."""
    if not found.drift and not found.performance:
        return None
    drift = [one.p_adjusted for one in _tests(found) if one.effect >= settings.least_effect]
    losses = [(one.p_value or 0.0) * len(found.performance) for one in found.performance if _matters(one, settings)]
    return min(1.0, families * min([*drift, *losses], default=1.0))


def _tests(found: Judged) -> list[ColumnDrift | JointDrift]:
    return [*found.drift, *found.joint]


def _matters(one: Performance, settings: Settings) -> bool:
    return one.worse >= settings.least_loss * (one.reference if one.metric == "mae" else 1.0)


def _causes(found: Judged) -> Iterator[Cause]:
    if any(one.alarm for one in found.performance):
        yield "performance"
    if any(one.alarm for one in _tests(found)):
        yield "drift"


def _detectable(sides: Sequence[Side], budget: Budget, tests: int) -> float:
    """Kolmogorov-Smirnov's distance at the level that each test has by Bonferroni, at most 1."""
    n, m = (side.rows for side in sides)
    level = (budget.level or budget.per_window) / len(budget.families) / tests
    return float(min(1.0, np.sqrt(-np.log(level / 2) / 2 * (n + m) / (n * m))))


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
