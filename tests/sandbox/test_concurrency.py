"""Concurrency groups, conditions of jobs, and what a cancelled run still does, as GitHub has them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox import conditions
from bot.sandbox.concurrency import MOST_WAITING, Claim, Groups, InvalidError, claim_of
from bot.sandbox.store import Run
from bot.sandbox.world import Sandbox
from tests.sandbox.conftest import PEOPLE, template


def claim(run: int, **wishes: Any) -> Claim:
    return Claim(wishes.pop("group", "g"), run, **wishes)


def test_a_newer_waiting_claim_takes_the_place_of_the_one_that_waits() -> None:
    groups, (one, two, three) = Groups(), (claim(1), claim(2), claim(3, group="G"))
    assert groups.enter(one) == []
    assert groups.enter(two) == []
    assert groups.enter(three) == [two]
    groups.leave(one)
    assert groups.holds(three) and not groups.holds(two)


def test_whoever_cancels_waits_until_the_holder_has_ended() -> None:
    groups, (one, two, three) = Groups(), (claim(1), claim(2), claim(3, cancels=True))
    groups.enter(one)
    groups.enter(two)
    assert groups.enter(three) == [two, one]
    assert groups.holds(one) and not groups.holds(three)
    groups.leave(one)
    assert groups.holds(three)


def test_with_queue_max_everybody_waits_in_order_up_to_a_hundred() -> None:
    groups, claims = Groups(), [claim(n, queues=True) for n in range(MOST_WAITING + 1)]
    assert [groups.enter(one) for one in claims] == [[]] * len(claims)
    last = claim(999, queues=True)
    assert groups.enter(last) == [last]
    for one in claims:
        assert groups.holds(one)
        groups.leave(one)


def test_a_claim_without_queue_empties_a_queue() -> None:
    groups, (one, two, three, four) = Groups(), (claim(1), *(claim(n, queues=True) for n in (2, 3)), claim(4))
    for each in (one, two, three):
        groups.enter(each)
    assert groups.enter(four) == [two, three]


def test_a_job_that_waits_for_its_own_run_is_put_out() -> None:
    """GitHub calls it a deadlock."""
    groups, job = Groups(), claim(1, job="a")
    groups.enter(claim(1))
    assert groups.enter(job) == [job]


def test_what_leaves_the_queue_is_not_served() -> None:
    groups, (one, two) = Groups(), (claim(1), claim(2))
    groups.enter(one)
    groups.enter(two)
    groups.leave(two)
    groups.leave(one)
    assert not groups.holds(two) and groups.enter(claim(3)) == []


def test_queue_max_and_cancel_in_progress_exclude_each_other() -> None:
    given = {"group": "${{ github.ref }}", "cancel-in-progress": "${{ github.ref == 'x' }}", "queue": "max"}
    with pytest.raises(InvalidError):
        claim_of(given, {"github": {"ref": "x"}}, "acme/models", 1)
    found = claim_of(given, {"github": {"ref": "Main"}}, "acme/models", 1)
    assert found is not None and (found.group, found.cancels, found.queues) == ("acme/models:main", False, True)


# condition, result of its need, whether the run was cancelled -> does the job run
@pytest.mark.parametrize(
    ("condition", "result", "is_cancelled", "expected"),
    [
        ("", "success", False, True),
        ("", "failure", False, False),
        ("", "skipped", False, False),
        ("", "success", True, False),
        ("always()", "failure", False, True),
        ("always()", "cancelled", True, True),
        ("!cancelled()", "failure", False, True),
        ("!cancelled()", "success", True, False),
        ("${{ !cancelled() && needs.a.result == 'success' }}", "failure", False, False),
        ("failure()", "failure", False, True),
        ("failure()", "failure", True, False),
        ("cancelled()", "success", True, True),
        ("success() || needs.a.result == 'skipped'", "skipped", False, True),
        ("github.event.action != 'edited' || github.event.changes.base", "success", False, True),
        ("github.event.changes", "success", False, True),  # an empty object is true
        ("github.event.none == ''", "success", False, True),
        ("fromJSON('[1, 2]')[1] >= 2", "success", False, True),
    ],
)
def test_a_jobs_condition(condition: str, result: str, is_cancelled: bool, expected: bool) -> None:
    contexts = {
        "github": {"event": {"action": "edited", "changes": {"base": {"ref": {}}}}},
        "needs": {"a": {"result": result}},
    }
    if condition == "github.event.changes":
        contexts["github"]["event"]["changes"] = {}
    job = {"needs": "a", "if": condition} if condition else {"needs": ["a"]}
    assert conditions.runs(job, contexts, {"a": result}, is_cancelled=is_cancelled) is expected


JOBS = """
name: jobs
on: {workflow_dispatch: {inputs: {how: {default: "true"}, to: {default: a}}}}
permissions: {}
jobs:
  free:
    runs-on: ubuntu-24.04-arm
    steps: [{run: 'true'}]
  held:
    needs: free
    if: inputs.to != 'nobody'
    runs-on: ubuntu-24.04-arm
    concurrency:
      group: Deploy-${{ inputs.to }}-${{ needs.free.result }}
      cancel-in-progress: ${{ inputs.to == 'now' }}
    steps:
      - run: ${{ inputs.how }}
"""
ALONE = """
name: alone
on: {workflow_dispatch: {inputs: {how: {default: "true"}}}}
permissions: {}
jobs:
  one:
    runs-on: ubuntu-24.04-arm
    concurrency: {group: deploy-a-success, queue: max}
    steps: [{run: "${{ inputs.how }}"}]
"""
CLEANED = """
name: cleaned
on: workflow_dispatch
permissions: {}
jobs:
  work:
    runs-on: ubuntu-24.04-arm
    steps:
      - run: sleep 30
      - run: echo told
        if: always()
      - run: echo broke
        if: failure()
      - run: echo went on
        if: "!cancelled()"
  tidy:
    needs: work
    if: always()
    runs-on: ubuntu-24.04-arm
    steps: [{run: 'echo "::notice::work was ${{ needs.work.result }}"'}]
  report:
    needs: work
    if: "!cancelled()"
    runs-on: ubuntu-24.04-arm
    steps: [{run: echo report}]
"""
ONGOING = """
name: ongoing
on: workflow_dispatch
permissions: {}
jobs:
  work: {runs-on: ubuntu-24.04-arm, steps: [{run: sleep 30}]}
  upload: {runs-on: ubuntu-24.04-arm, if: always(), steps: [{run: sleep 0.8}, {run: "true"}]}
"""
REFUSED = """
name: refused
on: workflow_dispatch
concurrency: {group: x, cancel-in-progress: true, queue: max}
jobs:
  one: {runs-on: ubuntu-24.04-arm, steps: [{run: echo never}]}
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("concurrency")
    files = {"jobs": JOBS, "alone": ALONE, "cleaned": CLEANED, "ongoing": ONGOING, "refused": REFUSED}
    texts = {f".github/workflows/{name}.yml": text for name, text in files.items()}
    source = template(folder / "template", {**texts, "models/a.yaml": "x: 1\n"})
    with Sandbox.start(folder / "world", template=source, people=PEOPLE) as sandbox:
        yield sandbox


def dispatch(world: Sandbox, file: str, **inputs: str) -> None:
    workflow = world.github("rhea").get_repo(world.repository).get_workflow(file)
    assert workflow.create_dispatch("main", inputs)


def ends(runs: list[Run]) -> list[tuple[str | None, dict[str, str | None]]]:
    return [(run.conclusion, {job.key: job.result for job in run.jobs}) for run in runs]


@pytest.mark.engine
def test_a_jobs_group_holds_that_job_only(world: Sandbox) -> None:
    """Jobs of two workflows share a group: the second waits while its run's other job is done. Nobody sees the gate."""
    dispatch(world, "jobs.yml", how="sleep 1")
    first = world.wait_for("the deploy", name="jobs")
    world.wait_for_log(first, "Run Main sleep 1")
    dispatch(world, "alone.yml")
    second = world.wait_for("the other", name="alone")
    assert second.status == "queued"
    runs = world.settle(30)
    assert ends(runs) == [("success", {"free": "success", "held": "success"}), ("success", {"one": "success"})]
    assert first.finished_at is not None and second.started_at is not None
    assert first.finished_at <= second.started_at
    assert [step.name for step in second.job("one").steps] == ["true"]


@pytest.mark.engine
def test_a_job_is_put_out_by_a_newer_one_and_its_run_is_cancelled(world: Sandbox) -> None:
    """A job that is skipped claims nothing; one that goes is stopped when a newer one asks for it."""
    dispatch(world, "jobs.yml", to="now", how="sleep 30")
    first = world.wait_for("the deploy", name="jobs")
    world.wait_for_log(first, "Run Main sleep 30")
    dispatch(world, "jobs.yml", to="nobody")
    dispatch(world, "jobs.yml", to="now")
    assert ends(world.settle(30)) == [
        ("cancelled", {"free": "success", "held": "cancelled"}),
        ("success", {"free": "success"}),
        ("success", {"free": "success", "held": "success"}),
    ]


@pytest.mark.engine
def test_what_a_cancelled_run_still_does(world: Sandbox) -> None:
    """Steps and jobs of `always()` run, those of `!cancelled()` and `failure()` do not."""
    dispatch(world, "cleaned.yml")
    run = world.wait_for("the work", name="cleaned")
    world.wait_for_log(run, "Run Main sleep 30")
    assert world.github("rhea").get_repo(world.repository).get_workflow_run(run.id).cancel()
    world.settle(20)
    assert ends([run]) == [("cancelled", {"work": "cancelled", "tidy": "success"})]
    assert [note.message for note in run.annotations] == ["work was cancelled"]
    text = Path(run.log).read_text()
    assert ("told\n" in text, "broke\n" in text, "went on\n" in text) == (True, False, False)


@pytest.mark.engine
def test_a_job_of_always_that_has_begun_goes_on_in_a_cancelled_run(world: Sandbox) -> None:
    dispatch(world, "ongoing.yml")
    run = world.wait_for("the work", name="ongoing")
    for what in ("sleep 30", "sleep 0.8"):
        world.wait_for_log(run, f"Run Main {what}")
    world.engine.control("cancel", run.id)
    world.settle(20)
    assert ends([run]) == [("cancelled", {"work": "cancelled", "upload": "success"})]


@pytest.mark.engine
def test_a_run_that_did_not_begin_is_cancelled_and_has_no_job(world: Sandbox) -> None:
    dispatch(world, "alone.yml", how="sleep 1")
    dispatch(world, "alone.yml")
    waiting = world.wait_for("the second", name="alone", status="queued")
    world.engine.control("cancel", waiting.id)
    assert [one[0] for one in ends(world.settle(20))] == ["success", "cancelled"]
    assert waiting.jobs == []


def test_a_workflow_that_github_refuses_fails_before_its_first_job(world: Sandbox) -> None:
    dispatch(world, "refused.yml")
    (run,) = world.settle(10)
    assert (run.conclusion, run.jobs) == ("startup_failure", [])
