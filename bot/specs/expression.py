"""The small language of `where`, `derived` and slices: text -> columns it names, and its value on a table.

Python's own grammar, cut down to a written list: names (in backquotes when they are not words), numbers, text in
quotes, `+ - * / % **`, comparisons, `in [...]`, `and or not`, `is None`, and FUNCTIONS. Nothing is ever executed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from bot.specs.base import wrong

MAX_NODES = 200

_BACKQUOTED = re.compile(r"`([^`]{1,200})`")
_PLACEHOLDER = "quoted_{}__"

# name -> pyarrow.compute function; all take one number.
FUNCTIONS: dict[str, str] = {
    "abs": "abs",
    "ceil": "ceil",
    "exp": "exp",
    "floor": "floor",
    "log": "ln",
    "log10": "log10",
    "log1p": "log1p",
    "round": "round",
    "sign": "sign",
    "sqrt": "sqrt",
}
_ARITHMETIC: dict[type[ast.AST], str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.Pow: "power",
}
_COMPARISON: dict[type[ast.AST], str] = {
    ast.Eq: "equal",
    ast.NotEq: "not_equal",
    ast.Lt: "less",
    ast.LtE: "less_equal",
    ast.Gt: "greater",
    ast.GtE: "greater_equal",
}
_LEAVES = (ast.Name, ast.Constant, ast.Load, ast.And, ast.Or, ast.Not, ast.USub, ast.UAdd, ast.Mod)
_MEMBERSHIP = (ast.In, ast.NotIn, ast.Is, ast.IsNot)
_BRANCHES = (ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.Call, ast.List, ast.Tuple)
_ALLOWED = (*_LEAVES, *_MEMBERSHIP, *_BRANCHES, *_ARITHMETIC, *_COMPARISON)


def columns_of(text: str) -> tuple[str, ...]:
    """Columns that an expression names, sorted. Raises a validation error (ValueError) when it is not one."""
    tree, quoted = _parse(text)
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called}
    return tuple(sorted(quoted.get(name, name) for name in names))


def evaluate(text: str, table: Any) -> Any:
    """The expression's value on each row of a pyarrow.Table: a ChunkedArray or Array of float64, text or bool.

    A missing value makes the result missing. Division by zero, and logarithm or root outside its domain, give a missing
    value too. Raises ValueError when a column is not in the table or has the wrong type.
    """
    import pyarrow as pa

    tree, quoted = _parse(text)
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


@lru_cache(maxsize=1024)  # a served model reads the same few for each request
def _parse(text: str) -> tuple[ast.expr, dict[str, str]]:
    quoted: dict[str, str] = {}

    def name(match: re.Match[str]) -> str:
        placeholder = _PLACEHOLDER.format(len(quoted))
        quoted[placeholder] = match.group(1)
        return placeholder

    try:
        tree = ast.parse(_BACKQUOTED.sub(name, text.strip()), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        why = getattr(error, "msg", None) or "too deep"
        raise wrong(f"cannot read {text[:80]!r}: {why}", "Names that are not words go in `backquotes`.") from None
    for problem in _problems(tree):
        raise wrong(f"{problem} is not read in {text[:80]!r}", f"Functions: {', '.join(FUNCTIONS)}.")
    return tree, quoted


def _problems(tree: ast.expr) -> Iterator[str]:
    nodes = list(ast.walk(tree))
    lists = {id(right) for node in nodes if isinstance(node, ast.Compare) for right in node.comparators}
    if len(nodes) > MAX_NODES:
        yield f"a text of more than {MAX_NODES} parts"
    for node in nodes:
        if not isinstance(node, _ALLOWED):
            yield f"`{type(node).__name__}`"
        elif isinstance(node, ast.Constant) and not isinstance(node.value, int | float | str | bool | None):
            yield f"a {type(node.value).__name__}"
        elif isinstance(node, ast.Call):
            is_known = isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS
            if not is_known or len(node.args) != 1 or node.keywords:
                yield "a call that is not a known function of one value"
        elif isinstance(node, ast.Compare):
            yield from _comparison_problems(node)
        elif isinstance(node, ast.List | ast.Tuple) and id(node) not in lists:
            yield "a list that does not follow `in`"


def _comparison_problems(node: ast.Compare) -> Iterator[str]:
    for operator, right in zip(node.ops, node.comparators, strict=True):
        if isinstance(operator, ast.In | ast.NotIn):
            items = right.elts if isinstance(right, ast.List | ast.Tuple) else None
            if items is None or not all(isinstance(item, ast.Constant) for item in items):
                yield "`in` without a list of values"
        elif isinstance(right, ast.List | ast.Tuple):
            yield "a list that does not follow `in`"
        elif isinstance(operator, ast.Is | ast.IsNot) and not (isinstance(right, ast.Constant) and right.value is None):
            yield "`is` with anything but None"


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
            raise wrong(f"{ast.unparse(node)}: {str(error).splitlines()[0]}") from None

    def _name(self, node: ast.Name) -> Any:
        column = self.quoted.get(node.id, node.id)
        if column not in self.table.column_names:
            raise wrong(f"there is no column {column!r}")
        values = self.table.column(column)
        return values.cast(self.pa.float64()) if self._is_number(values.type) else values

    def _is_number(self, kind: Any) -> bool:
        types = self.pa.types
        return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))

    def _constant(self, node: ast.Constant) -> Any:
        is_number = isinstance(node.value, int | float) and not isinstance(node.value, bool)
        return self.pa.scalar(float(node.value) if is_number else node.value)  # type: ignore[arg-type]

    def _unaryop(self, node: ast.UnaryOp) -> Any:
        inner = self.value(node.operand)
        if isinstance(node.op, ast.Not):
            return self.pc.invert(inner)
        return self.pc.negate(inner) if isinstance(node.op, ast.USub) else inner

    def _binop(self, node: ast.BinOp) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(node.op, ast.Mod):
            whole = self.pc.floor(self.pc.divide(left, right))
            return self._finite(self.pc.subtract(left, self.pc.multiply(whole, right)))
        return self._finite(self.pc.call_function(_ARITHMETIC[type(node.op)], [left, right]))

    def _call(self, node: ast.Call) -> Any:
        assert isinstance(node.func, ast.Name)
        return self._finite(self.pc.call_function(FUNCTIONS[node.func.id], [self.value(node.args[0])]))

    def _finite(self, values: Any) -> Any:
        return self.pc.if_else(self.pc.is_finite(values), values, self.pa.scalar(None, values.type))

    def _boolop(self, node: ast.BoolOp) -> Any:
        combine = self.pc.and_kleene if isinstance(node.op, ast.And) else self.pc.or_kleene
        result = self.value(node.values[0])
        for inner in node.values[1:]:
            result = combine(result, self.value(inner))
        return result

    def _compare(self, node: ast.Compare) -> Any:
        left, result = self.value(node.left), None
        for operator, right in zip(node.ops, node.comparators, strict=True):
            one = self._one(left, operator, right)
            result = one if result is None else self.pc.and_kleene(result, one)
            left = left if isinstance(right, ast.List | ast.Tuple) else self.value(right)
        return result

    def _one(self, left: Any, operator: ast.cmpop, right: ast.expr) -> Any:
        if isinstance(operator, ast.Is | ast.IsNot):
            return self.pc.is_null(left) if isinstance(operator, ast.Is) else self.pc.is_valid(left)
        if isinstance(operator, ast.In | ast.NotIn):
            assert isinstance(right, ast.List | ast.Tuple)
            items = [self.value(item).as_py() for item in right.elts]
            inside = self.pc.is_in(left, value_set=self.pa.array(items, left.type), skip_nulls=True)
            inside = self.pc.if_else(self.pc.is_valid(left), inside, self.pa.scalar(None, self.pa.bool_()))
            return inside if isinstance(operator, ast.In) else self.pc.invert(inside)
        other = self.value(right)
        sides = [self._as_time(left, other), self._as_time(other, left)]
        return self.pc.call_function(_COMPARISON[type(operator)], sides)

    def _as_time(self, one: Any, beside: Any) -> Any:
        """A written text beside a column of times or dates is one, in UTC; everything else stays as it is."""
        types = self.pa.types
        if not isinstance(one, self.pa.Scalar) or not types.is_string(one.type) or not types.is_temporal(beside.type):
            return one
        if types.is_timestamp(beside.type) and beside.type.tz:
            return one.cast(self.pa.timestamp("us")).cast(self.pa.timestamp("us", tz="UTC")).cast(beside.type)
        return one.cast(beside.type)
