"""`mlbot doctor`: what of a repository's files and settings is not as it must be, and how to change it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.local import find_root
from bot.errors import MlbotError, UserError

if TYPE_CHECKING:
    from bot.adapters.settings import Settings
    from bot.cli.finding import Finding

_ORIGIN = re.compile(r"(?:[/:])([\w.-]+/[\w.-]+?)(?:\.git)?/?$")


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option("--new-key", type=click.Path(path_type=Path), help="Write a public key here, its private half to stdout.")
def doctor(as_json: bool, new_key: Path | None) -> int:
    """Check repository, rulesets, permissions, workflows and remote; say which identity signs, and which one acts.

    Settings on GitHub are asked with GITHUB_TOKEN; without one only the files are checked. Exit 1 when something has
    to be changed.
    """
    if new_key is not None:
        return _new_key(new_key)
    findings = list(_findings(find_root(Path.cwd())))
    _print_json(findings) if as_json else _print(findings)
    return int(any(finding.is_good is False for finding in findings))


command = doctor


def _new_key(path: Path) -> int:
    from bot.adapters.signing import generate

    if sys.stdout.isatty():
        raise UserError("the private key would be shown", hint=f"mlbot doctor --new-key {path} > bot.pem")
    private, public = generate()
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("xb") as file:
            file.write(public)
    except FileExistsError:
        raise UserError(f"{path} is there already", hint="Name another file: several keys may be trusted.") from None
    click.echo(private.decode(), nl=False)
    return 0


def _findings(root: Path) -> Iterator[Finding]:
    from bot.cli.doctor_checks import setting_findings, workflow_findings
    from bot.cli.doctor_identity import signer_findings
    from bot.cli.doctor_repository import repository_findings, workflow_clashes
    from bot.cli.finding import Finding

    repository, token = os.environ.get("GITHUB_REPOSITORY") or _origin(root), os.environ.get("GITHUB_TOKEN")
    settings = _settings(repository, token) if token and repository else None
    workflows = {file.stem: file.read_text() for file in sorted((root / ".github/workflows").glob("*.yml"))}
    keys = {file.name: file.read_bytes() for file in (root / "policies/keys").glob("*") if file.is_file()}
    yield from workflow_findings(workflows)
    yield from signer_findings(keys, workflows, repository, settings.default_branch if settings else None)
    yield _policies(root)
    yield from repository_findings(root)
    yield from workflow_clashes(root)
    yield _reconcile(root)
    if settings is None:
        what = (
            f"not checked: set GITHUB_TOKEN to an administrator's token{'' if repository else ' and GITHUB_REPOSITORY'}"
        )
        yield Finding("settings on GitHub", None, what, "GITHUB_TOKEN=$(gh auth token) mlbot doctor")
        return
    yield from setting_findings(settings, bot_opens=_bot_opens(root), by_sigstore="sigstore" in keys)


def _policies(root: Path) -> Finding:
    from bot.cli.finding import Finding
    from bot.cli.policy_files import read_folder

    try:
        read_folder(root / "policies")
    except MlbotError as error:
        first = str(error).splitlines()[0]
        return Finding("policies", False, first, "mlbot validate policies")
    return Finding("policies", True, "they can be read")


def _bot_opens(root: Path) -> bool:
    """Whether a policy asks for pull requests of the bot's own: to retrain, or to promote."""
    from bot.cli.policy_files import read_folder

    try:
        environments = read_folder(root / "policies").environments.environments.values()
    except MlbotError:
        return False
    return any(
        one.delivery == "pull_request" or (one.monitor and "retraining_pull_request" in one.monitor.on_alarm)
        for one in environments
    )


def _reconcile(root: Path) -> Finding:
    """When it last ran, by origin; its schedule may be late, or off since nothing happened here for 60 days."""
    from datetime import UTC, datetime

    from bot.adapters.git import STAMPS, LocalGit
    from bot.cli.finding import Finding
    from bot.pipeline.overdue import STAMP, is_overdue, sentence

    command = "gh workflow enable reconcile.yml; gh workflow run reconcile.yml"
    try:
        git = LocalGit(root)
        git.fetch(f"+{STAMPS}*:{STAMPS}*")
    except MlbotError as error:
        return Finding("reconcile", None, error.message, None)
    last, now = git.stamp(STAMP), datetime.now(UTC)
    late = is_overdue(last, now)
    return Finding("reconcile", not late if last else None, sentence(last, now), command if late else None)


def _origin(root: Path) -> str | None:
    words = ["git", "-C", str(root), "remote", "get-url", "origin"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    found = _ORIGIN.search(done.stdout.strip()) if "github" in done.stdout else None
    return found[1] if found else None


def _settings(repository: str, token: str) -> Settings:
    from bot.adapters.settings import read_settings

    return read_settings(os.environ.get("GITHUB_API_URL", "https://api.github.com"), repository, token)


def _print(findings: list[Finding]) -> None:
    signs = {True: "ok", False: "change", None: "unseen"}
    for finding in findings:
        click.echo(f"{signs[finding.is_good]:6}  {finding.name}: {finding.sentence}")
        if finding.command:
            click.echo(f"          {finding.command}")


def _print_json(findings: list[Finding]) -> None:
    import json

    rows: list[dict[str, Any]] = [
        {"name": one.name, "is_good": one.is_good, "sentence": one.sentence, "command": one.command} for one in findings
    ]
    click.echo(json.dumps(rows, indent=2))
