"""What a report says of a training that broke off: the useful line, the line of the spec, and the end of the log."""

from __future__ import annotations

import pytest

from bot.errors import MlbotError, Place, Problems, UserError, WorldError
from bot.pipeline.failures import failure_of, last_lines

SPEC = b"""task: binary
data: {path: data/churn.csv, target: left, row_id: id}
features:
  numeric: [age, spendd]
  derived: {ratio: age / spend}
estimator:
  name: KNeighborsClassifier
  parameters:
    n_neighbors: 4000
search:
  folds: 50
"""


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UserError("no column is called 'spendd'", code="column_missing"), 4),
        (UserError("`features.derived`: the data have a column 'ratio' already"), 5),
        (UserError("the fit failed: Expected n_neighbors <= n_samples_fit", code="fit_failed"), 7),
        (UserError("KNeighborsClassifier: `n_neighbors: 4000` is above 1000", code="parameter_invalid"), 9),
        (UserError("50 folds need at least 50 rows; the training rows have 9", code="folds_too_many"), 11),
        (UserError("the target 'left' has one class in the training rows: 'no'", code="target_one_class"), 2),
        (UserError("data/churn.csv: no row is left", place=Place("data/churn.csv", 3)), 3),
        (UserError("something that the spec does not say", code="unheard_of"), None),
        (WorldError("the remote does not answer 'left'"), None),
        (ValueError("'left'"), None),
    ],
)
def test_a_mistake_stands_at_its_line_and_what_is_nobodys_line_at_none(error: Exception, line: int | None) -> None:
    assert failure_of(error, SPEC, "models/churn/model.yaml").line == line


def test_of_several_mistakes_the_first_is_said_and_all_are_kept() -> None:
    errors = [UserError(f"row {n} is wrong", place=Place("data/a.csv", n), hint="Mend it.") for n in (3, 5, 8)]
    found = failure_of(Problems(errors), SPEC, "model.yaml")
    assert (found.message, found.hint, found.file, found.line) == (
        "row 3 is wrong (and 2 more)",
        "Mend it.",
        "data/a.csv",
        3,
    )
    assert "row 8 is wrong" in found.log_tail


def test_what_nobody_foresaw_keeps_its_last_line_and_its_traceback() -> None:
    try:
        raise RuntimeError("dtype U3 is odd")
    except RuntimeError as error:
        found = failure_of(error, SPEC, "model.yaml")
    assert found.message == "RuntimeError: dtype U3 is odd"
    assert found.log_tail.startswith("Traceback") and "test_failures.py" in found.log_tail


def test_a_fit_that_failed_shows_scikit_learns_own_traceback() -> None:
    """It was put into other words for people; the log keeps the original."""
    try:
        try:
            raise ValueError("Expected n_neighbors <= n_samples_fit")
        except ValueError as below:
            raise UserError(f"the fit failed: {below}", code="fit_failed") from None
    except MlbotError as error:
        found = failure_of(error, SPEC, "model.yaml")
    assert found.log_tail.rstrip().endswith("ValueError: Expected n_neighbors <= n_samples_fit")


def test_a_spec_that_cannot_be_read_costs_no_report() -> None:
    found = failure_of(UserError("no column is called 'spendd'", code="column_missing"), b"[", "model.yaml")
    assert (found.message, found.line) == ("no column is called 'spendd'", None)


@pytest.mark.parametrize(
    ("text", "limit", "kept"),
    [("a\nb\nc\n", 99, "a\nb\nc\n"), ("aaaa\nbb\nc\n", 6, "bb\nc\n"), ("aaaaaaaa", 3, "aaa"), ("aaaaaa\n", 3, "aa\n")],
)
def test_a_log_is_cut_between_lines(text: str, limit: int, kept: str) -> None:
    assert last_lines(text, limit) == kept
