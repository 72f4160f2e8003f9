"""What every record promises, whatever version of mlbot reads it."""

from __future__ import annotations

from typing import Literal

from bot.records.base import Record, sha256
from bot.records.evaluation import Evaluation
from tests.builders import an_evaluation


class Newer(Record):
    """A record as the next version knows it: with one more optional field."""

    schema_version: Literal[1] = 1
    model: str
    note: str | None = None


OLD = b'{"model":"churn","schema_version":1}'


def test_a_newer_version_sees_the_digest_that_was_approved_and_signed() -> None:
    """What is live stays verifiable after an upgrade: the digest is that of the stored bytes."""
    read = Newer.parse(OLD, source="")
    assert (read.canonical(), read.digest()) == (OLD, sha256(OLD))
    assert read == Newer(model="churn") and read.model_dump() == Newer(model="churn").model_dump()


def test_a_changed_copy_has_its_own_digest() -> None:
    copied = Newer.parse(OLD, source="").model_copy(update={"model": "price"})
    assert copied.digest() == Newer(model="price").digest()


def test_other_spellings_of_the_same_record_have_one_digest() -> None:
    """Only the canonical form is kept as it was read; a file that people read in a diff is not."""
    spelt = Newer.parse(b'{ "schema_version": 1, "model": "churn" }', source="")
    assert spelt.digest() == Newer(model="churn").digest()


def test_reading_what_was_written_changes_nothing() -> None:
    written = an_evaluation()
    read = Evaluation.parse(written.canonical(), source="")
    assert (read, read.digest()) == (written, written.digest())
