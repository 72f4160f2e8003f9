"""DSSE-like envelopes signed by Sigstore with the workflow's own identity: no key to keep. Needs `mlbot[sigstore]`."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any, TypeVar

from bot.adapters.signing import MAX_ENVELOPE_BYTES, invalid
from bot.errors import UserError, WorldError

T = TypeVar("T")
ISSUER = "https://token.actions.githubusercontent.com"


class Keyless:
    """The port Signer with Sigstore. Trusts workflows of `repository` (owner/name) that ran at `ref` (a full ref).

    Signing needs `id-token: write` and the network; verifying needs the network for Sigstore's trust root only.
    """

    def __init__(self, repository: str, ref: str) -> None:
        self._repository, self._ref = repository, ref
        self._context: Any = None  # both hold Sigstore's trust root, fetched once a process
        self._verifier: Any = None

    def sign(self, payload_type: str, payload: bytes) -> bytes:
        """See the port."""
        sigstore = _sigstore()
        token = _world(sigstore, sigstore.oidc.detect_credential)
        if token is None:
            raise UserError(
                "this process has no workflow identity to sign with",
                hint="Give the job `id-token: write`; outside Actions use a key pair.",
                code="signing_key_missing",
            )
        bundle = _world(sigstore, lambda: self._signed(sigstore, token, _encoded(payload_type, payload)))
        content = {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": payload_type,
            "bundle": json.loads(bundle.to_json()),
        }
        return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()

    def _signed(self, sigstore: Any, token: str, data: bytes) -> Any:
        if self._context is None:
            config = sigstore.models.ClientTrustConfig.production()
            self._context = sigstore.sign.SigningContext.from_trust_config(config)
        with self._context.signer(sigstore.oidc.IdentityToken(token)) as signer:
            return signer.sign_artifact(data)

    def verify(self, payload_type: str, envelope: bytes) -> bytes:
        """See the port."""
        sigstore = _sigstore()
        policy = sigstore.verify.policy
        identity = policy.AllOf(
            [
                policy.OIDCIssuer(ISSUER),
                policy.GitHubWorkflowRepository(self._repository),
                policy.GitHubWorkflowRef(self._ref),
            ]
        )
        try:
            said, payload, bundle = _read(envelope)
            if said != payload_type:
                raise ValueError(f"it says something of type {said[:80]!r}, not {payload_type!r}")
            signed = sigstore.models.Bundle.from_json(json.dumps(bundle))
        except (sigstore.errors.Error, ValueError, KeyError, TypeError, RecursionError) as error:
            raise invalid(str(error)) from None
        if self._verifier is None:
            self._verifier = _world(sigstore, sigstore.verify.Verifier.production)
        try:
            self._verifier.verify_artifact(_encoded(payload_type, payload), signed, identity)
        except sigstore.errors.Error as error:
            raise invalid(str(error)) from None
        return payload


def _world(sigstore: Any, ask: Callable[[], T]) -> T:
    """What Sigstore answers. Raises WorldError when its trust root, Fulcio or Rekor cannot be had."""
    try:
        return ask()
    except sigstore.errors.Error as error:
        hint = "Run the job again; https://status.sigstore.dev says whether Sigstore is down."
        raise WorldError(f"Sigstore does not answer: {type(error).__name__}: {error}", hint=hint) from None


def _read(envelope: bytes) -> tuple[str, bytes, Any]:
    if len(envelope) > MAX_ENVELOPE_BYTES:
        raise ValueError("the envelope is too large")
    content = json.loads(envelope)
    if not isinstance(content, dict) or set(content) != {"payload", "payloadType", "bundle"}:
        raise ValueError("it is not an envelope")
    return str(content["payloadType"]), base64.b64decode(content["payload"], validate=True), content["bundle"]


def _encoded(payload_type: str, payload: bytes) -> bytes:
    """Pre-authentication encoding, https://github.com/secure-systems-lab/dsse/blob/master/protocol.md."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _sigstore() -> Any:
    try:
        import sigstore.errors
        import sigstore.models
        import sigstore.oidc
        import sigstore.sign
        import sigstore.verify
    except ModuleNotFoundError:
        hint = "Install it with the bot: `uv add 'mlbot[sigstore]'`."
        raise UserError("keyless signatures need the package sigstore", hint=hint) from None
    return sigstore
