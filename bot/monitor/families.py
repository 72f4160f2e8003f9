"""What is judged, each with its share of the false alarms: when a window is odd in it, and when that is an alarm.

One rule for all of them: a family alarms when it is odd in `needed` of the last `of` windows, at the level at which
that costs its share. The shares add up, so the families together cost at most what the user allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.monitor.persist import Rule, chance, level_for, raised
from bot.monitor.settings import Settings
from bot.records.health import Family, FamilyName, Health

# Performance is one number, drift is many: the same share would make drift the weaker one by far.
WITHOUT_LABELS: dict[FamilyName, float] = {"drift": 1.0}
TWO_TABLES: dict[FamilyName, float] = {"drift": 0.8, "performance": 0.2}
RELEASE: dict[FamilyName, float] = {"drift": 0.6, "performance": 0.2, "labels": 0.1, "checks": 0.1}
RELEASE_WITHOUT_LABELS: dict[FamilyName, float] = {"drift": 0.9, "checks": 0.1}
# Spent on rows that are not drawn quite independently, and so that what is measured stays under what is said.
MARGIN = 0.8


@dataclass(frozen=True)
class Allotted:
    """A family's share of the false alarms, how far its windows go together, and the level that follows."""

    name: FamilyName
    share: float
    correlation: float
    level: float


def allotted(name: FamilyName, share: float, correlation: float, settings: Settings) -> Allotted:
    """`level`: the p-value at or under which a window is odd in the family."""
    level = level_for(MARGIN * share * settings.per_window, settings.rule, correlation)
    return Allotted(name, share, correlation, level)


def family(one: Allotted, p_value: float | None, settings: Settings, past: Sequence[Health]) -> Family:
    """This window's p-value (None: not judged) among those of the windows before, oldest first."""
    before = [each.p_value for record in past for each in record.families if each.name == one.name]
    p_values = [each for each in (*before, p_value) if each is not None][-settings.rule.of :]
    odd = raised(p_values, one.level, settings.rule)
    return Family(
        name=one.name,
        share=one.share,
        level=one.level,
        correlation=one.correlation,
        p_value=p_value,
        seen=len(p_values),
        raised=odd,
        alarm=p_value is not None and p_value <= one.level and odd >= settings.rule.needed,
    )


def together(families: Iterable[Family], level: float) -> float | None:
    """The window's own p-value: at or under `level` when it is odd in any family; None when none was judged."""
    scaled = [one.p_value * level / one.level for one in families if one.p_value is not None]
    return min(1.0, *scaled) if scaled else None


def expected(families: Iterable[Family], windows_per_month: float, rule: Rule) -> float:
    """False alarms a month, at most, while nothing drifts."""
    return windows_per_month * sum(chance(one.level, rule, one.correlation) for one in families)
