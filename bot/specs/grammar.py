"""The small language of `where`, `derived` and slices: text -> a tree of the written list of parts.

Python's own grammar, cut down: names (in backquotes when they are not words), numbers, text in quotes,
`+ - * / % **`, comparisons, `in [...]`, `and or not`, `is None`, and FUNCTIONS. Nothing is ever executed.
"""

from __future__ import annotations

import ast
import math
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from bot.specs.base import wrong

MAX_NODES = 200

# Text in quotes stays as it is; what is in backquotes is a name.
_QUOTED = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`([^`]{1,200})`""")
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
ARITHMETIC: dict[type[ast.AST], str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.Pow: "power",
}
COMPARISON: dict[type[ast.AST], str] = {
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
_ALLOWED = (*_LEAVES, *_MEMBERSHIP, *_BRANCHES, *ARITHMETIC, *COMPARISON)
_NOTHING_IS = "a comparison with None, which never holds: write `is None`,"


@lru_cache(maxsize=1024)  # a served model reads the same few for each request
def parse(text: str) -> tuple[ast.expr, dict[str, str]]:
    """The tree, and the column's name for each placeholder in it. Raises a validation error (ValueError)."""
    quoted: dict[str, str] = {}

    def name(match: re.Match[str]) -> str:
        if match.group(1) is None:
            return match.group(0)
        placeholder = _PLACEHOLDER.format(len(quoted))
        quoted[placeholder] = match.group(1)
        return placeholder

    hint = "Names that are not words go in `backquotes`."
    bare = _QUOTED.sub("", text)
    if not unicodedata.is_normalized("NFKC", bare):  # Python would read another name
        raise wrong(f"cannot read {text[:80]!r}: a name is written with letters that have another form", hint)
    try:
        tree = ast.parse(_QUOTED.sub(name, text.strip()), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        why = getattr(error, "msg", None) or "too deep"
        raise wrong(f"cannot read {text[:80]!r}: {why}", hint) from None
    for problem in _problems(tree):
        raise wrong(f"{problem} is not read in {text[:80]!r}", f"Functions: {', '.join(FUNCTIONS)}.")
    return tree, quoted


def names_of(tree: ast.expr, quoted: dict[str, str]) -> tuple[str, ...]:
    """The columns of a tree, sorted."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called}
    return tuple(sorted(quoted.get(name, name) for name in names))


def not_a_condition(tree: ast.expr) -> ast.expr | None:
    """The part of a tree that should be true or false and, by its form, is not; None when all may be."""
    if isinstance(tree, ast.BoolOp):
        return next((found for value in tree.values if (found := not_a_condition(value)) is not None), None)
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not):
        return not_a_condition(tree.operand)
    return None if isinstance(tree, ast.Compare | ast.Name) else tree


def _problems(tree: ast.expr) -> Iterator[str]:
    nodes = list(ast.walk(tree))
    lists = {id(right) for node in nodes if isinstance(node, ast.Compare) for right in node.comparators}
    if len(nodes) > MAX_NODES:
        yield f"a text of more than {MAX_NODES} parts"
    for node in nodes:
        if not isinstance(node, _ALLOWED):
            yield f"`{type(node).__name__}`"
        elif isinstance(node, ast.Constant):
            yield from _constant_problems(node.value)
        elif isinstance(node, ast.Call):
            is_known = isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS
            if not is_known or len(node.args) != 1 or node.keywords:
                yield "a call that is not a known function of one value"
        elif isinstance(node, ast.Compare):
            yield from _comparison_problems(node)
        elif isinstance(node, ast.List | ast.Tuple) and id(node) not in lists:
            yield "a list that does not follow `in`"


def _constant_problems(value: object) -> Iterator[str]:
    if not isinstance(value, int | float | str | bool | None):
        yield f"a {type(value).__name__}"
    elif isinstance(value, float) and not math.isfinite(value):
        yield "a number that is not finite"


def _comparison_problems(node: ast.Compare) -> Iterator[str]:
    if _is_none(node.left):
        yield _NOTHING_IS
    for operator, right in zip(node.ops, node.comparators, strict=True):
        if isinstance(operator, ast.In | ast.NotIn):
            items = right.elts if isinstance(right, ast.List | ast.Tuple) else None
            if not items or not all(map(_is_value, items)):
                yield "`in` without a list of values"
            elif any(map(_is_none, items)):
                yield _NOTHING_IS
        elif isinstance(right, ast.List | ast.Tuple):
            yield "a list that does not follow `in`"
        elif isinstance(operator, ast.Is | ast.IsNot):
            if not _is_none(right):
                yield "`is` with anything but None"
        elif _is_none(right):
            yield _NOTHING_IS


def _is_value(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        inner = node.operand
        return isinstance(inner, ast.Constant) and type(inner.value) in (int, float)
    return isinstance(node, ast.Constant)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
