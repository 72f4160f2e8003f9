"""Workflows with the real engine: matrix, outputs, artifacts, tokens, queues, cancelling, killing."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.errors import WorldError
from bot.sandbox.store import Run
from bot.sandbox.world import Sandbox
from tests.sandbox.conftest import PEOPLE, template

pytestmark = pytest.mark.engine

CHECKOUT, UPLOAD, DOWNLOAD, UV = (
    f"actions/checkout@{'1' * 40} # v6",
    f"actions/upload-artifact@{'2' * 40}",
    f"actions/download-artifact@{'3' * 40}",
    f"astral-sh/setup-uv@{'4' * 40}",
)
CALL = 'curl -sS -o answer -w "%{http_code}" -X POST -H "Authorization: Bearer $GITHUB_TOKEN"'

PULL_REQUEST = f"""
name: pull-request
on:
  pull_request_target: {{types: [opened, synchronize], paths: ['models/**']}}
  workflow_dispatch: {{inputs: {{number: {{required: true}}}}}}
permissions: {{}}
concurrency:
  group: pr-${{{{ github.event.pull_request.number || inputs.number }}}}
  cancel-in-progress: true
jobs:
  plan:
    runs-on: ubuntu-24.04-arm
    permissions: {{contents: read}}
    outputs: {{matrix: "${{{{ steps.x.outputs.matrix }}}}"}}
    steps:
      - uses: {CHECKOUT}
        with: {{persist-credentials: false, fetch-depth: 0}}
      - uses: {UV}
      - uses: {CHECKOUT}
        with: {{path: other, ref: side, persist-credentials: false}}
      - id: x
        env: {{M: '[{{"model":"a","runner":"ubuntu-24.04-arm"}},{{"model":"b","runner":"big-arm"}}]'}}
        run: |
          test "$(cat model.txt)" = base && test "$(cat other/model.txt)" = side
          test "$(git rev-parse HEAD)" = "$GITHUB_SHA"
          ! git config --get-regexp extraheader
          command -v uv
          echo "matrix=$M" >> "$GITHUB_OUTPUT"
          echo "## Plan" >> "$GITHUB_STEP_SUMMARY"
  train:
    needs: plan
    runs-on: ${{{{ matrix.runner }}}}
    permissions: {{contents: read}}
    strategy: {{matrix: {{include: "${{{{ fromJSON(needs.plan.outputs.matrix) }}}}"}}, fail-fast: false}}
    steps:
      - run: mkdir -p out/$M && echo $M > out/$M/model.txt
        env: {{M: "${{{{ matrix.model }}}}"}}
      - uses: {UPLOAD}
        with: {{name: "trained-${{{{ matrix.model }}}}", path: out/*/}}
  report:
    needs: train
    runs-on: ubuntu-24.04-arm
    permissions: {{pull-requests: write}}
    environment: {{name: mlbot, deployment: false}}
    env:
      GITHUB_TOKEN: ${{{{ github.token }}}}
      KEY: ${{{{ secrets.SIGNING_KEY }}}}
      NUMBER: ${{{{ github.event.pull_request.number || inputs.number }}}}
      HERE: ${{{{ github.api_url }}}}/repos/${{{{ github.repository }}}}
    steps:
      - uses: {DOWNLOAD}
        with: {{pattern: trained-*, path: got, merge-multiple: true}}
      - name: Report
        run: |
          test "$(cat got/a/model.txt got/b/model.txt | tr '\\n' ' ')" = "a b "
          test "$KEY" = "line one" && echo "key is $KEY"
          echo "::warning file=models/a.yaml,line=3::careful"
          test "$({CALL} -d '{{"body":"/approve"}}' "$HERE/issues/$NUMBER/comments")" = 201
          test "$({CALL} -d '{{"state":"success"}}' "$HERE/statuses/$GITHUB_SHA")" = 403
"""

CHATOPS = """
name: chatops
on: {issue_comment: {types: [created]}}
permissions: {}
jobs:
  go:
    if: >-
      github.event.issue.pull_request && github.event.comment.user.type == 'User'
      && (startsWith(github.event.comment.body, '/') || contains(github.event.comment.body, fromJSON('"\\n/"')))
    runs-on: ubuntu-24.04-arm
    steps: [{run: 'echo "::notice::$GITHUB_ACTOR $GITHUB_REF $GITHUB_SHA"'}]
"""

ODD = """
name: odd
on: workflow_dispatch
permissions: {}
jobs:
  ghost:
    runs-on: ${{ fromJSON('"label-of-nobody"') }}
    steps: [{run: 'echo never'}]
"""

SLOW = """
name: slow
on: {workflow_dispatch: {inputs: {to: {default: a}, how: {default: "sleep 30"}}}}
permissions: {}
concurrency: {group: "slow-${{ inputs.to }}", cancel-in-progress: "${{ inputs.to == 'cancel' }}"}
jobs:
  nap:
    runs-on: ubuntu-24.04-arm
    steps: [{run: "${{ inputs.how }}"}]
"""

BROKEN = """
name: broken
on: workflow_dispatch
jobs:
  a: {runs-on: ubuntu-24.04-arm, steps: [{run: exit 3}, {run: echo never}]}
  b: {runs-on: ubuntu-24.04-arm, needs: a, steps: [{run: echo never}]}
  c: {runs-on: ubuntu-24.04-arm, steps: [{uses: someone/unheard-of@v1}]}
  d: {runs-on: ubuntu-24.04-arm, steps: [{run: exit 1, continue-on-error: true}, {run: echo on}]}
"""


FORKED = f"""
name: evil
on: pull_request
permissions: write-all
jobs:
  b:
    runs-on: ubuntu-24.04-arm
    environment: {{name: mlbot}}
    strategy: {{matrix: {{of: [1, 2]}}}}
    steps:
      - run: echo "::notice::began"
      - if: always()
        run: echo "::notice::went on"
    # what follows
  a:
    runs-on: ubuntu-24.04-arm
    env:
      GITHUB_TOKEN: ${{{{ github.token }}}}
      KEY: ${{{{ secrets.SIGNING_KEY }}}}
      HERE: ${{{{ github.api_url }}}}/repos/${{{{ github.repository }}}}/issues/${{{{ github.event.number }}}}
    steps:
      - run: |
          test -z "$KEY"
          echo "::notice::$({CALL} -d '{{"body":"x"}}' "$HERE/comments")"
"""

LATE = """
name: late
on: workflow_dispatch
permissions: {}
jobs:
  quick: {runs-on: ubuntu-24.04-arm, timeout-minutes: 1, steps: [{run: sleep 30}, {run: echo after, if: always()}]}
  next: {runs-on: ubuntu-24.04-arm, needs: quick, if: failure(), steps: [{run: echo told}]}
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("engine")
    files = {"pull-request": PULL_REQUEST, "chatops": CHATOPS, "odd": ODD, "slow": SLOW, "broken": BROKEN, "late": LATE}
    texts = {f".github/workflows/{name}.yml": text for name, text in files.items()}
    source = template(folder / "template", {**texts, "models/a.yaml": "x: 1\n", "model.txt": "base\n"})
    secrets = {"mlbot": {"SIGNING_KEY": "line one"}}
    with Sandbox.start(
        folder / "world", template=source, people=PEOPLE, labels=["big-arm"], secrets=secrets
    ) as sandbox:
        sandbox.commit("rhea", "side", {"model.txt": b"side\n"}, "side", base="main")
        sandbox.settle(30)
        yield sandbox


def dispatch(world: Sandbox, file: str, **inputs: str) -> None:
    workflow = world.github("rhea").get_repo(world.repository).get_workflow(file)
    assert workflow.create_dispatch("main", inputs)


def results(run: Run) -> dict[str, str | None]:
    return {job.name: job.result for job in run.jobs}


@pytest.fixture(scope="module")
def trained(world: Sandbox) -> tuple[int, Run]:
    """A pull request of dana's and the run that it started."""
    number = world.propose("dana", "x", {"models/a.yaml": b"x: 2\n", "model.txt": b"head\n"}, "Change a")
    (run,) = world.settle(60)
    return number, run


def test_a_pull_request_runs_the_workflow_of_the_default_branch(world: Sandbox, trained: tuple[int, Run]) -> None:
    """Plan, matrix from an output, artifacts between jobs, secrets, a token that may do only what was asked for."""
    number, run = trained
    assert run.conclusion == "success", Path(run.log).read_text()
    assert (run.event, run.actor, run.ref, run.pulls) == ("pull_request_target", "dana", "refs/heads/main", [number])
    names = {"pull-request/plan", "pull-request/train-1", "pull-request/train-2", "pull-request/report"}
    assert results(run) == dict.fromkeys(names, "success")
    assert run.summary == "## Plan\n"
    (note,) = run.annotations
    assert (note.level, note.message, note.properties["file"]) == ("warning", "careful", "models/a.yaml")
    assert [step.name for step in run.job("report").steps][-1] == "Report"


def test_what_a_run_asked_of_github_is_counted(world: Sandbox, trained: tuple[int, Run]) -> None:
    _, run = trained
    assert [status for _, _, status in world.requests(run)] == [201, 403]
    assert run.requests == 2


def test_secrets_and_tokens_are_in_no_file_that_stays(world: Sandbox, trained: tuple[int, Run]) -> None:
    """What a run keeps for reading holds neither its token nor its secrets."""
    _, run = trained
    token = next(one.value for one in world.hub.data.tokens.values() if one.run == run.id)
    kept = [path for path in world.folder(run).rglob("*") if path.is_file()]
    assert "log.txt" in {path.name for path in kept}
    for path in kept:
        text = path.read_text(errors="replace")
        assert token not in text, path
        assert "line one" not in text, path


def test_a_runs_own_comment_starts_nothing_and_a_persons_command_does(world: Sandbox, trained: tuple[int, Run]) -> None:
    """The run above wrote `/approve`; only people's commands start chatops, and words start no job."""
    issue = world.github("owen").get_repo(world.repository).get_issue(trained[0])
    assert "chatops" not in {run.name for run in world.runs}
    issue.create_comment("Looks good to me.")
    (skipped,) = world.settle(30)
    assert (skipped.conclusion, skipped.jobs) == ("skipped", [])
    issue.create_comment("Well.\n\n/approve")
    (run,) = world.settle(30)
    tip = world.hub.bare(world.repo).branch("main")
    assert [note.message for note in run.annotations] == [f"owen refs/heads/main {tip}"]


def test_dispatch_passes_inputs(world: Sandbox, trained: tuple[int, Run]) -> None:
    dispatch(world, "pull-request.yml", number=str(trained[0]))
    (run,) = world.settle(60)
    assert (run.event, run.conclusion, run.actor) == ("workflow_dispatch", "success", "rhea")


def test_a_job_whose_runner_nobody_maps_is_a_failure(world: Sandbox) -> None:
    """The engine would skip it without a word and call the run a success."""
    dispatch(world, "odd.yml")
    (run,) = world.settle(30)
    assert (run.conclusion, run.problem) == (
        "failure",
        "job ghost did not run: no runner has the label label-of-nobody",
    )


def test_failures_are_told_job_by_job(world: Sandbox) -> None:
    dispatch(world, "broken.yml")
    (run,) = world.settle(30)
    assert run.conclusion == "failure"
    assert results(run) == {"broken/a": "failure", "broken/c": "failure", "broken/d": "success"}
    assert [(step.name, step.result) for step in run.job("a").steps] == [("exit 3", "failure")]
    assert any("no stand-in" in note.message for note in run.annotations)


def test_runs_of_one_group_never_overlap_and_others_do(world: Sandbox) -> None:
    started = time.monotonic()
    for to in ("one", "one", "two"):
        dispatch(world, "slow.yml", to=to, how="sleep 0.6")
    runs = world.settle(30)
    took = time.monotonic() - started
    assert [run.conclusion for run in runs] == ["success"] * 3
    assert took >= 1.2
    assert runs[2].finished_at is not None and runs[1].finished_at is not None
    assert runs[2].finished_at <= runs[1].finished_at


def test_only_the_newest_waiting_run_of_a_group_stays(world: Sandbox) -> None:
    for _ in range(3):
        dispatch(world, "slow.yml", to="three", how="sleep 0.4")
    assert [run.conclusion for run in world.settle(30)] == ["success", "cancelled", "success"]


def test_a_newer_run_cancels_the_one_that_goes(world: Sandbox) -> None:
    dispatch(world, "slow.yml", to="cancel")
    world.wait_for("the nap", status="in_progress", name="slow")
    time.sleep(0.5)
    dispatch(world, "slow.yml", to="cancel", how="true")
    assert [run.conclusion for run in world.settle(20)] == ["cancelled", "success"]


def test_the_api_cancels_and_runs_again(world: Sandbox) -> None:
    dispatch(world, "slow.yml", to="again")
    run = world.wait_for("the nap", status="in_progress", name="slow")
    time.sleep(0.3)
    remote = world.github("rhea").get_repo(world.repository).get_workflow_run(run.id)
    assert remote.cancel()
    world.settle(20)
    assert (run.status, run.conclusion, run.attempt) == ("completed", "cancelled", 1)
    assert remote.rerun()
    world.wait_for_log(run, "sleep 30", timeout_s=20)
    world.kill(run)
    world.settle(20)
    assert (run.conclusion, run.attempt) == ("failure", 2)
    assert results(run) == {"slow/nap": "failure"}


def test_a_job_that_takes_too_long_is_stopped(world: Sandbox) -> None:
    """`timeout-minutes` ends the job and not the workflow: what comes after can tell people."""
    world.settings.minute_s = 1.0
    dispatch(world, "late.yml")
    (run,) = world.settle(20)
    world.settings.minute_s = 60.0
    assert results(run) == {"late/quick": "failure", "late/next": "success"}
    assert "exceeded the maximum execution time of 1m0s" in run.annotations[0].message
    assert run.seconds < 10


def test_an_event_can_come_twice(world: Sandbox, trained: tuple[int, Run]) -> None:
    world.redeliver(trained[1])
    (again,) = world.settle(60)
    assert (again.event, again.conclusion, again.about) == ("pull_request_target", "success", [trained[0]])
    assert again.id != trained[1].id


def test_a_forks_run_reads_only_and_has_no_secret(world: Sandbox) -> None:
    """What a stranger proposes runs without anything to take, and an environment of the default branch refuses it."""
    world.github("rita").get_repo(world.repository).create_fork()
    work = world.directory / "rita"
    url = world.clone_url("rita").replace("acme/", "rita/")
    world.git("rita", "clone", "-q", url, str(work), cwd=world.directory)
    (work / ".github/workflows/evil.yml").write_text(FORKED)
    world.git("rita", "add", "-A", cwd=work)
    world.git("rita", "commit", "-q", "-m", "evil", cwd=work)
    world.git("rita", "push", "-q", "origin", "HEAD:refs/heads/evil", cwd=work)
    assert world.settle(20) == []
    world.github("rita").get_repo(world.repository).create_pull(base="main", head="rita:evil", title="Evil", body="")
    (run,) = world.settle(30)
    refused = f'Branch "{run.ref}" is not allowed to deploy to mlbot due to environment protection rules.'
    assert (run.ref[:10], run.name, run.conclusion) == ("refs/pull/", "evil", "failure"), Path(run.log).read_text()
    by_job = {one.key: [note.message for note in run.annotations if note.job == one.name] for one in run.jobs}
    assert by_job["a"] == ["403"]
    assert by_job["b"] == [refused, "The deployment was rejected or didn't satisfy other protection rules."]
    assert [(one.key, one.result, len(one.steps)) for one in run.jobs if one.key == "b"] == [("b", "failure", 0)] * 2


def test_a_sandbox_that_does_not_settle_says_which_run_goes_on(world: Sandbox) -> None:
    dispatch(world, "slow.yml", to="late", how="bash -c 'sleep 30 # late'")
    world.wait_for("the nap", status="in_progress", name="slow")
    with pytest.raises(WorldError, match=r"not quiet after 0 s: slow #\d+ \(in_progress\)"):
        world.settle(0.1)
    world.wait_for_log(world.runs[-1], "sleep 30")
    world.kill(world.runs[-1])
    world.settle(20)
    assert not processes_with("sleep 30 # late")


def processes_with(text: str) -> list[str]:
    """Command lines on this machine that hold the text."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            found += [line] if text in line else []
    return found
