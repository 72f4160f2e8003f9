"""`mlbot demo`: the whole life of one change, on real data, in the sandbox."""

from __future__ import annotations

import itertools
import os
import stat
import tempfile
from pathlib import Path

import click

from bot.errors import UserError


@click.command("demo")
@click.option(
    "--dir", "directory", type=click.Path(path_type=Path), help="Where it lives; a left one is taken up again."
)
@click.option(
    "--template", type=click.Path(path_type=Path), help="The repository to rehearse with; this one by default."
)
@click.option("--json", "as_json", is_flag=True, help="Print the steps as JSON when it is over, and nothing before.")
def command(directory: Path | None, template: Path | None, as_json: bool) -> None:
    """The whole life of one change, on real data: pull request, training, evaluation, approval, release, serving.

    A local GitHub runs the repository's own workflows with a real Actions engine. Everything lies in one folder; a
    second demo in the same folder trains nothing again that has the same inputs. Exit 0 only if every step happened.
    """
    from rich.console import Console

    from bot.cli.init import templates
    from bot.records.base import canonical_json
    from bot.sandbox.rehearsal.story import tell
    from bot.sandbox.rehearsal.teller import Teller

    checkout = (template or templates()).resolve()
    where = directory.resolve() if directory else _own_folder(checkout)
    teller = Teller(Console(quiet=as_json, highlight=False, soft_wrap=True))
    look = tell(where, checkout, teller)
    if as_json:
        steps = [{"title": one.title, "seconds": one.seconds, "said": one.said} for one in teller.steps]
        told = {"directory": str(where), "seconds": round(teller.seconds, 2), "steps": steps, "look": dict(look)}
        click.echo(canonical_json(told))
        return
    click.echo(f"\nEverything happened, in {teller.seconds:.0f} s. It is all in {where}")
    for heading, lines in look:
        click.echo(f"\n{heading}:")
        click.echo("\n".join(f"  {line}" for line in lines))


def _own_folder(checkout: Path) -> Path:
    """One folder a user, checkout and its content below the temporary one: a second demo finds what the first left.

    A demo that broke off stays as it is, for its logs, and another folder is taken. Raises UserError when somebody else
    owns a folder of that name.
    """
    from bot.sandbox.rehearsal.opening import broke_off, fingerprint

    name = f"mlbot-demo-{os.getuid()}-{fingerprint(checkout)}"
    for number in itertools.count(1):
        path = Path(tempfile.gettempdir(), name if number == 1 else f"{name}-{number}")
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise UserError(f"{path} belongs to somebody else", hint="Name a folder of yours: `mlbot demo --dir DIR`.")
        if not broke_off(path):
            return path
    raise AssertionError
