"""A branch of which every file is signed: what somebody else wrote there is refused on reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.adapters.signing import invalid
from bot.errors import UserError
from bot.ports import Branch, Signer
from bot.records.base import canonical_json, sha256

SUFFIX = ".sig"
# An in-toto statement, as attestations are: what Sigstore signs, and what its own tools check.
PAYLOAD_TYPE = "application/vnd.in-toto+json"
PREDICATE = "https://mlbot.dev/file/v1"  # an identifier: this content belongs at this path of this branch


class SignedBranch:
    """The port Branch over another one. Beside each file lies `<file>.sig`, which binds its branch, path and content.

    The path is signed too, so that an approval cannot be copied to another pull request, and the branch's name, so
    that a release of staging's ledger is none of production's. Deleting a signed file is not noticed here: the
    branch's ruleset must forbid forced pushes and deletions (docs/threat-model.md, A30).
    """

    def __init__(self, branch: Branch, name: str, signer: Signer) -> None:
        self._branch, self._name, self._signer = branch, name, signer
        self._known: dict[tuple[str, str], bool] = {}

    def head(self) -> str | None:
        """See the port."""
        return self._branch.head()

    def get(self, path: str) -> bytes | None:
        """See the port. Raises UserError (code `signature_invalid`) when the file is not signed as it is."""
        content = self._branch.get(path)
        if content is not None:
            self._check(path, content)
        return content

    def paths(self, prefix: str = "") -> list[str]:
        """See the port; signatures are not listed."""
        return [path for path in self._branch.paths(prefix) if not path.endswith(SUFFIX)]

    def prefetch(self, paths: Sequence[str]) -> None:
        """See the port."""
        self._branch.prefetch([*paths, *(path + SUFFIX for path in paths)])

    def commit(
        self, files: Mapping[str, bytes | None], message: str, *, expect: Mapping[str, bytes | None] | None = None
    ) -> str | None:
        """See the port. A file that is already there as it is to be, and signed, is not signed again."""
        written: dict[str, bytes | None] = {}
        for path, content in files.items():
            written[path] = content
            written[path + SUFFIX] = None if content is None else self._signature(path, content)
        return self._branch.commit(written, message, expect=expect)

    def log(self, path: str = "") -> list[tuple[str, datetime, str]]:
        """See the port."""
        return self._branch.log(path)

    def written(self, prefix: str) -> dict[str, datetime]:
        """See the port."""
        return self._branch.written(prefix)

    def unsigned(self, prefix: str = "") -> list[str]:
        """Paths of files that are not signed as they are: an audit of the whole branch."""
        return [path for path in self.paths(prefix) if not self._is_signed(path)]

    def holds(self, path: str, content: bytes, signature: bytes | None) -> bool:
        """Whether a signature is the bot's, and about this content at this path."""
        try:
            said = None if signature is None else self._signer.verify(PAYLOAD_TYPE, signature)
        except UserError:
            return False
        return said == self._statement(path, content)

    def _is_signed(self, path: str) -> bool:
        try:
            self.get(path)
        except UserError:
            return False
        return True

    def _signature(self, path: str, content: bytes) -> bytes:
        # Ed25519 signs alike each time, but a rotated key does not; an append-only branch refuses a changed file.
        before = self._branch.get(path + SUFFIX)
        if before is not None and self._branch.get(path) == content:
            self._check(path, content)
            return before
        return self._signer.sign(PAYLOAD_TYPE, self._statement(path, content))

    def _check(self, path: str, content: bytes) -> None:
        key = (path, sha256(content))
        if key in self._known:
            return
        signature = self._branch.get(path + SUFFIX)
        if signature is None:
            raise invalid(f"{self._name}:{path} is not signed")
        if self._signer.verify(PAYLOAD_TYPE, signature) != self._statement(path, content):
            raise invalid(f"{self._name}:{path} is signed for another place or another content")
        self._known[key] = True

    def _statement(self, path: str, content: bytes) -> bytes:
        return canonical_json(
            {
                "_type": "https://in-toto.io/Statement/v1",
                "subject": [{"name": path, "digest": {"sha256": sha256(content).removeprefix("sha256:")}}],
                "predicateType": PREDICATE,
                "predicate": {"branch": self._name},
            }
        )
