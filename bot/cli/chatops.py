"""`mlbot chatops`: what a comment means, and the commands that there are."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bot.errors import UserError


@click.group()
def command() -> None:
    """What a comment means."""


@command.command("parse")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--prefix", help="Word that commands start with, as `/ml approve` (commands.yaml: prefix).")
@click.option("--json", "as_json", is_flag=True, help="Print the record.")
def parse_file(file: Path, prefix: str | None, as_json: bool) -> int:
    """Print the commands of a comment in FILE (- is standard input), in their canonical form.

    Exit 1 when the comment holds a line that looks like a command and is none.
    """
    from bot.chatops.grammar import print_command
    from bot.chatops.parse import parse

    parsed = parse(_body(file), prefix)
    if as_json:
        click.echo(parsed.model_dump_json())
        return int(bool(parsed.hints))
    for one in parsed.commands:
        click.echo(print_command(one, prefix))
    for hint in parsed.hints:
        instead = f"\n  Write: {hint.suggestion}" if hint.suggestion else ""
        click.echo(f"{file}:{hint.line}: {hint.message}{instead}", err=True)
    if not parsed.commands and not parsed.hints:
        click.echo("no commands")
    return int(bool(parsed.hints))


@command.command("list")
@click.option("--prefix", help="Word that commands start with.")
def list_commands(prefix: str | None) -> None:
    """Print every form of every command."""
    from bot.chatops.grammar import FORMS, usage

    width = max(len(usage(form, prefix)) for form in FORMS)
    for form in FORMS:
        click.echo(f"{usage(form, prefix):{width}}  {form.does}")


@command.command("docs")
def print_docs() -> None:
    """Print docs/commands.md."""
    from bot.chatops.answers import docs_page

    click.echo(docs_page(), nl=False)


def _body(file: Path) -> str:
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return data.decode()
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}", hint="Name a file that holds a comment.") from None
    except UnicodeDecodeError:
        raise UserError(f"{file} is not UTF-8 text", hint="Comments on GitHub are UTF-8.") from None
