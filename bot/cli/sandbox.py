"""`mlbot sandbox`: a local GitHub with this repository, to browse, comment, review, merge as any role."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import click


@click.command("sandbox")
@click.option(
    "--dir", "directory", type=click.Path(path_type=Path), help="Where it lives; a left one is taken up again."
)
@click.option("--template", type=click.Path(path_type=Path), default=Path(), help="The repository to rehearse with.")
@click.option("--port", type=int, default=0, help="Port on 127.0.0.1; 0 takes a free one.")
@click.option("--no-workflows", is_flag=True, help="Do not run the repository's workflows.")
def command(directory: Path | None, template: Path, port: int, no_workflows: bool) -> None:
    """A local GitHub with this repository: browse, comment, review as any role, merge.

    The repository's own workflows run when their events happen. Ctrl-C stops it; the folder stays.
    """
    import tempfile

    from bot.sandbox.world import Sandbox

    where = directory or Path(tempfile.mkdtemp(prefix="mlbot-sandbox-"))
    resumed = (where / "github.json").exists()
    sandbox = Sandbox.resume(where, port=port) if resumed else Sandbox.start(where, template=template, port=port)
    sandbox.engine.enabled = not no_workflows
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with sandbox:
        click.echo(_welcome(sandbox, resumed))
        stopped.wait()
    click.echo(f"\nStopped. `mlbot sandbox --dir {where}` goes on.")


def _welcome(sandbox: object, resumed: bool) -> str:
    from bot.sandbox.world import Sandbox

    assert isinstance(sandbox, Sandbox)
    people = [one for one in sandbox.hub.data.people.values() if one.login in sandbox.repo.permissions]
    lines = [
        f"{'Again' if resumed else 'New'} sandbox in {sandbox.directory}",
        "",
        f"  Pages    {sandbox.url}/{sandbox.repository}",
        f"  API      {sandbox.api_url}",
        f"  Clone    {sandbox.clone}",
        "",
        *(f"  {one.login:8} {one.role:18} {one.permission:9} token {one.secret}" for one in people),
        "",
        f"  git push as somebody: git push {sandbox.clone_url(people[0].login)} HEAD:my-branch",
        "",
        "Ctrl-C stops it.",
    ]
    return "\n".join(lines)
