"""An expression of the small language (`bot.specs.grammar`): which columns it names, and its value on a table.

Missing is missing, whether null or NaN: it makes a result missing. Booleans beside numbers count as 0 and 1. Dates and
times are compared as `bot.specs.moments` says; the difference of two is a number of days.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from bot.specs.base import wrong
from bot.specs.grammar import ARITHMETIC, COMPARISON, FUNCTIONS, names_of, not_a_condition, parse
from bot.specs.moments import MICROSECONDS_A_DAY, is_moment, moment, moments


def columns_of(text: str) -> tuple[str, ...]:
    """Columns that an expression names, sorted. Raises a validation error (ValueError) when it is not one."""
    return names_of(*parse(text))


def condition_columns(text: str) -> tuple[str, ...]:
    """The same, for an expression that must be true or false on each row."""
    tree, quoted = parse(text)
    if (part := not_a_condition(tree)) is not None:
        raise wrong(f"{ast.unparse(part)!r} is not a condition", "Compare something, for example `distance > 0`.")
    return _some(names_of(tree, quoted), text)


def number_columns(text: str) -> tuple[str, ...]:
    """The same, for an expression that must be a number on each row."""
    return _some(columns_of(text), text)


def _some(columns: tuple[str, ...], text: str) -> tuple[str, ...]:
    if not columns:
        raise wrong(f"{text[:80]!r} names no column", "Text goes in quotes, a column's name does not.")
    return columns


def evaluate(text: str, table: Any) -> Any:
    """The expression's value on each row of a pyarrow.Table: a ChunkedArray or Array of numbers, text, times or bool.

    A missing value makes the result missing. Division by zero, and logarithm or root outside its domain, give a missing
    value too. Raises ValueError when a column is not in the table or has the wrong type.
    """
    import pyarrow as pa

    tree, quoted = parse(text)
    found = _Evaluation(table, quoted).value(tree)
    return pa.repeat(found, table.num_rows) if isinstance(found, pa.Scalar) else found


def holds(text: str, table: Any) -> Any:
    """Boolean pyarrow array: where the condition holds; missing counts as not."""
    import pyarrow as pa
    import pyarrow.compute as pc

    result = evaluate(text, table)
    if not isinstance(result, pa.Array | pa.ChunkedArray) or result.type != pa.bool_():
        raise wrong(f"{text!r} is not a condition", "Compare something, for example `distance > 0`.")
    return pc.fill_null(result, False)


class _Evaluation:
    def __init__(self, table: Any, quoted: dict[str, str]) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        self.pa, self.pc, self.table, self.quoted = pa, pc, table, quoted

    def value(self, node: ast.expr) -> Any:
        handler: Callable[[Any], Any] = getattr(self, f"_{type(node).__name__.lower()}")
        try:
            return handler(node)
        except (self.pa.ArrowInvalid, self.pa.ArrowNotImplementedError, self.pa.ArrowTypeError) as error:
            raise wrong(f"{self._words(node)}: {str(error).splitlines()[0]}") from None

    def _words(self, node: ast.expr) -> str:
        """A part as it was written, with the names that stood in backquotes."""
        text = ast.unparse(node)
        for placeholder, name in self.quoted.items():
            text = text.replace(placeholder, name)
        return f"`{text}`"

    def _name(self, node: ast.Name) -> Any:
        """A column as numbers, booleans, text, dates or times; missing is null."""
        types, column = self.pa.types, self.quoted.get(node.id, node.id)
        if column not in self.table.column_names:
            names = {"true": "True", "false": "False", "null": "None"}
            known = f"There are: {', '.join(self.table.column_names[:20])}."
            hint = f"Write {names[column]}." if column in names else known
            raise wrong(f"there is no column {column!r}", hint)
        values = self.table.column(column)
        kind = values.type
        if types.is_dictionary(kind):
            values = values.cast(kind.value_type)
            kind = values.type
        if types.is_floating(kind) or types.is_null(kind):
            values = values.cast(self.pa.float64())
            return self.pc.if_else(self.pc.is_nan(values), self.pa.scalar(None, self.pa.float64()), values)
        if types.is_decimal(kind):
            return values.cast(self.pa.float64())
        if types.is_duration(kind):
            micros = self.pc.cast(values.cast(self.pa.duration("us"), safe=False), self.pa.int64())
            return self.pc.divide(self.pc.cast(micros, self.pa.float64(), safe=False), float(MICROSECONDS_A_DAY))
        if self._is_text(kind):
            return values.cast(self.pa.string())
        if types.is_integer(kind) or types.is_boolean(kind) or is_moment(kind) or types.is_time(kind):
            return values
        raise wrong(f"{self._words(node)} is {kind}, which has no value here")

    def _is_text(self, kind: Any) -> bool:
        types = self.pa.types
        return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))

    def _is_number(self, kind: Any) -> bool:
        types = self.pa.types
        return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind))

    def _kind(self, values: Any) -> str:
        types, kind = self.pa.types, values.type
        if types.is_boolean(kind):
            return "true or false"
        is_number = self._is_number(kind) or types.is_decimal(kind)
        return "text" if self._is_text(kind) else "a number" if is_number else "a date or time"

    def _number(self, node: ast.expr) -> Any:
        """The part as float64. Raises a validation error when it is text or a time."""
        values = self.value(node)
        if not self._is_number(values.type):
            hint = "Only the difference of two times is a number." if is_moment(values.type) else None
            raise wrong(f"{self._words(node)} is {self._kind(values)}, not a number", hint)
        return self.pc.cast(values, self.pa.float64(), safe=False)

    def _condition(self, node: ast.expr) -> Any:
        values = self.value(node)
        if not self.pa.types.is_boolean(values.type):
            raise wrong(
                f"{self._words(node)} is {self._kind(values)}, not a condition",
                "Compare it, for example `distance > 0`.",
            )
        return values

    def _constant(self, node: ast.Constant) -> Any:
        value = node.value
        if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
            return self.pa.scalar(float(value))
        return self.pa.scalar(value)

    def _unaryop(self, node: ast.UnaryOp) -> Any:
        if isinstance(node.op, ast.Not):
            return self.pc.invert(self._condition(node.operand))
        if isinstance(node.operand, ast.Constant) and type(node.operand.value) is int:  # stays exact
            sign = -1 if isinstance(node.op, ast.USub) else 1
            return self._constant(ast.Constant(sign * node.operand.value))
        inner = self._number(node.operand)
        return self.pc.negate(inner) if isinstance(node.op, ast.USub) else inner

    def _binop(self, node: ast.BinOp) -> Any:
        if isinstance(node.op, ast.Sub) and (days := self._days(node)) is not None:
            return days
        left, right = self._number(node.left), self._number(node.right)
        if isinstance(node.op, ast.Mod):
            whole = self.pc.floor(self.pc.divide(left, right))
            return self._finite(self.pc.subtract(left, self.pc.multiply(whole, right)))
        return self._finite(self.pc.call_function(ARITHMETIC[type(node.op)], [left, right]))

    def _days(self, node: ast.BinOp) -> Any:
        """The difference of two dates or times in days, None when neither side is one."""
        left, right = self.value(node.left), self.value(node.right)
        if not is_moment(left.type) and not is_moment(right.type):
            return None
        sides = []
        for side, other in ((left, right), (right, left)):
            one = self._as_moment(node, side, other.type)
            if not is_moment(one.type):
                raise wrong(f"{self._words(node)}: a date or time beside {self._kind(side)}")
            sides.append(self.pc.cast(one.cast(self.pa.timestamp("us"), safe=False), self.pa.int64()))
        micros = self.pc.cast(self.pc.subtract(*sides), self.pa.float64(), safe=False)
        return self.pc.divide(micros, float(MICROSECONDS_A_DAY))

    def _call(self, node: ast.Call) -> Any:
        assert isinstance(node.func, ast.Name)
        return self._finite(self.pc.call_function(FUNCTIONS[node.func.id], [self._number(node.args[0])]))

    def _finite(self, values: Any) -> Any:
        return self.pc.if_else(self.pc.is_finite(values), values, self.pa.scalar(None, values.type))

    def _boolop(self, node: ast.BoolOp) -> Any:
        combine = self.pc.and_kleene if isinstance(node.op, ast.And) else self.pc.or_kleene
        result = self._condition(node.values[0])
        for inner in node.values[1:]:
            result = combine(result, self._condition(inner))
        return result

    def _compare(self, node: ast.Compare) -> Any:
        left, result = self.value(node.left), None
        for operator, right in zip(node.ops, node.comparators, strict=True):
            one = self._one(node, left, operator, right)
            result = one if result is None else self.pc.and_kleene(result, one)
            left = left if isinstance(right, ast.List | ast.Tuple) else self.value(right)
        return result

    def _one(self, node: ast.Compare, left: Any, operator: ast.cmpop, right: ast.expr) -> Any:
        if isinstance(operator, ast.Is | ast.IsNot):
            return self.pc.is_null(left) if isinstance(operator, ast.Is) else self.pc.is_valid(left)
        if not isinstance(operator, ast.In | ast.NotIn):
            return self._compared(node, left, COMPARISON[type(operator)], self.value(right))
        assert isinstance(right, ast.List | ast.Tuple)
        inside = self._compared(node, left, "equal", self.value(right.elts[0]))
        for item in right.elts[1:]:
            inside = self.pc.or_kleene(inside, self._compared(node, left, "equal", self.value(item)))
        return inside if isinstance(operator, ast.In) else self.pc.invert(inside)

    def _compared(self, node: ast.Compare, left: Any, function: str, right: Any) -> Any:
        left, right = self._as_moment(node, left, right.type), self._as_moment(node, right, left.type)
        types = self.pa.types
        if types.is_integer(left.type) and types.is_integer(right.type):
            left, right = (one.cast(self.pa.decimal128(20, 0)) for one in (left, right))  # exact, also above 2^53
        elif self._is_number(left.type) and self._is_number(right.type) and left.type != right.type:
            left, right = (self.pc.cast(one, self.pa.float64(), safe=False) for one in (left, right))
        kinds = [self._kind(left), self._kind(right)]
        if kinds[0] != kinds[1] or types.is_time(left.type) != types.is_time(right.type):
            hint = "Write the value as the column holds it: text in quotes, numbers without, True or False."
            raise wrong(f"{self._words(node)} compares {kinds[0]} with {kinds[1]}", hint)
        return self.pc.call_function(function, [left, right])

    def _as_moment(self, node: ast.expr, one: Any, beside: Any) -> Any:
        """A date or time in UTC, also a written one beside a type of dates or times; everything else as it is."""
        if is_moment(one.type):
            return moments(one)
        is_time = self.pa.types.is_time(beside)
        if isinstance(one, self.pa.Scalar) and self._is_text(one.type) and (is_moment(beside) or is_time):
            try:
                return moment(one.as_py(), beside)
            except ValueError as error:
                raise wrong(f"{self._words(node)}: {error}") from None
        return one.cast(self.pa.time64("us")) if self.pa.types.is_time32(one.type) else one
