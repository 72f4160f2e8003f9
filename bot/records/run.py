"""The workflow run that a job belongs to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Run:
    """The workflow run that we are: identity for links and for ordering (`id`, then `attempt`)."""

    id: int
    attempt: int
    url: str | None
    job: str
    workflow: str
    repository: str
    actor: str
    sha: str
