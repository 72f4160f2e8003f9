"""What monitoring last found of the models of a change, in a line each, from the ledger alone."""

from __future__ import annotations

from collections.abc import Iterable

from bot.ledger import Ledger
from bot.ports import Ports
from bot.report.health import sentence


def health_lines(models: Iterable[str], environments: Iterable[str], ports: Ports) -> str:
    """A Markdown list, empty when none of them was ever judged."""
    lines = []
    for model in sorted(set(models)):
        for environment in environments:
            lines += [f"- {sentence(one)}" for one in Ledger(ports.ledger).health(model, environment).whole]
    return "\n".join(lines)
