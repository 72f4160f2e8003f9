"""DSSE envelopes signed by a key pair whose private half only the default branch's jobs get."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from bot.adapters.kept import Kept, trusted_commits
from bot.errors import UserError
from bot.ports import Git

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner, SSlibKey

# Text of a PEM file; a secret of the GitHub environment `mlbot`, which only the default branch may use.
VARIABLE = "MLBOT_SIGNING_KEY"
KEYS = "policies/keys"
MAX_ENVELOPE_BYTES = 8 * 1024 * 1024


class KeyPair:
    """The port Signer with keys. `private` None verifies only; `public` holds PEM texts by file name.

    `revoked` says by file name of a key that leaked what stays good of it: such a key signs nothing any more.
    """

    def __init__(
        self, private: bytes | None, public: Mapping[str, bytes], revoked: Mapping[str, Kept] | None = None
    ) -> None:
        self._private, self._revoked = _private_key(private) if private else None, revoked or {}
        self._keys = {name: _public_key(name, pem) for name, pem in sorted(public.items())}
        self._public = [key for name, key in self._keys.items() if name not in self._revoked]

    def sign(self, payload_type: str, payload: bytes) -> bytes:
        """See the port."""
        if self._private is None:
            raise UserError(
                f"{VARIABLE} is not set, so nothing can be signed",
                hint="`mlbot doctor` prints how a job gets it; from a clone, ask in the pull request instead.",
                code="signing_key_missing",
            )
        own = self._private.public_key.keyid
        if own in {self._keys[name].keyid for name in self._revoked}:
            raise UserError(
                f"the key in {VARIABLE} is revoked",
                hint="`mlbot doctor --new-key` makes another; docs/threat-model.md says what follows.",
                code="signing_key_revoked",
            )
        if own not in {key.keyid for key in self._public}:
            raise UserError(
                f"the key in {VARIABLE} belongs to no public key in {KEYS}/",
                hint=f"Commit its public half to {KEYS}/ on the default branch.",
                code="signing_key_unknown",
            )
        return sign(payload_type, payload, self._private)

    def verify(self, payload_type: str, envelope: bytes) -> bytes:
        """See the port. What a revoked key signed holds only where it was kept."""
        try:
            return verify(payload_type, envelope, self._public)
        except UserError:
            for name, kept in self._revoked.items():
                payload = _verified(payload_type, envelope, self._keys[name])
                if payload is not None and kept.holds(envelope):
                    return payload
                if payload is not None:
                    raise invalid(f"the key {name} is revoked, and this is none of what was kept of it") from None
            raise


def key_pair(environ: Mapping[str, str], git: Git, default_sha: str) -> KeyPair | None:
    """The keys of a repository: public ones from the default branch at `default_sha`, the private one if we have it.

    None when the default branch holds no public key: then nothing is signed, and `mlbot doctor` says so.
    """
    names = [name for name in git.entries(default_sha, KEYS) if name.endswith(".pub")]
    public = {name: git.read(default_sha, f"{KEYS}/{name}") or b"" for name in names}
    paths = {name: f"{KEYS}/{name.removesuffix('.pub')}.revoked" for name in names}
    texts = {name: git.read(default_sha, path) for name, path in paths.items()}
    revoked = {name: Kept(git, trusted_commits(text, paths[name])) for name, text in texts.items() if text is not None}
    return KeyPair(environ.get(VARIABLE, "").encode() or None, public, revoked) if public else None


def generate() -> tuple[bytes, bytes]:
    """A new Ed25519 key pair: private and public half as PEM."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key, pem = Ed25519PrivateKey.generate(), serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private, key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)


def sign(payload_type: str, payload: bytes, signer: CryptoSigner) -> bytes:
    """A DSSE envelope (https://github.com/secure-systems-lab/dsse) as canonical JSON."""
    from securesystemslib.dsse import Envelope

    envelope = Envelope(payload, payload_type, {})
    envelope.sign(signer)
    return json.dumps(envelope.to_dict(), sort_keys=True, separators=(",", ":")).encode()


def verify(payload_type: str, envelope: bytes, keys: Iterable[SSlibKey]) -> bytes:
    """The payload when one of the keys signed it as this type, else UserError (code `signature_invalid`)."""
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import Error

    try:
        if len(envelope) > MAX_ENVELOPE_BYTES:
            raise ValueError("the envelope is too large")
        content = Envelope.from_dict(_members(json.loads(envelope)))
        content.verify(list(keys), threshold=1)
    except (Error, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise invalid(str(error)) from None
    if content.payload_type != payload_type:
        raise invalid(f"it says something of type {content.payload_type[:80]!r}, not {payload_type!r}")
    return bytes(content.payload)


def _verified(payload_type: str, envelope: bytes, key: SSlibKey) -> bytes | None:
    try:
        return verify(payload_type, envelope, [key])
    except UserError:
        return None


def invalid(why: str) -> UserError:
    """The error of everything that is not signed as it must be."""
    return UserError(
        f"the signature does not hold: {why}",
        hint="Somebody else than the bot wrote this: look at `git log` of the branch, and put it right.",
        code="signature_invalid",
    )


def _members(content: Any) -> dict[str, Any]:
    if not isinstance(content, dict) or set(content) != {"payload", "payloadType", "signatures"}:
        raise ValueError("it is not an envelope")
    if not isinstance(content["payloadType"], str) or not isinstance(content["signatures"], list):
        raise ValueError("it is not an envelope")
    return content


def _private_key(pem: bytes) -> CryptoSigner:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import CryptoSigner

    try:
        return CryptoSigner(load_pem_private_key(pem, password=None))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UserError(
            f"{VARIABLE} is not a private key in PEM form",
            hint="It must hold the whole text of the file, unencrypted, with its BEGIN and END lines.",
            code="signing_key_malformed",
        ) from None


def _public_key(name: str, pem: bytes) -> SSlibKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer import SSlibKey

    try:
        return SSlibKey.from_crypto(load_pem_public_key(pem))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UserError(f"{KEYS}/{name} is not a public key in PEM form", code="signing_key_malformed") from None
