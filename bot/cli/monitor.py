"""`mlbot monitor`: has what the model sees changed, and does it still do well?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.errors import UserError

if TYPE_CHECKING:
    from bot.monitor.persist import Rule
    from bot.records.health import Health

CODES = {"healthy": 0, "alarm": 4, "unknown": 5}
MOST_IDS = 5_000_000


@click.command(name="monitor")
@click.argument("model", required=False)
@click.option("--environment", metavar="ENV", help="Where the model is live.")
@click.option("--repo", default=".", type=click.Path(path_type=Path), help="A clone of the repository.")
@click.option("--offline", is_flag=True, help="Do not fetch.")
@click.option("--log", metavar="PLACE", help="Logged predictions, instead of what the policy names.")
@click.option("--labels", metavar="PLACE", help="Labels by request id, instead of what the policy names.")
@click.option("--every", metavar="TIME", help="Length of the window, such as 1d, instead of the policy's.")
@click.option("--page", type=click.Path(path_type=Path), help="Write the model's health page (HTML) to this file.")
@click.option("--reference", metavar="PLACE", help="Rows as they were: Parquet or CSV, a folder, or s3://bucket/table.")
@click.option("--current", metavar="PLACE", help="The rows to judge.")
@click.option("--target", metavar="COLUMN", help="What happened, where it is known.")
@click.option("--prediction", metavar="COLUMN", help="What the model said.")
@click.option(
    "--task",
    type=click.Choice(["classification", "regression"]),
    help="What --target is; guessed, and said, otherwise.",
)
@click.option(
    "--probability",
    "probabilities",
    multiple=True,
    metavar="CLASS=COLUMN",
    help="Where the model says how likely a class is: performance is then also estimated without labels.",
)
@click.option("--id", "identity", metavar="COLUMN", help="Row id: a row seen before is left out; not tested.")
@click.option("--ignore", multiple=True, metavar="COLUMN", help="Columns not to test.")
@click.option("--false-alarms-per-month", default=0.5, type=click.FloatRange(0, min_open=True), show_default=True)
@click.option("--windows-per-month", default=30.0, type=click.FloatRange(0, min_open=True), show_default=True)
@click.option(
    "--least-effect", default=0.02, type=click.FloatRange(0, 1), show_default=True, help="Smaller is no drift."
)
@click.option(
    "--alarm-when",
    "rule",
    default="1/1",
    metavar="K/N",
    show_default=True,
    help="Alarm when K of the last N windows are odd; the false alarms stay the same.",
)
@click.option(
    "--past",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Health record (--json) of an earlier window, oldest first.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the Health record.")
def command(
    model: str | None,
    environment: str | None,
    reference: str | None,
    current: str | None,
    identity: str | None,
    ignore: tuple[str, ...],
    probabilities: tuple[str, ...],
    rule: str,
    past: tuple[Path, ...],
    as_json: bool,
    repo: Path,
    offline: bool,
    log: str | None,
    labels: str | None,
    every: str | None,
    page: Path | None,
    **numbers: Any,
) -> int:
    """How is MODEL in ENVIRONMENT, by its log, its labels and its test rows? Or, without MODEL, two tables: CURRENT
    against REFERENCE. With as many false alarms a month as you allow; nothing is written but --page.

    Exit 0 healthy, 4 alarm, 5 nothing could be judged (no traffic, too few rows); 1 and 2 as everywhere.
    """
    if reference is None and current is None and model is not None:
        given = {"predictions": log, "labels": labels, "every": every}
        health = _of_release(model, environment, repo, given, page, fetch=not offline)
        click.echo(health.canonical() if as_json else _text(health), nl=as_json)
        return CODES[health.status]
    from bot.monitor.judge import Settings, Source, judge

    if reference is None or current is None:
        hint = "mlbot monitor MODEL --environment ENV, or mlbot monitor --reference TEST-ROWS.parquet --current LOG"
        raise UserError("two tables are needed, or a model", hint=hint, code="tables_missing")
    left_out = frozenset((*ignore, *([identity] if identity else ())))
    settings = Settings(ignore=left_out, probabilities=_by_class(probabilities), rule=_rule(rule), **numbers)
    if settings.per_window >= 1:
        hint = "Allow fewer false alarms a month than there are windows."
        raise UserError("every window may alarm", hint=hint, code="budget_too_large")
    repeated: dict[str, int] = {}
    sources = [Source(place, _reader(place, identity, repeated)) for place in (reference, current)]
    health = judge(model or Path(current).stem, sources[0], sources[1], settings, [_earlier(one) for one in past])
    health = _with_duplicates(health, repeated)
    click.echo(health.canonical() if as_json else _text(health), nl=as_json)
    return CODES[health.status]


def _by_class(given: tuple[str, ...]) -> dict[str, str]:
    """Column by class."""
    pairs = [one.partition("=") for one in given]
    for label, sign, column in pairs:
        if not (label and sign and column):
            hint = "Write --probability CLASS=COLUMN, once a class; one is enough for two classes."
            raise UserError(f"{label!r} names no column", hint=hint, code="option_invalid")
    return {label: column for label, _, column in pairs}


def _rule(text: str) -> Rule:
    from bot.monitor.persist import Rule

    needed, _, of = text.partition("/")
    if not (needed.isdecimal() and of.isdecimal() and 1 <= int(needed) <= int(of) <= 100):
        raise UserError(f"{text!r} is no rule", hint="Write --alarm-when 2/3, say.", code="option_invalid")
    return Rule(int(needed), int(of))


def _earlier(path: Path) -> Health:
    from bot.records.health import Health

    try:
        return Health.parse(path.read_bytes(), source=str(path))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}", hint="Keep what --json prints.", code="record_missing") from None


def _of_release(
    model: str, environment: str | None, repo: Path, given: dict[str, str | None], page: Path | None, *, fetch: bool
) -> Health:
    """Health of what is live, by the policy and what the command line says instead of it."""
    from bot.cli.clone import clone_ports
    from bot.pipeline.monitoring import live, look, watched

    if environment is None:
        raise UserError(f"where {model} is live is missing", hint="Add --environment ENV.", code="environment_missing")
    ports = clone_ports(repo, fetch=fetch)
    monitor = _policy(watched(ports, ports.git.resolve("HEAD")).get(environment), environment, given)
    seen = look(live(model, environment, ports), monitor, ports, ports.workspace, is_kept=False)
    if page is not None:
        from bot.promote.reading import promotions
        from bot.report.health import page as rendered

        page.write_text(rendered([*seen.past, seen.health], promotions(model, ports)), encoding="utf-8")
    return seen.health


def _policy(monitor: Any, environment: str, given: dict[str, str | None]) -> Any:
    """The policy's `monitor:` with other places; from the places alone where the policy has none."""
    from pydantic import ValidationError

    from bot.specs.policies.monitor import Monitor

    said = {name: text for name, text in given.items() if text is not None}
    if monitor is None and "predictions" not in said:
        hint = f"Add `monitor:` to {environment} in policies/environments.yaml, or pass --log PLACE."
        raise UserError(f"{environment} is not watched", hint=hint, code="not_watched")
    try:
        return Monitor.model_validate({**(monitor.model_dump() if monitor else {}), **said})
    except ValidationError as error:
        raise UserError(
            error.errors()[0]["msg"], hint="Look at --log, --labels and --every.", code="option_invalid"
        ) from None


def _reader(place: str, identity: str | None, repeated: dict[str, int]) -> Callable[[], Iterator[Any]]:
    return lambda: _rows(place) if identity is None else _once(_rows(place), identity, place, repeated)


def _rows(place: str) -> Iterator[Any]:
    """Batches of a table here or at an address; one that is broken or not there is no table."""
    from bot.adapters.batches import batches
    from bot.adapters.locations import tables_at

    if "://" not in place:
        yield from batches(Path(place))
        return
    found = tables_at(place, Path())
    if not found.files:
        raise UserError(f"{place}: there is no table", hint="Look at the address.", code="data_missing")
    yield from found.batches()
    for name, why in found.broken.items():
        hint = "The file may have been cut short while it was copied; copy it again, or leave it out."
        raise UserError(f"{name}: cannot be read: {why}", hint=hint, code="data_unreadable")


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
    import os

    from bot.report.health_terminal import text

    return text(health, int(os.environ.get("COLUMNS") or 0) or 110)
