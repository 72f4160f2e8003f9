"""`timeout-minutes` of jobs, which `act` does not keep: a job that takes longer has its processes killed."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Any

from bot.sandbox import expressions, processes
from bot.sandbox.store import Annotation, Job, Run
from bot.sandbox.workflows import Workflow

DEFAULT_MINUTES = 360.0  # https://docs.github.com/actions/reference/workflow-syntax-for-github-actions


class Watch:
    """Looks after the jobs of one run until it ends. `minute_s` is how long a minute is, which tests make short."""

    def __init__(self, run: Run, workflow: Workflow, pid: int, minute_s: float) -> None:
        self.run = run
        self.workflow = workflow
        self.pid = pid
        self.minute_s = minute_s
        self._since: dict[str, float] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._ended.set()

    def _look(self) -> None:
        while not self._ended.wait(min(0.5, self.minute_s / 4)):
            for job in list(self.run.jobs):
                started = self._since.setdefault(job.name, time.monotonic())
                minutes = self.minutes(job)
                if job.result is None and time.monotonic() - started > minutes * self.minute_s:
                    self._since[job.name] = float("inf")
                    self._stop(job, minutes)

    def minutes(self, job: Job) -> float:
        """What the workflow file allows the job; GitHub's default when it says nothing that can be known here."""
        given: Any = self.workflow.jobs.get(job.key, {}).get("timeout-minutes", DEFAULT_MINUTES)
        with contextlib.suppress(expressions.UnknownError, ValueError):
            return float(expressions.fill(str(given), {"matrix": job.matrix}))
        return DEFAULT_MINUTES

    def _stop(self, job: Job, minutes: float) -> None:
        message = f"The job has exceeded the maximum execution time of {minutes:g}m0s"
        self.run.annotations.append(Annotation(job.name, "error", message))
        processes.end_job(self.pid, job.key)
