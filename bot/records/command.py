"""What a person asks for in a comment, with typed arguments; and what the comment got wrong."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bot.records.base import Part, Record

Verb = Literal[
    "help", "status", "explain", "plan", "retrain", "cancel", "approve", "unapprove", "reject", "hold", "unhold",
    "delegate", "undelegate", "promote", "rollback", "revoke", "lock", "unlock", "break-glass", "simulate", "merge",
    "reproduce",
]  # fmt: skip


class Command(Part):
    """One command. `None` and empty mean that the person did not say it.

    `target` is an evaluation id (`E-` and 16 base32 characters) or a full digest in hexadecimal (40 or 64 digits),
    lower case. `models` are names or patterns, in the order they were written. `options` holds all other arguments
    by their word in the grammar: `reason`, `user` (a login without @), `role`, `for`, `seed`, `to`, `base`,
    `approve` (logins, separated by commas), `topic`, `action` (`promote`) and `confirm` (`B-...`) of break-glass.
    """

    verb: Verb
    target: str | None = None
    models: tuple[str, ...] = ()
    environment: str | None = None
    options: dict[str, str] = Field(default_factory=dict)

    @property
    def reason(self) -> str:
        """The reason that was given, empty when there is none."""
        return self.options.get("reason", "")


class Hint(Part):
    """A line that looks like a command and is none. `line` counts from 1 in the comment.

    `suggestion` is the command to write instead, None when nothing sensible can be suggested; `E-…` in it stands for
    the evaluation id, which the grammar cannot know.
    """

    line: int
    code: str
    message: str
    suggestion: str | None = None


class Parsed(Record):
    """A comment's commands in order, or what is wrong with it: with a single hint no command of the comment runs."""

    schema_version: Literal[1] = 1
    commands: tuple[Command, ...] = ()
    hints: tuple[Hint, ...] = ()
