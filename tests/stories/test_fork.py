"""A stranger's pull request full of traps: nothing of it runs, and its one honest change is trained when asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.sandbox.people import Person
from bot.sandbox.world import Sandbox
from tests.stories.world import BIKES, ROOT, bikes, bot_said, ledger, rehearsal, say, verdict

pytestmark = [
    pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("fork"),
]  # fmt: skip
NAMES = (
    "$(touch PWNED)", "`touch PWNED`", "a;touch PWNED", "::error::pwned", "::set-output name=any::true",
    "a\n::error::pwned", "![x](y)", "<img src=x>", "@acme", "| a |", "-rf", "..;", "\u202edrowssap", "UPPER",
)  # fmt: skip


def trap(marker: Path) -> dict[str, bytes]:
    """Files that write `marker` when anything of the pull request is imported, executed, or taken for a setting."""
    python = f"open({str(marker)!r}, 'w').close()\n".encode()
    shell = f"touch {marker}"
    workflow = f"on: [pull_request_target]\njobs:\n  plan: {{runs-on: ubuntu-24.04, steps: [{{run: {shell}}}]}}\n"
    code = ("bot/__init__.py", "bot/pipeline/plan_job.py", "conftest.py", "sitecustomize.py", "models/__init__.py")
    return {
        **dict.fromkeys(code, python),
        ".github/workflows/pull-request.yml": workflow.encode(),
        "Makefile": f"all:\n\t{shell}\n".encode(),
        ".dvc/config": b"[core]\n  remote = evil\n['remote \"evil\"']\n  url = ssh://evil.invalid/data\n",
        BIKES: bikes(61),
        **{f"models/{name}/model.yaml": (ROOT / BIKES).read_bytes() for name in NAMES},
    }


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    mallory = Person("mallory", 1005, "stranger", "read")
    with rehearsal(tmp_path_factory.mktemp("fork") / "world", strangers=[mallory]) as started:
        yield started


def propose_from_fork(sandbox: Sandbox, marker: Path) -> tuple[int, str]:
    """Number and head of a pull request of mallory's."""
    sandbox.github("mallory").get_repo(sandbox.repository).create_fork()
    work = sandbox.directory / "mallory"
    url = sandbox.clone_url("mallory").replace("acme/", "mallory/")
    sandbox.git("mallory", "clone", "-q", url, str(work), cwd=sandbox.directory)
    for name, data in trap(marker).items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_bytes(data)
    (work / "models/linked").symlink_to("../policies")
    (work / "models/passwd").mkdir()
    (work / "models/passwd/model.yaml").symlink_to("/etc/passwd")
    sandbox.git("mallory", "add", "-A", "--force", cwd=work)
    sandbox.git("mallory", "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},models/sub", cwd=work)
    sandbox.git("mallory", "commit", "-q", "-m", "an honest change", cwd=work)
    sandbox.git("mallory", "push", "-q", "origin", "HEAD:refs/heads/idea", cwd=work)
    repository = sandbox.github("mallory").get_repo(sandbox.repository)
    pull = repository.create_pull(base="main", head="mallory:idea", title="$(touch PWNED) ::error::pwned", body="")
    return pull.number, pull.head.sha


def jobs(sandbox: Sandbox) -> dict[str, str | None]:
    """Results of the jobs of the newest training run."""
    run = [one for one in sandbox.runs if one.file == "pull-request.yml"][-1]
    errors = [note for note in run.annotations if note.level == "error"]
    assert all("is not a model name" in note.message for note in errors), "only the bot's own"
    return {job.name.split("/")[1].split()[0]: job.result for job in run.jobs}


def test_a_fork_is_trained_when_somebody_who_may_names_its_commit_and_nothing_of_it_ever_runs(sandbox: Sandbox) -> None:
    marker = sandbox.directory / "PWNED"
    number, head = propose_from_fork(sandbox, marker)
    sandbox.settle()
    assert jobs(sandbox) == {"plan": "success", "report": "success"}, "nothing is trained"
    report = bot_said(sandbox, number)[0]
    assert head in report, "the report has the line to paste"
    assert not any(text in report for text in ("<img", "![x]", "@acme", "$(touch", "\n::", "\u202e"))

    say(sandbox, "mallory", number, f"/retrain {head}")
    assert "was refused" in bot_said(sandbox, number)[-1]
    assert not any(run.event == "workflow_dispatch" for run in sandbox.runs)

    say(sandbox, "dana", number, f"/retrain\n/retrain {head}")
    assert "target_missing" in bot_said(sandbox, number)[-1], "without the commit id it is refused"
    assert jobs(sandbox) == {"plan": "success", "train": "success", "report": "success"}
    evaluated = [path for path in ledger(sandbox) if path.startswith("evaluations/")]
    assert [path.split("/")[1] for path in evaluated] == ["bike-rentals"], "from the default branch's data remote"
    assert verdict(sandbox, number) not in ("success", "none")
    assert not list(sandbox.directory.rglob("PWNED"))
