"""Health -> text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bot.records.numbers import counted
from bot.report.health import word

if TYPE_CHECKING:
    from bot.records.health import Health

SHOWN = 12


def text(health: Health, width: int) -> str:
    """Lines and a table, `width` characters wide."""
    import io

    from rich.console import Console
    from rich.text import Text

    console = Console(file=io.StringIO(), width=width, highlight=False)
    for part in _parts(health):
        console.print(Text(part) if isinstance(part, str) else part)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def _parts(health: Health) -> Iterator[Any]:
    where = f" {health.version} in {health.environment}" if health.environment else ""
    yield f"{health.model}{where}: {health.status}{' of ' + ', '.join(health.causes) if health.causes else ''}"
    for name, side in (("reference", health.reference), ("current", health.current)):
        twice = f", {side.duplicates:,} repeated rows left out" if side.duplicates else ""
        yield f"  {name}: {side.source}, {side.rows:,} rows{twice}"
    if health.drift:
        yield _drift_table(health)
    for together in health.joint:
        mark = word(together.alarm, "drift", health)
        yield f"{together.test}: difference {together.effect:.3f}, p {together.p_adjusted:.3g}{mark and ', ' + mark}"
    for one in health.performance:
        mark = word(one.alarm, "performance", health)
        yield (
            f"{one.metric}: {one.current:.4f} against {one.reference:.4f}; worse by {one.worse:.4f} "
            f"[{one.low:.4f}, {one.high:.4f}] on {one.n_current:,} labelled rows{mark and ', ' + mark}"
        )
    if health.labels is not None:
        yield f"{health.labels.labelled:,} logged rows have a label"
    for aged in health.versions:
        reach = f" [{aged.low:.4f}, {aged.high:.4f}]" if aged.low is not None and aged.high is not None else ""
        better = ", BETTER than what is live" if aged.better_than_live else ", live" if aged.is_live else ""
        yield f"{aged.version} on these rows: {aged.metric} {aged.value:.4f}{reach}{better}"
    for check in health.checks:
        yield f"{check.column + ': ' if check.column else ''}{check.sentence}{', ALARM' if check.alarm else ''}"
    for note in health.notes:
        yield f"Note: {note.sentence}"
    for guess in health.estimated:
        reach = f" [{guess.low:.4f}, {guess.high:.4f}]" if guess.low is not None and guess.high is not None else ""
        yield f"ESTIMATED without labels: {guess.metric} {guess.current:.4f}{reach}, it was {guess.reference:.4f}"
    if health.estimated:
        yield f"{health.estimated[0].assumption} Wrong when: {'; '.join(health.estimated[0].fails_when)}."
    yield from _allowed(health)


def _allowed(health: Health) -> Iterator[str]:
    budget = health.budget
    yield from _agreement(health)
    expected = "" if budget.expected_per_month is None else f" ({budget.expected_per_month:.2g} by its level)"
    yield (
        f"If nothing drifts, expect at most {budget.false_alarms_per_month:g} false alarms a month{expected}: "
        f"{budget.per_window:.3g} a window, {budget.windows_per_month:g} windows, "
        f"shared by {' and '.join(budget.families)} ({budget.permutations:,} permutations)."
    )


def _drift_table(health: Health) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"Drift, {SHOWN} smallest p of {len(health.drift)} tests", title_justify="left")
    for heading in ("column", "role", "test", "difference", "p (all tests)", ""):
        table.add_column(heading)
    for one in health.drift[:SHOWN]:
        mark = word(one.alarm, "drift", health)
        cells = (one.column, one.role, one.test, f"{one.effect:.3f}", f"{one.p_adjusted:.3g}", mark)
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _agreement(health: Health) -> Iterator[str]:
    """How many of the last windows were odd in what, where several must agree; nothing otherwise."""
    rule = health.persistence
    if rule is None or rule.of == 1:
        return
    for one in health.families:
        if one.seen:
            yield (
                f"{one.name}: {one.raised} of the last {counted(one.seen, 'window')} odd (p at or under "
                f"{one.level:.2g}); {rule.needed} of {rule.of} are an alarm."
            )
