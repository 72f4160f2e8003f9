"""The short form of `python -m tests.evidence`: cells that were once wrong, and the harness itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.evidence.__main__ import BATCH, all_studies, batch, page, read, run
from tests.evidence.study import Count, Study, verdict

# Part of the study's name -> the cells that are held here; what was wrong once, and cheap.
HELD = {
    "`group_gap` fails: 5 groups, 1,000 rows, 5%": None,
    "30 equal slices: roc_auc, 100 rows each, 10%": None,
    "32 candidates no better": None,
    "values never seen: 500 levels, 2,000 known, window of 150": None,
    "performance by recall, 10% positive, 300": None,
    "exactly at the margin: average_precision, 1,000 rows, 5%": None,
    "binary 5%, area 0.999, apart; 1,000 rows": ("roc_auc, model", "log_loss, model", "average_precision, model"),
    "binary 30%, area 0.85, apart; 1,000 rows in 20": ("accuracy, difference", "roc_auc, difference"),
}


@pytest.mark.parametrize("part", HELD)
def test_what_was_wrong_once_holds(part: str) -> None:
    (study,) = (one for one in all_studies() if part in one.name)
    found = batch(study, 0, 7, BATCH)
    held = HELD[part] or tuple(found)
    wrong = {name: found[name] for name in held if verdict(found[name], study.promise, 0.05 / 50) != "holds"}
    assert not wrong


def test_a_cell_that_breaks_its_promise_is_found() -> None:
    assert verdict(Count(1000, 900), (0.93, 0.97), 0.001) == "too low"
    assert verdict(Count(1000, 1000), (0.93, 0.97), 0.001) == "too high"
    assert verdict(Count(1000, 925), (0.93, 0.97), 0.001) == "holds"
    assert verdict(Count(0, 0, 50), (0.93, 0.97), 0.001) == "cannot tell"


def test_a_run_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    asked: list[int] = []

    def flips(generator: np.random.Generator, repeats: int) -> dict[str, Count]:
        asked.append(repeats)
        return {"heads": Count(repeats, int(generator.binomial(repeats, 0.95)))}

    study, state = Study("Coins", "one coin", (0.93, 0.97), flips), tmp_path / "state.jsonl"
    run([study], state, seed=2, repeats=2 * BATCH)
    run([study], state, seed=2, repeats=4 * BATCH)
    whole = tmp_path / "whole.jsonl"
    run([study], whole, seed=2, repeats=4 * BATCH)
    assert asked == [BATCH] * 8 and read(state)[0] == read(whole)[0]
    text, wrong = page([study], read(state)[0], commit="abc", seed=1, seconds=1.0)
    assert "| one coin | heads | 0.93 to 0.97 | 200 |" in text and wrong == 0


def test_studies_have_names_of_their_own() -> None:
    names = [one.name for one in all_studies()]
    assert len(names) == len(set(names))
