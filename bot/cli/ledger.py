"""`mlbot ledger`: move the ledger to its newest layout, put back a branch of the bot that was deleted or rewritten."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.errors import UserError

if TYPE_CHECKING:
    from bot.adapters.git import LocalGit
    from bot.ledger import Ledger

REPO = click.option("--repo", default=".", type=click.Path(path_type=Path), help="A clone of the repository.")


@click.group(name="ledger")
def command() -> None:
    """The bot's own branches, as a whole."""


@command.command("upgrade")
@REPO
def upgrade_(repo: Path) -> None:
    """Move mlbot/ledger to the newest layout, in one commit; nothing that it says changes.

    Signs every record anew, so that it needs the signing key (MLBOT_SIGNING_KEY). Do it while no job of the bot runs,
    and with the version of mlbot that the workflows use: older ones do not read the new layout.
    """
    from bot.adapters.git import GitBranch
    from bot.adapters.journal import NEWEST, Seal
    from bot.adapters.ledger_branch import LedgerBranch, repository_id
    from bot.adapters.signed_branch import SignedBranch
    from bot.adapters.upgrade import not_upgraded, upgrade
    from bot.cli.clone import clone_ports
    from bot.ledger import Ledger
    from bot.records.ledger import LEDGER

    ports = clone_ports(repo)
    assert isinstance(ports.ledger, LedgerBranch)
    git: LocalGit = ports.git  # type: ignore[assignment]
    if ports.ledger.head() is None:
        raise UserError("there is no ledger yet", hint="The bot's first job begins it.", code="not_needed")
    if ports.ledger.layout() == NEWEST:
        raise not_upgraded(NEWEST)
    branch = GitBranch(git, LEDGER)
    seal = Seal(ports.signer, LEDGER, repository_id(git, ports.default_branch))
    old = SignedBranch(branch, LEDGER, ports.signer) if ports.signer is not None else None
    sha, left_out = upgrade(branch, old, seal, contributions(Ledger(ports.ledger)))
    for path in left_out:
        click.echo(f"left out: {path} is not as the bot wrote it")
    click.echo(f"{LEDGER} has layout {NEWEST} since {str(sha)[:12]}.")


def contributions(ledger: Ledger) -> dict[str, tuple[bytes, datetime]]:
    """Files of a ledger of the first layout that say who changed which model, with their times."""
    from datetime import UTC

    from bot.adapters.journal import stamp
    from bot.decide.surroundings import persons
    from bot.records.base import canonical_json
    from bot.records.facts import Contributed
    from bot.records.ledger import ALL_LISTED, contribution_path

    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    files = {ALL_LISTED: (canonical_json({"layout": 2}), epoch)}
    for number, base, sha, seen in ledger.unlisted(epoch):
        head, at = ledger.head(number, sha), stamp(seen)
        people = persons(ledger.commits(number, base, sha) or ())
        for model in head.models if head is not None else ():
            one = Contributed(model=model, number=number, at=at, people=people)
            files[contribution_path(model, at, number, base, sha)] = (one.canonical(), seen)
    return files


@command.command("restore")
@click.option("--push", is_flag=True, help="Put it back; without it nothing is changed.")
@REPO
def restore(push: bool, repo: Path) -> int:
    """Find what this clone has seen of the bot's branches and origin has lost, and put it back. Exit 1 when it has.

    A branch was deleted or rewritten when its tip here, now or before the last fetches, is no ancestor of origin's.
    Any clone that fetched them can do this. What the bot wrote since on a rewritten branch is lost by it: the next
    `reconcile` makes it anew.
    """
    from bot.adapters.git import GitBranch, LocalGit
    from bot.adapters.restore import lost_tip, put_back, seen_tips
    from bot.cli.local import find_root
    from bot.records.ledger import ENVIRONMENTS, LEDGER

    git, is_lost = LocalGit(find_root(repo)), False
    for name in (LEDGER, ENVIRONMENTS):
        branch = GitBranch(git, name)
        seen = seen_tips(branch)
        branch.refresh()
        lost = lost_tip(seen, branch)
        if lost is None:
            click.echo(f"{name}: nothing is lost")
            continue
        is_lost = True
        what = "was deleted" if branch.head() is None else f"was rewritten, and is at {str(branch.head())[:12]}"
        click.echo(f"{name} {what}; this clone has {lost[:12]}")
        if push:
            put_back(branch, lost)
            click.echo(f"{name} is at {lost[:12]} again")
    if is_lost and not push:
        click.echo("`mlbot ledger restore --push` puts it back.")
    return 1 if is_lost and not push else 0
