"""Two tables -> Health. Each is read at most twice, in batches: once to sample, once to count all rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.errors import UserError
from bot.monitor.calibrate import Counted, drifted, permutations_for
from bot.monitor.columns import Source, coders, codes, counted, schema_notes, streamed
from bot.monitor.estimate import Columns, estimated
from bot.monitor.families import MARGIN, TWO_TABLES, WITHOUT_LABELS, Allotted, allotted
from bot.monitor.performance import Asked, Losses, compared
from bot.monitor.persist import Rule, level_for, shared
from bot.monitor.sample import sample
from bot.monitor.settings import WEIGHTS, Settings
from bot.monitor.task import guessed
from bot.monitor.verdict import Judged, columns, health, joint
from bot.records.health import Budget, Estimated, Health, Note, Side, Task

__all__ = ["FEWEST_ROWS", "MOST_SAMPLED", "Settings", "Source", "judge"]

FEWEST_ROWS = 30
FEW_ROWS = 200
MOST_SAMPLED = 10_000


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
    shares = _shares(window, losses, settings)
    budget = _budget(settings, shares, window.sides)
    if window.is_large_enough:
        _compare_inputs(window, settings, shares[0].level, budget.permutations, found)
        _compare_losses(losses, settings, shares[-1].level / max(len(losses), 1), budget.permutations, found)
        found.estimated = _estimated(window, settings, task)
        found.notes += _task_notes(settings, task, why, found)
    return health(model, window.sides, settings, budget, task, found, shares, past)


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


def _shares(window: Window, losses: Sequence[tuple[Asked, Losses, Losses]], settings: Settings) -> list[Allotted]:
    """The columns' own first, then performance when rows of both tables have labels."""
    rows = shared(window.sides[0].rows, window.sides[1].rows, settings.overlap)
    labelled = [(one.n, other.n) for _, one, other in losses if min(one.n, other.n) > 0]
    if settings.columns is not None:
        return [allotted(*settings.columns, rows, settings)]
    if not labelled:
        return [allotted("drift", WITHOUT_LABELS["drift"], rows, settings)]
    correlations = {"drift": rows, "performance": max(shared(*each, settings.overlap) for each in labelled)}
    return [allotted(name, share, correlations[name], settings) for name, share in TWO_TABLES.items()]


def _budget(settings: Settings, shares: Sequence[Allotted], sides: Sequence[Side]) -> Budget:
    correlation = shared(sides[0].rows, sides[1].rows, settings.overlap)
    return Budget(
        false_alarms_per_month=settings.false_alarms_per_month,
        windows_per_month=settings.windows_per_month,
        per_window=settings.per_window,
        families=tuple(one.name for one in shares),
        permutations=permutations_for(shares[0].level),
        level=level_for(MARGIN * settings.per_window, settings.rule, correlation),
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
    singles, together = drifted(made, Counted(sampled, (counts[0], counts[1])), weights, permutations)
    found.joint = tuple(joint(one, settings, alpha) for one in together) if len(made) > 1 else ()
    found.drift = columns(singles, found.joint, settings, alpha)


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
        sentence = f"{settings.target} was taken for a {task}: {why}. If it is not, say so with --task {other}."
        yield Note(code="task_guessed", sentence=sentence)
    if task == "regression" and not found.performance:
        yield Note(code="not_estimated", sentence="The error of a regression is not estimated without labels.")
    elif settings.probabilities and not found.estimated:
        sentence = (
            "Performance was not estimated: it takes 200 labelled reference rows, 10 of each class, and answers that "
            "were made from the probabilities."
        )
        yield Note(code="not_estimated", sentence=sentence)
