"""Statements signed by Sigstore with the workflow's own identity: no key to keep. Needs `mlbot[sigstore]`.

An envelope is a Sigstore bundle of an in-toto statement, the form that Sigstore's own tools use.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

from bot.adapters.signing import MAX_ENVELOPE_BYTES, invalid
from bot.errors import UserError, WorldError

T = TypeVar("T")
ISSUER = "https://token.actions.githubusercontent.com"
STATEMENT = "application/vnd.in-toto+json"  # the one type of payload that Sigstore signs


class Keyless:
    """The port Signer with Sigstore. Trusts workflows of `repository` (owner/name) that ran at `ref` (a full ref).

    Signing needs `id-token: write` and the network; verifying needs the network for Sigstore's trust root only.
    """

    def __init__(self, repository: str, ref: str) -> None:
        self._repository, self._ref = repository, ref
        # all three hold what Sigstore gave this process: its trust root, and a certificate for ten minutes
        self._context: Any = None
        self._signer: Any = None
        self._verifier: Any = None

    def sign(self, payload_type: str, payload: bytes) -> bytes:
        """See the port. Raises ValueError for what is no in-toto statement."""
        sigstore = _sigstore()
        if payload_type != STATEMENT:
            raise ValueError(f"Sigstore signs statements only, not {payload_type}")
        statement = sigstore.dsse.Statement(payload)
        if self._signer is None:
            self._signer = self._certified(sigstore)
        try:
            bundle = _world(lambda: self._signer.sign_dsse(statement))
        except WorldError:  # the certificate may have run out
            self._signer = self._certified(sigstore)
            bundle = _world(lambda: self._signer.sign_dsse(statement))
        return str(bundle.to_json()).encode()

    def _certified(self, sigstore: Any) -> Any:
        """A signer with a fresh key and certificate."""
        token = _credential(sigstore)
        if token is None:
            raise UserError(
                "this process has no workflow identity to sign with",
                hint="Give the job `id-token: write`; outside Actions use a key pair.",
                code="signing_key_missing",
            )

        def signer() -> Any:
            if self._context is None:
                config = sigstore.models.ClientTrustConfig.production()
                self._context = sigstore.sign.SigningContext.from_trust_config(config)
            return sigstore.sign.Signer(sigstore.oidc.IdentityToken(token), self._context)

        return _world(signer)

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
            if len(envelope) > MAX_ENVELOPE_BYTES:
                raise ValueError("the envelope is too large")
            bundle = sigstore.models.Bundle.from_json(envelope)
        except (sigstore.errors.Error, ValueError, TypeError, KeyError, RecursionError) as error:
            raise invalid(str(error)) from None
        if self._verifier is None:
            self._verifier = _world(sigstore.verify.Verifier.production)
        try:
            said, payload = self._verifier.verify_dsse(bundle, identity)
        except (sigstore.errors.Error, ValueError, TypeError, KeyError) as error:
            raise invalid(str(error)) from None
        if said != payload_type:
            raise invalid(f"it says something of type {said[:80]!r}, not {payload_type!r}")
        return bytes(payload)


def _credential(sigstore: Any) -> str | None:
    """The workflow's identity, None outside Actions and in a job without `id-token: write`."""
    # the package raises for this what it raises when GitHub does not answer
    if os.environ.get("GITHUB_ACTIONS") and not os.environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN"):
        return None
    token: str | None = _world(sigstore.oidc.detect_credential)
    return token


def _world(ask: Callable[[], T]) -> T:
    """What Sigstore answers. Raises WorldError when its trust root, Fulcio or Rekor cannot be had."""
    try:
        return ask()
    except Exception as error:  # what the package's clients raise has no base in common, and is not public
        hint = "Run the job again; https://status.sigstore.dev says whether Sigstore is down."
        raise WorldError(f"Sigstore does not answer: {type(error).__name__}: {error}", hint=hint) from None


def _sigstore() -> Any:
    try:
        import sigstore.dsse
        import sigstore.errors
        import sigstore.models
        import sigstore.oidc
        import sigstore.sign
        import sigstore.verify
    except ModuleNotFoundError:
        hint = "Install it with the bot: `uv add 'mlbot[sigstore]'`."
        raise UserError("keyless signatures need the package sigstore", hint=hint) from None
    return sigstore
