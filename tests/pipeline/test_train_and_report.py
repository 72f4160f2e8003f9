"""The train and the report job on a repository in memory: the comment says what the ledger and the branches know."""

from __future__ import annotations

import html
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.ports import Comment
from bot.records.event import Account
from bot.records.ledger import promotion_path
from tests.builders import a_release
from tests.pipeline.world import CHURN, GATES, a_csv, world

SPEC = "models/churn/model.yaml"


def text(page: str) -> str:
    """A comment without its marks."""
    return html.unescape(re.sub(r"<[^>]+>", "", page))


def penalised(strength: float) -> bytes:
    """The spec of `churn` with another penalty; the smaller, the worse the model."""
    return CHURN.replace(
        b"estimator: LogisticRegression",
        f"estimator: {{name: LogisticRegression, parameters: {{C: {strength}}}}}".encode(),
    )


def test_changed_data_name_every_model_that_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    more = a_csv(rows=300, seed=5, first_id=5000).decode().splitlines()[1:]
    older = [f"{row.split(',')[0]},{float(row.split(',')[1]) + 9},{row.split(',', 2)[2]}" for row in more]
    page = text(world(tmp_path, monkeypatch, new_data=a_csv() + "\n".join(older).encode()).evaluate())
    assert "affects 2 of 2 models" in page
    assert re.search(r"\| age \| Kolmogorov-Smirnov \|.*\| alarm \| churn, value \|", page)
    assert re.search(r"\| churn \| 3 \|\n\| value \| 2 \|", page)


def test_the_ml_test_score_counts_attestations_of_the_default_branch_and_drills_of_the_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vouched = b'version: 1\ntests:\n  S1: {how: manual, by: ana, date: "2026-01-31"}\n'
    mine = vouched.replace(b"S1", b"S2").replace(b"ana", b"the author")
    files = {"models/churn/attestation.yaml": vouched}
    made = world(tmp_path, monkeypatch, files=files, head={SPEC: penalised(0.5), "models/churn/attestation.yaml": mine})
    drill = a_release("churn", action="rollback", environment="staging")
    made.ledger.files[promotion_path("churn", 1, "staging")] = drill.canonical()
    page = text(made.evaluate())
    assert "| 0.5 | attested by ana on 2026-01-31 |" in page
    assert "the author" not in page  # what a pull request says of itself counts once it is merged
    assert re.search(r"\| I7 \|.*\| 1 \| computed: staging went back", page)


def test_the_ladder_shows_digits_only_of_a_result_that_beats_the_best_shown_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gates = GATES.replace(b"{steps: 9}", b"{steps: 9, ladder: true}")
    made = world(tmp_path, monkeypatch, gates=gates, head={SPEC: penalised(0.9)})
    first = text(made.evaluate())
    assert re.search(r"\| roc_auc \(primary\) \| 0\.\d+ \|", first)
    made.push(**{SPEC: penalised(0.0001)})
    second = text(made.evaluate())
    assert "it does not beat the best roc_auc of 0.7" in second
    assert "(primary)" not in second and "| roc_auc | 2 | 9 |" in second
    made.push(**{SPEC: penalised(0.9)})
    again = text(made.evaluate())
    assert "| roc_auc | 1 | 9 |" in again, "the same inputs again cost nothing and show what was shown"


def test_why_a_training_failed_is_still_said_after_the_next_comment_or_review(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report of a later event is made from the ledger alone."""
    broken = CHURN.replace(b"numeric: [age, spend]", b"numeric: [age, spendd]")
    made = world(tmp_path, monkeypatch, head={SPEC: broken})
    assert "models/churn/model.yaml:7:27 · no column is called 'spendd'" in text(made.evaluate())
    first = made.comment()
    steps = first.split("### What is missing")[1]
    assert steps.index("the author") < steps.index("/retrain") < steps.index("/approve")
    assert made.rejudge() == first


def test_data_that_grow_too_old_after_the_evaluation_block_the_decision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows are of 2026-11-01; it is 2026-11-23 at the evaluation, and 2026-12-03 when somebody approves."""
    gates = GATES + b"  - {id: fresh, kind: maximum_age, days: 30}\n"
    made = world(tmp_path, monkeypatch, gates=gates, head={SPEC: penalised(0.9)})
    assert "Waiting" in made.evaluate() and "holds until 2026-12-01" in text(made.comment())
    made.clock.pass_days(10)
    page = text(made.rejudge())
    assert "Blocked" in page and "gate fresh failed. It passed until 2026-12-01" in page


def test_models_of_a_draft_wait_and_are_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = world(tmp_path, monkeypatch, head={SPEC: penalised(0.9)})
    made.draft = True
    page = text(made.evaluate())
    assert "churn is not trained yet." in page and "is a draft" in page and "failed" not in page
    made.draft = False
    assert "churn is new" in text(made.evaluate())


def test_the_first_pass_of_a_first_change_condition_retires_the_test_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    condition = b"condition: 'n > 0.5 +/- 0.15', steps: 9, reliability: 0.9, adaptivity: first_change"
    gates = GATES + b"  - {id: right_often, kind: condition, " + condition + b"}\n"
    made = world(tmp_path, monkeypatch, gates=gates, head={SPEC: penalised(0.9)})
    assert re.search(r"right_often \| ✅.pass", text(made.evaluate()))
    made.push(**{SPEC: penalised(0.8)})
    assert "gate right_often fails: The test rows were retired when another model first passed" in text(made.evaluate())
    made.push(**{SPEC: penalised(0.9)})
    assert re.search(r"right_often \| ✅.pass", text(made.evaluate())), "the same inputs again cost nothing"


def test_what_was_said_before_the_evaluation_stands_for_none_however_slow_the_clock_of_its_runner_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger's commits are dated months before the comment, which no run has read before."""
    made = world(tmp_path, monkeypatch, head={SPEC: penalised(0.9)})
    at = made.clock.now()
    assert made.ledger.clock < at
    owen = Account(id=1002, login="owen")
    made.talk.comments_.append(Comment(9000, owen, f"/approve {made.sha}", at, at))
    made.evaluate()
    (path,) = made.ledger.paths("approvals/")
    assert '"evaluation_digest":"sha256' not in (made.ledger.get(path) or b"").decode()
    made.talk.comments_.append(Comment(9001, owen, f"/approve {made.sha}", at, at))
    made.rejudge()
    (later,) = (one for one in made.ledger.paths("approvals/") if one != path)
    assert '"evaluation_digest":"sha256' in (made.ledger.get(later) or b"").decode(), "who says it again has seen it"


def test_a_report_shows_an_evaluation_in_a_later_second_than_it_was_written_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = world(tmp_path, monkeypatch, head={SPEC: penalised(0.9)})
    waits: list[datetime] = []
    monkeypatch.setattr(made.clock, "wait_until", waits.append)
    made.clock.at += timedelta(milliseconds=700)
    made.evaluate()
    assert waits == [made.clock.at.replace(microsecond=0) + timedelta(seconds=1)]
    made.evaluate()
    assert len(waits) == 1, "nothing new is shown"
