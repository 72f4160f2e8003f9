"""Two tables -> Health. Each is read at most twice, in batches: once to sample, once to count all rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bot.errors import UserError
from bot.monitor.calibrate import Counted, Found, Together, drifted, permutations_for
from bot.monitor.columns import Source, coders, codes, counted, schema_notes, streamed
from bot.monitor.estimate import Columns, estimated
from bot.monitor.performance import Asked, Losses, compared
from bot.monitor.persist import Rule, chance, level_for, raised, shared
from bot.monitor.sample import sample
from bot.monitor.task import guessed
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
    Role,
    Side,
    Status,
    Task,
)

__all__ = ["FEWEST_ROWS", "MOST_SAMPLED", "Settings", "Source", "judge"]

FEWEST_ROWS = 30
FEW_ROWS = 200
MOST_SAMPLED = 20_000
# What a target's or an answer's shift costs is more than one input's: they get more of the level.
FALSE_DISCOVERIES = 0.05
WEIGHTS: dict[Role, float] = {"input": 1.0, "prediction": 3.0, "target": 3.0}


@dataclass(frozen=True)
class Settings:
    """What the user sets; `target` and `prediction` are columns, None where there is none.

    `task` None: guessed, and said. `probabilities`: column by class, for which the model gives one; one is enough for
    two classes. `rule`: how many windows must agree before it is an alarm. `least_effect` is of distributions,
    `least_loss` of performance (of a share of right answers; of the reference's own error for quantities).
    """

    false_alarms_per_month: float = 0.5
    windows_per_month: float = 30.0
    least_effect: float = 0.02
    least_loss: float = 0.005
    target: str | None = None
    prediction: str | None = None
    ignore: frozenset[str] = frozenset()
    task: Task | None = None
    probabilities: Mapping[str, str] = field(default_factory=dict)
    rule: Rule = field(default_factory=Rule)

    @property
    def per_window(self) -> float:
        """The chance that a window in which nothing drifted alarms."""
        return self.false_alarms_per_month / self.windows_per_month

    def role(self, column: str) -> Role:
        """What a column is to the model; a probability is an answer as the prediction is."""
        if column == self.target:
            return "target"
        return "prediction" if column == self.prediction or column in self.probabilities.values() else "input"


@dataclass(frozen=True)
class Window:
    """Both tables, sampled: reference first. `tables` are None where there is no batch."""

    sources: tuple[Source, Source]
    tables: tuple[Any, Any]
    sides: tuple[Side, Side]

    @property
    def is_large_enough(self) -> bool:
        """Whether anything can be said."""
        return min(one.rows for one in self.sides) >= FEWEST_ROWS


@dataclass
class Judged:
    """What was found in a window."""

    drift: tuple[ColumnDrift, ...] = ()
    joint: tuple[JointDrift, ...] = ()
    performance: tuple[Performance, ...] = ()
    estimated: tuple[Estimated, ...] = ()
    notes: list[Note] = field(default_factory=list)


def judge(model: str, reference: Source, current: Source, settings: Settings, past: Sequence[Health] = ()) -> Health:
    """The Health record; a table that is too small gives `unknown`, with a note.

    `past`: earlier windows of the same release against the same reference, oldest first, none overlapping this one.
    Raises UserError when the reference lacks a column that the settings name.
    """
    window = _window(reference, current)
    _check_names(window.tables[0], settings)
    found = Judged(notes=list(_size_notes(window.sides, settings.rule)))
    task, why = _task(window.tables[0], settings)
    asked = _asked(settings, task) if window.is_large_enough else []
    losses = [(one, *_losses(window, one)) for one in asked]
    families = ("drift", "performance") if any(min(one.n, two.n) > 0 for _, one, two in losses) else ("drift",)
    budget = _budget(settings, families, window.sides)
    if window.is_large_enough:
        alpha = (budget.level or 0.0) / len(families)
        _compare_inputs(window, settings, alpha, budget.permutations, found)
        _compare_losses(losses, settings, alpha / max(len(losses), 1), budget.permutations, found)
        found.notes += _task_notes(settings, task, why, found)
        found.estimated = _estimated(window, settings, task)
    return _health(model, window, settings, budget, task, found, past)


def _window(reference: Source, current: Source) -> Window:
    sources = (reference, current)
    samples = [sample(one.read(), MOST_SAMPLED, seed) for seed, one in enumerate(sources)]
    sides = [
        Side(source=one.name, rows=rows, sampled=0 if table is None else table.num_rows)
        for one, (table, rows) in zip(sources, samples, strict=True)
    ]
    return Window(sources, (samples[0][0], samples[1][0]), (sides[0], sides[1]))


def _check_names(reference: Any, settings: Settings) -> None:
    for name in (settings.target, settings.prediction, *settings.probabilities.values()):
        if reference is not None and name is not None and name not in reference.column_names:
            hint = "Its columns: " + ", ".join(reference.column_names[:20])
            raise UserError(f"the reference has no column {name!r}", hint=hint, code="column_missing")


def _size_notes(sides: Sequence[Side], rule: Rule) -> Iterator[Note]:
    for name, side in zip(("reference", "current"), sides, strict=True):
        if side.rows == 0:
            yield Note(code="no_traffic", sentence=f"The {name} table has no rows.")
        elif side.rows < FEWEST_ROWS:
            yield Note(
                code="too_few_rows", sentence=f"{side.rows} {name} rows prove nothing; {FEWEST_ROWS} are needed."
            )
        elif side.rows < FEW_ROWS:
            sentence = f"With {side.rows} {name} rows only large drift can be seen."
            yield Note(code="few_rows", sentence=sentence)
    if FEWEST_ROWS <= sides[0].rows < sides[1].rows:
        sentence = "The reference is smaller than the window: if it was drawn unluckily, false alarms come in series."
        yield Note(code="reference_small", sentence=sentence + (" Persistence helps little." if rule.of > 1 else ""))


def _task(reference: Any, settings: Settings) -> tuple[Task | None, str]:
    if settings.target is None or reference is None or reference.num_rows == 0:
        return settings.task, ""
    if settings.task is not None:
        return settings.task, ""
    predicted = None if settings.prediction is None else reference[settings.prediction].combine_chunks()
    return guessed(reference[settings.target].combine_chunks(), predicted)


def _asked(settings: Settings, task: Task | None) -> list[Asked]:
    """The losses that the columns allow: mistakes or distances, and Brier's score of given probabilities."""
    if task is None or settings.target is None:
        return []
    names = [("accuracy" if task == "classification" else "mae")] if settings.prediction is not None else []
    if settings.probabilities and task == "classification":
        names.append("brier")
    return [Asked(name, settings.target, settings.prediction or "", settings.probabilities) for name in names]


def _losses(window: Window, asked: Asked) -> tuple[Losses, Losses]:
    out = []
    for source, table, side in zip(window.sources, window.tables, window.sides, strict=True):
        losses = Losses(asked.losses(table))
        if side.sampled == side.rows:
            losses = losses.plus(losses.kept)
        else:
            for batch in source.read():
                losses = losses.plus(asked.losses(batch))
        out.append(losses)
    return out[0], out[1]


def _budget(settings: Settings, families: tuple[str, ...], sides: Sequence[Side]) -> Budget:
    correlation = shared(sides[0].rows, sides[1].rows)
    level = level_for(settings.per_window, settings.rule, correlation)
    return Budget(
        false_alarms_per_month=settings.false_alarms_per_month,
        windows_per_month=settings.windows_per_month,
        per_window=settings.per_window,
        families=families,
        permutations=permutations_for(level / len(families)),
        level=level,
        expected_per_month=settings.windows_per_month * chance(level, settings.rule, correlation),
    )


def _compare_inputs(window: Window, settings: Settings, alpha: float, permutations: int, found: Judged) -> None:
    reference, current = window.tables
    made, more = coders(reference, current, settings.ignore)
    optional = frozenset(name for name in (settings.target,) if name is not None)
    found.notes += [*schema_notes(reference, current, settings.ignore, optional), *more]
    if not made:
        return
    sampled = codes(reference, made), codes(current, made)
    counts = [
        counted(part, made) if side.sampled == side.rows else streamed(source, made)
        for source, side, part in zip(window.sources, window.sides, sampled, strict=True)
    ]
    weights = np.array([WEIGHTS[settings.role(one.column)] for one in made])
    columns, joint = drifted(made, Counted(sampled, (counts[0], counts[1])), weights, permutations)
    found.joint = tuple(_joint(one, settings, alpha) for one in joint) if len(made) > 1 else ()
    found.drift = tuple(
        sorted(_columns(columns, found.joint, settings, alpha), key=lambda one: (one.p_adjusted, -one.effect))
    )


def _is_certain(one: Found | Together, settings: Settings, alpha: float) -> bool:
    return one.p_adjusted <= alpha and one.effect >= settings.least_effect


def _joint(one: Together, settings: Settings, alpha: float) -> JointDrift:
    alarm = _is_certain(one, settings, alpha)
    return JointDrift(test=one.test, effect=one.effect, p_adjusted=one.p_adjusted, alarm=alarm)


def _columns(
    columns: Sequence[Found], joint: Sequence[JointDrift], settings: Settings, alpha: float
) -> Iterator[ColumnDrift]:
    """In a window that is raised anyhow a column's best test is named at a false discovery rate: that finds more."""
    is_raised = any(one.alarm for one in joint) or any(_is_certain(one, settings, alpha) for one in columns)
    best = {one.column: one for one in sorted(columns, key=lambda one: (-one.p_adjusted, one.effect))}
    for one in columns:
        is_found = one is best[one.column] and one.q <= FALSE_DISCOVERIES and one.effect >= settings.least_effect
        yield ColumnDrift(
            column=one.column,
            role=settings.role(one.column),
            test=one.test,
            effect=one.effect,
            p_adjusted=one.p_adjusted,
            alarm=_is_certain(one, settings, alpha) or (is_raised and is_found),
            q=one.q,
        )


def _compare_losses(
    losses: Sequence[tuple[Asked, Losses, Losses]], settings: Settings, alpha: float, permutations: int, found: Judged
) -> None:
    measured = [
        compared(asked.metric, reference, current, alpha, permutations, settings.least_loss)
        for asked, reference, current in losses
    ]
    found.performance = tuple(one for one in measured if one is not None)
    if not found.performance and settings.target is not None:
        sentence = "Performance was not judged: too few rows have a label and a prediction."
        found.notes.append(Note(code="no_labels", sentence=sentence))


def _estimated(window: Window, settings: Settings, task: Task | None) -> tuple[Estimated, ...]:
    if task != "classification" or settings.target is None or not settings.probabilities:
        return ()
    return estimated(*window.tables, Columns(settings.target, settings.prediction, settings.probabilities))


def _task_notes(settings: Settings, task: Task | None, why: str, found: Judged) -> Iterator[Note]:
    if why and found.performance:
        other = "regression" if task == "classification" else "classification"
        sentence = f"{settings.target} was taken for a {task}: {why}. If it is not, say `--task {other}`."
        yield Note(code="task_guessed", sentence=sentence)
    if task == "regression" and settings.target is not None and not found.performance:
        sentence = "The error of a regression is not estimated without labels."
        yield Note(code="not_estimated", sentence=sentence)


def _health(
    model: str,
    window: Window,
    settings: Settings,
    budget: Budget,
    task: Task | None,
    found: Judged,
    past: Sequence[Health],
) -> Health:
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
        correlation=shared(window.sides[0].rows, window.sides[1].rows),
    )
    is_raised = p_value is not None and p_value <= level
    is_alarm = is_gone or (is_raised and persistence.raised >= rule.needed)
    status: Status = "alarm" if is_alarm else "healthy" if p_value is not None else "unknown"
    return Health(
        model=model,
        status=status,
        reference=window.sides[0],
        current=window.sides[1],
        budget=budget,
        least_effect=settings.least_effect,
        smallest_detectable=_detectable(window.sides, budget, len(found.drift)) if found.drift else None,
        drift=found.drift,
        performance=found.performance,
        estimated=found.estimated,
        notes=tuple(found.notes),
        p_value=p_value,
        raised=is_raised or is_gone,
        task=task,
        joint=found.joint,
        persistence=persistence,
        causes=tuple(_causes(found, is_gone=is_gone)) if is_alarm else (),
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


def _causes(found: Judged, *, is_gone: bool) -> Iterator[Cause]:
    if any(one.alarm for one in found.performance):
        yield "performance"
    if any(one.alarm for one in _tests(found)):
        yield "drift"
    if is_gone:
        yield "inputs"


def _detectable(sides: Sequence[Side], budget: Budget, tests: int) -> float:
    """Kolmogorov-Smirnov's distance at the level that each test has by Bonferroni, at most 1."""
    n, m = (side.rows for side in sides)
    level = (budget.level or budget.per_window) / len(budget.families) / tests
    return float(min(1.0, np.sqrt(-np.log(level / 2) / 2 * (n + m) / (n * m))))
