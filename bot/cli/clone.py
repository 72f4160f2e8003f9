"""What the release verbs share: ports on a clone, who is typing, and the order of environments."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.local import local_ports
from bot.errors import UserError
from bot.ports import Ports, Signer
from bot.records.ledger import ENVIRONMENTS, LEDGER
from bot.records.release import COMMAND_LINE, Approver, Release

if TYPE_CHECKING:
    from bot.specs.policies import Policies
    from bot.specs.policies.environments import Environment


def clone_ports(repo: Path, *, fetch: bool = True) -> Ports:
    """Ports on a clone; its branches must be signed when the default branch holds public keys.

    `fetch` False works with what was fetched before. Raises UserError or WorldError.
    """
    from bot.adapters.ledger_branch import LedgerBranch
    from bot.adapters.signed_branch import SignedBranch

    ports = local_ports(repo)
    ports = replace(ports, default_branch=ports.git.default_branch())  # type: ignore[attr-defined]
    if fetch:
        _refresh(ports)
    ports = replace(ports, signer=_signer(ports))
    ledger = LedgerBranch(ports.git, ports.signer, ports.default_branch, ports.clock.now)  # type: ignore[arg-type]
    ports = replace(ports, ledger=ledger)
    if ports.signer is None:
        return ports
    return replace(
        ports,
        environments=SignedBranch(ports.environments, ENVIRONMENTS, ports.signer),
    )


def _refresh(ports: Ports) -> None:
    """What origin has now, in one request; one more for each when a branch does not exist there (yet, or any more)."""
    names = (LEDGER, ENVIRONMENTS, ports.default_branch)
    branches = [f"+refs/heads/{name}:refs/remotes/origin/{name}" for name in names]
    try:
        ports.git.fetch(*branches, "refs/tags/*:refs/tags/*")
    except UserError as error:
        if error.code != "ref_missing":
            raise
        for branch in (ports.ledger, ports.environments):
            branch.refresh()  # type: ignore[attr-defined]
        with contextlib.suppress(UserError):
            ports.git.fetch(branches[-1])
        ports.git.fetch("refs/tags/*:refs/tags/*")


def tell_views(ports: Ports) -> None:
    """Say which tags could not be written; the release is live without them, and the next `reconcile` tries again."""
    for name, error in ports.views.failed:
        click.echo(f"warning: {name} could not be written: {error.message}", err=True)


def _signer(ports: Ports) -> Signer | None:
    from bot.adapters.identity import signer_at

    sha = default_tip(ports)
    return None if sha is None else signer_at(os.environ, ports.git, sha)


def typing_person(repo: Path) -> Approver:
    """Who runs the command, by Git's own configuration; id 0 says that GitHub did not confirm it."""
    done = subprocess.run(["git", "-C", str(repo), "config", "user.name"], capture_output=True, text=True, check=False)
    name = done.stdout.strip()
    if not name:
        raise UserError("git does not know your name", hint="git config user.name 'Your Name'")
    return Approver(id=0, login=name, role=COMMAND_LINE)


def environments_policy(ports: Ports) -> dict[str, Environment]:
    """Environments by name, in order, by the default branch as it was fetched last; empty when it has no policies.

    Raises UserError or Problems when they do not load.
    """
    policies = policies_of(ports)
    return dict(policies.environments.environments) if policies is not None else {}


def policies_of(ports: Ports) -> Policies | None:
    """The default branch's policies as they were fetched last, None without any. Raises UserError or Problems."""
    from bot.specs.policies.loader import read_policies

    sha = default_tip(ports)
    names = ports.git.entries(sha, "policies") if sha is not None else {}
    if sha is None or "environments.yaml" not in names:
        return None
    return read_policies({
        f"policies/{name}": data for name in names if (data := ports.git.read(sha, f"policies/{name}"))
    })  # fmt: skip


def known_environment(environment: str, ports: Ports) -> None:
    """Raises UserError (code `no_environment`) when the policy names environments and this is none of them."""
    order = environment_order(ports)
    if order and environment not in order:
        hint = f"There are: {', '.join(order)}."
        raise UserError(f"there is no environment {environment!r}", hint=hint, code="no_environment")


def default_tip(ports: Ports) -> str | None:
    """The default branch as origin had it, else what is checked out; None in an empty repository."""
    for tip in (f"origin/{ports.default_branch}", "HEAD"):
        with contextlib.suppress(UserError):
            return ports.git.resolve(tip)
    return None


def environment_order(ports: Ports) -> dict[str, tuple[str, ...]]:
    """Environment -> environments it promotes from, in the policy's order; empty when there is no readable policy."""
    try:
        return {name: one.promote_from for name, one in environments_policy(ports).items()}
    except UserError:
        return {}


def serving_requirements(environment: str, ports: Ports) -> bytes | None:
    """The locked requirements of what serves the environment; None when that is mlbot's own lock."""
    from bot.specs.deployment import FILE, read_deployment

    sha = default_tip(ports) or ports.git.resolve("HEAD")
    settings = read_deployment(ports.git.read(sha, FILE))
    path = settings.of(environment).requirements if settings is not None else None
    if path is None:
        return None
    found = ports.git.read(sha, path)
    if found is None:
        raise UserError(f"{path} is not there", hint=f"{FILE} names it.", code="requirements_missing")
    return found


def rows(releases: Sequence[Release]) -> list[tuple[str, ...]]:
    """Releases as rows of text."""
    return [
        (
            release.released_at,
            release.environment,
            release.model,
            release.version,
            release.action + (" (hold)" if release.hold else ""),
            f"#{release.pull_request}" if release.pull_request else "-",
            release.promoted_by.login if release.promoted_by else "policy",
            ", ".join(one.login for one in release.approved_by) or "-",
            release.artifact_digest.removeprefix("sha256:")[:12],
        )
        for release in releases
    ]


HEADINGS = ("when", "environment", "model", "version", "what", "pull request", "by", "approved by", "artifact")


def table(releases: Sequence[Release]) -> str:
    """Releases as a table for the terminal."""
    return columns([HEADINGS, *rows(releases)])


def columns(lines: Sequence[Sequence[str]]) -> str:
    """Lines of cells, each column as wide as its widest cell."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    texts = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join(texts)
