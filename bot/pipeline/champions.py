"""What is live, as an evaluation compares with it."""

from __future__ import annotations

from pathlib import Path

from bot.errors import UserError
from bot.ledger import Environments
from bot.pipeline.reuse import live_digest
from bot.ports import Ports
from bot.records.evaluation import NOTHING_DEPLOYED


def deployed(environment: str, model: str, into: Path, ports: Ports) -> Path | str:
    """The artifact folder of what is live, fetched to `into`; or why there is none to compare with."""
    if live_digest(environment, model, ports) is None:
        return NOTHING_DEPLOYED
    pointer = Environments(ports.environments).pointer(environment, model)
    if pointer is None:
        return "its pointer is missing on the environments branch"
    try:
        ports.artifacts.fetch(pointer, into)
    except UserError as error:
        return error.message
    return into
