"""What the workflows promise: least privilege, pinned actions, no text of a stranger in a shell, nothing dropped."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.sandbox.dialect import for_act

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / ".github/workflows").glob("*.yml"))
STAND_INS = ROOT / "bot/sandbox/actions"
BIN = Path(sys.executable).parent
HANDLE = "uv run --frozen --extra {} mlbot handle"
# job -> the extra of pyproject.toml that it installs: what its work needs, and no more
EXTRAS = {
    "plan": "data", "train": "train", "report": "report", "reviewed": "data", "chatops": "data", "promote": "promote",
    "reconcile": "data", "monitor": "monitor", "choose": "data", "reproduce": "train",
    "compare": "report",
}  # fmt: skip
# What `mlbot handle` switches on, by file
JOBS = {
    "pull-request": ["plan", "train", "report"],
    "merge-group": ["merge-group"],
    "review": ["review"],
    "reviewed": ["reviewed"],
    "chatops": ["chatops"],
    "promote": ["promote"],
    "reconcile": ["reconcile"],
    "monitor": ["monitor"],
    "reproduce": ["choose", "reproduce", "compare"],
    "ci": ["test"],
    "arm64": ["test"],
}
WITHOUT_THE_BOT = ("review", "merge-group", "ci", "arm64")


def load(file: Path) -> dict[str, Any]:
    # YAML 1.1 reads `on` as true
    loaded: dict[str, Any] = yaml.safe_load(file.read_text().replace("\non:", '\n"on":'))
    return loaded


def jobs() -> Iterator[Any]:
    for file in FILES:
        for name, job in load(file)["jobs"].items():
            yield pytest.param(file.stem, job, id=f"{file.stem}:{name}")


def steps() -> Iterator[Any]:
    for file in FILES:
        for name, job in load(file)["jobs"].items():
            for number, step in enumerate(job["steps"]):
                yield pytest.param(file.stem, step, id=f"{file.stem}:{name}:{number}")


def test_every_workflow_is_named_as_its_file_and_on_the_list() -> None:
    assert {file.stem: list(load(file)["jobs"]) for file in FILES} == JOBS
    assert all(load(file)["name"] == file.stem for file in FILES)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_permission_unless_a_job_says_why(file: Path) -> None:
    assert load(file)["permissions"] == {}
    granted = re.findall(r"^      [a-z-]+: (?:read|write)(.*)$", file.read_text(), re.MULTILINE)
    assert all(comment.strip().startswith("# ") for comment in granted)


@pytest.mark.parametrize(("stem", "job"), list(jobs()))
def test_every_job_is_bounded_and_says_what_it_may(stem: str, job: dict[str, Any]) -> None:
    assert job["timeout-minutes"] and "permissions" in job
    assert job["runs-on"] in ("ubuntu-24.04-arm", "${{ matrix.runner }}")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_job_is_one_command_with_what_it_needs_installed(file: Path) -> None:
    for name, job in load(file)["jobs"].items():
        runs = [step["run"] for step in job["steps"] if "run" in step]
        assert runs == [HANDLE.format(EXTRAS[name])] if file.stem not in WITHOUT_THE_BOT else len(runs) == 1


@pytest.mark.parametrize(("stem", "job"), list(jobs()))
def test_only_the_tests_see_files_of_a_change(stem: str, job: dict[str, Any]) -> None:
    """Whatever holds a secret or a write permission runs code of the default branch only."""
    for step in job["steps"]:
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
            if stem != "ci":
                assert step["with"]["ref"] == "${{ github.event.repository.default_branch }}"
    if stem in WITHOUT_THE_BOT:
        assert not {"write"} & set(job["permissions"].values()) and "secrets." not in json.dumps(job)


@pytest.mark.parametrize(("stem", "job"), list(jobs()))
def test_the_signing_key_is_in_an_environment_and_never_in_a_job_that_trains(stem: str, job: dict[str, Any]) -> None:
    text = json.dumps(job)
    if "secrets." in text:
        assert job["environment"] == {"name": "mlbot", "deployment": False}
        assert "strategy" not in job
    secrets = re.findall(r"secrets\.(\w+)", text)
    assert set(secrets) <= {"MLBOT_SIGNING_KEY", "MLBOT_APP_KEY"}


@pytest.mark.parametrize(("stem", "step"), list(steps()))
def test_artifacts_are_those_of_the_run_itself(stem: str, step: dict[str, Any]) -> None:
    """With `run-id` or a token of its own, a download could bring what another run, of any branch, has made."""
    if step.get("uses", "").startswith("actions/download-artifact@"):
        assert set(step["with"]) <= {"name", "pattern", "path", "merge-multiple"}


@pytest.mark.parametrize(("stem", "job"), list(jobs()))
def test_caches_are_for_the_tests_only(stem: str, job: dict[str, Any]) -> None:
    """A cache that a pull request could have filled is never restored where it matters."""
    for step in job["steps"]:
        assert not step.get("uses", "").startswith("actions/cache")
        if step.get("uses", "").startswith("astral-sh/setup-uv@"):
            assert step["with"]["enable-cache"] is (stem == "ci")


@pytest.mark.parametrize(("stem", "step"), list(steps()))
def test_no_expression_in_a_shell(stem: str, step: dict[str, Any]) -> None:
    assert "${{" not in step.get("run", "")


def test_actions_are_pinned_by_commit_and_say_their_version() -> None:
    for file in (*FILES, *(ROOT / ".github/actions").glob("*/action.yml")):
        for line in file.read_text().splitlines():
            if " uses:" in line:
                assert re.search(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), f"{file.name}: {line}"


def test_one_pin_an_action() -> None:
    pins = {use for file in FILES for use in re.findall(r" uses: (\S+)", file.read_text())}
    assert len({pin.split("@")[0] for pin in pins}) == len(pins)


# What is pushed elsewhere than to the default branch does nothing, and waits for nobody.
PROMOTIONS = (
    "promote-${{ github.ref_name != github.event.repository.default_branch && github.run_id"
    " || github.event.inputs.environment || 'all' }}"
)


@pytest.mark.parametrize(("stem", "group", "cancels"), [
    ("promote", PROMOTIONS, False),
    (
        "reviewed",
        "reviewed-${{ github.event.workflow_run.head_sha || github.event.pull_request.number"
        " || github.event.issue.number }}",
        False,
    ),
])  # fmt: skip
def test_promotions_and_reviews_queue_up(stem: str, group: str, cancels: bool) -> None:
    concurrency = load(ROOT / f".github/workflows/{stem}.yml")["concurrency"]
    concurrency["group"] = " ".join(concurrency["group"].split()).replace("promote- ${{", "promote-${{")
    assert concurrency == {"group": group, "cancel-in-progress": cancels, "queue": "max"}


@pytest.mark.parametrize(("stem", "job"), list(jobs()))
def test_only_a_training_is_superseded_and_what_writes_waits_its_turn(stem: str, job: dict[str, Any]) -> None:
    """A run that is cancelled half-way, or before it began, has not written what only it was told."""
    groups = [one["concurrency"] for one in (load(ROOT / f".github/workflows/{stem}.yml"), job) if "concurrency" in one]
    may_write = "write" in job["permissions"].values()
    if stem in WITHOUT_THE_BOT:
        assert not may_write
    elif "strategy" in job:
        assert [one["cancel-in-progress"] for one in groups] == [True] and not may_write
    else:
        assert groups and all(one["cancel-in-progress"] is False for one in groups)
        assert all(one.get("queue") == "max" for one in groups) or stem in ("reconcile", "monitor")


def test_a_label_neither_trains_nor_stops_a_training() -> None:
    listens = {file.stem: (load(file)["on"].get("pull_request_target") or {}).get("types", []) for file in FILES}
    assert {"labeled", "unlabeled", "converted_to_draft"} <= set(listens["reviewed"])
    assert not set(listens["pull-request"]) & set(listens["reviewed"])


def test_other_repositories_can_call_what_runs_the_bot() -> None:
    """Without inputs: what a dispatch says is read from the event, which is the caller's."""
    for file in FILES:
        assert ("workflow_call" in load(file)["on"]) is (file.stem not in WITHOUT_THE_BOT), file.name
        assert not re.search(r"[^.]inputs\.", file.read_text()), file.name


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_called_workflow_declares_the_secrets_that_it_uses_and_no_others(file: Path) -> None:
    """What is not declared is empty in a called workflow, also where its job names the environment that holds it."""
    used = set(re.findall(r"secrets\.(\w+)", file.read_text()))
    declared = (load(file)["on"].get("workflow_call") or {}).get("secrets", {})
    assert declared == {name: {"required": False} for name in used}


def documented() -> dict[str, dict[str, Any]]:
    """The examples of docs/reuse.md: callers by file name, and steps by the first line."""
    blocks = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "docs/reuse.md").read_text(), re.MULTILINE | re.DOTALL)
    found = {}
    for block in blocks:
        name = re.match(r"# \.github/workflows/(\S+)\.yml", block)
        found[name[1] if name else "step"] = yaml.safe_load(block.replace("\non:", '\n"on":'))
    return found


@pytest.mark.parametrize("stem", [name for name in documented() if name != "step"])
def test_a_documented_caller_fits_what_it_calls(stem: str) -> None:
    """Same name, same triggers and inputs, every permission that a called job asks for, and nothing passed on."""
    caller, called = documented()[stem], load(ROOT / f".github/workflows/{stem}.yml")
    ((_, job),) = caller["jobs"].items()
    assert job["uses"] == f"OWNER/REPO/.github/workflows/{stem}.yml@FULL_COMMIT_ID" and "workflow_call" in called["on"]
    assert not job.get("with") and (called["on"]["workflow_call"] or {}).get("inputs") is None
    assert (caller["name"], caller.get("run-name")) == (called["name"], called.get("run-name"))
    assert caller["on"].keys() == called["on"].keys() - {"workflow_call"}
    for event, trigger in caller["on"].items():
        declared = called["on"][event]
        if event == "workflow_dispatch":
            bare = {
                name: {k: v for k, v in one.items() if k != "description"} for name, one in declared["inputs"].items()
            }
            assert trigger["inputs"] == bare
        else:
            assert trigger == declared
    declared = called["on"]["workflow_call"]["secrets"]
    assert job["secrets"] == {name: f"${{{{ secrets.{name} }}}}" for name in declared}, "by name, and no others"
    asked = {name for one in called["jobs"].values() for name, level in one["permissions"].items() if level == "write"}
    assert asked <= {name for name, level in job["permissions"].items() if level == "write"}


def test_the_documented_step_names_inputs_that_the_composite_action_has() -> None:
    (step,) = documented()["step"]
    assert step["uses"] == "OWNER/REPO/.github/actions/mlbot@FULL_COMMIT_ID"
    assert step["with"].keys() <= load(ROOT / ".github/actions/mlbot/action.yml")["inputs"].keys()


def test_every_ignored_finding_says_why() -> None:
    for file in FILES:
        for line in file.read_text().splitlines():
            if "zizmor: ignore" in line:
                assert re.search(r"zizmor: ignore\[[a-z-]+\] \w+ .{20}", line), line


@pytest.mark.parametrize(
    "command",
    [
        ["actionlint"],
        ["zizmor", "--offline", "--quiet", "--persona=pedantic", ".github"],
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", *map(str, FILES)],
    ],
    ids=lambda command: command[0],
)
def test_linters_find_nothing(command: list[str]) -> None:
    done = subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# --- the real engine

# Stands for uv: notes the call, and does as `mlbot handle` in the jobs of pull-request.yml
UV = """#!/bin/sh
echo "$GITHUB_JOB|$*|$MLBOT_MODEL" >> "$CALLS"
case "$GITHUB_JOB" in
plan)
  mkdir -p out && echo '{}' > out/plan.json
  echo "any=$ANY" >> "$GITHUB_OUTPUT" && echo "matrix=$MATRIX" >> "$GITHUB_OUTPUT" ;;
train)
  test -f out/plan.json && test "$MLBOT_MODEL" != broken || exit 1
  mkdir -p "out/$MLBOT_MODEL" && echo x > "out/$MLBOT_MODEL/model.skops" ;;
report)
  { echo "train $MLBOT_TRAIN_RESULT"; find out -type f | sort; } >> "$CALLS" ;;
esac
"""
STAND_IN = "name: x\ndescription: x\nruns:\n  using: composite\n  steps:\n    - run: 'true'\n      shell: bash\n"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Run a workflow with a payload; returns what the stand-in for uv was called with, one entry a job."""
    root = tmp_path_factory.mktemp("engine")
    stand_in = root / "action"
    stand_in.mkdir()
    (stand_in / "action.yml").write_text(STAND_IN)
    tools = root / "bin"
    tools.mkdir()
    (tools / "uv").write_text(UV)
    (tools / "uv").chmod(0o755)
    work = root / "work"
    subprocess.run(["git", "init", "-q", "-b", "main", work], check=True)
    uses = {use for file in FILES for use in re.findall(r" uses: (\S+)", file.read_text())}

    def run(
        event: str, file: str, payload: dict[str, Any], *, fails: bool = False, called: bool = False, **more: str
    ) -> list[str]:
        calls = root / "calls"
        calls.write_text("")
        content = {"repository": {"default_branch": "main", "full_name": "o/r"}, **payload}
        (root / "event.json").write_text(json.dumps(content))
        workflow = root / f"{file}.yml"
        workflow.write_text(for_act((ROOT / f".github/workflows/{file}.yml").read_text()))
        if called:  # docs/reuse.md's caller stands in this file's place
            ours = root / "ours/.github/workflows"
            ours.mkdir(parents=True, exist_ok=True)
            workflow = workflow.rename(ours / f"{file}.yml").parents[3] / f"{file}.yml"
            caller = yaml.safe_dump(documented()[file]).replace("OWNER/REPO", "acme/mlbot")
            workflow.write_text(caller.replace("FULL_COMMIT_ID", "a" * 40))
        command = [BIN / "act", event, "-W", workflow, "-e", root / "event.json"]
        command += ["-P", "ubuntu-24.04-arm=-self-hosted", "--no-cache-server", "--env", f"CALLS={calls}"]
        if called:
            command += ["--local-repository", f"acme/mlbot@{'a' * 40}={root / 'ours'}"]
        for use in uses:
            rehearsed = STAND_INS / use.split("@")[0].removeprefix("actions/")
            folder = rehearsed if "artifact" in use else stand_in
            command += ["--local-repository", f"{use}={folder}"]
        store = root / "artifacts"
        shutil.rmtree(store, ignore_errors=True)
        store.mkdir()
        shutil.rmtree(work / "out", ignore_errors=True)
        more |= {"SANDBOX_ARTIFACTS": str(store), "GITHUB_SERVER_URL": "http://127.0.0.1:1", "GITHUB_RUN_ID": "1"}
        for name, value in more.items():
            command += ["--env", f"{name}={value}"]
        path = f"{tools}:{os.environ['PATH']}"
        environment = {"PATH": path, "HOME": str(root), "GITHUB_REPOSITORY": "o/r"}
        done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
        return calls.read_text().splitlines()

    return run


def comment(body: str, *, kind: str = "User", on_pull: bool = True) -> dict[str, Any]:
    issue: dict[str, Any] = {"number": 7, **({"pull_request": {"url": "x"}} if on_pull else {})}
    return {"action": "created", "issue": issue, "comment": {"id": 1, "body": body, "user": {"type": kind}}}


@pytest.mark.engine
@pytest.mark.parametrize(
    ("payload", "starts"),
    [
        (comment("/status"), True),
        (comment("Thanks!\r\n/approve"), True),
        (comment("Thanks!\n/approve"), True),
        (comment("see https://example.org/a and 1/2"), False),
        (comment("LGTM"), False),
        (comment("/status", kind="Bot"), False),
        (comment("/status", on_pull=False), False),
    ],
)
def test_a_comment_without_a_command_starts_nothing(engine: Any, payload: dict[str, Any], starts: bool) -> None:
    """Not even Python: the job's condition is false, in GitHub's own expression language."""
    assert engine("issue_comment", "chatops", payload) == (
        ["chatops|run --frozen --extra data mlbot handle|"] if starts else []
    )


@pytest.mark.engine
@pytest.mark.parametrize("body", ["/status", "LGTM"])
def test_another_repository_s_caller_runs_the_same_job_under_the_same_condition(engine: Any, body: str) -> None:
    handled = ["chatops|run --frozen --extra data mlbot handle|"] if body.startswith("/") else []
    assert engine("issue_comment", "chatops", comment(body), called=True) == handled


@pytest.mark.engine
def test_promotion_runs_on_the_default_branch_only(engine: Any) -> None:
    handled = ["promote|run --frozen --extra promote mlbot handle|"]
    assert engine("push", "promote", {"ref": "refs/heads/main"}) == handled
    assert engine("push", "promote", {"ref": "refs/heads/other"}) == []


@pytest.mark.engine
def test_only_a_review_starts_the_second_half_of_review(engine: Any) -> None:
    run = {"workflow_run": {"event": "pull_request_review", "head_sha": "a" * 40}}
    assert engine("workflow_run", "reviewed", run) == ["reviewed|run --frozen --extra data mlbot handle|"]
    assert engine("workflow_run", "reviewed", {"workflow_run": {"event": "push", "head_sha": "a" * 40}}) == []


PULL_REQUEST = {
    "action": "opened",
    "number": 7,
    "pull_request": {"number": 7, "base": {"ref": "main", "sha": "a" * 40}, "head": {"ref": "x", "sha": "b" * 40}},
}


def planned(*models: str) -> str:
    job = {"runner": "ubuntu-24.04-arm", "timeout_minutes": 5}
    return json.dumps({"include": [{"shard": f"{n:03d}", "model": name, **job} for n, name in enumerate(models)]})


def opened(engine: Any, *models: str, fails: bool = False) -> list[str]:
    wanted = {"ANY": str(bool(models)).lower(), "MATRIX": planned(*models)}
    calls: list[str] = engine("pull_request_target", "pull-request", PULL_REQUEST, fails=fails, **wanted)
    return calls


@pytest.mark.engine
@pytest.mark.parametrize("models", [["churn"], ["churn", "delay"]])
def test_every_planned_model_reaches_the_report_in_its_own_folder(engine: Any, models: list[str]) -> None:
    calls = opened(engine, *models)
    report = calls[calls.index("report|run --frozen --extra report mlbot handle|") + 1 :]
    assert report == [
        "train success",
        "out/plan.json",
        *(f"out/trained/trained-{n:03d}/{name}/model.skops" for n, name in enumerate(models)),
    ]


@pytest.mark.engine
def test_nothing_to_train_is_reported_too(engine: Any) -> None:
    assert opened(engine)[-2:] == ["train skipped", "out/plan.json"]


@pytest.mark.engine
def test_a_training_that_fails_is_reported_with_the_others(engine: Any) -> None:
    calls = opened(engine, "broken", "churn", fails=True)
    assert calls[-3:] == ["train failure", "out/plan.json", "out/trained/trained-001/churn/model.skops"]


@pytest.mark.engine
def test_an_edit_of_words_plans_nothing(engine: Any) -> None:
    edit = PULL_REQUEST | {"action": "edited", "changes": {"title": {"from": "x"}}}
    assert engine("pull_request_target", "pull-request", edit) == []
