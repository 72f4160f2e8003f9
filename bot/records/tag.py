"""A tag of the repository."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Tag:
    """An annotated tag: the commit it points to and when its tagger says it was made."""

    name: str
    commit: str
    message: str
    at: datetime
