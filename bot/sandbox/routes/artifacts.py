"""What runs leave behind: artifacts, logs, earlier attempts: /repos/{owner}/{repo}/actions."""

from __future__ import annotations

import shutil

from bot.sandbox import artifacts
from bot.sandbox.artifacts import Artifact
from bot.sandbox.http import Call, Page, Reply, Route, not_found
from bot.sandbox.routes.actions import ACTIONS, run_of
from bot.sandbox.routes.issues import R
from bot.sandbox.shapes import actions as action_shapes
from bot.sandbox.shapes import artifacts as shapes
from bot.sandbox.store import Job, Run


def _all(call: Call) -> list[Artifact]:
    runs = [one for one in reversed(call.hub.data.runs) if one.repository == call.repo.full_name]
    return [found for run in runs for found in artifacts.artifacts_of(call.hub.directory, run)]


def list_artifacts(call: Call) -> Page:
    return _page(call, _all(call))


def list_run_artifacts(call: Call) -> Page:
    return _page(call, artifacts.artifacts_of(call.hub.directory, run_of(call)))


def _page(call: Call, found: list[Artifact]) -> Page:
    kept = [one for one in found if call.query.get("name") in (None, "", one.name)]
    return Page(kept, lambda one: shapes.artifact(call.links, call.repo, one), key="artifacts")


def artifact_of(call: Call) -> Artifact:
    for one in _all(call):
        if one.id == call.number("artifact_id"):
            return one
    raise not_found()


def get_artifact(call: Call) -> Reply:
    return Reply(shapes.artifact(call.links, call.repo, artifact_of(call)))


def delete_artifact(call: Call) -> Reply:
    shutil.rmtree(artifact_of(call).folder)
    return Reply(None, 204)


def download_artifact(call: Call) -> Reply:
    found = artifact_of(call)
    if call.params["archive_format"] != "zip":
        raise not_found()
    return call.hub.downloads.redirect(call, found.zipped, "application/zip", f"{found.name}.zip")


def run_logs(call: Call) -> Reply:
    """Of the newest attempt, or of the one in the path."""
    run, attempt = run_of(call), _attempt(call)
    if run.status != "completed":
        raise not_found()
    directory = call.hub.directory
    return call.hub.downloads.redirect(
        call, lambda: artifacts.zipped_logs(directory, run, attempt), "application/zip", f"logs_{run.id}.zip"
    )


def job_logs(call: Call) -> Reply:
    run, job = _job(call)
    directory = call.hub.directory
    return call.hub.downloads.redirect(
        call, lambda: artifacts.job_log(directory, run, job).encode(), "text/plain; charset=utf-8", f"{job.id}.txt"
    )


def _job(call: Call) -> tuple[Run, Job]:
    wanted = call.number("job_id")
    for run in call.hub.data.runs:
        for job in run.jobs:
            if job.id == wanted and run.repository == call.repo.full_name:
                return run, job
    raise not_found()


def _attempt(call: Call) -> int | None:
    """The attempt in the path, None when it names none. Raises 404 for one that there never was."""
    if "attempt_number" not in call.params:
        return None
    number = call.number("attempt_number")
    if not 1 <= number <= run_of(call).attempt:
        raise not_found()
    return number


def get_attempt(call: Call) -> Reply:
    """Only the newest is remembered whole; an earlier one is shown by its number."""
    number = _attempt(call)
    return Reply(action_shapes.run(call.links, call.repo, run_of(call)) | {"run_attempt": number})


def attempt_jobs(call: Call) -> Page:
    run, number = run_of(call), _attempt(call)
    jobs = run.jobs if number == run.attempt else []
    return Page(jobs, lambda one: action_shapes.job(call.links, call.repo, run, one), key="jobs")


RUN = R + "/actions/runs/{run_id}"
ATTEMPT = RUN + "/attempts/{attempt_number}"

ROUTES = [
    Route("GET", R + "/actions/artifacts", list_artifacts, ACTIONS),
    Route("GET", R + "/actions/artifacts/{artifact_id}", get_artifact, ACTIONS),
    Route("DELETE", R + "/actions/artifacts/{artifact_id}", delete_artifact, ACTIONS, "write"),
    Route("GET", R + "/actions/artifacts/{artifact_id}/{archive_format}", download_artifact, ACTIONS),
    Route("GET", RUN + "/artifacts", list_run_artifacts, ACTIONS),
    Route("GET", RUN + "/logs", run_logs, ACTIONS),
    Route("GET", R + "/actions/jobs/{job_id}/logs", job_logs, ACTIONS),
    Route("GET", ATTEMPT, get_attempt, ACTIONS),
    Route("GET", ATTEMPT + "/jobs", attempt_jobs, ACTIONS),
    Route("GET", ATTEMPT + "/logs", run_logs, ACTIONS),
]
