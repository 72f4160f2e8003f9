"""Tables that nobody here chose go from `init` to a served answer: as evaluated, and as scikit-learn by hand says."""

from __future__ import annotations

import pytest

from tests.tables.made import make
from tests.tables.walk import differences, monitored, plain_sklearn, walked

SEEDS = range(20)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_made_table_is_served_as_it_was_evaluated(tmp_path, seed):
    """In either runtime, from JSON, text and binary, whole and row by row."""
    (tmp_path / "data").mkdir()
    made = make(seed, tmp_path / "data")
    found = walked(made.file, made.target, tmp_path)
    assert differences(found) == [], made.what
    assert plain_sklearn(found) == "", made.what
    assert made.file.suffix == ".gz" or monitored(made.file, made.target) in (0, 5), made.what
