"""What stays good of a key that leaked: the signatures that stood in commits which people trust, and no others.

`policies/keys/NAME.revoked` beside `NAME.pub` on the default branch names, a line each, a branch of the bot's and its
last commit from before the leak. Whoever has the key can sign anything, but cannot put it into a commit that is named.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from bot.errors import Place, UserError
from bot.ports import Git, TreeEntry
from bot.records.base import canonical_json, sha256
from bot.records.ledger import ENVIRONMENTS, LEDGER, PULLS

_LINE = re.compile(rf"({re.escape(LEDGER)}|{re.escape(ENVIRONMENTS)}) ([0-9a-f]{{40}}|[0-9a-f]{{64}})")


def trusted_commits(text: bytes, path: str) -> list[str]:
    """The commits of a `.revoked` file; empty lines and those that begin with `#` say nothing.

    Raises UserError with the line that says anything else. A file without a commit keeps nothing of the key.
    """
    found = []
    for number, line in enumerate(text.decode("utf-8", "replace").splitlines(), 1):
        said = line.partition("#")[0].strip()
        match = _LINE.fullmatch(said)
        if said and match is None:
            hint = f"A line is a branch and a full commit id, such as `{LEDGER} {'0' * 40}`."
            raise UserError("this names no commit", hint=hint, place=Place(path, number), code="identity_malformed")
        found += [match[2]] if match is not None else []
    return found


class Kept:
    """Whether an envelope stood, byte for byte, in one of some commits. They are read once, when first asked."""

    def __init__(self, git: Git, commits: Sequence[str]) -> None:
        self._git, self._commits = git, commits

    def holds(self, envelope: bytes) -> bool:
        """Raises UserError or WorldError when a commit cannot be had."""
        return bool(self._known & {sha256(envelope), _blob(envelope, "sha1"), _blob(envelope, "sha256")})

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(name for sha in self._commits for name in self._of(sha))

    def _of(self, sha: str) -> Iterator[str]:
        """Object ids of a commit's files, and digests of the envelopes in the lines of those about pull requests."""
        try:
            self._git.entries(sha)
        except UserError:
            self._git.fetch(sha)
        for path, entry in _files(self._git, sha, ""):
            yield entry.oid
            if path.startswith(PULLS):
                for line in (self._git.read(sha, path) or b"").splitlines():
                    yield sha256(canonical_json(json.loads(line)["statement"]))


def _files(git: Git, sha: str, folder: str) -> Iterator[tuple[str, TreeEntry]]:
    for name, entry in git.entries(sha, folder).items():
        path = f"{folder}/{name}" if folder else name
        if entry.kind == "tree":
            yield from _files(git, sha, path)
        elif entry.kind == "blob":
            yield path, entry


def _blob(data: bytes, algorithm: str) -> str:
    """The id that Git gives to a file, in repositories of either kind."""
    return hashlib.new(algorithm, b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
