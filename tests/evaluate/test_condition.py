"""The language and the sizes of ease.ml/ci, against the paper's figures (Renggli et al., MLSys 2019).

Figure 2 has four conditions: F1 and F4 are about one variable, F2 and F3 about n - o, each for 32 steps.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from bot.cli.testset_size import command
from bot.errors import UserError
from bot.evaluate.condition.differ import rows_of_clause
from bot.evaluate.condition.judge import rows_for, truth, verdict
from bot.evaluate.condition.plan import answer
from bot.evaluate.condition.size import Plan, bennett_rows, bennett_tolerance, hoeffding_rows, hoeffding_tolerance
from bot.specs.condition import Clause, parse

TOLERANCES = (0.1, 0.05, 0.025, 0.01)
FIGURE_2 = {
    (0.99, "n", "none"): (404, 1615, 6457, 40355),
    (0.99, "n", "full"): (1340, 5358, 21429, 133930),
    (0.99, "n - o", "none"): (1753, 7012, 28045, 175282),
    (0.99, "n - o", "full"): (5496, 21984, 87933, 549581),
    (0.999, "n", "none"): (519, 2075, 8299, 51868),
    (0.999, "n", "full"): (1455, 5818, 23271, 145443),
    (0.999, "n - o", "none"): (2214, 8854, 35414, 221333),
    (0.999, "n - o", "full"): (5957, 23826, 95302, 595633),
    (0.9999, "n", "none"): (634, 2536, 10141, 63381),
    (0.9999, "n", "full"): (1570, 6279, 25113, 156956),
    (0.9999, "n - o", "none"): (2674, 10696, 42782, 267385),
    (0.9999, "n - o", "full"): (6417, 25668, 102670, 641684),
    (0.99999, "n", "none"): (749, 2996, 11983, 74894),
    (0.99999, "n", "full"): (1685, 6739, 26955, 168469),
    (0.99999, "n - o", "none"): (3135, 12538, 50150, 313437),
    (0.99999, "n - o", "full"): (6878, 27510, 110038, 687736),
}
ROWS = [
    (reliability, left, adaptivity, tolerance, rows)
    for (reliability, left, adaptivity), sizes in FIGURE_2.items()
    for tolerance, rows in zip(TOLERANCES, sizes, strict=True)
]


@pytest.mark.parametrize(("reliability", "left", "adaptivity", "tolerance", "rows"), ROWS)
def test_figure_2(reliability: float, left: str, adaptivity: str, tolerance: float, rows: int) -> None:
    clauses = parse(f"{left} > 0.1 +/- {tolerance}")
    assert hoeffding_rows(clauses, Plan(reliability, 32, adaptivity)) == rows
    if adaptivity == "none":  # a set that is retired at the first pass needs no more
        assert hoeffding_rows(clauses, Plan(reliability, 32, "first_change")) == rows


@pytest.mark.parametrize(
    ("condition", "plan", "rows"),
    [
        ("n > 0.8 +/- 0.01", Plan(0.9999, 1), 46052 + 3466),  # full adaptivity of one step: delta / 2
        ("n > 0.8 +/- 0.01", Plan(0.9999, 1, "none"), 46052),  # "46K labels" for one estimate
        ("n > 0.8 +/- 0.05", Plan(0.9999, 32, "full"), 6279),
        ("n - o > 0.1 +/- 0.1", Plan(0.99, 32, "full"), 5496),  # the repository's notebook
        ("n - o > 0.02 +/- 0.02", Plan(0.998, 7, "none"), 44269),  # SemEval; the paper cuts 44,268.3 off
        ("n - o > 0.02 +/- 0.02", Plan(0.998, 7, "full"), 58799),
        ("n - 1.1*o > .01 +/- .01", Plan(0.99995, 1, "none"), 233656),
        ("d < .1 +/- .01", Plan(0.99995, 1, "none"), 49518),
        ("n - 1.1*o > .01 +/- .01 /\\ d < .1 +/- .01", Plan(0.9999, 1, "none"), 233656),
    ],
)
def test_figures_of_the_text(condition: str, plan: Plan, rows: int) -> None:
    assert hoeffding_rows(parse(condition), plan) == pytest.approx(rows, abs=1 if rows == 49518 else 0)


@pytest.mark.parametrize(
    ("tolerance", "reliability", "steps", "adaptivity", "parts", "rows"),
    [
        (0.01, 0.9999, 32, "none", 4, 29048),
        (0.01, 0.9999, 32, "full", 4, 67706),
        (0.02, 0.998, 7, "none", 2, 4713),
        (0.022, 0.998, 7, "full", 2, 5204),
    ],
)
def test_bennett_sizes(tolerance, reliability, steps, adaptivity, parts, rows) -> None:
    (clause,) = parse(f"n - o > 0.02 +/- {tolerance}")
    assert bennett_rows(clause, 0.1, Plan(reliability, steps, adaptivity), parts=parts) == rows


BOTH = "n - 1.1*o > .01 +/- .01 /\\ d < .1 +/- .01"


@pytest.mark.parametrize(
    ("condition", "plan", "labelled", "without_labels", "hoeffding"),
    [
        ("n - o > 0.02 +/- 0.01 /\\ d < 0.1 +/- 0.01", Plan(0.9999, 32, "none"), 34675, 34675, 281248),
        (BOTH, Plan(0.9999, 1, "none"), 35948, 26129, 233656),
        ("n > 0.8 +/- 0.05 /\\ n - o > 0 +/- 0.02 /\\ d < 0.1 +/- 0.02", Plan(0.9999, 1, "none"), 8061, 8061, 55011),
        ("2*n - 2*o + d > 0 +/- 0.1 /\\ d < 0.1 +/- 0.05", Plan(0.99, 8, "full"), 4642, 1994, 14928),
    ],
)
def test_any_condition_that_limits_how_often_the_models_differ_needs_fewer_rows(
    condition: str, plan: Plan, labelled: int, without_labels: int, hoeffding: int
) -> None:
    found = answer(parse(condition), plan)
    assert (found["rows_bennett"], found["rows_without_labels"], found["rows"]) == (labelled, without_labels, hoeffding)
    assert rows_for(parse(condition), plan, "bennett") == min(hoeffding, max(labelled, without_labels))
    assert rows_for(parse(condition), plan, "hoeffding") == hoeffding


@pytest.mark.parametrize("condition", ["n - 1.1*o > .01 +/- .04", "2*n - 2*o + d > 0 +/- .1", "n + o - d > 1 +/- .08"])
def test_those_rows_keep_what_is_promised(condition: str) -> None:
    """Models that differ on a fifth of the rows: of 20,000 test sets of that size no more than promised are misread."""
    (clause,), plan = parse(condition), Plan(0.9, 1, "none")
    rows = rows_of_clause(clause, 1, 0.2, plan)
    cells = np.array([0.65, 0.12, 0.08, 0.15])  # both right, only n, only o, neither
    both, one, other, _ = np.random.default_rng(0).multinomial(rows, cells, 20_000).T / rows
    n, o, d = both + one, both + other, one + other
    a, b, c = clause.coefficients
    off = a * n + b * o + c * d - (a * 0.77 + b * 0.73 + c * 0.20)
    assert (np.abs(off) > clause.tolerance).mean() <= 0.1
    assert rows < 4 * hoeffding_rows([clause], Plan(0.9, 2, "none", 2))


def test_a_share_that_is_known_from_other_rows_costs_no_reliability() -> None:
    (clause,), plan = parse("n - 1.1*o > .01 +/- .04"), Plan(0.99)
    assert rows_of_clause(clause, 1, 0.1, plan, known=True) < rows_of_clause(clause, 1, 0.1, plan)


def test_active_labelling_needs_2189_labels_an_evaluation() -> None:
    found = answer(parse("n - o > 0.02 +/- 0.01"), Plan(0.9999, 32, "none"), differ=0.1)
    assert found["labels_per_evaluation"] == 2189


@pytest.mark.parametrize(
    ("rows", "hoeffding", "bennett"), [(1000, 0.132, 0.045), (5000, 0.059, 0.019), (20000, 0.030, 0.0095)]
)
def test_the_smallest_tolerance_of_given_rows(rows: int, hoeffding: float, bennett: float) -> None:
    plan, (clause,) = Plan(0.99, 32, "none"), parse("n - o > 0.02 +/- 0.01")
    assert hoeffding_tolerance(clause, rows, plan) == pytest.approx(hoeffding, abs=6e-4)
    assert bennett_tolerance(0.1, rows, plan, parts=2) == pytest.approx(bennett, abs=6e-4)


def test_sizes_and_tolerances_are_each_others_inverse() -> None:
    plan, (clause,) = Plan(0.999, 20), parse("n - o > 0.02 +/- 0.013")
    assert hoeffding_tolerance(clause, hoeffding_rows([clause], plan), plan) == pytest.approx(0.013, rel=1e-3)
    assert bennett_tolerance(0.1, bennett_rows(clause, 0.1, plan), plan) == pytest.approx(0.013, rel=1e-3)


def test_more_steps_than_a_float_can_count_histories() -> None:
    assert hoeffding_rows(parse("n > 0.8 +/- 0.05"), Plan(0.99, 5000)) > 600_000


def test_the_disagreement_gate_saves_rows() -> None:
    clauses, plan = parse("d < 0.1 +/- 0.01 /\\ n - o > 0.02 +/- 0.01"), Plan(0.9999, 32)
    assert rows_for(clauses, plan, "bennett") < 0.2 * rows_for(clauses, plan, "hoeffding")


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        ("n>0.8+/-0.05", Clause((1, 0, 0), ">", 0.8, 0.05)),
        ("n - 1.1 * o > -.01 +/- .01", Clause((1, -1.1, 0), ">", -0.01, 0.01)),
        ("o*2 + n - n - d < 1 +/- 0.5", Clause((0, 2, -1), "<", 1, 0.5)),
        ("-o + n > 0 +/- 0.1", Clause((1, -1, 0), ">", 0, 0.1)),
    ],
)
def test_conditions_are_read(text: str, clause: Clause) -> None:
    assert parse(text) == (clause,)
    assert parse(str(clause)) == (clause,)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it ends"),
        ("n > 0.8", "`+/-`"),
        ("n / o > 1 +/- 0.1", "found '/'"),
        ("(n - o) > 0 +/- 0.1", "found '('"),
        ("n - x > 0 +/- 0.1", "found 'x'"),
        ("n > 0.8 +/- 0", "above 0"),
        ("n - n > 0.8 +/- 0.1", "cancel out"),
        ("n > 0.8 +/- 0.1 /\\", "it ends"),
        ("n > 0.8 +/- 0.1 d < 1 +/- 0.1", "nothing more expected"),
        ("n = 0.8 +/- 0.1", "found '='"),
    ],
)
def test_what_is_no_condition_is_refused_where_it_goes_wrong(text: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        parse(text)
    assert said in caught.value.message and caught.value.hint


@given(st.text(alphabet="nod +-*/<>\\.0123456789()x", max_size=40))
def test_any_text_is_a_condition_or_a_user_error(text: str) -> None:
    try:
        clauses = parse(text)
    except UserError:
        return
    assert clauses and all(clause.tolerance > 0 for clause in clauses)


CLAUSE = parse("n - o > 0.02 +/- 0.01")[0]


@pytest.mark.parametrize(
    ("n", "o", "found"),
    [(0.90, 0.86, "true"), (0.90, 0.88, "unknown"), (0.905, 0.88, "unknown"), (0.88, 0.88, "false")],
)
def test_a_value_within_its_tolerance_is_unknown(n: float, o: float, found: str) -> None:
    assert truth(CLAUSE, (n, o, 0.0)) == found


def test_modes_differ_in_what_unknown_means() -> None:
    unknown, false = (0.90, 0.88, 0.0), (0.88, 0.88, 0.0)
    assert verdict([CLAUSE], unknown, "fp_free") == "inconclusive"
    assert verdict([CLAUSE], unknown, "fn_free") == "pass"
    assert verdict([CLAUSE], false, "fn_free") == "fail"


def run(*words: str):
    return CliRunner().invoke(command, list(words))


def test_the_command_prints_the_rows() -> None:
    words = ("--condition", "n - o > 0.02 +/- 0.01", "--reliability", "0.9999", "--steps", "32")
    assert "641,684" in run(*words, "--adaptivity", "full").output
    found = json.loads(run(*words, "--adaptivity", "none", "--differ", "0.1", "--rows", "5000", "--json").output)
    assert (found["rows"], found["rows_bennett"], found["labels_per_evaluation"]) == (267385, 29048, 2189)
    assert 0 < found["smallest_tolerance_bennett"] < found["smallest_tolerance"]


def test_bennetts_bound_without_a_gap_is_refused() -> None:
    result = run("--condition", "n > 0.8 +/- 0.01", "--differ", "0.1")
    assert isinstance(result.exception, UserError)


def test_other_bounds_for_the_same_promise() -> None:
    """n - o within .01 at 1e-4 over 32 steps and a tenth of the rows differing; n within .05."""
    gap = answer(parse("n - o > 0.02 +/- 0.01"), Plan(0.9999, 32, "none"), differ=0.1)
    assert (gap["rows"], gap["rows_bennett"]) == (267385, 29048)
    assert gap["rows_normal_approximation"] == pytest.approx(21_700, abs=50)
    one = answer(parse("n > 0.8 +/- 0.05"), Plan(0.9999, 32, "none"))
    assert (one["rows"], one["rows_exact_binomial"]) == (2536, 2179)
    assert hoeffding_rows(parse("n > 0.8 +/- 0.05"), Plan(0.9999, 32, "none", 2)) == 2674


def test_a_probability_too_small_for_a_float_has_no_exact_size() -> None:
    found = answer(parse("n > 0.8 +/- 0.05"), Plan(0.9999, 2000, "full"))
    assert "rows_exact_binomial" not in found and found["rows"] > 200_000
