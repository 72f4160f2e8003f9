"""Each section says what the evaluation holds, and keeps silent when it holds nothing."""

from __future__ import annotations

import pytest

from bot.records.evaluation import Evaluation, Section
from bot.records.training import DroppedInput
from bot.report.blocks import Chart, Series, Table
from bot.report.charts import bar, interval_plot, label, mermaid
from bot.report.sections import SECTIONS, sections
from bot.report.status import plain
from tests.builders import a_comparison, a_slice, a_training, an_evaluation
from tests.report.situations import flights


def rows(evaluation: Evaluation, id: str, number: int = 0) -> list[list[str]]:
    found = next(one for one in sections(evaluation) if one.id == id)
    table = [block for block in found.blocks if isinstance(block, Table)][number]
    return [
        [plain(cell if isinstance(cell, tuple) else (cell,)).replace("\xa0", " ") for cell in row] for row in table.rows
    ]


def test_every_section_file_is_on_the_list() -> None:
    from pathlib import Path

    import bot.report.sections as folder

    files = {path.stem for path in Path(folder.__path__[0]).glob("*.py")} - {"__init__", "more"}
    assert files == set(SECTIONS)


def test_slices_stand_worst_first_and_small_ones_say_so() -> None:
    found = rows(flights(), "slices")
    assert [row[0] for row in found] == [
        "dep_hour: before 6",
        "origin = LGA",
        "origin = JFK",
        "origin = EWR",
        "month = 12",
        "carrier = HA",
    ]
    assert found[1][1:5] == ["6,200", "0.765", "+0.009 (+0.003 to +0.015)", "▲ better"]
    assert found[-1][1:5] == ["18", "–", "–", "too few rows"]


def test_a_slice_that_correction_takes_back_is_unclear() -> None:
    harmed = a_comparison(-0.02, low=-0.03, high=-0.01)
    shown = an_evaluation(
        slices=(a_slice(comparison=harmed, p_adjusted=0.2), a_slice("b", comparison=harmed, p_adjusted=0.01))
    )
    assert {row[0]: row[4] for row in rows(shown, "slices")} == {"country = DE": "○ unclear", "b": "▼ worse"}


def test_the_selection_curve_is_a_chart_and_a_table_with_the_choice_marked() -> None:
    found = next(one for one in sections(an_evaluation()) if one.id == "inputs")
    chart = next(block for block in found.blocks if isinstance(block, Chart))
    assert (chart.x, chart.series[0].values) == ((1.0, 2.0, 4.0, 5.0), (0.71, 0.80, 0.86, 0.861))
    assert [row[4] for row in rows(an_evaluation(), "inputs")] == ["", "", "◀ chosen", ""]
    dropped = a_training(dropped=(DroppedInput(column="id", reason="id_like", detail="one a row"),))
    assert rows(an_evaluation(training=dropped), "inputs", 1) == [["id", "id like", "one a row"]]


def test_confusion_has_shares_of_what_the_rows_really_are() -> None:
    assert rows(an_evaluation(), "confusion") == [
        ["no", "1,480 (95%)", "70 (4.5%)", "95%"],
        ["yes", "88 (20%)", "362 (80%)", "80%"],
    ]


def test_with_many_classes_only_the_most_frequent_confusions_are_shown() -> None:
    classes = tuple(f"c{number}" for number in range(20))
    matrix = tuple(tuple(90 if a == b else (a * 7 + b) % 5 for b in range(20)) for a in range(20))
    found = rows(an_evaluation(training=a_training(classes=classes), confusion=matrix), "confusion")
    assert len(found) == 12
    assert found[0][2] == "4"


def test_flipped_predictions_by_slice_the_most_first() -> None:
    found = rows(flights(), "flipped")
    assert found[0][:4] == ["all test rows", "1,312", "20,000", "6.6%"]
    shares = [float(row[3].rstrip("%")) for row in found[1:]]
    assert shares == sorted(shares, reverse=True)


def test_operating_characteristics_have_their_unit() -> None:
    assert ["One row, 99 of 100 answers within", "3.1 ms"] in rows(flights(), "operating")
    assert ["Model file", "734 kB"] in rows(flights(), "operating")


def test_reproducibility_holds_digests_versions_machine_time_and_cost() -> None:
    evaluation = an_evaluation()
    found = dict(row[:2] for row in rows(evaluation, "reproduce"))
    assert found["Evaluation digest"] == evaluation.digest()
    assert found["Artifact digest"] == evaluation.artifact_digest
    assert found["Packages"] == "numpy 2.4.1 scikit-learn 1.9.0 skops 0.16.0"
    assert found["Machine"].startswith("aarch64")
    assert found["Cost"] == "1 runner minute"


def test_the_evaluators_own_tables_are_shown_as_they_come() -> None:
    """A row that is too short is filled, one that is too long loses nothing."""
    own = Section(id="x", heading="Own", columns=("a", "b"), rows=(("1",), ("1", "2", "3")), note="said")
    assert rows(an_evaluation(sections=(own,)), "x") == [["1", ""], ["1", "2 3"]]


def test_an_evaluation_that_holds_almost_nothing_still_renders() -> None:
    bare = an_evaluation(
        training=a_training(selection_curve=(), dropped=(), parameters={}, classes=None, task="regression"),
        gates=(),
        metrics=(),
        comparisons=(),
        missing_baselines=(),
        slices=(),
        budget=(),
        operating={},
        confusion=None,
        calibration=(),
    )
    assert [one.id for one in sections(bare)] == ["inputs", "test_set", "reproduce"]


@pytest.mark.parametrize(
    ("low", "middle", "high", "drawn"),
    [
        (-1, 0, 1, "├───────●───────┤"),
        (0.2, 0.4, 0.6, "        ┊ ├●─┤   "),
        (-0.6, -0.4, -0.2, "   ├─●┤ ┊        "),
        (-0.2, 0.1, 0.4, "      ├─┼●─┤     "),
        (5, 6, 7, "        ┊       ●"),
    ],
)
def test_the_drawing_shows_on_which_side_of_no_difference_the_interval_lies(
    low: float, middle: float, high: float, drawn: str
) -> None:
    assert interval_plot(low, middle, high, 1.0).replace("\xa0", " ") == drawn


def test_bars_are_as_long_as_their_share() -> None:
    assert [bar(value, 1.0, 4) for value in (0, 0.25, 0.5, 0.53125, 1, 9)] == ["▏", "█", "██", "██▏", "████", "████"]
    assert bar(1, 0) == "▏"


def test_mermaid_holds_numbers_and_harmless_labels_only() -> None:
    chart = Chart('a"]\nend', "x%%{init}%%", "<y>", (1.0, 2.0, 3.0), (Series("s", (0.1, 0.2, 0.15)),))
    lines = mermaid(chart).split("\n")
    assert lines[1:] == [
        "xychart-beta",
        '    title "a end"',
        '    x-axis "x init" 1 --> 3',
        '    y-axis "y" 0.08 --> 0.22',
        "    line [0.1, 0.2, 0.15]",
    ]
    assert label("") == "value"
