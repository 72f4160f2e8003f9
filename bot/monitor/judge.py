"""Two tables -> Health. Each is read at most twice, in batches: once to sample, once to count all rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bot.errors import UserError
from bot.monitor.calibrate import Found, drifted, permutations_for
from bot.monitor.coding import Coder, Codes, coder, texts
from bot.monitor.drift.interface import Floats
from bot.monitor.performance import Losses, compared
from bot.monitor.persist import Rule
from bot.monitor.sample import sample
from bot.records.health import Budget, ColumnDrift, Health, Note, Performance, Role, Side, Status, Task

FEWEST_ROWS = 30
FEW_ROWS = 200
MOST_SAMPLED = 20_000


@dataclass(frozen=True)
class Settings:
    """What the user sets; `target` and `prediction` are columns, None where there is none.

    `task` None: guessed, and said. `probabilities`: column by class, for which the model gives one; one is enough for
    two classes. `rule`: how many windows must agree before it is an alarm.
    """

    false_alarms_per_month: float = 0.5
    windows_per_month: float = 30.0
    least_effect: float = 0.02
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


@dataclass(frozen=True)
class Source:
    """A table: its name for people, and a way to read its batches, again if need be."""

    name: str
    read: Callable[[], Iterable[Any]]


def judge(model: str, reference: Source, current: Source, settings: Settings, past: Sequence[Health] = ()) -> Health:
    """The Health record; a table that is too small gives `unknown`, with a note.

    `past`: earlier windows of the same release against the same reference, oldest first, none overlapping this one.
    """
    samples = [sample(one.read(), MOST_SAMPLED, seed) for seed, one in enumerate((reference, current))]
    sides = [
        Side(source=one.name, rows=rows, sampled=0 if table is None else table.num_rows)
        for one, (table, rows) in zip((reference, current), samples, strict=True)
    ]
    notes = list(_size_notes(sides))
    _check_names(samples[0][0], settings)
    losses = [_losses(one, table, settings) for one, (table, _) in zip((reference, current), samples, strict=True)]
    family = ("drift", "performance") if all(losses) else ("drift",)
    budget = _budget(settings, family)
    if min(one.rows for one in sides) < FEWEST_ROWS:
        return _health(model, sides, budget, settings, (), (), notes)
    alpha = settings.per_window / len(family)
    coders, more = _coders(samples[0][0], samples[1][0], settings)
    notes += more
    found = _drift((reference, current), [table for table, _ in samples], sides, coders, budget)
    drift = tuple(_column(one, settings, alpha) for one in sorted(found, key=lambda one: (one.p_adjusted, -one.effect)))
    measured = compared(losses[0], losses[1], alpha) if losses[0] and losses[1] else None
    if measured is None and settings.target is not None:
        notes.append(
            Note(code="no_labels", sentence="Performance was not judged: too few rows have a label and a prediction.")
        )
    return _health(model, sides, budget, settings, drift, (measured,) if measured else (), notes)


def _check_names(reference: Any, settings: Settings) -> None:
    for name in (settings.target, settings.prediction):
        if reference is not None and name is not None and name not in reference.column_names:
            hint = "Its columns: " + ", ".join(reference.column_names[:20])
            raise UserError(f"the reference has no column {name!r}", hint=hint, code="column_missing")


def _health(
    model: str,
    sides: Sequence[Side],
    budget: Budget,
    settings: Settings,
    drift: tuple[ColumnDrift, ...],
    performance: tuple[Performance, ...],
    notes: Sequence[Note],
) -> Health:
    judged = bool(drift or performance)
    alarm = any(one.alarm for one in drift) or any(one.alarm for one in performance)
    alarm = alarm or any(note.code == "column_gone" for note in notes)
    status: Status = "alarm" if alarm else "healthy" if judged else "unknown"
    return Health(
        model=model,
        status=status,
        reference=sides[0],
        current=sides[1],
        budget=budget,
        least_effect=settings.least_effect,
        smallest_detectable=_detectable(sides, budget, len(drift)) if drift else None,
        drift=drift,
        performance=performance,
        estimated=(),
        notes=tuple(notes),
    )


def _budget(settings: Settings, families: tuple[str, ...]) -> Budget:
    return Budget(
        false_alarms_per_month=settings.false_alarms_per_month,
        windows_per_month=settings.windows_per_month,
        per_window=settings.per_window,
        families=families,
        permutations=permutations_for(settings.per_window / len(families)),
    )


def _size_notes(sides: Sequence[Side]) -> Iterator[Note]:
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


def _coders(reference: Any, current: Any, settings: Settings) -> tuple[list[Coder], list[Note]]:
    import pyarrow as pa

    notes = list(_schema_notes(set(reference.column_names), set(current.column_names), settings))
    coders = []
    for name in reference.column_names:
        if name in settings.ignore or name not in current.column_names:
            continue
        one, other = reference[name].combine_chunks(), current[name].combine_chunks()
        try:
            pooled = pa.concat_arrays([one, other]) if one.type == other.type else _joined(one, other)
            made = coder(name, pooled)
        except (pa.ArrowException, TypeError):
            made = None
        if made is None:
            sentence = f"{name} was not tested: {one.type} against {other.type} cannot be compared."
            notes.append(Note(code="not_tested", sentence=sentence))
        else:
            coders.append(made)
    return coders, notes


def _joined(one: Any, other: Any) -> Any:
    import pyarrow as pa

    tables = [pa.table({"x": side}) for side in (one, other)]
    try:
        return pa.concat_tables(tables, promote_options="permissive")["x"].combine_chunks()
    except pa.ArrowException:  # numbers became words: both are words then, and drifted
        return pa.concat_arrays([texts(side) for side in (one, other)])


def _schema_notes(before: set[str], after: set[str], settings: Settings) -> Iterator[Note]:
    before, after = before - settings.ignore, after - settings.ignore
    for name in sorted(before - after - {settings.target}):
        yield Note(code="column_gone", sentence=f"{name} is in the reference and no longer in the current table.")
    for name in sorted(after - before):
        yield Note(code="column_new", sentence=f"{name} is new in the current table and was not tested.")


def _drift(
    sources: Sequence[Source], tables: Sequence[Any], sides: Sequence[Side], coders: Sequence[Coder], budget: Budget
) -> list[Found]:
    if not coders:
        return []
    sampled = [_codes(table, coders) for table in tables]
    counts = [
        _counted(part, coders) if side.sampled == side.rows else _streamed(source, coders)
        for source, side, part in zip(sources, sides, sampled, strict=True)
    ]
    return drifted(coders, (counts[0], counts[1]), (sampled[0], sampled[1]), budget.permutations)


def _codes(table: Any, coders: Sequence[Coder]) -> Codes:
    """Codes (n, F) of a table or a batch; a column that one file of several lacks is missing there."""
    n = table.num_rows
    names = set(table.schema.names)
    columns = [one.codes(_flat(table.column(one.column))) if one.column in names else np.zeros(n) for one in coders]
    return np.column_stack(columns).astype(np.uint8)


def _flat(column: Any) -> Any:
    return column.combine_chunks() if hasattr(column, "combine_chunks") else column


def _counted(codes: Codes, coders: Sequence[Coder]) -> list[Floats]:
    return [np.bincount(codes[:, number], minlength=one.size).astype(np.float64) for number, one in enumerate(coders)]


def _streamed(source: Source, coders: Sequence[Coder]) -> list[Floats]:
    totals = [np.zeros(one.size) for one in coders]
    for batch in source.read():
        totals = [total + more for total, more in zip(totals, _counted(_codes(batch, coders), coders), strict=True)]
    return totals


def _column(found: Found, settings: Settings, alpha: float) -> ColumnDrift:
    roles: dict[str | None, Role] = {settings.target: "target", settings.prediction: "prediction"}
    return ColumnDrift(
        column=found.column,
        role=roles.get(found.column, "input"),
        test=found.test,
        effect=found.effect,
        p_adjusted=found.p_adjusted,
        alarm=found.p_adjusted <= alpha and found.effect >= settings.least_effect,
    )


def _losses(source: Source, table: Any, settings: Settings) -> Losses | None:
    """Sums over all rows; None when there is no target, no prediction or no row."""
    import pyarrow.types as kinds

    names = (settings.target, settings.prediction)
    if table is None or any(name is None or name not in table.column_names for name in names):
        return None
    continuous = kinds.is_floating(table.schema.field(settings.target).type)
    losses = Losses("mae" if continuous else "accuracy")
    for batch in source.read():
        if all(name in batch.schema.names for name in names):
            losses = losses.with_rows(batch.column(names[0]), batch.column(names[1]))
    return losses


def _detectable(sides: Sequence[Side], budget: Budget, tests: int) -> float:
    """Kolmogorov-Smirnov's distance at the level that each test has by Bonferroni, at most 1."""
    n, m = (side.rows for side in sides)
    level = budget.per_window / len(budget.families) / tests
    return float(min(1.0, np.sqrt(-np.log(level / 2) / 2 * (n + m) / (n * m))))
