"""Only what the default branch's identity signed counts."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.identity import signer_at
from bot.adapters.signed_branch import SignedBranch
from bot.adapters.signing import KeyPair, generate, key_pair
from bot.errors import UserError
from tests.fakes.branch import FakeBranch
from tests.fakes.git import FakeGit

TYPE = "application/vnd.mlbot.test"
OURS, OURS_PUB = generate()
THEIRS, THEIRS_PUB = generate()
BOT = KeyPair(OURS, {"bot.pub": OURS_PUB})
SIGNED = BOT.sign(TYPE, b'{"number":7}')
ATTACKER = KeyPair(THEIRS, {"them.pub": THEIRS_PUB})


def code_of(error: pytest.ExceptionInfo[UserError]) -> str:
    return error.value.code


def test_what_was_signed_is_read_back() -> None:
    envelope = BOT.sign(TYPE, b"{}")
    assert BOT.verify(TYPE, envelope) == b"{}"
    assert set(json.loads(envelope)) == {"payload", "payloadType", "signatures"}


def test_a_verifier_needs_no_private_key() -> None:
    assert KeyPair(None, {"bot.pub": OURS_PUB}).verify(TYPE, BOT.sign(TYPE, b"x")) == b"x"


def test_keys_can_be_rotated() -> None:
    both = {"old.pub": OURS_PUB, "new.pub": THEIRS_PUB}
    after = KeyPair(THEIRS, both)
    assert after.verify(TYPE, BOT.sign(TYPE, b"old")) == b"old"
    assert after.verify(TYPE, after.sign(TYPE, b"new")) == b"new"


def edited(envelope: bytes, **changes: object) -> bytes:
    return json.dumps({**json.loads(envelope), **changes}).encode()


@pytest.mark.parametrize(
    "envelope",
    [
        ATTACKER.sign(TYPE, b"{}"),
        BOT.sign("application/vnd.mlbot.other", b"{}"),
        edited(BOT.sign(TYPE, b"{}"), payload=base64.b64encode(b'{"a":1}').decode()),
        edited(BOT.sign(TYPE, b"{}"), signatures=[]),
        edited(BOT.sign(TYPE, b"{}"), signatures="x"),
        edited(BOT.sign(TYPE, b"{}"), signatures=[{"keyid": "x", "sig": "AAAA"}]),
        edited(BOT.sign(TYPE, b"{}"), signatures=[1]),
        edited(BOT.sign(TYPE, b"{}"), payloadType=7),
        edited(BOT.sign(TYPE, b"{}"), extra=1),
        b"",
        b"null",
        b"[" * 100_000,
        b"\xff",
    ],
)  # fmt: skip
def test_tampering_is_refused(envelope: bytes) -> None:
    with pytest.raises(UserError) as caught:
        BOT.verify(TYPE, envelope)
    assert code_of(caught) == "signature_invalid"


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_flipped_bit_passes(position: int, mask: int) -> None:
    """A changed byte is refused, or changes nothing of what is said (white space, unused base64 bits)."""
    envelope = bytearray(SIGNED)
    envelope[position % len(envelope)] ^= mask
    try:
        assert BOT.verify(TYPE, bytes(envelope)) == b'{"number":7}'
    except UserError as error:
        assert error.code == "signature_invalid"


def test_without_the_private_key_nothing_is_signed() -> None:
    with pytest.raises(UserError) as caught:
        KeyPair(None, {"bot.pub": OURS_PUB}).sign(TYPE, b"")
    assert code_of(caught) == "signing_key_missing"


def test_a_private_key_that_nobody_trusts_is_noticed_when_signing() -> None:
    with pytest.raises(UserError) as caught:
        KeyPair(OURS, {"them.pub": THEIRS_PUB}).sign(TYPE, b"")
    assert code_of(caught) == "signing_key_unknown"


@pytest.mark.parametrize("pem", [b"not a key", OURS_PUB, OURS[:40]])
def test_a_malformed_private_key_is_named_and_not_shown(pem: bytes) -> None:
    with pytest.raises(UserError) as caught:
        KeyPair(pem, {"bot.pub": OURS_PUB})
    assert "MLBOT_SIGNING_KEY" in str(caught.value) and pem.decode()[:20] not in str(caught.value).replace("PEM", "")


def test_a_malformed_public_key_names_its_file() -> None:
    with pytest.raises(UserError, match=r"policies/keys/bad\.pub"):
        KeyPair(None, {"bad.pub": b"x"})


# --- a branch of signed files


def ledger(signer: KeyPair = BOT, inner: FakeBranch | None = None, name: str = "mlbot/ledger") -> SignedBranch:
    return SignedBranch(inner if inner is not None else FakeBranch(), name, signer)


def test_files_of_the_bot_are_read_and_signatures_are_not_listed() -> None:
    branch = ledger()
    branch.commit({"approvals/7/c1.json": b"{}"}, "approve")
    assert branch.get("approvals/7/c1.json") == b"{}" and branch.paths() == ["approvals/7/c1.json"]
    assert branch.get("approvals/7/c2.json") is None and branch.unsigned() == []


@pytest.mark.parametrize("attack", ["unsigned", "other key", "edited", "other path", "other branch", "empty signature"])
def test_what_somebody_else_writes_is_refused(attack: str) -> None:
    inner = FakeBranch()
    branch = ledger(inner=inner)
    branch.commit({"approvals/7/c1.json": b"{}"}, "approve")
    signature = inner.get("approvals/7/c1.json.sig") or b""
    path = "approvals/8/c1.json" if attack == "other path" else "approvals/7/c2.json"
    if attack == "unsigned":
        inner.commit({path: b"{}"}, "forged")
    elif attack == "other key":
        ledger(ATTACKER, inner).commit({path: b"{}"}, "forged")
    elif attack == "edited":
        path = "approvals/7/c1.json"
        inner.commit({path: b'{"more":1}'}, "forged")
    elif attack == "other path":
        inner.commit({path: b"{}", path + ".sig": signature}, "forged")
    elif attack == "other branch":
        ledger(BOT, inner, "mlbot/environments").commit({path: b"{}"}, "moved")
    else:
        inner.commit({path: b"{}", path + ".sig": b""}, "forged")
    with pytest.raises(UserError) as caught:
        branch.get(path)
    assert code_of(caught) == "signature_invalid"
    assert branch.unsigned() == [path]


def test_removing_a_file_removes_its_signature() -> None:
    inner = FakeBranch()
    branch = ledger(inner=inner, name="mlbot/environments")
    branch.commit({"a.json": b"1"}, "one")
    branch.commit({"a.json": None}, "two")
    assert inner.paths() == []


def test_writing_the_same_again_writes_nothing() -> None:
    branch = ledger()
    branch.commit({"a.json": b"1"}, "one")
    assert branch.commit({"a.json": b"1"}, "again") is None


def test_keys_come_from_the_default_branch() -> None:
    trees = {"a" * 40: {"policies/keys/bot.pub": OURS_PUB, "policies/keys/README.md": b"x"}, "b" * 40: {"x": b"x"}}
    git = FakeGit(trees=trees)
    signer = key_pair({"MLBOT_SIGNING_KEY": OURS.decode()}, git, "a" * 40)
    assert signer is not None and signer.verify(TYPE, signer.sign(TYPE, b"x")) == b"x"
    assert key_pair({}, git, "b" * 40) is None


# --- which of them


@pytest.mark.parametrize(
    ("files", "signer"),
    [
        ({}, "NoneType"),
        ({"bot.pub": OURS_PUB}, "KeyPair"),
        ({"sigstore": b"acme/models refs/heads/main\n"}, "Keyless"),
        ({"sigstore": b"acme/models refs/heads/main\n", "bot.pub": OURS_PUB}, "_Moving"),
    ],
)
def test_the_default_branch_says_whose_signatures_count(files: dict[str, bytes], signer: str) -> None:
    git = FakeGit(trees={"a" * 40: {f"policies/keys/{name}": data for name, data in files.items()}})
    assert type(signer_at({}, git, "a" * 40)).__name__ == signer


@pytest.mark.parametrize(
    "line", [b"", b"acme/models", b"acme/models refs/pull/7/head", b"*/* refs/heads/main", b"a/b main"]
)
def test_a_malformed_identity_is_refused(line: bytes) -> None:
    with pytest.raises(UserError) as caught:
        signer_at({}, FakeGit(trees={"a" * 40: {"policies/keys/sigstore": line}}), "a" * 40)
    assert code_of(caught) == "identity_malformed"
