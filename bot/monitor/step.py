"""Health records in the ledger: read, and stored."""

from __future__ import annotations

from bot.ports import Ports
from bot.records.health import Health
from bot.records.ledger import health_folder, health_path

MOST_HISTORY = 120


def history(model: str, environment: str, ports: Ports) -> list[Health]:
    """Stored records, oldest first, at most the last MOST_HISTORY."""
    paths = ports.ledger.paths(health_folder(model, environment))[-MOST_HISTORY:]
    return [Health.parse(ports.ledger.get(path) or b"", source=path) for path in paths]


def keep(health: Health, ports: Ports) -> None:
    """Store a record; its time names it."""
    path = health_path(health.model, health.environment or "", health.judged_at or "")
    ports.ledger.commit(
        {path: health.canonical()}, f"health of {health.model} in {health.environment}: {health.status}"
    )
