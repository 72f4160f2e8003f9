"""Releases and their files."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from bot.sandbox.releases import Asset, Release
from bot.sandbox.shapes.basics import Links, iso, maybe, node
from bot.sandbox.store import Repository


def page(links: Links, repository: Repository, found: Release) -> str:
    """A draft has no tag yet, so its page has a name of its own."""
    name = f"untagged-{found.id}" if found.draft else quote(found.tag)
    return f"{links.page(repository)}/releases/tag/{name}"


def release(links: Links, repository: Repository, found: Release) -> dict[str, Any]:
    """GitHub's `release`."""
    url, name = f"{links.repo(repository)}/releases/{found.id}", quote(found.tag)
    uploads = f"{links.web}/api/uploads/repos/{repository.full_name}/releases/{found.id}/assets"
    return {
        "url": url,
        "assets_url": f"{url}/assets",
        "upload_url": f"{uploads}{{?name,label}}",
        "html_url": page(links, repository, found),
        "id": found.id,
        "author": links.account(found.author),
        "node_id": node("Release", found.id),
        "tag_name": found.tag,
        "target_commitish": found.target,
        "name": found.name,
        "draft": found.draft,
        "prerelease": found.prerelease,
        "immutable": False,
        "created_at": iso(found.created_at),
        "updated_at": iso(found.published_at or found.created_at),
        "published_at": maybe(found.published_at),
        "assets": [asset(links, repository, found, one) for one in found.assets],
        "tarball_url": None if found.draft else f"{links.repo(repository)}/tarball/{name}",
        "zipball_url": None if found.draft else f"{links.repo(repository)}/zipball/{name}",
        "body": found.body,
    }


def asset(links: Links, repository: Repository, parent: Release, found: Asset) -> dict[str, Any]:
    """GitHub's `release-asset`."""
    at = iso(found.created_at)
    return {
        "url": f"{links.repo(repository)}/releases/assets/{found.id}",
        "browser_download_url": f"{links.page(repository)}/releases/download/{quote(parent.tag)}/{quote(found.name)}",
        "id": found.id,
        "node_id": node("ReleaseAsset", found.id),
        "name": found.name,
        "label": found.label,
        "uploader": links.account(found.uploader),
        "content_type": found.content_type,
        "state": "uploaded",
        "size": found.size,
        "digest": f"sha256:{found.digest}",
        "download_count": found.downloads,
        "created_at": at,
        "updated_at": at,
    }
