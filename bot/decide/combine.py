"""Verdicts of parts -> the verdict of the whole. What is unknown or broken is never a yes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.decide.reasons import node
from bot.records.decision import Node, Status

# The worst first: a veto stands above all, an error blocks, what is missing waits.
_ORDER: tuple[Status, ...] = ("rejected", "error", "pending", "approved", "not_applicable")


def worst(statuses: Iterable[Status]) -> Status:
    """The verdict when all are needed; `not_applicable` when there are none."""
    return min(statuses, key=_ORDER.index, default="not_applicable")


def all_of(name: str, children: Sequence[Node]) -> Node:
    """Approved when every applicable part is."""
    status = worst(child.status for child in children)
    if status == "not_applicable":
        return node(name, status, "not_applicable", "Nothing of it applies.", children=children)
    if status == "approved":
        return node(name, status, "approved", "All of it is approved.", children=children)
    return _like(name, next(child for child in children if child.status == status), children)


def any_of(name: str, children: Sequence[Node]) -> Node:
    """Approved when any part is; else the best that is left, an error before what is only pending."""
    statuses = [child.status for child in children if child.status != "not_applicable"]
    if not statuses:
        return node(name, "not_applicable", "not_applicable", "Nothing of it applies.", children=children)
    if "approved" in statuses:
        return node(name, "approved", "approved", "One of them is approved.", children=children)
    best: Status = "error" if "error" in statuses else "pending" if "pending" in statuses else "rejected"
    return _like(name, next(child for child in children if child.status == best), children)


def _like(name: str, reason: Node, children: Sequence[Node]) -> Node:
    """A parent speaks with the words of the child that decides."""
    return node(name, reason.status, reason.reason_code, reason.sentence, who=reason.who_can, children=children)
