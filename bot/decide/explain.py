"""A Decision -> its tree as plain text, with the reason code of each node and what would unblock it."""

from __future__ import annotations

from collections.abc import Iterator

from bot.records.decision import Decision, Node

MARKS = {"approved": "+", "pending": "~", "rejected": "x", "error": "!", "not_applicable": "-"}
LEGEND = "+ approved  ~ pending  x rejected  ! error  - does not count"


def explain(decision: Decision, *, rule: str | None = None) -> str:
    """Lines of text; `rule` cuts the tree down to nodes of that name."""
    lines = [f"{decision.subject} of #{decision.number} at {decision.head_sha[:12]}: {decision.headline}", ""]
    roots = [decision.tree] if rule is None else list(_named(decision.tree, rule))
    for root in roots:
        lines.extend(_lines(root, 0))
    if decision.unblock:
        lines += ["", "To unblock:"]
        lines += [
            f"  {', '.join(one.who) or 'anybody'}: {one.action}{_command(one.command)}" for one in decision.unblock
        ]
    return "\n".join([*lines, "", LEGEND]) + "\n"


def _lines(tree: Node, depth: int) -> Iterator[str]:
    yield f"{'  ' * depth}{MARKS[tree.status]} {tree.name} [{tree.reason_code}] {tree.sentence}"
    for child in tree.children:
        yield from _lines(child, depth + 1)


def _named(tree: Node, name: str) -> Iterator[Node]:
    if tree.name == name:
        yield tree
    else:
        for child in tree.children:
            yield from _named(child, name)


def _command(command: str | None) -> str:
    return f"  ({command})" if command else ""
