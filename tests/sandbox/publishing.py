"""The part of the story of test_shapes.py in which things are published and runs leave things behind."""

from __future__ import annotations

import base64
import json
from typing import Any

from nacl.public import PublicKey, SealedBox

from bot.sandbox.store import Annotation, Job, Run, Step
from bot.sandbox.world import Sandbox


def publish(world: Sandbox, dana: Any, rhea: Any) -> None:
    """Releases from draft to deletion, with a file."""
    made = rhea("POST", "/releases", {"tag_name": "v2", "name": "Two", "body": "second", "draft": True})[1]
    path = f"/releases/{made['id']}"
    asset = rhea.upload(made["upload_url"].split("{")[0] + "?name=notes.txt", b"notes")
    rhea.upload(f"{rhea.root}{path}/assets?name=more.txt", b"more")
    for one in ("/releases", path, f"{path}/assets", f"/releases/assets/{asset['id']}"):
        rhea("GET", one)
    rhea("PATCH", f"/releases/assets/{asset['id']}", {"label": "Notes"})
    rhea("PATCH", path, {"draft": False})
    rhea("POST", "/releases/generate-notes", {"tag_name": "v3"})
    for one in ("/releases/latest", "/releases/tags/v2", "/zipball/v2", "/tarball/v2"):
        dana("GET", one)
    dana.session.cookies.set("key", world.hub.data.key)  # a page, which asks for the key of the sandbox's pages
    dana("GET", "//acme/models/releases/download/v2/notes.txt")
    rhea("DELETE", f"/releases/assets/{asset['id']}")
    rhea("DELETE", path)


def past_run(world: Sandbox) -> Run:
    """A run that is over, as if the engine had made it."""
    data, now = world.hub.data, world.hub.clock()
    data.last_run += 1
    tip = world.hub.bare(world.repo).branch("main") or ""
    path = ".github/workflows/hello.yml"
    found = Run(
        id=data.last_run,
        number=1,
        repository=world.repository,
        workflow=path,
        name="W",
        event="push",
        action="",
        sha=tip,
        commit=tip,
        ref="refs/heads/main",
        branch="main",
        actor="dana",
        title="t",
        created_at=now,
        status="completed",
        conclusion="success",
    )
    data.runs.append(found)
    return found


def leave(world: Sandbox, run: Run) -> Job:
    """What a run with one job leaves in its folder: an artifact and a log."""
    job = Job(4712, "build", "W/build", "success", steps=[Step("Say hello", "success")])
    job.started_at = job.finished_at = run.created_at
    run.jobs.append(job)
    run.annotations.append(Annotation("W/build", "warning", "careful", {"file": "README.md", "line": "1"}))
    folder = world.folder(run)
    (folder / "artifacts/report").mkdir(parents=True, exist_ok=True)
    (folder / "artifacts/report/report.txt").write_text("all is well\n")
    line = {"job": "W/build", "jobID": "build", "step": "Say hello", "time": "2026-01-02T03:04:05Z"}
    lines = [line | {"msg": "⭐ Run Main Say hello", "stage": "Main"}, line | {"msg": "hello\n", "raw_output": True}]
    (folder / "act.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    return job


def fetch(world: Sandbox, dana: Any, rhea: Any, run: Run) -> None:
    """Everything that is known about what the run left."""
    job = leave(world, run)
    base = f"/actions/runs/{run.id}"
    [artifact] = dana("GET", f"{base}/artifacts")[1]["artifacts"]
    one = f"/actions/artifacts/{artifact['id']}"
    paths = ["/actions/artifacts", one, f"{one}/zip", f"{base}/logs", f"{base}/attempts/1", f"{base}/attempts/1/jobs"]
    paths += [f"{base}/attempts/1/logs", f"/actions/jobs/{job.id}/logs"]
    paths += [f"/check-runs/{job.id}", f"/check-runs/{job.id}/annotations", f"/commits/{run.sha}/check-suites"]
    paths += [f"/check-suites/{run.id + 1}", f"/check-suites/{run.id + 1}/check-runs"]
    for path in paths:
        dana("GET", path)
    rhea("DELETE", one)
    for word in ("disable", "enable"):
        rhea("PUT", f"/actions/workflows/{run.file}/{word}")


def administer(adam: Any) -> None:
    """Secrets and variables of the repository, the search, the front page."""
    key = base64.b64decode(adam("GET", "/actions/secrets/public-key")[1]["key"])
    sealed = base64.b64encode(SealedBox(PublicKey(key)).encrypt(b"x")).decode()
    for _ in range(2):
        adam("PUT", "/actions/secrets/TOKEN", {"encrypted_value": sealed, "key_id": "1"})
    adam("GET", "/actions/secrets")
    adam("GET", "/actions/secrets/TOKEN")
    adam("DELETE", "/actions/secrets/TOKEN")
    adam("POST", "/actions/variables", {"name": "COLOR", "value": "red"})
    adam("GET", "/actions/variables/COLOR")
    adam("PATCH", "/actions/variables/COLOR", {"value": "blue"})
    adam("DELETE", "/actions/variables/COLOR")
    adam("GET", "//search/issues?q=is:pr+repo:acme/models")
    adam("GET", "//search/repositories?q=models")
    adam("GET", "//api/v3/")
    for path in ("//user/repos", "//user/orgs", "//users/dana/repos", "//orgs/acme/repos"):
        adam("GET", path)
    for path in ("/contributors", "/assignees", "/milestones", "/topics", "/readme"):
        adam("GET", path)
    adam("POST", "/labels", {"name": "old name"})
    adam("PATCH", "/labels/old%20name", {"new_name": "new name", "color": "00ff00"})
    issue = f"/issues/{adam('POST', '/issues', {'title': 'Liked'})[1]['number']}"
    reaction = adam("POST", f"{issue}/reactions", {"content": "heart"})[1]
    adam("GET", f"{issue}/reactions")
    adam("DELETE", f"{issue}/reactions/{reaction['id']}")
