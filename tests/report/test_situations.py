"""What a reviewer reads first, in each situation: the headline, is it better, for whom is it worse."""

from __future__ import annotations

import re

import pytest

from bot.records.evaluation import Budget, MissingBaseline
from bot.records.release import Approver
from bot.records.report import Report
from bot.report.annotations import workflow_commands
from bot.report.findings import affected
from bot.report.html import page
from bot.report.markdown import comment, summary
from bot.report.overview import overview
from bot.report.status import plain, statuses
from bot.report.terminal import table
from bot.report.withhold import released
from tests.builders import a_comparison, a_decision, a_gate, a_plan, an_evaluation
from tests.report.github import ATTRIBUTES, ELEMENTS, tree
from tests.report.situations import SITUATIONS, all_good, flights, report

ROSE = "Yes: roc_auc rose from 0.759 to 0.773: +0.0142 (+0.0111 to +0.0173)."
SAID = {
    "all-good": (
        "⏳ Waiting: flights is better than what is deployed.",
        ROSE,
        "No group is clearly worse (5 slices compared).",
    ),
    "worse-on-one-slice": (
        "⛔ Blocked: flights fails its gate no_slice_worse; it is better than what is deployed, but worse for "
        "origin = JFK.",
        ROSE,
        "origin = JFK 0.739, −0.021 (−0.028 to −0.015) on 6,700 rows.",
    ),
    "worse-within-margin": (
        "⏳ Waiting: flights is better than what is deployed, but worse for origin = JFK.",
        ROSE,
        "origin = JFK 0.751, −0.012 (−0.018 to −0.006) on 6,700 rows.",
    ),
    "inconclusive": (
        "⛔ Blocked: a gate of flights cannot tell; flights shows no clear difference from what is deployed.",
        "Cannot tell: roc_auc 0.772 → 0.773, +0.0011 (−0.0020 to +0.0042). "
        "20,000 test rows show a difference of 0.0031 or more four times in five.",
        "No group is clearly worse (2 slices compared).",
    ),
    "first-model": (
        "⏳ Waiting: flights is new: nothing is deployed to compare it with.",
        "Nothing is deployed to compare with. "
        "roc_auc 0.773 against 0.742 of a linear model: +0.031 (+0.027 to +0.036).",
        "",
    ),
    "data-change": (
        "⏳ Waiting: flights is better; bikes is unclear.",
        "bikes · Cannot tell: mae 40.9 rides → 41.3 rides, +0.4 (−0.9 to +1.7). "
        f"2,000 test rows show a difference of 1.3 or more four times in five. flights · {ROSE}",
        "No group is clearly worse (5 slices compared).",
    ),
    "training-failed": ("⛔ Blocked: accidents is invalid; flights is not trained.", "Not known yet.", ""),
    "hundred-models": (
        "⛔ Blocked: store_000, store_011, store_019 and 8 more fail gates; 100 models: 11 worse, 40 better, "
        "49 unclear.",
        "11 worse: store_000, store_011, store_019 and 8 more; 40 better: store_002, store_005, store_008 and 37 more; "
        "49 unclear: store_001, store_003, store_004 and 46 more",
        "No group is clearly worse (200 slices compared).",
    ),
    "documentation-only": ("➖ Nothing to decide: no model is affected.", "", ""),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_first_lines_answer_the_reviewers_questions(name: str) -> None:
    seen = overview(SITUATIONS[name]())
    assert (plain((f"{seen.verdict}:", *seen.headline)), plain(seen.better), plain(seen.worse_for)) == SAID[name]


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_comment_names_who_can_act_and_the_command_to_paste(name: str) -> None:
    made = SITUATIONS[name]()
    page = comment(made)
    for step in made.decision.unblock if made.decision else ():
        assert all(f"<strong>{who}</strong>" in page for who in step.who)
        assert step.command is None or f"```text\n{step.command}\n```" in page


def test_people_who_would_use_the_same_command_share_it() -> None:
    assert comment(all_good()).count("```text") == 1


STATUSES = {
    "all-good": ("success", "pending"),
    "worse-on-one-slice": ("success", "failure"),
    "inconclusive": ("success", "failure"),
    "training-failed": ("failure", "failure"),
    "documentation-only": ("success", "success"),
}


@pytest.mark.parametrize(("name", "states"), STATUSES.items())
def test_the_statuses_say_were_the_numbers_made_and_may_it_go_in(name: str, states: tuple[str, str]) -> None:
    evaluation, verdict = statuses(SITUATIONS[name]())
    assert (evaluation.context, verdict.context) == ("mlbot/evaluation", "mlbot/verdict")
    assert (evaluation.state, verdict.state) == states
    assert evaluation.url == "https://github.com/acme/forecasts/actions/runs/4242/artifacts/77"


def test_while_models_train_the_report_says_so_and_no_status_is_green() -> None:
    made = Report(plan=a_plan("churn", "bikes"), evaluations={"churn": an_evaluation()})
    evaluation, verdict = statuses(made)
    assert (evaluation.state, evaluation.description) == ("pending", "1 of 2 models still to evaluate")
    assert (verdict.state, verdict.description) == ("pending", "Not decided yet")
    assert overview(made).verdict == "⏳ Training"
    assert "bikes</code> is being trained" in comment(made)


def test_annotations_stand_on_the_very_line() -> None:
    failed = workflow_commands(SITUATIONS["training-failed"]())
    assert failed[0].startswith("::error file=models/accidents/model.yaml,line=7,col=3,title=accidents%3A invalid::")
    assert failed[1].startswith(
        "::error file=models/flights/model.yaml,line=9,col=11,title=flights%3A training failed::"
    )
    gate = workflow_commands(SITUATIONS["worse-on-one-slice"]())
    assert [line.split("::")[1] for line in gate] == [
        "error file=policies/gates.yaml,line=12,title=flights%3A gate no_slice_worse fails"
    ]
    unclear = workflow_commands(SITUATIONS["inconclusive"]())
    assert unclear[0].startswith("::warning file=policies/gates.yaml,line=7,")
    assert workflow_commands(all_good()) == []
    assert len(workflow_commands(SITUATIONS["hundred-models"]())) == 10


def test_the_useful_line_of_a_traceback_and_the_spec_line_are_seen_without_a_click() -> None:
    page = comment(SITUATIONS["training-failed"]())
    first = page.split("<details>", maxsplit=1)[0]
    assert "models/flights/model.yaml:9:11" in first
    assert "has 1 row; 5 folds need at least 5." in first
    assert "pipeline.fit" not in first
    assert "pipeline.fit" in page


def test_a_known_evaluation_is_said_to_be_known() -> None:
    page = comment(SITUATIONS["data-change"]())
    assert "1 model with known inputs not trained again." in page
    assert "<code>bikes</code> (known)" in page


def test_lower_is_better_turns_the_answer_around() -> None:
    losses = (a_comparison(-0.02, metric="log_loss", low=-0.03, high=-0.01),)
    made = report(an_evaluation(primary_metric="log_loss", comparisons=losses))
    assert plain(overview(made).better).startswith("Yes: log_loss fell from")


def test_who_has_approved_and_break_glass_are_not_overlooked() -> None:
    decision = a_decision("approved", flags=("break_glass",))
    people = (Approver(id=1, login="owen", role="model-owner"), Approver(id=2, login="vera", role="model-validator"))
    models = tuple(one.model_copy(update={"approved_by": people}) for one in decision.models)
    page = comment(report(an_evaluation(), decision=decision.model_copy(update={"models": models})))
    assert "owen (model-owner) and vera (model-validator)." in page
    assert "Break-glass was used" in page


def test_a_withheld_result_shows_no_digit_in_any_format() -> None:
    """Not even when the caller hands over the whole evaluation."""
    budget = (Budget(test_rows_digest="x", metric="roc_auc", used=9, allowed=20, ladder="withheld", best=0.775),)
    gate = a_gate(sentence="roc_auc is 0.7734", verdict="fail")
    made = report(flights(budget=budget, gates=(gate,)))
    lines = [one.description for one in statuses(made)] + workflow_commands(made)
    for shown in (comment(made), summary(made), page(made), table(made, details_of=True), *lines):
        assert not re.search(r"0\.773|0\.7734|0\.759|\+0\.014|14,220", shown)
    assert "does not beat the best" in comment(made)
    assert "withheld" in comment(made)
    assert plain(overview(released(made)).better) == (
        "Not shown: it does not beat the best roc_auc of 0.7750 so far by more than chance."
    )


def test_a_champion_that_cannot_be_scored_is_not_taken_for_a_first_model() -> None:
    missing = (MissingBaseline(environment="production", reason="its artifact is gone", code="not_scored"),)
    made = report(an_evaluation(comparisons=(), missing_baselines=missing))
    seen = overview(made)
    assert plain(seen.headline) == "churn could not be compared: what is deployed cannot be scored on these rows."
    assert plain(seen.better) == "What is in production could not be scored."
    assert "Not compared with production: its artifact is gone" in comment(made)


def test_models_that_need_attention_come_first() -> None:
    made = SITUATIONS["hundred-models"]()
    order = affected(made)
    assert [made.evaluations[name].verdict for name in order[:11]] == ["fail"] * 11
    assert comment(made).index("store_011") < comment(made).index("store_001")


def test_the_summary_is_the_same_page_without_the_marker() -> None:
    made = all_good()
    assert comment(made) == f"<!-- mlbot:report:mlbot -->\n{summary(made)}"


def test_rendering_is_a_function_of_the_report_alone() -> None:
    for make in SITUATIONS.values():
        assert comment(make()) == comment(make())
        assert Report.parse(make().canonical(), source="test") == make()


def test_the_terminal_shows_the_same_answers_within_its_width() -> None:
    made = table(SITUATIONS["worse-on-one-slice"](), width=100, details_of=True)
    assert "⛔ Blocked: flights fails its gate no_slice_worse; it is better" in made
    assert max(map(len, made.splitlines())) <= 100


def test_skipped_models_are_listed_with_their_reason() -> None:
    assert "Only its README changed." in comment(SITUATIONS["documentation-only"]())


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_comment_uses_only_what_githubs_sanitizer_lets_through(name: str) -> None:
    elements = [one for one in tree(comment(SITUATIONS[name]())).iter() if isinstance(one.tag, str)]
    assert {one.tag for one in elements} - {"DOCUMENT_FRAGMENT"} <= ELEMENTS
    assert {key for one in elements for key in one.attrib} <= ATTRIBUTES


def test_of_several_new_models_each_says_so_once() -> None:
    linear = (a_comparison(0.03, baseline="linear", baseline_artifact_digest=None),)
    made = report(*(an_evaluation(name, comparisons=linear, missing_baselines=()) for name in ("bikes", "churn")))
    seen = overview(made)
    assert plain(seen.headline) == "bikes and churn are new."
    assert plain(seen.better).startswith("bikes · New: roc_auc ") and "Nothing is deployed" not in plain(seen.better)


def test_kinds_of_change_are_named_in_the_order_of_their_weight() -> None:
    made = report(an_evaluation(), plan=a_plan("churn", change_kinds=("docs", "other", "policy", "schema", "spec")))
    assert plain(overview(made).changed).startswith("model specs, data schemas, policies, documentation, other files;")
