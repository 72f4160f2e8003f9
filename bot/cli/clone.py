"""What the release verbs share: ports on a clone, who is typing, and the order of environments."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.cli.local import Absent, local_ports
from bot.errors import UserError
from bot.ports import Ports, Signer
from bot.records.ledger import ENVIRONMENTS, LEDGER
from bot.records.release import Approver, Release


class NoDeployments(Absent):
    """GitHub Deployments are a view that the workflows fill in; a clone leaves them out."""

    def deployment(self, sha: str, environment: str, payload: Mapping[str, Any], state: str, description: str) -> None:
        """Nothing."""


def clone_ports(repo: Path, *, fetch: bool = True) -> Ports:
    """Ports on a clone; its branches must be signed when the default branch holds public keys.

    `fetch` False works with what was fetched before. Raises UserError or WorldError.
    """
    from bot.adapters.signed_branch import SignedBranch

    ports = local_ports(repo)
    if fetch:
        for branch in (ports.ledger, ports.environments):
            branch.refresh()  # type: ignore[attr-defined]
        ports.git.fetch("refs/tags/*:refs/tags/*")
    ports = replace(ports, conversation=NoDeployments("conversation"), signer=_signer(ports))
    if ports.signer is None:
        return ports
    return replace(
        ports,
        ledger=SignedBranch(ports.ledger, LEDGER, ports.signer),
        environments=SignedBranch(ports.environments, ENVIRONMENTS, ports.signer),
    )


def _signer(ports: Ports) -> Signer | None:
    from bot.adapters.signing import key_pair

    for tip in (f"origin/{ports.default_branch}", "HEAD"):
        try:
            sha = ports.git.resolve(tip)
        except UserError:
            continue
        return key_pair(os.environ, ports.git, sha)
    return None


def typing_person(repo: Path) -> Approver:
    """Who runs the command, by Git's own configuration; id 0 says that GitHub did not confirm it."""
    done = subprocess.run(["git", "-C", str(repo), "config", "user.name"], capture_output=True, text=True, check=False)
    name = done.stdout.strip()
    if not name:
        raise UserError("git does not know your name", hint="git config user.name 'Your Name'")
    return Approver(id=0, login=name, role="command line")


def environment_order(ports: Ports) -> dict[str, tuple[str, ...]]:
    """Environment -> environments it promotes from, in the policy's order; empty when there is no readable policy."""
    from bot.specs.policies.loader import read_policies

    try:
        sha = ports.git.resolve("HEAD")
        names = ports.git.entries(sha, "policies")
        files = {f"policies/{name}": data for name in names if (data := ports.git.read(sha, f"policies/{name}"))}
        policies = read_policies(files)
    except UserError:
        return {}
    return {name: one.promote_from for name, one in policies.environments.environments.items()}


def serving_requirements(environment: str, ports: Ports) -> bytes | None:
    """The locked requirements of what serves the environment; None when that is mlbot's own lock."""
    from bot.specs.deployment import FILE, read_deployment

    sha = ports.git.resolve("HEAD")
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
    lines = [HEADINGS, *rows(releases)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    texts = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join(texts)
