"""Objects of a clone, also of one that does not hold them all: a partial clone gets them when they are asked for."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from bot.errors import MlbotError, UserError, WorldError

if TYPE_CHECKING:
    import pygit2

Run = Callable[..., "subprocess.CompletedProcess[str]"]

# How git itself gets what a partial clone left out: https://git-scm.com/docs/partial-clone
FETCH = ("-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head")


class Objects:
    """Objects by id. `run(*arguments, stdin=None)` is git in this clone."""

    def __init__(self, repository: pygit2.Repository, run: Run) -> None:
        self._repository, self._run = repository, run
        self._promisor: str | bool | None = False  # not asked yet

    def get(self, oid: Any, beside: Iterable[str] = ()) -> Any:
        """The object; `beside` are ids that are likely asked for next, fetched in the same go when one is missing.

        Raises UserError (code `object_missing`) when this clone does not hold it and has nowhere to get it from,
        WorldError when that place does not answer.
        """
        found = self._repository.get(oid)
        if found is None:
            self._fetch(str(oid), [one for one in beside if one != str(oid)])
            found = self._repository.get(oid)
        if found is None:
            raise self._missing(str(oid))
        return found

    @property
    def is_partial(self) -> bool:
        """Whether something was left out of this clone that can be fetched."""
        return self._remote() is not None

    def prefetch(self, oids: Iterable[str]) -> None:
        """Fetch at once what of these a partial clone lacks; what cannot be had is told where it is read."""
        missing = [oid for oid in oids if oid not in self._repository] if self.is_partial else []
        if missing:
            with contextlib.suppress(MlbotError):
                self._fetch(missing[0], missing[1:])

    def _fetch(self, oid: str, beside: list[str]) -> None:
        remote = self._remote()
        if remote is None:
            raise self._missing(oid)
        wanted = [oid, *(one for one in beside if one not in self._repository)]
        done = self._run(*FETCH, "--filter=blob:none", "--stdin", remote, stdin="\n".join(wanted) + "\n")
        if done.returncode:
            said = done.stderr.strip().splitlines()
            hint = f"This is a partial clone: `git fetch {remote}` must work for it to be read."
            raise WorldError(f"cannot fetch {oid[:12]} from {remote}: {said[-1] if said else '?'}", hint=hint)

    def _remote(self) -> str | None:
        """The remote that a partial clone left objects at, None for any other clone."""
        if isinstance(self._promisor, bool):
            done = self._run("config", "--get-regexp", r"^remote\..*\.promisor$", "true")
            names = [line.split()[0].split(".", 1)[1].rpartition(".")[0] for line in done.stdout.splitlines()]
            self._promisor = names[0] if names else None
        return self._promisor

    def _missing(self, oid: str) -> MlbotError:
        if self._repository.is_shallow:
            hint = "This clone is shallow: `git fetch --unshallow` brings the rest."
        else:
            hint = "`git fsck` says what this clone lacks; clone it anew."
        return UserError(f"object {oid[:12]} is not in this clone", hint=hint, code="object_missing")


def refused(path: str, run: Run) -> UserError:
    """Why a folder cannot be opened as a repository, in git's own words where git refuses it, too."""
    asked = run("rev-parse", "--git-dir")
    said = asked.stderr.strip().removeprefix("fatal: ")
    if asked.returncode and "not a git repository" in said.lower():
        return UserError(f"{path} is not a Git repository", hint="Run this inside a clone, or pass --repo.")
    if asked.returncode:
        first, _, rest = said.partition("\n")
        return UserError(f"git refuses {path}: {first}", hint=rest.strip() or None, code="repository_refused")
    settings = run("config", "--get-regexp", r"^extensions\.").stdout.split("\n")
    kinds = ", ".join(" = ".join(line.split(" ", 1)) for line in settings if line and "partialclone" not in line)
    return UserError(
        f"{path} is kept in a form that libgit2, through which mlbot reads, does not know: {kinds or 'unknown'}",
        hint="Clone it without that extension: a plain `git clone` of the same repository on GitHub has none.",
        code="repository_unsupported",
    )
