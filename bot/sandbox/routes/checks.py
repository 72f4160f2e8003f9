"""Check runs and suites, which jobs and runs are shown as: /repos/{owner}/{repo}/check-runs."""

from __future__ import annotations

from typing import Any

from bot.sandbox.http import Call, Page, Reply, Route, not_found
from bot.sandbox.routes.commits import commit_of
from bot.sandbox.routes.issues import R
from bot.sandbox.shapes import actions as shapes
from bot.sandbox.store import Annotation, Job, Run

CHECKS = ("checks",)


def _runs(call: Call) -> list[Run]:
    return [one for one in call.hub.data.runs if one.repository == call.repo.full_name]


def job_of(call: Call) -> tuple[Run, Job]:
    wanted = call.number("check_run_id")
    for run in _runs(call):
        for job in run.jobs:
            if job.id == wanted:
                return run, job
    raise not_found()


def get_check_run(call: Call) -> Reply:
    return Reply(shapes.check_run(call.links, call.repo, *job_of(call)))


def list_annotations(call: Call) -> Page:
    run, job = job_of(call)
    found = [one for one in run.annotations if one.job == job.name]
    return Page(found, lambda one: _annotation(call, run, one))


def _annotation(call: Call, run: Run, found: Annotation) -> dict[str, Any]:
    """GitHub's `check-annotation`; without a file it points to the workflow as a whole."""
    path = found.properties.get("file", ".github")
    line = int(found.properties.get("line", "1") or 1)
    return {
        "path": path,
        "blob_href": f"{call.links.page(call.repo)}/blob/{run.sha}/{path}",
        "start_line": line,
        "end_line": int(found.properties.get("endLine", "") or line),
        "start_column": None,
        "end_column": None,
        "annotation_level": {"error": "failure"}.get(found.level, found.level),
        "title": found.properties.get("title", ""),
        "message": found.message,
        "raw_details": "",
    }


def suite_of(call: Call) -> Run:
    """A suite's number is the run's and one."""
    for run in _runs(call):
        if run.id + 1 == call.number("check_suite_id"):
            return run
    raise not_found()


def get_suite(call: Call) -> Reply:
    return Reply(shapes.check_suite(call.links, call.repo, suite_of(call)))


def suite_runs(call: Call) -> Page:
    run = suite_of(call)
    return Page(run.jobs, lambda one: shapes.check_run(call.links, call.repo, run, one), key="check_runs")


def commit_suites(call: Call) -> Page:
    sha = str(commit_of(call).id)
    found = [one for one in _runs(call) if one.sha == sha]
    return Page(found, lambda one: shapes.check_suite(call.links, call.repo, one), key="check_suites")


ROUTES = [
    Route("GET", R + "/check-runs/{check_run_id}", get_check_run, CHECKS),
    Route("GET", R + "/check-runs/{check_run_id}/annotations", list_annotations, CHECKS),
    Route("GET", R + "/check-suites/{check_suite_id}", get_suite, CHECKS),
    Route("GET", R + "/check-suites/{check_suite_id}/check-runs", suite_runs, CHECKS),
    Route("GET", R + "/commits/{rev}/check-suites", commit_suites, CHECKS),
]
