"""The door to the bot's branches: what cannot be read is named and concerns nothing else."""

from __future__ import annotations

import pytest

from bot.errors import UserError
from bot.ledger import Environments, Ledger
from bot.records.ledger import delegation_path, head_path, undelegation_path
from tests.builders import a_head
from tests.fakes.branch import FakeBranch

OLD, NEW = "a" * 40, "b" * 40


def test_a_record_that_cannot_be_read_is_named_and_the_others_are_read() -> None:
    good = a_head(number=7, head_sha=NEW)
    ledger = Ledger(FakeBranch({head_path(7, OLD): b"{", head_path(7, NEW): good.canonical()}))
    heads = ledger.heads(7)
    assert heads.readable == [good]
    assert list(heads.unreadable) == [head_path(7, OLD)]
    with pytest.raises(UserError, match=f"heads/7/{OLD}.json: not a Head record"):
        _ = heads.whole
    assert ledger.head(7, NEW) == good
    assert ledger.head(8, NEW) is None


def test_a_spoiled_release_keeps_no_other_back() -> None:
    branch = Environments(FakeBranch({"production/churn/release.json": b"?"}))
    assert list(branch.models(branch.all_live("production"))) == ["churn"]
    assert branch.names() == {("production", "churn")}
    assert branch.states(("fraud",)) == {"fraud": {}}


def test_a_loan_that_was_taken_back_is_not_asked_about() -> None:
    files = {delegation_path("7-c1"): b"?", undelegation_path("7-c1"): b"{}", delegation_path("7-c2"): b"?"}
    assert list(Ledger(FakeBranch(files)).delegations().unreadable) == [delegation_path("7-c2")]


def test_what_is_there_stays_when_more_is_added() -> None:
    branch = FakeBranch({"revocations/1.json": b"first"}, append_only=True)
    assert Ledger(branch).add({"revocations/1.json": b"second", "revocations/2.json": b"new"}, "revoke") is not None
    assert branch.files == {"revocations/1.json": b"first", "revocations/2.json": b"new"}
    assert Ledger(branch).add({"revocations/2.json": b"other"}, "revoke") is None
