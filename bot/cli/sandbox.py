"""`mlbot sandbox`: a local GitHub with this repository, to browse, comment, review, merge as any role."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bot.sandbox.world import Sandbox


@click.command("sandbox")
@click.option(
    "--dir", "directory", type=click.Path(path_type=Path), help="Where it lives; a left one is taken up again."
)
@click.option("--template", type=click.Path(path_type=Path), default=Path(), help="The repository to rehearse with.")
@click.option("--branch", help="Its default branch; the template's own by default.")
@click.option("--port", type=int, default=0, help="Port on 127.0.0.1; 0 takes a free one.")
@click.option("--tls", is_flag=True, help="Serve it over TLS, too, for gh and other clients of an enterprise host.")
@click.option("--no-workflows", is_flag=True, help="Do not run the repository's workflows.")
def command(
    directory: Path | None, template: Path, branch: str | None, port: int, tls: bool, no_workflows: bool
) -> None:
    """A local GitHub with this repository: browse, comment, review as any role, merge.

    The repository's own workflows run when their events happen. Ctrl-C stops it; the folder stays.
    """
    import tempfile

    from bot.sandbox.world import Sandbox

    where = directory or Path(tempfile.mkdtemp(prefix="mlbot-sandbox-"))
    resumed = (where / "github.json").exists()
    sandbox = Sandbox.resume(where, port=port) if resumed else _started(where, template, branch, port)
    sandbox.engine.enabled = not no_workflows
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with sandbox:
        if tls:
            sandbox.serve_tls()
        click.echo(_welcome(sandbox, resumed))
        stopped.wait()
    click.echo(f"\nStopped. `mlbot sandbox --dir {where}` goes on.")


def _started(where: Path, template: Path, branch: str | None, port: int) -> Sandbox:
    """A new sandbox with the template's rulesets, or with one of its own when the template has none."""
    from bot.sandbox import rulesets
    from bot.sandbox import template as templates
    from bot.sandbox.world import Sandbox

    names, is_tracked = templates.names(template)
    if not is_tracked:
        click.echo(f"{template.resolve()} is no Git checkout: all of its {len(names)} files are read.\n")
    kept = templates.rulesets(dict(templates.files(template))) or [rulesets.default()]
    return Sandbox.start(where, template=template, default_branch=branch, rulesets=kept, port=port)


def _welcome(sandbox: Sandbox, resumed: bool) -> str:
    people = [one for one in sandbox.hub.data.people.values() if one.login in sandbox.repo.permissions]
    lines = [
        f"{'Again' if resumed else 'New'} sandbox in {sandbox.directory}",
        "",
        f"  Pages    {sandbox.pages}",
        f"  API      {sandbox.api_url}",
        f"  Clone    {sandbox.clone}",
        f"  Branch   {sandbox.repo.default_branch}, {_rules(sandbox)}",
        "",
        *(f"  {one.login:8} {one.role:18} {one.permission:9} token {one.secret}" for one in people),
        "",
        f"  git push as somebody: git push {sandbox.clone_url(people[0].login)} HEAD:my-branch",
        "",
        *_for_clients(sandbox, people[0].login),
        "Ctrl-C stops it.",
    ]
    return "\n".join(lines)


def _rules(sandbox: Sandbox) -> str:
    """What the rules of the default branch ask of a change, in a few words."""
    from bot.sandbox.rules import required_checks, rule_of

    branch = sandbox.repo.default_branch
    if rule_of(sandbox.hub, sandbox.repo, branch, "pull_request") is None:
        return "without rules: whoever may write pushes to it"
    checks = ", ".join(one["context"] for one in required_checks(sandbox.hub, sandbox.repo, branch))
    return "changed by pull requests only" + (f", once {checks} is green" if checks else "")


def _for_clients(sandbox: Sandbox, login: str) -> list[str]:
    """Lines to paste into a shell, so that gh, git, Node and Python reach the server over TLS."""
    if sandbox.tls is None:
        return []
    lines = [f"  export {name}={value}" for name, value in sandbox.client_environment(login).items()]
    return [f"  As {login} with gh and other clients:", *lines, ""]
