"""`mlbot gc`: artifacts that nothing needs, listed, then removed."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.errors import UserError

if TYPE_CHECKING:
    from bot.adapters.dvc_objects import RemoteObjects
    from bot.ports import Branch, Ports
    from bot.promote.retention import Kept, Stored
    from bot.records.ledger import Head
    from bot.records.release import Release


@click.command(name="gc")
@click.option("--remove", is_flag=True, help="Remove what is listed; without it nothing is changed.")
@click.option("--keep-days", default=90, type=click.IntRange(0), show_default=True, help="Keep what is younger.")
@click.option("--erase", multiple=True, metavar="DIGEST", help="An artifact that goes although it was live once.")
@click.option("--reason", default="", help="Why it is erased; the ledger keeps that.")
@click.option("--open", "opened", multiple=True, type=int, metavar="N", help="An open pull request.")
@click.option("--repo", default=".", type=click.Path(path_type=Path), help="A clone of the repository.")
def command(
    remove: bool, keep_days: int, erase: tuple[str, ...], reason: str, opened: tuple[int, ...], repo: Path
) -> None:  # fmt: skip
    """List the stored artifacts, and what keeps each. Nothing that was ever live is removed.

    But what --erase names by an artifact's digest, because somebody's data are in it: its bytes and golden rows go, its
    evaluation, approvals and releases stay, and say that it was erased. What is live now is replaced first.

    Which pull requests are open is asked of GitHub when GITHUB_TOKEN and GITHUB_REPOSITORY are set; otherwise every
    pull request counts as open, unless --open names those that are.
    """
    from bot.adapters.dvc_objects import RemoteObjects
    from bot.cli.clone import clone_ports
    from bot.promote.retention import removable, sorted_out

    ports = clone_ports(repo)
    remote = RemoteObjects(ports.workspace, _objects(ports))
    there = [one for one in stored(ports) if not _is_gone(one, ports, remote)]
    erased = set().union(*(_erased(one, reason, there, ports) for one in erase))
    kept = sorted_out(
        there, _releases(ports), _heads(ports), _open(opened), ports.clock.now(), timedelta(days=keep_days), erased
    )
    _say(kept)
    going = [one for one in kept if not one.reason]
    if not going:
        click.echo("Nothing may go.")
        return
    objects = {one.stored.pointer: remote.of(one.stored.pointer) for one in kept}
    gone = removable(kept, objects, _needed(ports, remote))
    if not remove:
        click.echo(f"{len(going)} artifacts ({len(gone)} objects) may go; --remove removes them.")
        return
    _record(going, erased, reason, ports)
    n = remote.remove(gone)
    click.echo(f"{len(going)} artifacts removed ({n} objects). Their evaluations stay in the ledger.")


def stored(ports: Ports) -> list[Stored]:
    """Every artifact that the ledger has a pointer to."""
    from bot.ledger import Ledger
    from bot.promote.retention import Stored

    ledger = Ledger(ports.ledger)
    return [
        Stored(where[0], f"sha256:{where[2]}", ledger.pointer(*where) or "", ledger.stored_at(*where))
        for where in ledger.pointer_names()
    ]


def _objects(ports: Ports) -> Branch:
    """The branch that keeps bytes while the remote is the folder embedded in the repository."""
    from bot.adapters.git import GitBranch, LocalGit
    from bot.records.ledger import OBJECTS

    branch = GitBranch(LocalGit(ports.workspace), OBJECTS)
    branch.refresh()
    return branch


def _is_gone(one: Stored, ports: Ports, remote: RemoteObjects) -> bool:
    """Whether an earlier run has removed it to the end."""
    from bot.ledger import Ledger

    return Ledger(ports.ledger).is_removed(one.evaluation_digest) and not remote.is_there(one.pointer)


def _erased(digest: str, reason: str, there: Sequence[Stored], ports: Ports) -> set[str]:
    """Evaluations of the artifact with this digest. Raises UserError for one that is live, or that nobody knows."""
    from bot.ledger import Ledger
    from bot.promote.step import live_releases

    wanted = digest.removeprefix("sha256:").lower()
    if not reason.strip():
        raise UserError("erasing needs a reason", hint="Add --reason and why.", code="reason_missing")
    names = {one.evaluation_digest for one in there}
    found = {
        f"sha256:{evaluation}": one.artifact_digest
        for model, inputs, evaluation in Ledger(ports.ledger).evaluation_names()
        if f"sha256:{evaluation}" in names and (one := Ledger(ports.ledger).evaluation(model, inputs, evaluation))
    }
    hits = {name for name, artifact in found.items() if artifact == f"sha256:{wanted}"}
    if not hits:
        hint = "Give all 64 digits; `mlbot history MODEL` shows them."
        raise UserError(f"no stored artifact has the digest {digest}", hint=hint, code="digest_unknown")
    for release in live_releases(ports):
        if release.artifact_digest == f"sha256:{wanted}":
            said = f"{release.model} {release.version} is live in {release.environment} with this artifact"
            raise UserError(said, hint="Promote another version first, then erase this one.", code="still_live")
    return hits


def _record(going: Sequence[Kept], erased: Collection[str], reason: str, ports: Ports) -> None:
    """First the fact that the bytes are gone, so that no plan counts on them, then the bytes."""
    from bot.ledger import Ledger
    from bot.promote.compose import stamp
    from bot.records.ledger import removal_path
    from bot.records.release import Removal

    at, files = stamp(ports.clock.now()), {}
    for one in (kept.stored for kept in going):
        why = reason if one.evaluation_digest in erased else ""
        said = Removal(model=one.model, evaluation_digest=one.evaluation_digest, removed_at=at, reason=why)
        files[removal_path(one.evaluation_digest)] = said.canonical()
    Ledger(ports.ledger).add(files, f"remove {len(files)} artifacts")


def _releases(ports: Ports) -> list[Release]:
    from bot.ledger import Ledger
    from bot.promote.step import live_releases

    return [*live_releases(ports), *Ledger(ports.ledger).all_releases().whole]


def _heads(ports: Ports) -> list[Head]:
    from bot.ledger import Ledger

    return Ledger(ports.ledger).all_heads().whole


def _open(opened: tuple[int, ...]) -> set[int] | None:
    if opened:
        return set(opened)
    token, repository = os.environ.get("GITHUB_TOKEN"), os.environ.get("GITHUB_REPOSITORY")
    if not token or not repository:
        return None
    from bot.adapters.github import GitHub

    url = os.environ.get("GITHUB_API_URL", "https://api.github.com")
    return set(GitHub(api_url=url, repository=repository, token=token).open_numbers())


def _needed(ports: Ports, remote: RemoteObjects) -> set[str]:
    """Objects of the data itself, at the default branch and in the checkout. Raises when a pointer cannot be read."""
    from bot.adapters.dvc_tracked import TrackedPaths

    paths = TrackedPaths(ports.git)
    found: set[str] = set()
    for rev in ("HEAD", f"origin/{ports.default_branch}"):
        try:
            sha = ports.git.resolve(rev)
        except UserError:
            continue
        for one in (one for pointer in paths.all(sha) for one in paths.by(sha, pointer) if one.md5):
            found.update(remote.behind(one.md5, under=one.path))
    return found


def _say(kept: list[Kept]) -> None:
    for one in kept:
        name = f"{one.stored.model} {one.stored.evaluation_digest.removeprefix('sha256:')[:12]}"
        click.echo(f"{'keep' if one.reason else 'may go':7} {name}  {one.reason or 'nothing needs it'}")
