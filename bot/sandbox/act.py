"""One workflow run with the real Actions engine, `act`: its folder, its command line, its log read back."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from bot.errors import WorldError
from bot.sandbox import actlog, dialect, gates, processes
from bot.sandbox.bare import Bare
from bot.sandbox.store import Run
from bot.sandbox.triggers import Start
from bot.sandbox.workflows import _uses

if TYPE_CHECKING:
    from bot.sandbox.hub import Hub

STAND_INS = Path(__file__).parent / "actions"
# action -> folder of its stand-in; everything else is `missing`, which fails when it is called
KNOWN = {
    "actions/checkout": "checkout",
    "actions/upload-artifact": "upload-artifact",
    "actions/download-artifact": "download-artifact",
    "actions/cache": "cache",
    "actions/setup-python": "present",
    "actions/setup-node": "present",
    "astral-sh/setup-uv": "present",
}


@dataclass
class Job:
    """Everything that one run of `act` is given."""

    run: Run
    start: Start
    folder: Path
    bare: Bare
    url: str
    token: str
    environment: dict[str, str]
    labels: set[str]
    secrets: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    others: dict[str, Bare] = field(default_factory=dict)  # repositories of this server whose workflows may be called
    closed: frozenset[str] = frozenset()  # environments that this ref may not deploy to

    @property
    def work(self) -> Path:
        return self.folder / "work"


def engine_path() -> str:
    """The `act` of this environment. Raises WorldError when there is none."""
    beside = Path(sys.executable).parent / "act"
    found = str(beside) if beside.exists() else shutil.which("act")
    if found is None:
        hint = "Install mlbot's extra `sandbox`: `uv sync --inexact --extra sandbox`."
        raise WorldError("the Actions engine `act` is not installed", hint=hint, code="act_missing")
    return found


def prepare(job: Job) -> None:
    """Lay out the run's folder: a repository at the right HEAD with only `.github`, payload, secrets, stand-ins."""
    for name in ("home", "artifacts", "work", "tmp", "gates"):
        (job.folder / name).mkdir(parents=True, exist_ok=True)
    _work_tree(job)
    payload = dict(job.start.payload)
    if job.start.event == "pull_request_review":
        payload["number"] = payload["pull_request"]["number"]  # act derives github.ref from it; GitHub's has none
    if job.start.event == "pull_request_target":
        # act takes GITHUB_SHA from here, and GitHub's is the tip of the default branch
        pull = payload["pull_request"]
        payload["pull_request"] = pull | {"base": pull["base"] | {"sha": job.start.sha}}
    (job.folder / "event.json").write_text(json.dumps(payload))
    secret_file = job.folder / "secrets"
    secret_file.touch(mode=0o600)
    secret_file.write_text(_dotenv({"GITHUB_TOKEN": job.token} | job.secrets))
    (job.folder / "variables").write_text(_dotenv(job.variables))


def _dotenv(values: dict[str, str]) -> str:
    return "".join(f"{name}={json.dumps(value)}\n" for name, value in values.items())


def _work_tree(job: Job) -> None:
    """The objects are the server's own; HEAD is what GITHUB_SHA shall be."""
    git = job.work / ".git"
    for part in ("objects/info", "refs/heads"):
        (git / part).mkdir(parents=True, exist_ok=True)
    (git / "objects/info/alternates").write_text(f"{job.bare.path.resolve()}/objects\n")
    (git / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = false\n")
    head = f"{job.start.sha}\n"
    if job.start.ref.startswith("refs/heads/"):
        ref = git / job.start.ref
        ref.parent.mkdir(parents=True, exist_ok=True)
        ref.write_text(head)
        head = f"ref: {job.start.ref}\n"
    (git / "HEAD").write_text(head)
    _export(job.bare, job.start.sha, ".github", job.work)
    _translate(job.work, job.closed)


def _export(bare: Bare, sha: str, path: str, into: Path) -> None:
    for name, entry in bare.folder(sha, path).items():
        inside = f"{path}/{name}" if path else name
        if entry.type_str == "tree":
            _export(bare, sha, inside, into)
        elif entry.type_str == "blob" and entry.filemode != 0o120000:
            target = into / inside
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(entry.data)


def _actions(folder: Path) -> set[tuple[str, str]]:
    """(owner/repository, ref) that the workflows and composite actions of a repository use."""
    found: set[tuple[str, str]] = set()
    for path in sorted((folder / ".github").rglob("*.y*ml")):
        try:
            found.update(_used(path.read_text()))
        except (yaml.YAMLError, UnicodeDecodeError):
            continue
    return found


@lru_cache(64)
def _used(text: str) -> frozenset[tuple[str, str]]:
    return frozenset(_uses(yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))))  # noqa: S506


def _local_repositories(job: Job) -> list[str]:
    """Where `act` finds each repository that is used, and those that a called workflow uses in its turn."""
    found: dict[tuple[str, str], Path] = {}
    wanted = _actions(job.work)
    while wanted:
        name, ref = one = wanted.pop()
        bare = job.bare if name == job.run.repository else job.others.get(name)
        found[one] = STAND_INS / KNOWN.get(name, "missing") if bare is None else _laid_out(job, bare, name, ref)
        wanted |= (_actions(found[one]) if bare is not None else set()) - found.keys()
    return [word for (name, ref), at in sorted(found.items()) for word in ("--local-repository", f"{name}@{ref}={at}")]


def _laid_out(job: Job, bare: Bare, name: str, ref: str) -> Path:
    """A repository at a commit, its workflows as `act` reads them; an empty folder when there is no such commit."""
    folder = job.folder / "used" / name / ref
    commit = bare.commit(ref)
    if commit is not None and not folder.exists():
        _export(bare, str(commit.id), "", folder)
        _translate(folder, job.closed)
    return folder


def _translate(folder: Path, closed: frozenset[str]) -> None:
    for path in sorted((folder / ".github/workflows").glob("*.y*ml")):
        path.write_text(dialect.for_act(path.read_text(errors="replace"), closed))


def command(job: Job) -> list[str]:
    """The `act` command line."""
    run, nothing = job.run, os.devnull
    line = [engine_path(), run.event, "-W", run.workflow, "-e", "../event.json", "-a", run.actor, "--json"]
    line += ["--no-cache-server", "--no-skip-checkout", "--env-file", nothing, "--input-file", nothing]
    line += [
        "--secret-file",
        "../secrets",
        "--var-file",
        "../variables",
        "--action-cache-path",
        str(job.folder / "cache"),
    ]
    for label in sorted(job.labels):
        line += ["-P", f"{label}=-self-hosted"]
    for name, value in sorted(_variables(job).items()):
        line += ["--env", f"{name}={value}"]
    return line + _local_repositories(job)


def _variables(job: Job) -> dict[str, str]:
    """What GitHub sets in every job, as far as `act` does not know it, then what the caller adds."""
    venv = Path(sys.executable).parent.parent
    return {
        "GITHUB_API_URL": job.url,
        "GITHUB_SERVER_URL": job.url,
        "GITHUB_GRAPHQL_URL": f"{job.url}/graphql",
        "GITHUB_REPOSITORY": job.run.repository,
        "GITHUB_REPOSITORY_OWNER": job.run.repository.split("/")[0],
        "GITHUB_RUN_ID": str(job.run.id),
        "GITHUB_RUN_NUMBER": str(job.run.number),
        "GITHUB_RUN_ATTEMPT": str(job.run.attempt),
        "GITHUB_ACTOR_ID": str(job.start.payload["sender"]["id"]),
        "GITHUB_TRIGGERING_ACTOR": job.run.actor,
        "GITHUB_REPOSITORY_ID": str(job.start.payload["repository"]["id"]),
        "GITHUB_WORKFLOW_REF": f"{job.run.repository}/{job.run.workflow}@{job.run.ref}",
        "GITHUB_WORKFLOW_SHA": job.run.commit,
        "RUNNER_ENVIRONMENT": "self-hosted",
        "GIT_PAGER": "cat",  # act gives steps a terminal, GitHub does not
        "PAGER": "cat",
        "SANDBOX_ARTIFACTS": str(job.folder / "artifacts"),
        gates.FOLDER: str(job.folder / "gates"),
        "SANDBOX_OBJECTS": str(job.bare.path / "objects"),
        "UV_PROJECT_ENVIRONMENT": str(venv),
        "UV_NO_SYNC": "1",
        "UV_OFFLINE": "1",
        "TMPDIR": str(job.folder / "tmp"),
        "DVC_SITE_CACHE_DIR": str(job.folder / "tmp/dvc"),  # DVC's own default is /var/tmp/dvc
        "DVC_NO_ANALYTICS": "1",
    } | job.environment


def spawn(job: Job) -> subprocess.Popen[str]:
    """Start `act` in a process group of its own, with an environment that holds nothing of ours but PATH."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    home = job.folder / "home"
    return subprocess.Popen(
        command(job),
        cwd=job.work,
        env={"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", "TZ": "UTC"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )


def follow(job: Job, process: subprocess.Popen[str], hub: Hub, timeout_s: float, listener: actlog.Listener) -> str:
    """Read the log to its end into the run; the conclusion: success, failure, or skipped when no job ran."""
    run = job.run
    reader = actlog.Reader(run, hub, listener)
    run.log = str(job.folder / "log.txt")
    stopper = threading.Timer(timeout_s, _stop, (process, run, timeout_s))
    stopper.start()
    assert process.stdout is not None
    hidden = [value for value in (job.token, *job.secrets.values()) if value]
    with (job.folder / "act.jsonl").open("a") as raw, Path(run.log).open("a") as log:
        for line in process.stdout:
            for secret in hidden:
                line = line.replace(secret, "***")
            raw.write(line)
            text = reader.line(line)
            if text:
                log.write(text)
                log.flush()
    code = process.wait()
    stopper.cancel()
    reader.finish()
    if code and not run.problem and not any(found.result in ("failure", "cancelled") for found in run.jobs):
        run.problem = f"act ended with code {code}: {reader.last_words()}"
    if code or run.problem:
        return "failure"
    return "success" if run.jobs else "skipped"


def _stop(process: subprocess.Popen[str], run: Run, timeout_s: float) -> None:
    run.problem = f"stopped after {timeout_s:.0f} s"
    processes.end_if_alive(process)


def clean(job: Job) -> None:
    """Remove what holds secrets or only cost disk: workspaces, home, secrets. Log, payload and artifacts stay."""
    for name in ("cache", "home", "work", "own", "tmp", "gates"):
        shutil.rmtree(job.folder / name, ignore_errors=True)
    for name in ("secrets", "variables"):
        (job.folder / name).unlink(missing_ok=True)
