"""A table and its contract -> violations with row numbers and counts; values only where a column is not sensitive."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from bot.specs.contract import Column, Contract, InRange
from bot.specs.linear import begin_with

MAX_ROWS_SHOWN = 5
MAX_VALUES_SHOWN = 3


@dataclass(frozen=True)
class Violation:
    """One condition that does not hold. `count` is the number of rows, `rows` the first few, counted from 1.

    `values` are a few of the values; empty for a sensitive column and where none is meant. `column` is None for the
    whole table.
    """

    column: str | None
    check: str
    sentence: str
    count: int = 0
    rows: tuple[int, ...] = ()
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f"{self.column}: " if self.column else ""
        rows = f" (rows {', '.join(map(str, self.rows))}{', ...' if self.count > len(self.rows) else ''})"
        values = f", for example {', '.join(self.values)}" if self.values else ""
        return f"{where}{self.sentence}{values}{rows if self.rows else ''}"


def check_contract(table: Any, contract: Contract, *, now: datetime | None = None) -> tuple[Violation, ...]:
    """Everything in a pyarrow.Table that breaks the contract, in the contract's order; empty when it conforms.

    Freshness is judged only when `now` (aware) is given, so that a repeated training does not depend on the clock.
    """
    found = list(_shape(table, contract))
    for name, column in _columns(table, contract):
        found.extend(_column(table.column(name), name, column))
    found.extend(_together(table, contract))
    if now is not None:
        found.extend(_freshness(table, contract, now))
    return tuple(found)


def _columns(table: Any, contract: Contract) -> Iterator[tuple[str, Column]]:
    for name, column in contract.columns.items():
        if column.regex:
            yield from ((one, column) for one in begin_with(name, table.column_names))
        elif name in table.column_names:
            yield name, column


def _shape(table: Any, contract: Contract) -> Iterator[Violation]:
    names = list(table.column_names)
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Violation(name, "unique_column_names", "the column is there twice")
    for name, column in contract.columns.items():
        if column.required and not column.regex and name not in names:
            yield Violation(name, "required", "the column is not there")
    known = {name for name, _ in _columns(table, contract)}
    if contract.strict:
        for name in names:
            if name not in known:
                yield Violation(name, "strict", "the column is not in the contract")
    expected = [name for name in contract.columns if name in names]
    if contract.ordered and [name for name in names if name in contract.columns] != expected:
        yield Violation(None, "ordered", f"the columns must stand in this order: {', '.join(expected)}")
    rows, limits = table.num_rows, contract.metadata
    if limits.min_rows is not None and rows < limits.min_rows:
        yield Violation(None, "min_rows", f"{rows:,} rows; at least {limits.min_rows:,} are needed")
    if limits.max_rows is not None and rows > limits.max_rows:
        yield Violation(None, "max_rows", f"{rows:,} rows; at most {limits.max_rows:,} are expected")


def _column(values: Any, name: str, column: Column) -> Iterator[Violation]:
    import pyarrow.compute as pc

    if column.family and not is_of_family(values.type, column.family):
        yield Violation(name, "dtype", f"the type is {values.type}, not {column.dtype}")
        return
    if not column.nullable:
        yield from _where(pc.is_null(values, nan_is_null=True), values, name, "nullable", "missing", hide=True)
    if column.unique:
        counted = pc.value_counts(values.drop_null())
        repeated = counted.field("values").filter(pc.greater(counted.field("counts"), 1))
        yield from _where(pc.is_in(values, repeated), values, name, "unique", "not unique", hide=column.sensitive)
    for check, sentence, mask in _checks(values, column):
        try:
            breaks = mask()
        except (TypeError, ValueError, NotImplementedError) as error:  # what pyarrow's own errors derive from
            why = "" if column.sensitive else f": {str(error).splitlines()[0]}"
            yield Violation(name, check, f"the values cannot be compared{why}")
            continue
        yield from _where(pc.fill_null(breaks, False), values, name, check, sentence, hide=column.sensitive)
    yield from _exact_values(values, name, column)


def is_of_family(kind: Any, family: str) -> bool:
    """Whether an Arrow type belongs to a family of dtypes; whole numbers are numbers, and a column of nulls is any."""
    import pyarrow as pa

    types = pa.types
    if types.is_dictionary(kind):
        kind = kind.value_type
    is_whole = types.is_integer(kind)
    matches = {
        "integer": is_whole,
        "number": is_whole or types.is_floating(kind) or types.is_decimal(kind),
        "text": types.is_string(kind) or types.is_large_string(kind),
        "boolean": types.is_boolean(kind),
        "time": types.is_timestamp(kind) or types.is_date(kind),
    }
    return bool(types.is_null(kind) or matches[family])


def _checks(values: Any, column: Column) -> Iterator[tuple[str, str, Callable[[], Any]]]:
    """(check, sentence, function that gives the mask of rows that break it)."""
    import pyarrow.compute as pc

    compare = {
        "equal_to": (pc.not_equal, "not equal to"),
        "not_equal_to": (pc.equal, "equal to"),
        "greater_than": (pc.less_equal, "not above"),
        "greater_than_or_equal_to": (pc.less, "below"),
        "less_than": (pc.greater_equal, "not below"),
        "less_than_or_equal_to": (pc.greater, "above"),
    }
    for check, (breaks, word) in compare.items():
        bound = getattr(column, check)
        if bound is not None:
            yield check, f"{word} {bound}", partial(_breaks, breaks, bound, values)
    if column.in_range is not None:
        yield "in_range", _range_sentence(column.in_range), lambda: _outside(values, column.in_range)
    if column.isin is not None:
        yield "isin", "not among the allowed values", lambda: pc.invert(_among(values, column.isin))
    if column.notin is not None:
        yield "notin", "among the forbidden values", lambda: _among(values, column.notin)
    yield from _text_checks(values, column)


def _text_checks(values: Any, column: Column) -> Iterator[tuple[str, str, Callable[[], Any]]]:
    import pyarrow.compute as pc

    tests = {
        "str_matches": (lambda text: pc.match_substring_regex(values, f"^(?:{text})"), "not of the form"),
        "str_contains": (lambda text: pc.match_substring_regex(values, text), "without"),
        "str_startswith": (lambda text: pc.starts_with(values, text), "not starting with"),
        "str_endswith": (lambda text: pc.ends_with(values, text), "not ending with"),
    }
    for check, (holds, word) in tests.items():
        text = getattr(column, check)
        if text is not None:
            yield check, f"{word} {text!r}", partial(_without, holds, text)
    length = column.str_length
    if length is not None:
        low = length.exact_value if length.exact_value is not None else length.min_value or 0
        high = length.exact_value if length.exact_value is not None else length.max_value
        sentence = f"not of {low} to {high if high is not None else 'any number of'} characters"
        yield "str_length", sentence, lambda: _bad_length(values, low, high)


def _breaks(breaks: Callable[[Any, Any], Any], bound: Any, values: Any) -> Any:
    return breaks(values, _scalar(bound, values.type))


def _without(holds: Callable[[str], Any], text: str) -> Any:
    import pyarrow.compute as pc

    return pc.invert(holds(text))


def _bad_length(values: Any, low: int, high: int | None) -> Any:
    import pyarrow.compute as pc

    length = pc.utf8_length(values)
    is_short = pc.less(length, low)
    return is_short if high is None else pc.or_(is_short, pc.greater(length, high))


def _range_sentence(bounds: InRange) -> str:
    left = "[" if bounds.include_min else "("
    right = "]" if bounds.include_max else ")"
    return f"outside {left}{bounds.min_value}, {bounds.max_value}{right}"


def _outside(values: Any, bounds: InRange | None) -> Any:
    import pyarrow.compute as pc

    assert bounds is not None
    below = pc.less if bounds.include_min else pc.less_equal
    above = pc.greater if bounds.include_max else pc.greater_equal
    low, high = _scalar(bounds.min_value, values.type), _scalar(bounds.max_value, values.type)
    return pc.or_(below(values, low), above(values, high))


def _among(values: Any, allowed: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    plain = values.cast(kind) if pa.types.is_dictionary(values.type) else values
    mask = pc.is_in(plain, pa.array([_plain(one, kind) for one in allowed], kind))
    return pc.if_else(pc.is_valid(values), mask, pa.scalar(None, pa.bool_()))


def _scalar(value: Any, kind: Any) -> Any:
    import pyarrow as pa

    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return pa.scalar(_plain(value, kind), kind)
    return pa.scalar(value)


def _plain(value: Any, kind: Any) -> Any:
    import pyarrow as pa

    if pa.types.is_timestamp(kind):
        moment = datetime.fromisoformat(str(value))
        return moment.replace(tzinfo=UTC) if kind.tz and moment.tzinfo is None else moment
    return datetime.fromisoformat(str(value)).date() if pa.types.is_date(kind) else value


def _where(mask: Any, values: Any, name: str, check: str, what: str, *, hide: bool) -> Iterator[Violation]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(mask, pa.ChunkedArray):
        mask = mask.combine_chunks()
    count = pc.sum(mask).as_py() or 0
    if not count:
        return
    rows = pc.indices_nonzero(mask).slice(0, MAX_ROWS_SHOWN)
    shown = () if hide else _shown(values.take(rows))
    numbers = tuple(row + 1 for row in rows.to_pylist())
    noun = "value is" if count == 1 else "values are"
    yield Violation(name, check, f"{count:,} {noun} {what}", count, numbers, shown)


def _shown(values: Any) -> tuple[str, ...]:
    texts = dict.fromkeys(repr(value)[:40] for value in values.to_pylist())
    return tuple(texts)[:MAX_VALUES_SHOWN]


def _exact_values(values: Any, name: str, column: Column) -> Iterator[Violation]:
    if column.unique_values_eq is None:
        return
    found = set(values.unique().drop_null().to_pylist())
    missing = [value for value in column.unique_values_eq if value not in found]
    if missing:
        yield Violation(name, "unique_values_eq", f"these values do not occur: {', '.join(map(repr, missing[:10]))}")
    if len(found - set(column.unique_values_eq)):
        count = len(found - set(column.unique_values_eq))
        yield Violation(name, "unique_values_eq", f"{count:,} other values occur")


def _together(table: Any, contract: Contract) -> Iterator[Violation]:
    if contract.unique is None:
        return
    names = [contract.unique] if isinstance(contract.unique, str) else list(contract.unique)
    if not set(names) <= set(table.column_names):
        return
    distinct = table.select(names).group_by(names).aggregate([]).num_rows
    if distinct < table.num_rows:
        count = table.num_rows - distinct
        yield Violation(None, "unique", f"{count:,} rows repeat another row's {', '.join(names)}", count)


def _freshness(table: Any, contract: Contract, now: datetime) -> Iterator[Violation]:
    import pyarrow.compute as pc

    rule = contract.metadata.freshness
    if rule is None or rule.column not in table.column_names:
        return
    newest = pc.max(table.column(rule.column)).as_py()
    if not hasattr(newest, "year"):
        yield Violation(rule.column, "freshness", "there is no time in this column")
        return
    moment = datetime(newest.year, newest.month, newest.day, tzinfo=UTC) if not hasattr(newest, "hour") else newest
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if now - moment > timedelta(days=rule.max_age_days):
        days = (now - moment).days
        yield Violation(rule.column, "freshness", f"the newest row is {days} days old; at most {rule.max_age_days:g}")
