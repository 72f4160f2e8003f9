"""`act --json`, line by line, into jobs, steps, summaries and annotations."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Protocol

from bot.sandbox import environments, gates
from bot.sandbox.store import Annotation, Job, Run, Step

if TYPE_CHECKING:
    from bot.sandbox.hub import Hub

_UNMAPPED = re.compile(r"Skipping unsupported platform.*-P (\S+?)=")
LEVELS = ("error", "warning", "notice")
_HIDDEN = (gates.NAME, environments.NAME)


class Listener(Protocol):
    """Who is told what a job does."""

    def asked(self, job: Job, wish: gates.Asked) -> None:
        """It waits at the gate of its concurrency group."""

    def ended(self, job: Job) -> None:
        """It has a result, which may be changed."""


class Reader:
    """Fills a run from its log. A matrix job's own result is known from its steps: `act` reports the sum for each."""

    def __init__(self, run: Run, hub: Hub, listener: Listener) -> None:
        self.run = run
        self.hub = hub
        self.listener = listener
        self._jobs: dict[str, Job] = {}
        self._tail: list[str] = []

    def line(self, line: str) -> str | None:
        """The line for people, None when there is nothing to show."""
        try:
            entry = json.loads(line)
        except ValueError:
            self._remember(line)
            return line
        if "jobID" not in entry:
            self._remember(str(entry.get("msg", "")))
            return f"{entry.get('msg', '')}\n"
        if str(entry.get("msg", "")).startswith("LocalRepositoryCache"):
            return None
        self._entry(entry)
        text = str(entry.get("msg", "")).rstrip("\n")
        if not entry.get("raw_output"):
            self._remember(text)
        return f"[{str(entry['job']).strip()}] {text}\n"

    def _remember(self, text: str) -> None:
        self._tail = [*self._tail[-4:], text.strip()]

    def last_words(self) -> str:
        """The end of the log, for a run that failed without a failed job."""
        return " / ".join(text for text in self._tail if text)[:500]

    def _entry(self, entry: dict[str, Any]) -> None:
        unmapped = _UNMAPPED.search(str(entry.get("msg", "")))
        if unmapped and not entry.get("raw_output"):
            self.run.problem = f"job {entry['jobID']} did not run: no runner has the label {unmapped.group(1)}"
        job = self._job(entry)
        wish = gates.asked(entry)
        if wish is not None:
            self.listener.asked(job, wish)
        command = entry.get("command")
        if command == "summary":
            job.summaries.append(str(entry.get("content", "")))
        elif command in LEVELS:
            properties = {key: str(value) for key, value in (entry.get("kvPairs") or {}).items()}
            self.run.annotations.append(Annotation(job.name, str(command), str(entry.get("arg", "")), properties))
        is_step = entry.get("stepResult") and entry.get("step") not in _HIDDEN
        if is_step and len(entry.get("stepID") or []) == 1 and entry.get("stage", "Main") == "Main":
            job.steps.append(Step(_step_name(entry), str(entry["stepResult"])))
        if entry.get("jobResult"):
            failed = not job.steps or any(step.result == "failure" for step in job.steps)
            alone = not entry.get("matrix")
            job.result = str(entry["jobResult"]) if alone or failed else "success"
            job.finished_at = self.hub.clock()
            self.listener.ended(job)

    def _job(self, entry: dict[str, Any]) -> Job:
        name = str(entry["job"]).strip()
        if name not in self._jobs:
            with self.hub.lock:
                job = Job(self.hub.next_id(), str(entry["jobID"]), name, matrix=entry.get("matrix") or {})
                job.started_at = self.hub.clock()
                self._jobs[name] = job
                self.run.jobs.append(job)
        return self._jobs[name]

    def finish(self) -> None:
        """A job that began and never said how it ended has failed (its runner died)."""
        for job in self._jobs.values():
            if job.result is None:
                job.result, job.finished_at = "failure", self.hub.clock()
                self.listener.ended(job)


def _step_name(entry: dict[str, Any]) -> str:
    return str(entry.get("step", "")).split("\n")[0]
