"""Health records in the ledger: read, and stored."""

from __future__ import annotations

from bot.ledger import Ledger
from bot.ports import Ports
from bot.records.health import Health
from bot.records.ledger import health_path

MOST_HISTORY = 120


def history(model: str, environment: str, ports: Ports) -> list[Health]:
    """Stored records, oldest first, at most the last MOST_HISTORY."""
    return Ledger(ports.ledger).health(model, environment, MOST_HISTORY).whole


def keep(health: Health, ports: Ports) -> None:
    """Store a record; its time names it."""
    path = health_path(health.model, health.environment or "", health.judged_at or "")
    said = f"health of {health.model} in {health.environment}: {health.status}"
    Ledger(ports.ledger).write({path: health.canonical()}, said)
