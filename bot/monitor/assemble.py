"""The parts of a look at a release -> its Health record, and what each part needs to know of the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from bot.errors import UserError
from bot.monitor.judge import Settings
from bot.monitor.lent import Reference
from bot.monitor.logged import Count, comparable, converted, times_of
from bot.monitor.measured import Measured, against
from bot.monitor.persist import Rule
from bot.records.health import Aged, Cause, Check, ColumnDrift, Health, Joined, Note, Performance
from bot.records.log import PREDICTED, PROBABILITY
from bot.records.release import Release
from bot.records.training import Training
from bot.specs.policies.monitor import Monitor
from bot.specs.policies.words import seconds

SHARES = 3  # of the false alarms, where labels are to be had: inputs and answers, performance, the labels themselves


@dataclass
class Found:
    """What the parts found. `measured` is the metric on new labelled rows, `expected` on the test rows; `shift` is what
    `judge` says of the labels alone.
    """

    count: Count = field(default_factory=Count)
    checks: list[Check] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    labels: Joined | None = None
    measured: Measured | None = None
    expected: Measured | None = None
    shift: Health | None = None
    versions: list[Aged] = field(default_factory=list)


def plain(reference: Reference) -> dict[str, Any]:
    """Type in which each logged column is compared: inputs and answers."""
    import pyarrow as pa

    said = pa.string() if reference.training.classes else pa.float64()
    own = [name for name in reference.table.column_names if name.startswith(PROBABILITY)]
    inputs = {name: comparable(kind) for name, kind in reference.types.items()}
    return {**inputs, PREDICTED: said, **dict.fromkeys(own, pa.float64())}


def settings_of(training: Training, monitor: Monitor, *, has_labels: bool) -> Settings:
    """What `judge` is asked: the share of the false alarms that is left for the inputs and the answers."""
    rule = Rule(monitor.persistence.needed, monitor.persistence.of) if monitor.persistence else Rule()
    classes = training.classes or ()
    return Settings(
        false_alarms_per_month=monitor.false_alarms_per_month / (SHARES if has_labels else 1),
        windows_per_month=monitor.windows_per_month,
        least_effect=monitor.least_effect,
        target=training.target,
        prediction=PREDICTED,
        ignore=frozenset({f"{PROBABILITY}{classes[0]}"} if len(classes) == 2 else ()),  # the other one says it all
        task="classification" if training.classes else "regression",
        probabilities={label: f"{PROBABILITY}{label}" for label in classes},
        rule=rule,
    )


def window_start(now: datetime, monitor: Monitor, past: Sequence[Health], *, is_kept: bool) -> datetime:
    """Where the window begins: a record that is kept goes on where the last one ended, however late it comes; a look
    that nobody keeps, and one after a long gap, goes back by one window.
    """
    length = timedelta(seconds=seconds(monitor.every))
    ends = [datetime.fromisoformat(one.until) for one in past if one.until]
    if is_kept and ends and ends[-1] >= now - 2 * length:
        return ends[-1]
    return now - length


def before(past: Sequence[Health], since: datetime) -> list[Health]:
    """The records whose windows ended by then."""
    return [one for one in past if one.until and datetime.fromisoformat(one.until) <= since]


def label_settings(monitor: Monitor) -> Settings:
    """What `judge` is asked about the labels alone."""
    return Settings(
        false_alarms_per_month=monitor.false_alarms_per_month / SHARES,
        windows_per_month=monitor.windows_per_month,
        least_effect=monitor.least_effect,
    )


def labelled_rows(batches: Sequence[Any], training: Training, scored_from: datetime) -> tuple[Any, int, int]:
    """(labelled rows that are scored or None, rows too old for their label, rows of a class that the model has not).

    Raises UserError (code `label_type`) when a regression's labels are no numbers.
    """
    import pyarrow as pa

    if not batches:
        return None, 0, 0
    table = pa.concat_tables([pa.Table.from_batches([one]) for one in batches], promote_options="permissive")
    start = int(scored_from.timestamp() * 1_000_000)
    old = times_of(table) < start
    table = table.filter(pa.array(~old)).combine_chunks()
    if table.num_rows == 0:
        return None, int(old.sum()), 0
    values, fits = converted(table[training.target].combine_chunks(), pa.string() if training.classes else pa.float64())
    if not fits:
        raise UserError(f"labels of {training.target} are no numbers", hint="Look at the labels.", code="label_type")
    table = table.set_column(table.column_names.index(training.target), training.target, values)
    known = _known(values, training)
    table = table.filter(pa.array(known)).combine_chunks()
    return (table if table.num_rows else None), int(old.sum()), int((~known).sum())


def _known(values: Any, training: Training) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if training.classes is None:
        return np.ones(len(values), dtype=bool)
    return pc.is_in(values, value_set=pa.array(list(training.classes))).to_numpy(zero_copy_only=False)


def assembled(
    judged: Health, found: Found, release: Release, monitor: Monitor, *, since: datetime, now: datetime
) -> Health:
    """One record of what `judge` says of the inputs and of the labels, performance, checks and causes."""
    has_labels = monitor.labels is not None
    per_window = monitor.false_alarms_per_month / monitor.windows_per_month
    performance = against(found.expected, found.measured, per_window / SHARES) if has_labels else None
    checks = tuple(sorted(found.checks, key=lambda one: not one.alarm))
    causes = _causes(judged, found.shift, performance, checks)
    families = (*judged.budget.families, "performance", "labels") if has_labels else judged.budget.families
    is_known = judged.status != "unknown" or performance is not None or bool(causes)
    allowed = monitor.false_alarms_per_month
    expected = (judged.budget.expected_per_month or 0.0) + (allowed * (SHARES - 1) / SHARES if has_labels else 0.0)
    share = {"false_alarms_per_month": allowed, "per_window": per_window, "expected_per_month": expected}
    return judged.model_copy(
        update={
            "environment": release.environment,
            "version": release.version,
            "artifact_digest": release.artifact_digest,
            "status": "alarm" if causes else "healthy" if is_known else "unknown",
            "performance": (performance,) if performance else (),
            "drift": (*judged.drift, *_shifted(found.shift)),
            "budget": judged.budget.model_copy(update={**share, "families": tuple(dict.fromkeys(families))}),
            "notes": (*_notes(judged, performance), *found.notes),
            "judged_at": _time(now),
            "since": _time(since),
            "until": _time(now),
            "labels": found.labels,
            "checks": checks,
            "versions": tuple(found.versions),
            "causes": causes,
            "raised": judged.raised or bool(causes),
        }
    )


def _notes(judged: Health, performance: Performance | None) -> Iterable[Note]:
    """Of `judge`'s notes those that hold here; it has not seen the labels."""
    yield from (note for note in judged.notes if note.code != "no_labels")
    if performance is None:
        sentence = "Performance was not judged: too few rows have a label. What is estimated stands below as such."
        yield Note(code="no_labels", sentence=sentence)


def _shifted(shift: Health | None) -> Iterable[ColumnDrift]:
    """The tests of the labels; the target is what is called so."""
    alarm = shift is not None and "drift" in shift.causes
    for one in shift.drift if shift is not None else ():
        yield one.model_copy(update={"role": "target", "alarm": alarm and one.alarm})


def _causes(
    judged: Health, shift: Health | None, performance: Performance | None, checks: Iterable[Check]
) -> tuple[Cause, ...]:
    """What alarms: performance, what `judge` says of the inputs and of the labels, and the checks."""
    found: dict[Cause, bool] = {"performance": True} if performance is not None and performance.alarm else {}
    found |= dict.fromkeys((*judged.causes, *(shift.causes if shift is not None else ())), True)
    found |= {one.cause: True for one in checks if one.alarm}
    return tuple(found)


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
