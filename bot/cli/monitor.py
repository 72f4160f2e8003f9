"""`mlbot monitor`: has what the model sees changed, and does it still do well?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.errors import UserError

if TYPE_CHECKING:
    from bot.records.health import Health

CODES = {"healthy": 0, "alarm": 4, "unknown": 5}
MOST_IDS = 5_000_000
SHOWN = 12


@click.command(name="monitor")
@click.argument("model", required=False)
@click.option("--environment", metavar="ENV", help="Where the model is live.")
@click.option("--reference", type=click.Path(path_type=Path), help="Table of rows as they were: Parquet or CSV.")
@click.option("--current", type=click.Path(path_type=Path), help="Table of the rows to judge.")
@click.option("--target", metavar="COLUMN", help="What happened, where it is known.")
@click.option("--prediction", metavar="COLUMN", help="What the model said.")
@click.option("--id", "identity", metavar="COLUMN", help="Row id: a row seen before is left out; not tested.")
@click.option("--ignore", multiple=True, metavar="COLUMN", help="Columns not to test.")
@click.option("--false-alarms-per-month", default=0.5, type=click.FloatRange(0, min_open=True), show_default=True)
@click.option("--windows-per-month", default=30.0, type=click.FloatRange(0, min_open=True), show_default=True)
@click.option(
    "--least-effect", default=0.02, type=click.FloatRange(0, 1), show_default=True, help="Smaller is no drift."
)
@click.option("--json", "as_json", is_flag=True, help="Print the Health record.")
def command(
    model: str | None,
    environment: str | None,
    reference: Path | None,
    current: Path | None,
    identity: str | None,
    ignore: tuple[str, ...],
    as_json: bool,
    **numbers: Any,
) -> int:
    """Judge two tables: CURRENT against REFERENCE, with as many false alarms a month as you allow.

    Exit 0 healthy, 4 alarm, 5 nothing could be judged (no traffic, too few rows); 1 and 2 as everywhere.
    """
    from bot.monitor.judge import Settings, Source, judge

    if reference is None or current is None:
        raise UserError(
            "two tables are needed" if model is None else f"reading the log of {model} is not built yet",
            hint="mlbot monitor --reference test-rows.parquet --current LOG-FOLDER",
            code="tables_missing" if environment is None else "not_built",
        )
    left_out = frozenset((*ignore, *([identity] if identity else ())))
    settings = Settings(ignore=left_out, **numbers)
    if settings.per_window >= 1:
        hint = "Allow fewer false alarms a month than there are windows."
        raise UserError("every window may alarm", hint=hint, code="budget_too_large")
    repeated: dict[str, int] = {}
    sources = [Source(str(path), _reader(path, identity, repeated)) for path in (reference, current)]
    health = judge(model or current.stem, sources[0], sources[1], settings)
    health = _with_duplicates(health, repeated)
    click.echo(health.canonical() if as_json else _text(health), nl=as_json)
    return CODES[health.status]


def _reader(path: Path, identity: str | None, repeated: dict[str, int]) -> Callable[[], Iterator[Any]]:
    from bot.adapters.batches import batches

    return lambda: batches(path) if identity is None else _once(batches(path), identity, str(path), repeated)


def _once(found: Iterator[Any], identity: str, source: str, repeated: dict[str, int]) -> Iterator[Any]:
    """Batches without the rows whose id came before; the first one stays."""
    seen: set[Any] = set()
    repeated[source] = 0
    for batch in found:
        if identity not in batch.schema.names:
            raise UserError(f"{source}: the column {identity!r} is not there", code="column_missing")
        fresh = []
        for number, one in enumerate(batch.column(identity).to_pylist()):
            if one is None or one not in seen:
                fresh.append(number)
                seen.add(one)
        if len(seen) > MOST_IDS:
            raise UserError(f"{source}: more than {MOST_IDS:,} ids", hint="Leave --id out.", code="too_many_ids")
        repeated[source] += batch.num_rows - len(fresh)
        yield batch if len(fresh) == batch.num_rows else batch.take(fresh)


def _with_duplicates(health: Health, repeated: dict[str, int]) -> Health:
    sides = {
        name: side.model_copy(update={"duplicates": repeated.get(side.source, 0)})
        for name, side in (("reference", health.reference), ("current", health.current))
    }
    return health.model_copy(update=sides)


def _text(health: Health) -> str:
    import io
    import os

    from rich.console import Console
    from rich.text import Text

    wide = int(os.environ.get("COLUMNS") or 0) or None
    console = Console(file=io.StringIO(), width=wide or 110, highlight=False)
    for part in _parts(health):
        console.print(Text(part) if isinstance(part, str) else part)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def _parts(health: Health) -> Iterator[Any]:
    yield f"{health.model}: {health.status}"
    for name, side in (("reference", health.reference), ("current", health.current)):
        twice = f", {side.duplicates:,} repeated rows left out" if side.duplicates else ""
        yield f"  {name}: {side.source}, {side.rows:,} rows{twice}"
    if health.drift:
        yield _drift_table(health)
    for one in health.performance:
        yield (
            f"{one.metric}: {one.current:.4f} against {one.reference:.4f}; worse by {one.worse:.4f} "
            f"[{one.low:.4f}, {one.high:.4f}] on {one.n_current:,} labelled rows{', ALARM' if one.alarm else ''}"
        )
    for note in health.notes:
        yield f"Note: {note.sentence}"
    budget = health.budget
    yield (
        f"If nothing drifts, expect at most {budget.false_alarms_per_month:g} false alarms a month: "
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
        cells = (one.column, one.role, one.test, f"{one.effect:.3f}", f"{one.p_adjusted:.3g}", "ALARM" * one.alarm)
        table.add_row(*(Text(cell) for cell in cells))
    return table
