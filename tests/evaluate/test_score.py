"""The ML Test Score: what counts, what is the lowest section, and which test comes next."""

from __future__ import annotations

import pytest

from bot.errors import UserError
from bot.evaluate.score import SECTIONS, TESTS, ml_test_score, score_section
from bot.evaluate.score import tests_in_use as in_use
from bot.records.evaluation import Section
from bot.records.release import Verification
from bot.records.training import ArtifactFile
from bot.specs.attestation import IDS, read_attestation
from tests.builders import a_gate, a_release, a_training, an_evaluation
from tests.monitor.test_follow import a_health


def attested(*lines: str):
    return read_attestation(("version: 1\ntests:\n" + "".join(f"  {line}\n" for line in lines)).encode(), "a.yaml")


WHO = 'by: ana, date: "2026-01-31"'


def test_there_are_seven_tests_in_each_of_four_sections() -> None:
    assert tuple(test.id for test in TESTS) == IDS
    assert {letter: sum(test.id[0] == letter for test in TESTS) for letter in SECTIONS} == dict.fromkeys("DMIS", 7)
    assert all(test.next_step for test in TESTS if test.id not in ("M1", "I3"))


def test_the_score_is_that_of_the_lowest_section() -> None:
    score = ml_test_score(an_evaluation())
    assert score.score == min(score.sections.values()) < max(score.sections.values())
    assert score.sections[score.next_test.id[0]] == score.score
    assert score.next_test.check is not None  # a line in a file, before anything that asks for people


def test_attested_tests_count_half_by_hand_and_whole_by_themselves() -> None:
    before = ml_test_score(an_evaluation())
    after = ml_test_score(an_evaluation(), attested(f"S1: {{how: manual, {WHO}}}", f"S2: {{how: automated, {WHO}}}"))
    assert after.sections["S"] == before.sections["S"] + 1.5
    assert after.how["S1"] == "attested by ana on 2026-01-31"


def test_what_is_known_to_run_counts_whole() -> None:
    assert ml_test_score(an_evaluation(), known={"I7": "a drill"}).points["I7"] == 1.0


@pytest.mark.parametrize(
    ("id", "evaluation"),
    [
        ("S6", an_evaluation(gates=[a_gate(kind="operating")])),
        ("S4", an_evaluation(gates=[a_gate(kind="maximum_age")])),
        ("M7", an_evaluation(gates=[a_gate(kind="group_gap")])),
        ("D1", an_evaluation(sections=(Section(id="data_contract", heading="", columns=(), rows=()),))),
        ("M3", an_evaluation(training=a_training(trials=5))),
        ("D2", an_evaluation(training=a_training(selection_method="importance"))),
        ("I5", an_evaluation(training=a_training(files=(ArtifactFile(name="golden.json", sha256="x", size=1),)))),
    ],
)
def test_a_computed_test_has_its_point_when_it_is_shown(id: str, evaluation) -> None:
    plain = an_evaluation(
        gates=[], sections=(), training=a_training(trials=1, selection_method="none", files=()), comparisons=()
    )
    assert ml_test_score(evaluation).points[id] == 1.0
    assert ml_test_score(plain).points[id] == 0.0


@pytest.mark.parametrize(
    ("id", "evaluation"),
    [
        ("M7", an_evaluation(gates=[a_gate(kind="group_gap", verdict="fail", reason_code="group_gap_exceeded")])),
        ("M6", an_evaluation(gates=[a_gate(kind="slice_floor", verdict="inconclusive", reason_code="slices_missing")])),
        ("S4", an_evaluation(gates=[a_gate(kind="maximum_age", verdict="inconclusive", reason_code="age_unknown")])),
        ("D1", an_evaluation(sections=(Section(id="data_contract", heading="", columns=("a",), rows=(("b",),)),))),
    ],
)
def test_what_failed_or_could_not_be_told_has_no_point(id: str, evaluation) -> None:
    assert ml_test_score(evaluation).points[id] == 0.0


def test_warnings_of_convergence_cost_the_stability_point() -> None:
    shaky = an_evaluation(training=a_training(warnings=("ConvergenceWarning: lbfgs failed to converge",)))
    assert ml_test_score(shaky).points["S5"] == 0.0 and ml_test_score(an_evaluation()).points["S5"] == 1.0


def test_the_section_names_the_cheapest_next_test() -> None:
    section = score_section(ml_test_score(an_evaluation()))
    assert len(section.rows) == 28 and "Cheapest next test: " in section.note


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"D9: {{how: manual, {WHO}}}", "no test 'D9'"),
        (f"D1: {{how: maybe, {WHO}}}", "manual, automated"),
        ("D1: {how: manual, by: ana}", "is missing"),
        ("D1: {how: manual, by: ana, date: 31.1.2026}", "date"),
    ],
)
def test_an_attestation_of_another_form_is_refused(line: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        attested(line)


def test_what_was_released_verified_and_watched_counts_as_run() -> None:
    to_staging = a_release(environment="staging", counter=1, artifact_digest="a")
    on = a_release(counter=2, artifact_digest="a")
    passed = Verification(
        model="churn",
        environment="staging",
        counter=1,
        artifact_digest="a",
        outcome="passed",
        sentence="",
        checked_at="",
    )
    assert "I6" in in_use([to_staging, on], [passed], ())
    assert "I6" not in in_use([to_staging, on], [passed.model_copy(update={"outcome": "failed"})], ())
    assert "I6" not in in_use([to_staging], [passed], ())
    back = a_release(action="rollback", environment="staging", counter=3)
    assert in_use([to_staging, on, back], (), ())["I7"].startswith("computed: staging went back")
    assert set(in_use((), (), [a_health()])) == {"M4", "S3", "S7"}
    assert in_use((), (), [a_health(judged=False).model_copy(update={"versions": ()})]) == {}
