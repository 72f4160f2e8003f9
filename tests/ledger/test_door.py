"""The door to the bot's branches: what cannot be read is named and concerns nothing else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.errors import UserError
from bot.ledger import Environments, Ledger
from bot.records.facts import Contributed
from bot.records.ledger import commits_path, contribution_path, delegation_path, head_path, undelegation_path
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


def test_who_changed_a_model_is_found_without_reading_what_is_older_or_about_others() -> None:
    paths = {
        contribution_path("churn", f"2026-03-0{day}T00:00:00Z", day, OLD, NEW): Contributed(
            model="churn", number=day, at=f"2026-03-0{day}T00:00:00Z", people=(day,)
        ).canonical()
        for day in (1, 5, 7)
    }
    spoiled = {contribution_path("fraud", "2026-03-06T00:00:00Z", 6, OLD, NEW): b"?"}
    ledger = Ledger(
        FakeBranch({**paths, **spoiled, contribution_path("churn", "2026-02-01T00:00:00Z", 9, OLD, NEW): b"?"})
    )
    since = datetime(2026, 3, 4, tzinfo=UTC)
    assert [one.people for one in ledger.contributed("churn", since).whole] == [(5,), (7,)]
    assert len(ledger.contributed("fraud", since).unreadable) == 1
    assert ledger.is_contribution_listed(5, OLD, NEW, ["churn"])
    assert not ledger.is_contribution_listed(5, OLD, NEW, ["churn", "fraud"])


def test_lists_of_commits_of_an_older_ledger_are_found_by_when_they_were_written() -> None:
    branch = FakeBranch()
    for number, day in ((1, 1), (2, 5), (3, 6)):
        branch.clock = datetime(2026, 3, day, tzinfo=UTC)
        branch.commit({commits_path(number, OLD, NEW): b"?"}, "judge")
    branch.commit({contribution_path("churn", "2026-03-06T00:00:00Z", 3, OLD, NEW): b"?"}, "list")
    found = Ledger(branch).unlisted(datetime(2026, 3, 4, tzinfo=UTC))
    assert found == [(2, OLD, NEW, datetime(2026, 3, 5, tzinfo=UTC))]
