"""What monitoring last found of the models of a change, in a line each, from the ledger alone."""

from __future__ import annotations

from collections.abc import Iterable

from bot.ledger import Ledger
from bot.ports import Ports
from bot.report.health import sentence
from bot.words import Markdown


def health_lines(models: Iterable[str], environments: Iterable[str], ports: Ports) -> Markdown:
    """A Markdown list, empty when none of them was ever judged."""
    lines = []
    for model in sorted(set(models)):
        for environment in environments:
            found = Ledger(ports.ledger).health(model, environment).whole
            lines += [Markdown("- {}").format(sentence(one)) for one in found]
    return Markdown("\n").join(lines)
