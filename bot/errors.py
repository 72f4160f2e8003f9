"""Errors sorted by who can act: the user (exit 1), the world (exit 2); everything else is a bug (exit 3)."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from bot.codes import next_step

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
    unnamed = "bug"  # the code of an error that none was given

    def __init__(self, message: str, *, hint: str | None = None, place: Place | None = None, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.place = place
        self.code = code

    @property
    def next_step(self) -> str:
        """The hint; where there is none, what helps with every error of the code (bot/codes.py)."""
        return self.hint or next_step(self.code or self.unnamed)

    def told(self) -> str:
        """For people at a terminal: place, message and next step."""
        head = f"{self.place}: {self.message}" if self.place else self.message
        return f"{head}\n\n{self.next_step}" if self.next_step else head

    def __str__(self) -> str:
        head = f"{self.place}: {self.message}" if self.place else self.message
        return f"{head}\n\n{self.hint}" if self.hint else head


class UserError(MlbotError):
    """The user must act: a file, an argument or a permission is wrong. Exit 1."""

    exit_code = 1
    unnamed = "invalid"


class WorldError(MlbotError):
    """The world failed (network, GitHub, a remote): trying again may help. Exit 2."""

    exit_code = 2
    unnamed = "unavailable"


class Problems(UserError):  # noqa: N818 - it is several errors, and says so
    """Several mistakes of one reading, reported together. `errors` keeps file order."""

    def __init__(self, errors: list[UserError]) -> None:
        super().__init__("\n".join(str(error) for error in errors))
        self.errors = errors

    def told(self) -> str:
        """Each with its own next step."""
        return "\n".join(error.told() for error in self.errors)


# top package of a library -> what it was busy with, the kind of error, and the next step
LIBRARIES: dict[str, tuple[str, type[MlbotError], str]] = {
    "pygit2": ("the repository cannot be read", UserError, "`git fsck` says what is wrong with this clone."),
    "pyarrow": ("a data file cannot be read", UserError, "Is the file whole? `dvc pull` fetches it again."),
    "dvc": ("DVC failed", WorldError, "`dvc status --cloud` shows whether the remote answers."),
    "github": ("GitHub failed", WorldError, "Run this again later."),
    "requests": ("a server does not answer", WorldError, "Run this again later."),
    "urllib3": ("a server does not answer", WorldError, "Run this again later."),
}
LIBRARIES |= {"_pygit2": LIBRARIES["pygit2"], "dvc_data": LIBRARIES["dvc"], "dvc_objects": LIBRARIES["dvc"]}
FULL = frozenset((errno.ENOSPC, errno.EDQUOT))


# top package of a library -> the extra of mlbot that brings it
EXTRAS = {
    **dict.fromkeys(("dvc", "dvc_data", "dvc_objects"), "data"),
    **dict.fromkeys(("numpy", "scipy", "sklearn", "scikit-learn", "pyarrow", "skops", "joblib"), "models"),
    **dict.fromkeys(("onnx", "onnxruntime", "threadpoolctl"), "models"),
    "skl2onnx": "train",
    **dict.fromkeys(("starlette", "uvicorn"), "serve"),
    **dict.fromkeys(("cronsim", "graphql", "nacl"), "sandbox"),
    "distributed": "dask",
    "sigstore": "sigstore",
}


def missing_extra(library: str) -> UserError:
    """The error of a library that is not installed, with the command that installs it (code `extra_missing`)."""
    extra = EXTRAS[library.partition(".")[0]]
    return UserError(
        f"{library} is not installed: it comes with mlbot's extra `{extra}`",
        hint=f"`uv sync --inexact --extra {extra}`, or `pip install 'mlbot[{extra}]'`.",
        code="extra_missing",
    )


def translated(error: Exception) -> MlbotError | None:
    """What a library or the machine said, as an error for people; None for what can only be a defect of mlbot.

    The last net: whoever knows the file or the command says more, and says it first.
    """
    if isinstance(error, MlbotError):
        return error
    if isinstance(error, ModuleNotFoundError) and error.name and error.name.partition(".")[0] in EXTRAS:
        return missing_extra(error.name)
    if isinstance(error, OSError) and error.errno in FULL:
        return WorldError(
            f"the disk is full: {error.strerror}", hint="Make room, then run this again.", code="disk_full"
        )
    if isinstance(error, MemoryError):
        return WorldError(
            "there is not enough memory", hint="A machine with more memory, or fewer rows.", code="memory"
        )
    for kind in type(error).__mro__:
        known = LIBRARIES.get(kind.__module__.partition(".")[0])
        if known is not None:
            what, made, hint = known
            said = (str(error) or type(error).__name__).splitlines()[0][:300]
            return made(f"{what}: {said}", hint=f"{hint} MLBOT_TRACEBACK=1 shows where it was.", code="library")
    return None


@dataclass
class Parts:
    """Things to do of which none keeps another back. `failed` are those that did not work, by name, in order."""

    failed: list[tuple[str, MlbotError]] = field(default_factory=list)

    def attempt(self, name: str, act: Callable[[], T], otherwise: T | None = None) -> T | None:
        """What `act` gives, `otherwise` when it fails. Also a bug in one part keeps no other back."""
        try:
            return act()
        except Exception as error:
            told = translated(error)
            if told is None:
                told = MlbotError(f"{type(error).__name__}: {error}", code="bug")
                told.__cause__ = error
            self.failed.append((name, told))
        return otherwise

    def finish(self) -> None:
        """Raise what failed first, of those that can be tried again first, when something did."""
        errors = [error for _, error in self.failed]
        if errors:
            raise next((one for one in errors if isinstance(one, WorldError)), errors[0])
