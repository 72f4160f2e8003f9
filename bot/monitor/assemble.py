"""The parts of a look at a release -> its Health record, and what each part needs to know of the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from bot.errors import UserError
from bot.monitor.families import MARGIN, RELEASE, RELEASE_WITHOUT_LABELS, Allotted, allotted, expected, family, together
from bot.monitor.judge import Settings
from bot.monitor.lent import Reference
from bot.monitor.logged import Count, comparable, converted, times_of
from bot.monitor.measured import Measured, against
from bot.monitor.persist import Rule, shared
from bot.monitor.verdict import causes_of, persistence
from bot.records.health import Aged, Check, ColumnDrift, Family, Health, Joined, Note, Performance, is_odd
from bot.records.log import PREDICTED, PROBABILITY
from bot.records.release import Release
from bot.records.training import Training
from bot.specs.policies.monitor import Monitor
from bot.specs.policies.words import seconds


@dataclass
class Found:
    """What the parts found. `measured` is the metric on new labelled rows, `expected` on the test rows; `shift` is what
    `judge` says of the labels alone. `overlap`: share of the labelled rows that the window before may have had too.
    """

    count: Count = field(default_factory=Count)
    checks: list[Check] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    labels: Joined | None = None
    measured: Measured | None = None
    expected: Measured | None = None
    shift: Health | None = None
    overlap: float = 0.0
    versions: list[Aged] = field(default_factory=list)


def plain(reference: Reference) -> dict[str, Any]:
    """Type in which each logged column is compared: inputs and answers."""
    import pyarrow as pa

    said = pa.string() if reference.training.classes else pa.float64()
    own = [name for name in reference.table.column_names if name.startswith(PROBABILITY)]
    inputs = {name: comparable(kind) for name, kind in reference.types.items()}
    return {**inputs, PREDICTED: said, **dict.fromkeys(own, pa.float64())}


def settings_of(training: Training, monitor: Monitor, *, has_labels: bool) -> Settings:
    """What `judge` is asked about the inputs and the answers, with their share of the false alarms."""
    classes = training.classes or ()
    return replace(
        allowed(monitor),
        target=training.target,
        prediction=PREDICTED,
        ignore=frozenset({f"{PROBABILITY}{classes[0]}"} if len(classes) == 2 else ()),  # the other one says it all
        task="classification" if training.classes else "regression",
        probabilities={label: f"{PROBABILITY}{label}" for label in classes},
        columns=("drift", (RELEASE if has_labels else RELEASE_WITHOUT_LABELS)["drift"]),
    )


def allowed(monitor: Monitor) -> Settings:
    """What the policy says of false alarms, and how many windows must be odd."""
    return Settings(
        false_alarms_per_month=monitor.false_alarms_per_month,
        windows_per_month=monitor.windows_per_month,
        least_effect=monitor.least_effect,
        rule=Rule(monitor.persistence.needed, monitor.persistence.of) if monitor.persistence else Rule(),
    )


def checks_level(monitor: Monitor, checks: int) -> float:
    """The p-value at or under which one of so many checks alarms; together they cost their share of false alarms."""
    return MARGIN * RELEASE["checks"] * allowed(monitor).per_window / max(checks, 1)


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


def label_settings(monitor: Monitor, overlap: float) -> Settings:
    """What `judge` is asked about the labels alone."""
    return replace(allowed(monitor), columns=("labels", RELEASE["labels"]), overlap=overlap)


def overlap_of(rows: Any, since: datetime) -> float:
    """Share of the labelled rows that were answered before the window: the window before may have had them too."""
    return float((times_of(rows) < int(since.timestamp() * 1_000_000)).mean())


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
    judged: Health,
    found: Found,
    release: Release,
    monitor: Monitor,
    past: Sequence[Health],
    *,
    since: datetime,
    now: datetime,
) -> Health:
    """One record of what `judge` says of the inputs and of the labels, performance, checks and causes."""
    settings = allowed(monitor)
    share = _share(found, settings)
    performance = against(found.expected, found.measured, share.level)
    checks = tuple(sorted(found.checks, key=lambda one: not one.alarm))
    families = _families(judged, found.shift, family(share, _p_of(performance), settings, past), monitor)
    causes = tuple(dict.fromkeys((*causes_of(families), *judged.causes, *(one.cause for one in checks if one.alarm))))
    p_value = together(families, judged.budget.level or 0.0)
    budget = {
        "families": tuple(one.name for one in families),
        "expected_per_month": expected(families, monitor.windows_per_month, settings.rule)
        + monitor.windows_per_month * checks_level(monitor, 1),
    }
    return judged.model_copy(
        update={
            "environment": release.environment,
            "version": release.version,
            "artifact_digest": release.artifact_digest,
            "status": "alarm" if causes else "healthy" if p_value is not None else "unknown",
            "performance": (performance,) if performance else (),
            "drift": (*judged.drift, *_shifted(found.shift)),
            "budget": judged.budget.model_copy(update=budget),
            "notes": (*_notes(judged, performance), *found.notes),
            "p_value": p_value,
            "judged_at": _time(now),
            "since": _time(since),
            "until": _time(now),
            "labels": found.labels,
            "checks": checks,
            "versions": tuple(found.versions),
            "causes": causes,
            "raised": bool(causes) or any(map(is_odd, families)),
            "persistence": persistence(families, settings.rule),
            "families": families,
        }
    )


def _share(found: Found, settings: Settings) -> Allotted:
    """Of performance; its windows go together as the labelled rows of both sides do."""
    reference, current = (0 if one is None else one.n for one in (found.expected, found.measured))
    correlation = shared(reference, current, found.overlap)
    return allotted("performance", RELEASE["performance"], correlation, settings)


def _p_of(performance: Performance | None) -> float | None:
    return None if performance is None else performance.p_value


def _families(judged: Health, shift: Health | None, performance: Family, monitor: Monitor) -> tuple[Family, ...]:
    """Drift first, then what the labels are judged for, where there are any to come."""
    if monitor.labels is None:
        return judged.families
    labels = shift.families if shift is not None else ()
    return (*judged.families, performance, *labels)


def _notes(judged: Health, performance: Performance | None) -> Iterable[Note]:
    """Of `judge`'s notes those that hold here; it has not seen the labels."""
    yield from (note for note in judged.notes if note.code != "no_labels")
    if performance is None:
        sentence = "Performance was not judged: too few rows have a label. What is estimated stands below as such."
        yield Note(code="no_labels", sentence=sentence)


def _shifted(shift: Health | None) -> Iterable[ColumnDrift]:
    """The tests of the labels; the target is what is called so."""
    for one in shift.drift if shift is not None else ():
        yield one.model_copy(update={"role": "target"})


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
