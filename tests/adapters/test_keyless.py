"""Sigstore's signatures of a workflow: a real bundle, offline, and what is said when Sigstore cannot be asked."""

from __future__ import annotations

import base64
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.identity import signer_at
from bot.adapters.keyless import ISSUER, Keyless
from bot.adapters.signed_branch import SignedBranch
from bot.adapters.signing import KeyPair, generate
from bot.errors import UserError, WorldError
from tests.fakes.branch import FakeBranch
from tests.fakes.git import FakeGit
from tests.fakes.sigstore import LocalSigstore, local_sigstore

TYPE = "application/vnd.in-toto+json"
BUNDLE = (Path(__file__).parent / "sigstore/bundle.json").read_bytes()
OWNER, REF = "trailofbits/pypi-attestation-models", "refs/tags/v0.0.4a2"
STATEMENT = json.dumps({
    "_type": "https://in-toto.io/Statement/v1", "predicateType": "https://mlbot.dev/file/v1", "predicate": {},
    "subject": [{"name": "a.json", "digest": {"sha256": "0" * 64}}],
}).encode()  # fmt: skip


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sigstore's trust root is the one that its package carries."""
    from sigstore.verify import Verifier

    real = Verifier.production
    monkeypatch.setattr(Verifier, "production", lambda: real(offline=True))


def code_of(error: pytest.ExceptionInfo[UserError]) -> str:
    return error.value.code


def changed(*path: Any, to: Any) -> bytes:
    """The bundle with one value replaced; `to` may be a function of it."""
    content = json.loads(BUNDLE)
    *way, last = path
    place = content
    for key in way:
        place = place[key]
    place[last] = to(place[last]) if callable(to) else to
    return json.dumps(content).encode()


def test_what_the_trusted_workflow_signed_is_read() -> None:
    said = json.loads(Keyless(OWNER, REF).verify(TYPE, BUNDLE))
    assert said["subject"][0]["name"] == "pypi_attestation_models-0.0.4a2.tar.gz"


@pytest.mark.parametrize(
    ("repository", "ref"),
    [
        ("trailofbits/pypi-attestations", REF),
        ("mallory/pypi-attestation-models", REF),
        ("TrailOfBits/pypi-attestation-models", REF),
        (OWNER, "refs/heads/main"),
        (OWNER, "refs/tags/v0.0.4"),
        (OWNER, "refs/heads/v0.0.4a2"),
    ],
)
def test_another_repository_or_ref_is_not_the_trusted_one(repository: str, ref: str) -> None:
    with pytest.raises(UserError) as caught:
        Keyless(repository, ref).verify(TYPE, BUNDLE)
    assert code_of(caught) == "signature_invalid"


def test_an_identity_of_another_issuer_is_not_a_workflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.adapters.keyless.ISSUER", "https://gitlab.com")
    with pytest.raises(UserError, match=r"OIDC|[Ii]ssuer|extension") as caught:
        Keyless(OWNER, REF).verify(TYPE, BUNDLE)
    assert code_of(caught) == "signature_invalid"


def test_a_statement_of_another_type_is_refused() -> None:
    with pytest.raises(UserError, match="something of type") as caught:
        Keyless(OWNER, REF).verify("application/json", BUNDLE)
    assert code_of(caught) == "signature_invalid"


def other(text: str) -> str:
    """Another certificate, signature or payload of the same form: one bit of its middle differs."""
    data = bytearray(base64.b64decode(text))
    data[len(data) // 2] ^= 1
    return base64.b64encode(data).decode()


LOG = ("verificationMaterial", "tlogEntries", 0)
FORGED = {
    "another payload": changed("dsseEnvelope", "payload", to=other),
    "another statement": changed("dsseEnvelope", "payload", to=base64.b64encode(STATEMENT).decode()),
    "another type": changed("dsseEnvelope", "payloadType", to="application/json"),
    "another signature": changed("dsseEnvelope", "signatures", 0, "sig", to=other),
    "no signature": changed("dsseEnvelope", "signatures", to=[]),
    "a second signature": changed("dsseEnvelope", "signatures", to=lambda one: [*one, *one]),
    "another certificate": changed("verificationMaterial", "certificate", "rawBytes", to=other),
    "not in the log": changed("verificationMaterial", "tlogEntries", to=[]),
    "another time": changed(*LOG, "integratedTime", to="1718048846"),
    "another entry": changed(*LOG, "canonicalizedBody", to=other),
    "another promise": changed(*LOG, "inclusionPromise", "signedEntryTimestamp", to=other),
    "another proof": changed(*LOG, "inclusionProof", "hashes", 0, to=other),
    "an envelope of a key": KeyPair(*(lambda pair: (pair[0], {"a.pub": pair[1]}))(generate())).sign(TYPE, STATEMENT),
    "nothing": b"",
    "no object": b"[]",
    "no member": b"{}",
    "too deep": b"[" * 100_000,
    "no text": b"\xff\xfe",
    "too large": BUNDLE + b" " * 9_000_000,
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_bundle_is_refused(name: str) -> None:
    with pytest.raises(UserError) as caught:
        Keyless(OWNER, REF).verify(TYPE, FORGED[name])
    assert code_of(caught) == "signature_invalid"


REAL = Keyless(OWNER, REF)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(BUNDLE) - 1), st.integers(1, 255))
def test_no_changed_byte_says_anything_else(position: int, mask: int) -> None:
    """It is refused with a clear error, or changes nothing of what is said (white space, unused base64 bits)."""
    envelope = bytearray(BUNDLE)
    envelope[position] ^= mask
    try:
        assert REAL.verify(TYPE, bytes(envelope)) == base64.b64decode(json.loads(BUNDLE)["dsseEnvelope"]["payload"])
    except UserError as error:
        assert error.code == "signature_invalid"


# --- signing, with Fulcio and Rekor on this machine


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalSigstore]:
    """A job of `acme/models` at its default branch, whose Sigstore is here."""
    from sigstore.models import ClientTrustConfig
    from sigstore.verify import Verifier

    with local_sigstore() as services:
        config = ClientTrustConfig.from_json(services.trust())
        monkeypatch.setattr(ClientTrustConfig, "production", lambda: config)
        monkeypatch.setattr(Verifier, "production", lambda: Verifier(trusted_root=config.trusted_root))
        monkeypatch.setattr("sigstore.oidc.detect_credential", lambda: identity("refs/heads/main"))
        yield services


def identity(ref: str, repository: str = "acme/models") -> str:
    """The token that GitHub gives a job; Fulcio alone checks its signature."""
    now = int(time.time())
    claims = {"iat": now - 5, "nbf": now - 5, "exp": now + 300, "aud": "sigstore", "iss": ISSUER, "sub": "repo:x"}
    return jwt.encode(claims | {"repository": repository, "ref": ref}, "k" * 32, algorithm="HS256")


def test_what_a_job_signs_is_verified_and_one_certificate_serves_a_process(local: LocalSigstore) -> None:
    keyless = Keyless("acme/models", "refs/heads/main")
    envelopes = [keyless.sign(TYPE, STATEMENT) for _ in range(3)]
    assert [keyless.verify(TYPE, one) for one in envelopes] == [STATEMENT] * 3
    assert local.asked == ["/api/v2/signingCert", *["/api/v1/log/entries"] * 3]


@pytest.mark.parametrize(
    ("ref", "repository"), [("refs/heads/change", "acme/models"), ("refs/heads/main", "mallory/models")]
)
def test_what_a_branch_or_another_repository_signs_is_not_the_bot_s(
    local: LocalSigstore, monkeypatch: pytest.MonkeyPatch, ref: str, repository: str
) -> None:
    monkeypatch.setattr("sigstore.oidc.detect_credential", lambda: identity(ref, repository))
    keyless = Keyless("acme/models", "refs/heads/main")
    with pytest.raises(UserError) as caught:
        keyless.verify(TYPE, keyless.sign(TYPE, STATEMENT))
    assert code_of(caught) == "signature_invalid" and local.asked


def test_a_ledger_signed_by_sigstore_is_read_back_and_a_copy_elsewhere_is_not(local: LocalSigstore) -> None:
    inner = FakeBranch()
    branch = SignedBranch(inner, "mlbot/ledger", Keyless("acme/models", "refs/heads/main"))
    branch.commit({"a.json": b"{}"}, "one")
    assert branch.get("a.json") == b"{}" and local.asked
    inner.commit({"b.json": b"{}", "b.json.sig": inner.get("a.json.sig")}, "copied")
    with pytest.raises(UserError) as caught:
        branch.get("b.json")
    assert code_of(caught) == "signature_invalid"


def test_a_fulcio_or_rekor_that_is_down_is_the_worlds_fault(local: LocalSigstore) -> None:
    keyless = Keyless("acme/models", "refs/heads/main")
    keyless.sign(TYPE, STATEMENT)
    local.down = True
    for one in (keyless, Keyless("acme/models", "refs/heads/main")):
        with pytest.raises(WorldError, match="Sigstore does not answer"):
            one.sign(TYPE, STATEMENT)
    local.down = False
    assert keyless.verify(TYPE, keyless.sign(TYPE, STATEMENT)) == STATEMENT, "and it goes on when it is back"


# --- who may sign, and what is said when nobody answers


def test_without_sigstore_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sigstore.dsse", None)
    with pytest.raises(UserError, match="sigstore") as caught:
        Keyless("o/r", "refs/heads/main").sign(TYPE, STATEMENT)
    assert "mlbot[sigstore]" in (caught.value.hint or "")


def test_without_a_workflow_identity_nothing_is_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_ACTIONS", "ACTIONS_ID_TOKEN_REQUEST_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError) as caught:
        Keyless("o/r", "refs/heads/main").sign(TYPE, STATEMENT)
    assert code_of(caught) == "signing_key_missing"


def test_a_job_that_may_not_have_an_identity_is_told_the_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.delenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", raising=False)
    with pytest.raises(UserError) as caught:
        Keyless("o/r", "refs/heads/main").sign(TYPE, STATEMENT)
    assert code_of(caught) == "signing_key_missing" and "id-token: write" in (caught.value.hint or "")


def test_a_sigstore_that_does_not_answer_is_the_worlds_fault_and_no_bad_signature(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from sigstore.errors import TUFError
    from sigstore.models import ClientTrustConfig
    from sigstore.verify import Verifier

    def fail(*_: Any) -> Any:
        raise TUFError("no route to host")

    monkeypatch.setattr("sigstore.oidc.detect_credential", lambda: "token")
    monkeypatch.setattr(ClientTrustConfig, "production", fail)
    monkeypatch.setattr(Verifier, "production", fail)
    keyless = Keyless("o/r", "refs/heads/main")
    with pytest.raises(WorldError, match="does not answer"):
        keyless.sign(TYPE, STATEMENT)
    with pytest.raises(WorldError, match="does not answer"):
        keyless.verify(TYPE, BUNDLE)


def test_what_a_key_signed_stays_good_after_the_move_to_sigstore(monkeypatch: pytest.MonkeyPatch) -> None:
    private, public = generate()
    files = {"policies/keys/sigstore": b"trailofbits/pypi-attestation-models refs/heads/main\n"}
    moving = signer_at({}, FakeGit(trees={"a" * 40: files | {"policies/keys/bot.pub": public}}), "a" * 40)
    assert moving is not None
    assert moving.verify(TYPE, KeyPair(private, {"bot.pub": public}).sign(TYPE, b"x")) == b"x"
    with pytest.raises(UserError, match=r"[Rr]ef"):  # Sigstore's, but not at that ref
        moving.verify(TYPE, BUNDLE)
    monkeypatch.setattr("sigstore.oidc.detect_credential", lambda: None)
    with pytest.raises(UserError) as caught:
        moving.sign(TYPE, STATEMENT)
    assert code_of(caught) == "signing_key_missing"
