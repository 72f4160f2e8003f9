"""Compares two folders that `fit.py` wrote: `python tests/arm64/compare.py ONE OTHER`; exit 1 when a model differs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))


def compared(one: Path, other: Path) -> tuple[Any, Any, Any]:
    """(training, other training, Agreement) of two folders of one model."""
    from bot.records.training import Training
    from bot.train.compare import agreement

    trainings, said = [], []
    for folder in (one, other):
        trainings.append(Training.parse((folder / "training.json").read_bytes(), source=str(folder)))
        said.append(json.loads((folder / "predictions.json").read_text()))
    predictions = (np.array(said[0]["predictions"]), np.array(said[1]["predictions"]))
    probabilities = [None if part["probabilities"] is None else np.array(part["probabilities"]) for part in said]
    return (*trainings, agreement(*trainings, predictions, (probabilities[0], probabilities[1])))


def main(one: Path, other: Path) -> int:
    """One line a model."""
    holds = True
    names = sorted(folder.name for folder in one.iterdir())
    for name in names:
        *trainings, found = compared(one / name, other / name)
        machines = " and ".join(training.machine.architecture for training in trainings)
        print(f"{name} ({trainings[0].estimator}; {machines}): {found.sentence()}")
        holds = holds and found.holds
    return 0 if holds and names else 1


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:3])))
