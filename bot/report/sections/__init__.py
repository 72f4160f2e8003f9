"""A model's sections, one file each, the most important first. To add one: a file with `section`, and its name here."""

from __future__ import annotations

from collections.abc import Callable

from bot.records.evaluation import Evaluation
from bot.report.blocks import Section
from bot.report.sections import (
    calibration,
    confusion,
    flipped,
    gates,
    inputs,
    measurements,
    more,
    more_slices,
    operating,
    reproduce,
    slices,
    test_set,
)

# Evaluation -> its section, or None when there is nothing to say.
SECTIONS: dict[str, Callable[[Evaluation], Section | None]] = {
    "gates": gates.section,
    "measurements": measurements.section,
    "slices": slices.section,
    "more_slices": more_slices.section,
    "inputs": inputs.section,
    "confusion": confusion.section,
    "calibration": calibration.section,
    "flipped": flipped.section,
    "operating": operating.section,
    "test_set": test_set.section,
    "reproduce": reproduce.section,
}


def sections(evaluation: Evaluation) -> list[Section]:
    """All sections of a model that have something to say, most important first; the evaluator's own tables by id."""
    made = [make(evaluation) for make in SECTIONS.values()]
    found = [one for one in (*made, *more.tables(evaluation)) if one]
    return sorted(found, key=lambda one: -one.importance)
