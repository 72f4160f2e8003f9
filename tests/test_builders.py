"""The shared builders make records that survive the trip between two jobs."""

import pytest

from bot.records.base import Record
from tests.builders import a_decision, a_head, a_plan, a_training, an_evaluation


@pytest.mark.parametrize("made", [a_plan(), a_training(), an_evaluation(), a_head(), a_decision(), a_decision("error")])
def test_what_a_builder_makes_reads_back_as_the_same_record(made: Record) -> None:
    assert type(made).parse(made.canonical(), source="test") == made
