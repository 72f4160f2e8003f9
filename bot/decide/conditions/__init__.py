"""The written list of what a promotion must meet, in the order in which it is shown."""

from __future__ import annotations

from collections.abc import Callable

from bot.decide.case import Case, Scope
from bot.decide.conditions import (
    approvals,
    freeze_windows,
    lock,
    merged,
    promote_from,
    promoters,
    provenance,
    review_overdue,
    revoked,
    soak_time,
    verification,
    wait_timer,
)
from bot.records.decision import Node
from bot.specs.policies.environments import Environment

CONDITIONS: dict[str, Callable[[Environment, Scope, Case], Node | None]] = {
    "merged": merged.judge,
    "provenance": provenance.judge,
    "revoked": revoked.judge,
    "lock": lock.judge,
    "promote_from": promote_from.judge,
    "soak_time": soak_time.judge,
    "verification": verification.judge,
    "approvals": approvals.judge,
    "promoters": promoters.judge,
    "wait_timer": wait_timer.judge,
    "freeze_windows": freeze_windows.judge,
    "review_overdue": review_overdue.judge,
}
