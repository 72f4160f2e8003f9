"""The command line: one file a verb, imported only when its verb is called, and one way out for errors."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
import traceback
from typing import Any

import click

from bot.errors import MlbotError, translated

# verb -> (module, one line of help). Help and completion read this table, so that neither imports a stage.
VERBS: dict[str, tuple[str, str]] = {
    "demo": ("bot.cli.demo", "The whole life of one change, on real data, in the sandbox."),
    "init": ("bot.cli.init", "Add models/, policies/, workflows and DVC set-up to a repository."),
    "doctor": ("bot.cli.doctor", "Check repository, rulesets, permissions, workflows and remote."),
    "validate": ("bot.cli.validate", "Check specs and policies; every error with file, line and hint."),
    "plan": ("bot.cli.plan", "Which models a change affects, and why."),
    "train": ("bot.cli.train", "Train one model: a safe artifact and training.json."),
    "evaluate": ("bot.cli.evaluate", "Measure an artifact and compare it with what is deployed."),
    "report": ("bot.cli.report", "Render evaluations as Markdown, HTML or for the terminal."),
    "decide": ("bot.cli.decide", "Judge a facts record by the policies; no network."),
    "policy": ("bot.cli.policy", "Test, lint, backtest and simulate policies."),
    "chatops": ("bot.cli.chatops", "What a comment means."),
    "handle": ("bot.cli.handle", "The entry point of every workflow."),
    "promote": ("bot.cli.promote", "Promote an evaluated model to an environment."),
    "rollback": ("bot.cli.rollback", "Take an environment back to the last known good."),
    "revoke": ("bot.cli.revoke", "Forbid an artifact everywhere, for good."),
    "withdraw": ("bot.cli.withdraw", "Take a model out of an environment."),
    "verified": ("bot.cli.verified", "What a verification of a live model found, and what follows."),
    "environments": ("bot.cli.environments", "What is live where."),
    "history": ("bot.cli.history", "Who let which version out, when, on what evidence."),
    "gc": ("bot.cli.gc", "List, then remove, artifacts that nothing needs."),
    "ledger": ("bot.cli.ledger", "Move the ledger to its newest layout, or put it back."),
    "verify": ("bot.cli.verify", "Check the chain from live bytes back to the approved pull request."),
    "serve": ("bot.cli.serve", "Serve what the environments branch says."),
    "monitor": ("bot.cli.monitor", "Health of a deployed model from logged predictions."),
    "reproduce": ("bot.cli.reproduce", "Retrain a ledger entry and compare."),
    "testset-size": ("bot.cli.testset_size", "How many test rows a condition needs."),
    "schema": ("bot.cli.schema", "JSON Schema of a spec, a policy or a record."),
    "sandbox": ("bot.cli.sandbox", "A local GitHub with this repository."),
}


# Matrices here are small: threads cost more than they give, and results must not depend on their number.
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")


BUG = MlbotError.exit_code


class Verbs(click.Group):
    """A group whose commands are imported when they are called; each module defines `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click calls it so
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in VERBS:
            return None
        loaded: click.Command = importlib.import_module(VERBS[cmd_name][0]).command
        return loaded

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb that is meant; one that is not there is answered with the nearest."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            close = difflib.get_close_matches(args[0].lower(), VERBS, n=1)
            meant = f" Did you mean {close[0]!r}?" if close else ""
            ctx.fail(f"No such command {args[0]!r}.{meant}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(verb, summary) for verb, (_, summary) in VERBS.items()])


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True)
@click.version_option(package_name="mlbot", prog_name="mlbot")
@click.pass_context
def mlbot(context: click.Context) -> None:
    """mlbot runs the life of a team's machine-learning models from their Git repository.

    Exit codes: 0 done, 1 you must act, 2 the world failed (try again), 3 a bug in mlbot. Of `mlbot monitor`
    also: 4 an alarm, 5 nothing could be judged.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main(argv: list[str] | None = None) -> None:
    """Run a verb and turn every end into an exit code: 0 done, 1 user, 2 world, 3 bug, and what the verb adds."""
    for name in ONE_THREAD:  # read once, when numpy is imported; who sets them keeps what was set
        os.environ.setdefault(name, "1")
    sys.exit(run(argv))


def run(argv: list[str] | None = None) -> int:
    """The exit code of one invocation; messages go to standard error, and in Actions also as annotations."""
    try:
        result: Any = mlbot.main(args=argv, prog_name="mlbot", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except MlbotError as error:
        if error.exit_code == BUG:  # in a part that kept no other back
            traceback.print_exception(error.__cause__ or error)
        _say(error)
        return error.exit_code
    except click.exceptions.Abort:
        return 130
    except click.ClickException as error:
        error.show()
        return 1
    except Exception as error:
        told = translated(error)
        if told is None or os.environ.get("MLBOT_TRACEBACK"):
            traceback.print_exc()
        if told is not None:
            _say(told)
            return told.exit_code
        click.echo("\nThis is a bug in mlbot. Please report the lines above.", err=True)
        return BUG


def _say(error: MlbotError) -> None:
    from bot.words import logged

    click.echo(logged(f"error: {error.told()}"), err=True)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for one in getattr(error, "errors", [error]):
            click.echo(_annotation(one))


def _annotation(error: MlbotError) -> str:
    place = error.place
    where = f" file={_property(place.file)},line={place.line or 1}" if place else ""
    return f"::error{where}::{_data(error.message)}"


def _data(text: str) -> str:
    # https://docs.github.com/actions/reference/workflow-commands-for-github-actions: % CR LF are escaped
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
