"""A release that is live -> Health: its log, its labels and its test rows, through what the caller lends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.errors import MlbotError
from bot.monitor.assemble import (
    Found,
    assembled,
    before,
    checks_level,
    label_settings,
    labelled_rows,
    overlap_of,
    plain,
    settings_of,
    window_start,
)
from bot.monitor.inputs import as_trained, broken_contract, missing_rates, skew_of_answers, skew_of_inputs, unseen
from bot.monitor.judge import MOST_SAMPLED, Source, judge
from bot.monitor.labels import joined, labels_of
from bot.monitor.lent import Lent, Location, Reference
from bot.monitor.logged import Count, Window, within
from bot.monitor.measured import Measured, Paired
from bot.monitor.operation import left_out, server, traffic
from bot.monitor.sample import sample
from bot.records.health import Aged, Check, Health, Joined, Note
from bot.records.release import Release
from bot.specs.policies.monitor import Monitor
from bot.specs.policies.words import seconds

MOST_VERSIONS = 6
OTHER_CHECKS = 4  # answers asked again, rows, errors, latency
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Watch:
    """One look at a release: what the parts below share."""

    release: Release
    monitor: Monitor
    reference: Reference
    lent: Lent
    now: datetime
    since: datetime
    past: Sequence[Health]
    found: Found = field(default_factory=Found)

    @property
    def level(self) -> float:
        """The level of one of the checks beside drift and performance: of inputs, skew, traffic and operation."""
        contract = self.reference.contract
        columns = len(self.reference.categories) + len(contract.columns if contract is not None else ())
        return checks_level(self.monitor, columns + len(self.reference.training.inputs) + OTHER_CHECKS)

    def place(self, text: str) -> str:
        """A location of the policy, for this model and environment."""
        return self.monitor.place(text, self.release.model, self.release.environment)


def watch(
    release: Release,
    monitor: Monitor,
    lent: Lent,
    now: datetime,
    past: Sequence[Health],
    released: Sequence[Release],
    *,
    is_kept: bool = True,
) -> tuple[Health, Any]:
    """Health of what is live, and its labelled rows (pyarrow.Table, None without one).

    `past` are the stored records of the same artifact, oldest first; `released` every release of the model; `is_kept`:
    this record will be one of them. Raises MlbotError when the release, its test rows or the log cannot be read at all.
    """
    since = window_start(now, monitor, past, is_kept=is_kept)
    one = Watch(release, monitor, lent.reference(release), lent, now, since, before(past, since))
    log = lent.tables(one.place(monitor.predictions))
    judged = _inputs(one, log)
    rows = _labels(one, log)
    if rows is not None:
        _performance(one, rows)
        _versions(one, rows, released)
    if monitor.server is not None:
        _server(one, monitor.server)
    one.found.notes += left_out(one.found.count, log.broken)
    return assembled(judged, one.found, release, monitor, one.past, since=one.since, now=now), rows


def _inputs(one: Watch, log: Location) -> Health:
    """Drift of the window's inputs and answers, and everything that is looked at row by row."""
    reference, found = one.reference, one.found
    window = Window(one.since, one.now, one.release.artifact_digest)
    types = plain(reference)
    for _ in within(log.batches(one.since), window, types, found.count):
        pass
    words, is_unique = frozenset(found.count.words), not found.count.duplicates

    def read() -> Iterable[Any]:
        names = [name for name in types if name in found.count.there]
        for batch in within(log.batches(one.since), window, types, Count(), as_words=words, is_unique=is_unique):
            yield batch.select([name for name in names if name in batch.schema.names])

    is_whole = (one.now - one.since).total_seconds() > 0.9 * seconds(one.monitor.every)
    found.checks += traffic(found.count, one.since, one.now, one.monitor.least_rows, one.level, is_whole=is_whole)
    rows, _ = sample(read(), MOST_SAMPLED, 0)
    if rows is not None and rows.num_rows:
        found.checks += _rowwise(one, rows)
    settings = settings_of(reference.training, one.monitor, has_labels=one.monitor.labels is not None)
    source = Source("test rows", lambda: _reference_rows(reference, types).to_batches())
    return judge(one.release.model, source, Source("log", read), settings, one.past)


def _reference_rows(reference: Reference, types: Mapping[str, Any]) -> Any:
    return reference.table.select([*types, reference.training.target])


def _rowwise(one: Watch, rows: Any) -> Iterable[Check]:
    reference = one.reference
    trained = as_trained(rows, reference.types)
    yield from broken_contract(trained, reference.contract, one.level)
    yield from unseen(trained, reference.categories, one.level)
    yield from missing_rates(rows, reference.table, list(reference.types))
    if reference.golden:
        yield Check(cause="skew", code="golden_differs", sentence=reference.golden, alarm=True)
    inputs = reference.training.inputs
    if set(inputs) <= set(rows.column_names):
        again = _asked_again(one, rows.select(list(inputs)))
        check = skew_of_answers(rows, again, one.level) if again is not None else None
        if check is not None:
            yield check


def _asked_again(one: Watch, inputs: Any) -> Any:
    try:
        return one.reference.answer(inputs)
    except MlbotError as error:
        one.found.notes.append(Note(code="not_asked_again", sentence=f"Skew was not judged: {error.message}"))
        return None


def _labels(one: Watch, log: Location) -> Any:
    """Logged rows with their labels, None without a single one."""
    if one.monitor.labels is None:
        return None
    place, target = one.place(one.monitor.labels), one.reference.training.target
    tables = one.lent.tables(place)
    labels = labels_of(tables.batches(), target, place)
    one.found.notes += [
        Note(code="file_broken", sentence=f"{name} cannot be read to its end: {why}")
        for name, why in sorted(tables.broken.items())
    ]
    if labels is None:
        return None
    types, everything = plain(one.reference), Window(EPOCH, one.now, one.release.artifact_digest)
    used: set[int] = set()
    rows = list(joined(within(log.batches(), everything, types, Count()), labels, used))
    scored_from = one.now - timedelta(seconds=seconds(one.monitor.labels_within))
    table, late, unknown = labelled_rows(rows, one.reference.training, scored_from)
    n_logged = one.found.count.rows
    n = 0 if table is None else table.num_rows
    one.found.labels = Joined(
        rows=n_logged, labelled=n, late=late, duplicates=labels.duplicates, corrected=labels.corrected,
        conflicting=labels.conflicting, orphans=len(labels) - len(used), unknown_class=unknown,
    )  # fmt: skip
    return table


def _performance(one: Watch, rows: Any) -> None:
    one.found.measured = one.lent.measure(one.reference, rows)
    one.found.expected = one.lent.measure(one.reference, one.reference.table)
    one.found.checks += skew_of_inputs(rows, one.reference.training.inputs, one.level)
    target = [one.reference.training.target]
    sides = (
        Source("test rows", one.reference.table.select(target).to_batches),
        Source("labels", rows.select(target).to_batches),
    )
    one.found.overlap = overlap_of(rows, one.since)
    one.found.shift = judge(one.release.model, *sides, label_settings(one.monitor, one.found.overlap), one.past)


def _versions(one: Watch, rows: Any, released: Sequence[Release]) -> None:
    """Every released artifact on the same labelled rows, newest last."""
    newest = {each.artifact_digest: each for each in released if each.action != "withdraw"}
    inputs = [name for name in rows.column_names if name not in plain(one.reference) or name in one.reference.types]
    for release in list(newest.values())[-MOST_VERSIONS:]:
        is_live = release.artifact_digest == one.release.artifact_digest
        try:
            again = rows if is_live else one.lent.answer(release)(rows.select(inputs))
            measured = one.lent.measure(one.reference, again)
            paired = None if is_live else one.lent.compare(one.reference, rows, again)
        except MlbotError as error:
            sentence = f"{release.version} was not scored on the new rows: {error.message}"
            one.found.notes.append(Note(code="version_not_scored", sentence=sentence))
            continue
        if measured is not None:
            one.found.versions.append(_aged(release, measured, paired, is_live=is_live))


def _aged(release: Release, measured: Measured, paired: Paired | None, *, is_live: bool) -> Aged:
    return Aged(
        version=release.version, artifact_digest=release.artifact_digest, released_at=release.released_at,
        is_live=is_live, metric=measured.metric, value=measured.value, low=measured.low, high=measured.high,
        n=measured.n, better_than_live=paired is not None and paired.is_better,
    )  # fmt: skip


def _server(one: Watch, place: str) -> None:
    try:
        page = one.lent.page(one.place(place))
    except MlbotError as error:
        one.found.notes.append(Note(code="server_silent", sentence=error.message))
        return
    if page is not None:
        limits = one.monitor.most_errors, one.monitor.most_p99
        one.found.checks += server(page, one.release.model, *limits, one.level)
