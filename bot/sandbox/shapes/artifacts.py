"""Artifacts of runs."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from bot.sandbox.artifacts import Artifact
from bot.sandbox.shapes.basics import Links, iso, node
from bot.sandbox.store import Repository

KEPT = timedelta(days=90)


def artifact(links: Links, repository: Repository, found: Artifact) -> dict[str, Any]:
    """GitHub's `artifact`."""
    url, at = f"{links.repo(repository)}/actions/artifacts/{found.id}", iso(found.created_at)
    return {
        "id": found.id,
        "node_id": node("Artifact", found.id),
        "name": found.name,
        "size_in_bytes": found.size,
        "url": url,
        "archive_download_url": f"{url}/zip",
        "expired": False,
        "created_at": at,
        "updated_at": at,
        "expires_at": iso(found.created_at + KEPT),
        "digest": f"sha256:{hashlib.sha256(found.zipped()).hexdigest()}",
        "workflow_run": {
            "id": found.run.id,
            "repository_id": repository.id,
            "head_repository_id": repository.id,
            "head_branch": found.run.branch,
            "head_sha": found.run.sha,
        },
    }
