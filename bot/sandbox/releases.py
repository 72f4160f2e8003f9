"""What is remembered of a release and its files."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bot.sandbox.people import Login


@dataclass
class Asset:
    """A file of a release; its bytes lie in the world's folder. `digest` is SHA-256."""

    id: int
    name: str
    label: str
    content_type: str
    size: int
    digest: str
    uploader: Login
    created_at: datetime
    downloads: int = 0


@dataclass
class Release:
    """`target` is what the tag is made at when it is published; a draft was not yet."""

    id: int
    tag: str
    target: str
    name: str | None
    body: str
    author: Login
    created_at: datetime
    published_at: datetime | None = None
    draft: bool = False
    prerelease: bool = False
    assets: list[Asset] = field(default_factory=list)
