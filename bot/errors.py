"""Errors sorted by who can act: the user (exit 1), the world (exit 2); everything else is a bug (exit 3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """Where in a file. `line` and `column` count from 1; `None` means that the whole file is meant."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)


class MlbotError(Exception):
    """A message for people: what is wrong, where, and the next step.

    `message` names the thing, `hint` the next step (a sentence or a command), `place` the file, line and column;
    `None` means that there is none to name. `code` is a stable word for machines.
    """

    exit_code = 3

    def __init__(self, message: str, *, hint: str | None = None, place: Place | None = None, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.place = place
        self.code = code

    def __str__(self) -> str:
        head = f"{self.place}: {self.message}" if self.place else self.message
        return f"{head}\n\n{self.hint}" if self.hint else head


class UserError(MlbotError):
    """The user must act: a file, an argument or a permission is wrong. Exit 1."""

    exit_code = 1


class WorldError(MlbotError):
    """The world failed (network, GitHub, a remote): trying again may help. Exit 2."""

    exit_code = 2


class Problems(UserError):  # noqa: N818 - it is several errors, and says so
    """Several mistakes of one reading, reported together. `errors` keeps file order."""

    def __init__(self, errors: list[UserError]) -> None:
        super().__init__("\n".join(str(error) for error in errors))
        self.errors = errors


@dataclass
class Parts:
    """Things to do of which none keeps another back. `failed` are those that did not work, by name, in order."""

    failed: list[tuple[str, MlbotError]] = field(default_factory=list)

    def attempt(self, name: str, act: Callable[[], T], otherwise: T | None = None) -> T | None:
        """What `act` gives, `otherwise` when it fails. Also a bug in one part keeps no other back."""
        try:
            return act()
        except MlbotError as error:
            self.failed.append((name, error))
        except Exception as error:
            bug = MlbotError(f"{type(error).__name__}: {error}", code="bug")
            bug.__cause__ = error
            self.failed.append((name, bug))
        return otherwise

    def finish(self) -> None:
        """Raise what failed first, of those that can be tried again first, when something did."""
        errors = [error for _, error in self.failed]
        if errors:
            raise next((one for one in errors if isinstance(one, WorldError)), errors[0])
