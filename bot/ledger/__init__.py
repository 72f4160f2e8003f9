"""The one door to the bot's branches: typed questions, typed answers, one way to write.

Where a record lies is known here and in `bot/records/ledger.py` alone. A question about one record gives None where it
is not there and raises where it cannot be read; a question about several gives `Records`, which names what cannot be
read, so that it concerns nothing else.
"""

from __future__ import annotations

from bot.ledger.environments import Environments as Environments
from bot.ledger.models import OfModels
from bot.ledger.pull_requests import OfPullRequests
from bot.ledger.reading import Records as Records
from bot.ledger.standing import Standing


class Ledger(OfPullRequests, OfModels, Standing):
    """What `mlbot/ledger` holds, asked of its branch."""
