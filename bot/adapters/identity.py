"""Whose signatures a repository trusts, as its default branch says: a key pair, or Sigstore's workflow identity."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.adapters.keyless import Keyless
from bot.adapters.signing import KEYS, KeyPair, key_pair
from bot.errors import Place, UserError
from bot.ports import Git, Signer

# One line: owner/name and a full branch, such as `acme/models refs/heads/main`.
SIGSTORE = f"{KEYS}/sigstore"
_LINE = re.compile(rb"([\w.-]+/[\w.-]+) (refs/heads/[\w./-]+)\s*")


def signer_at(environ: Mapping[str, str], git: Git, default_sha: str) -> Signer | None:
    """The identity that signs and is verified by the default branch at `default_sha`; None when it names none.

    With both a public key and Sigstore, Sigstore signs, and what the key signed before stays good.
    """
    pair, line = key_pair(environ, git, default_sha), git.read(default_sha, SIGSTORE)
    if line is None:
        return pair
    named = named_workflow(line)
    if named is None:
        hint = "It holds one line, such as `acme/models refs/heads/main`."
        raise UserError("this names no workflow identity", hint=hint, place=Place(SIGSTORE), code="identity_malformed")
    keyless = Keyless(*named)
    return keyless if pair is None else _Moving(keyless, pair)


def named_workflow(line: bytes) -> tuple[str, str] | None:
    """Repository and full ref that the file of Sigstore's identity names; None when it is malformed."""
    found = _LINE.fullmatch(line)
    return (found[1].decode(), found[2].decode()) if found else None


@dataclass(frozen=True)
class _Moving:
    """The port Signer of a repository that once signed with a key. The two kinds of envelope have different members."""

    now: Keyless
    before: KeyPair

    def sign(self, payload_type: str, payload: bytes) -> bytes:
        return self.now.sign(payload_type, payload)

    def verify(self, payload_type: str, envelope: bytes) -> bytes:
        by = self.now if b'"dsseEnvelope"' in envelope else self.before
        return by.verify(payload_type, envelope)
