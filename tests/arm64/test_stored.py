"""On whatever machine this runs, training gives the models that an x86-64 machine gave before.

Where it fails after a change of `bot/train/`: raise TRAINER_VERSION in `bot/specs/trainer.py`, so that no stored
Evaluation is taken for one of the new trainer, then run `python tests/arm64/store.py` on x86-64.
"""

from __future__ import annotations

import pytest

from bot.specs.trainer import TRAINER_VERSION
from bot.train.compare import TREE_TOLERANCE
from tests.arm64.compare import compared
from tests.arm64.fit import fit, specs
from tests.arm64.store import STORED
from tests.real_data import fetch

NAMES = [spec.name for spec in specs()]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("arm64")
    fit(folder / "out", fetch(folder))
    return folder / "out"


@pytest.mark.parametrize("name", NAMES)
def test_training_here_agrees_with_the_stored_predictions_of_x86_64(made, name):
    before, after, found = compared(STORED / name, made / name)
    assert found.holds, f"{found.sentence()}; TRAINER_VERSION is {TRAINER_VERSION}"
    assert before.inputs_digest == after.inputs_digest, "`python tests/arm64/store.py` was not run"
    if found.tolerance == TREE_TOLERANCE:
        assert found.same_bytes, "trees are the same to the byte on every machine"
