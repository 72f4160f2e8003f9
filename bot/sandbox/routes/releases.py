"""Releases and their files: /repos/{owner}/{repo}/releases."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from pathlib import Path

from bot.sandbox import events
from bot.sandbox.http import Call, Page, Reply, Route, invalid, not_found
from bot.sandbox.releases import Asset, Release
from bot.sandbox.routes.commits import CONTENTS
from bot.sandbox.routes.issues import R
from bot.sandbox.shapes import releases as shapes

PULL_LINE = "* {title} by @{author} in {url}"


def seen(call: Call) -> list[Release]:
    """The newest first; drafts only by those who may write."""
    found = sorted(call.repo.releases.values(), key=_made, reverse=True)
    return [one for one in found if not one.draft or call.at_least("write")]


def _made(found: Release) -> tuple[datetime, int]:
    return found.created_at, found.id


def latest(found: list[Release]) -> Release | None:
    """The newest that is published and no preview."""
    return next((one for one in found if not one.draft and not one.prerelease), None)


def list_releases(call: Call) -> Page:
    return Page(seen(call), lambda one: shapes.release(call.links, call.repo, one))


def release_of(call: Call) -> Release:
    """By number, by tag, or the latest, as the path says."""
    if "release_id" in call.params:
        found = [one for one in seen(call) if one.id == call.number("release_id")]
    elif "tag" in call.params:
        found = [one for one in seen(call) if one.tag == call.params["tag"] and not one.draft]
    else:
        found = [one for one in [latest(seen(call))] if one]
    if not found:
        raise not_found()
    return found[0]


def get_release(call: Call) -> Reply:
    return Reply(shapes.release(call.links, call.repo, release_of(call)))


def create_release(call: Call) -> Reply:
    """A release that is no draft makes its tag where there is none, by the rules for tags."""
    tag, now = call.text("tag_name", resource="Release"), call.hub.clock()
    draft = bool(call.get("draft", False))
    if any(one.tag == tag and not one.draft for one in call.repo.releases.values()):
        raise invalid("Release", "tag_name", "already_exists")
    target = call.text("target_commitish", resource="Release", default=call.repo.default_branch)
    body = call.text("body", resource="Release", limit=125_000, default="")
    if call.get("generate_release_notes"):
        body = "\n\n".join(filter(None, (body, notes(call, tag, None))))
    name = call.text("name", resource="Release", default="") or (tag if call.get("generate_release_notes") else None)
    found = Release(call.hub.next_id(), tag, target, name, body, call.login, now)
    found.draft, found.prerelease = True, bool(call.get("prerelease", False))
    if not draft:
        _publish(call, found)
    call.repo.releases[found.id] = found
    _announce(call, found, "created")
    if not found.draft:
        _announce(call, found, "published")
    return Reply(shapes.release(call.links, call.repo, found), 201)


def _publish(call: Call, found: Release) -> None:
    from bot.sandbox.server import perform

    bare = call.hub.bare(call.repo)
    if bare.ref(f"refs/tags/{found.tag}") is None:
        commit = bare.commit(found.target)
        if commit is None:
            raise invalid("Release", "target_commitish")
        body = {"ref": f"refs/tags/{found.tag}", "sha": str(commit.id)}
        perform(call, "POST", f"/repos/{call.repo.full_name}/git/refs", body)
    found.draft, found.published_at = False, call.hub.clock()


def _announce(call: Call, found: Release, action: str) -> None:
    shape = shapes.release(call.hub.links(), call.repo, found)
    events.announce(call.hub, call.repo, "release", action, call.login, call.by_run, release=shape)


def edit_release(call: Call) -> Reply:
    found = release_of(call)
    if call.get("tag_name"):
        found.tag = call.text("tag_name", resource="Release")
    if call.get("target_commitish"):
        found.target = call.text("target_commitish", resource="Release")
    if call.get("name") is not None:
        found.name = call.text("name", resource="Release")
    if call.get("body") is not None:
        found.body = call.text("body", resource="Release", limit=125_000)
    if call.get("prerelease") is not None:
        found.prerelease = bool(call.get("prerelease"))
    if found.draft and call.get("draft") is False:
        _publish(call, found)
        _announce(call, found, "published")
    return Reply(shapes.release(call.links, call.repo, found))


def delete_release(call: Call) -> Reply:
    """The tag stays."""
    found = release_of(call)
    for one in found.assets:
        _file(call, one).unlink(missing_ok=True)
    del call.repo.releases[found.id]
    _announce(call, found, "deleted")
    return Reply(None, 204)


def generate_notes(call: Call) -> Reply:
    tag = call.text("tag_name", resource="Release")
    return Reply({"name": tag, "body": notes(call, tag, call.get("previous_tag_name"))})


def notes(call: Call, tag: str, previous: str | None) -> str:
    """The pull requests that were merged since the release before, as GitHub words it."""
    before = next((one for one in seen(call) if not one.draft and one.tag != tag), None)
    since = previous or (before.tag if before else None)
    bare, page = call.hub.bare(call.repo), call.links.page(call.repo)
    old = bare.commit(since) if since else None
    head = bare.commit(tag) or bare.commit(call.get("target_commitish") or call.repo.default_branch)
    new = {str(one.id) for one in bare.between(str(old.id), str(head.id))} if old and head else None
    merged = [one for one in call.repo.issues.values() if one.pull and one.pull.merged_at]
    listed = [one for one in merged if one.pull and (new is None or one.pull.merge_commit_sha in new)]
    lines = [PULL_LINE.format(title=one.title, author=one.author, url=f"{page}/pull/{one.number}") for one in listed]
    end = f"{page}/compare/{since}...{tag}" if since else f"{page}/commits/{tag}"
    return "\n".join(["## What's Changed", *lines, "", "", f"**Full Changelog**: {end}"])


# --- files


def _file(call: Call, found: Asset) -> Path:
    folder: Path = call.hub.directory / "releases"
    folder.mkdir(exist_ok=True)
    return folder / str(found.id)


def list_assets(call: Call) -> Page:
    parent = release_of(call)
    return Page(parent.assets, lambda one: shapes.asset(call.links, call.repo, parent, one))


def upload(call: Call) -> Reply:
    parent, given = release_of(call), call.query.get("name", "")
    name = re.sub(r"[^A-Za-z0-9._+@-]+", ".", given).strip(".")  # GitHub puts a dot for what it does not like
    if not name:
        raise invalid("ReleaseAsset", "name", "missing_field")
    if any(one.name == name for one in parent.assets):
        raise invalid("ReleaseAsset", "name", "already_exists")
    kind = call.headers.get("content-type", "application/octet-stream")
    digest, now = hashlib.sha256(call.raw).hexdigest(), call.hub.clock()
    found = Asset(call.hub.next_id(), name, call.query.get("label", ""), kind, len(call.raw), digest, call.login, now)
    _file(call, found).write_bytes(call.raw)
    parent.assets.append(found)
    return Reply(shapes.asset(call.links, call.repo, parent, found), 201)


def asset_of(call: Call) -> tuple[Release, Asset]:
    """By number, or by the names in the path."""
    for parent in seen(call):
        for one in parent.assets:
            named = (parent.tag, one.name) == (call.params.get("tag"), call.params.get("name"))
            if named or str(one.id) == call.params.get("asset_id"):
                return parent, one
    raise not_found()


def get_asset(call: Call) -> Reply:
    """What is known of the file, or the file itself for who accepts bytes."""
    parent, found = asset_of(call)
    if "application/octet-stream" in call.headers.get("accept", ""):
        return download(call)
    return Reply(shapes.asset(call.links, call.repo, parent, found))


def download(call: Call) -> Reply:
    _, found = asset_of(call)
    path = _file(call, found)
    found.downloads += 1
    return call.hub.downloads.redirect(call, path.read_bytes, found.content_type, found.name)


def edit_asset(call: Call) -> Reply:
    parent, found = asset_of(call)
    if call.get("name"):
        found.name = call.text("name", resource="ReleaseAsset")
    if call.get("label") is not None:
        found.label = call.text("label", resource="ReleaseAsset")
    return Reply(shapes.asset(call.links, call.repo, parent, found))


def delete_asset(call: Call) -> Reply:
    parent, found = asset_of(call)
    parent.assets.remove(found)
    _file(call, found).unlink(missing_ok=True)
    return Reply(None, 204)


def zipball(call: Call) -> Reply:
    return _archive(call, "zip", "application/zip")


def tarball(call: Call) -> Reply:
    return _archive(call, "tar.gz", "application/x-gzip")


def _archive(call: Call, kind: str, mime: str) -> Reply:
    """The files of a commit, as `git archive` packs them."""
    bare = call.hub.bare(call.repo)
    commit = bare.commit(call.params.get("ref", "").removeprefix("refs/tags/") or call.repo.default_branch)
    if commit is None:
        raise not_found()
    sha = str(commit.id)
    top = f"{call.repo.full_name.replace('/', '-')}-{sha[:7]}"
    return call.hub.downloads.redirect(call, lambda: bare.archive(sha, kind, f"{top}/"), mime, f"{top}.{kind}")


RELEASES = R + "/releases"
ASSET = RELEASES + "/assets/{asset_id}"

ROUTES = [
    Route("GET", RELEASES, list_releases, CONTENTS),
    Route("POST", RELEASES, create_release, CONTENTS, "write"),
    Route("POST", RELEASES + "/generate-notes", generate_notes, CONTENTS, "write"),
    Route("GET", RELEASES + "/latest", get_release, CONTENTS),
    Route("GET", RELEASES + "/tags/{tag+}", get_release, CONTENTS),
    Route("GET", ASSET, get_asset, CONTENTS),
    Route("PATCH", ASSET, edit_asset, CONTENTS, "write"),
    Route("DELETE", ASSET, delete_asset, CONTENTS, "write"),
    Route("GET", RELEASES + "/{release_id}", get_release, CONTENTS),
    Route("PATCH", RELEASES + "/{release_id}", edit_release, CONTENTS, "write"),
    Route("DELETE", RELEASES + "/{release_id}", delete_release, CONTENTS, "write"),
    Route("GET", RELEASES + "/{release_id}/assets", list_assets, CONTENTS),
    Route("POST", RELEASES + "/{release_id}/assets", upload, CONTENTS, "write", takes_bytes=True),
    Route("POST", "/api/uploads" + RELEASES + "/{release_id}/assets", upload, CONTENTS, "write", takes_bytes=True),
    Route("GET", "/{owner}/{repo}/releases/download/{tag}/{name}", download, CONTENTS),
    Route("GET", R + "/zipball/{ref+}", zipball, CONTENTS),
    Route("GET", R + "/tarball/{ref+}", tarball, CONTENTS),
]
