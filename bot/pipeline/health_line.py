"""What monitoring last found of the models of a change, in a line each, from the ledger alone."""

from __future__ import annotations

from collections.abc import Iterable

from bot.ports import Ports
from bot.records.health import Health
from bot.records.ledger import health_folder
from bot.report.health import sentence


def health_lines(models: Iterable[str], environments: Iterable[str], ports: Ports) -> str:
    """A Markdown list, empty when none of them was ever judged."""
    lines = []
    for model in sorted(set(models)):
        for environment in environments:
            paths = ports.ledger.paths(health_folder(model, environment))
            if paths:
                found = Health.parse(ports.ledger.get(paths[-1]) or b"", source=paths[-1])
                lines.append(f"- {sentence(found)}")
    return "\n".join(lines)
