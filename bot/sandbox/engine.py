"""Runs workflows when events happen: queue, concurrency groups, two at a time, cancel, re-run, wait for quiet."""

from __future__ import annotations

import signal
import threading
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.errors import WorldError
from bot.sandbox import act, concurrency, processes
from bot.sandbox.concurrency import Item
from bot.sandbox.events import announce
from bot.sandbox.hub import Happening, Hub
from bot.sandbox.shapes import actions as shapes
from bot.sandbox.shapes.pulls import simple
from bot.sandbox.store import Environment, Repository, Run
from bot.sandbox.timeouts import Watch
from bot.sandbox.triggers import Start, matches, starts
from bot.sandbox.workflows import Workflow, labels_of_models, read_workflows

CHAIN = 3  # https://docs.github.com/actions/reference/events-that-trigger-workflows#workflow_run: no more levels
WORKERS = 2
GRACE_S = 7.5  # https://docs.github.com/actions/reference/workflow-cancellation: then processes are killed


@dataclass
class Settings:
    """How runs are made. `labels` are runner labels to map besides those in workflow files and model specs.

    `timeout_s` is for a whole run, `minute_s` how long a minute of `timeout-minutes` is; `skip` are file names of
    workflows that do not run here.
    """

    labels: set[str] = field(default_factory=set)
    extra_env: dict[str, str] = field(default_factory=dict)
    timeout_s: float = 1200.0
    minute_s: float = 60.0
    skip: set[str] = field(default_factory=set)


class Engine:
    """Listens to the hub and works in the background until `stop`."""

    def __init__(self, hub: Hub, settings: Settings) -> None:
        self.hub = hub
        self.settings = settings
        self.enabled = True
        self._changed = threading.Condition(hub.lock)
        self._waiting: list[Item] = []
        self._going: list[Item] = []
        self._items: dict[int, Item] = {}
        self._stopping = False
        hub.listeners.append(self.happened)
        hub.control = self.control
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(WORKERS)]
        for thread in self._threads:
            thread.start()

    # --- in: events

    def happened(self, happening: Happening) -> None:
        """Queue what the event starts; never raises, since an event has nobody to answer to."""
        if not self.enabled:
            return
        try:
            with self._changed:
                for start in starts(self.hub, happening):
                    if start.workflow.path.rsplit("/", 1)[-1] not in self.settings.skip:
                        self._queue(start, happening)
        except Exception:
            traceback.print_exc()

    def _queue(self, start: Start, happening: Happening) -> None:
        repository = self.hub.repository(happening.repository)
        run = self._run(repository, start)
        item = Item(run, start, happening.level)
        concurrency.name_run(item)
        concurrency.join_groups(item)
        self.hub.data.runs.append(run)
        self._items[run.id] = item
        self._enter(item)
        self._announce(item, "requested")

    def _run(self, repository: Repository, start: Start) -> Run:
        data = self.hub.data
        data.last_run += 1
        number = 1 + sum(run.workflow == start.workflow.path for run in data.runs)
        payload = start.payload
        pull = payload.get("pull_request") or {}
        branch = pull.get("head", {}).get("ref") or start.ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
        return Run(
            id=data.last_run,
            number=number,
            repository=repository.full_name,
            workflow=start.workflow.path,
            name=start.workflow.name,
            event=start.event,
            action=str(payload.get("action", "")),
            sha=pull.get("head", {}).get("sha") or start.sha,
            commit=start.sha,
            ref=start.ref,
            branch=branch,
            actor=payload["sender"]["login"],
            title=_title(start),
            created_at=self.hub.clock(),
            permissions=start.workflow.permissions(),
            pulls=[pull["number"]] if pull else [],
            about=_about(payload),
        )

    def _enter(self, item: Item) -> None:
        """Take a place in the queue. Without `queue: max` one run of a group waits at most: the newest."""
        mine = set(item.run.groups)
        for other in [one for one in self._waiting if mine & set(one.run.groups) and not item.queue_all]:
            self._waiting.remove(other)
            self._finish(other, "cancelled")
        if item.cancel_in_progress:
            for other in self._going:
                if mine & set(other.run.groups):
                    self._cancel(other)
        self._waiting.append(item)
        self._changed.notify_all()

    # --- work

    def _work(self) -> None:
        while True:
            with self._changed:
                item = self._next()
                while item is None and not self._stopping:
                    self._changed.wait(0.5)
                    item = self._next()
                if item is None:
                    return
                self._waiting.remove(item)
                self._going.append(item)
                item.run.status, item.run.started_at = "in_progress", self.hub.clock()
                item.started = time.monotonic()
            conclusion = "failure"
            try:
                conclusion = self._execute(item)
            except Exception as error:
                item.run.problem = item.run.problem or f"{type(error).__name__}: {error}"
                traceback.print_exc()
            with self._changed:
                self._going.remove(item)
                self._finish(item, "cancelled" if item.cancelled else conclusion)

    def _next(self) -> Item | None:
        if self._stopping:
            return None
        busy = {group for item in self._going for group in item.run.groups}
        for item in self._waiting:
            if not busy & set(item.run.groups):
                return item
            busy |= set(item.run.groups)  # nobody overtakes within a group
        return None

    def _execute(self, item: Item) -> str:
        run, start = item.run, item.start
        folder = run_folder(self.hub.directory, run)
        granted = dict.fromkeys(run.permissions, "read") if start.untrusted else run.permissions
        with self.hub.lock:
            token = self.hub.mint(granted, run.id)
            bare = self.hub.bare(run.repository)
        labels = start.workflow.labels() | self.settings.labels | labels_of_models(bare, run.commit)
        for head in self._heads(run):
            labels |= labels_of_models(bare, head)
        job = act.Job(run, start, folder, bare, self.hub.url, token, self.settings.extra_env, labels)
        job.secrets, job.variables = self._secrets(start), self._variables(start)
        job.others = {name: self.hub.bare(one) for name, one in self.hub.data.repositories.items()}
        for called in self._called(start):
            labels |= called.labels()
        try:
            act.prepare(job)
            item.process = act.spawn(job)
            if item.cancelled:
                processes.end(item.process.pid, signal.SIGTERM)
            watch = Watch(run, start.workflow, item.process.pid, self.settings.minute_s)
            try:
                return act.follow(job, item.process, self.hub, self.settings.timeout_s)
            finally:
                watch.end()
        finally:
            with self.hub.lock:
                self.hub.expire(run.id)
            act.clean(job)

    def _called(self, start: Start) -> list[Workflow]:
        """Workflows of other repositories here that the run's own calls."""
        found = []
        for name, path, ref in start.workflow.called():
            if name in self.hub.data.repositories:
                bare = self.hub.bare(self.hub.repository(name))
                found += [one for at, one in read_workflows(bare, ref).items() if at == path]
        return found

    def _heads(self, run: Run) -> list[str]:
        """Heads of the pull requests that a run has to do with: their specs may name other runners."""
        issues = self.hub.repository(run.repository).issues
        return [found.pull.head_sha for number in run.about if (found := issues.get(number)) and found.pull]

    def _secrets(self, start: Start) -> dict[str, str]:
        """The repository's, and those of environments that a job names and this branch may use; none for a fork."""
        if start.untrusted:
            return {}
        found = dict(self.hub.repository(start.payload["repository"]["full_name"]).secrets)
        for environment in self._environments(start):
            found.update(environment.secrets)
        return found

    def _variables(self, start: Start) -> dict[str, str]:
        """As secrets, but a fork's run sees those of the repository."""
        found = dict(self.hub.repository(start.payload["repository"]["full_name"]).variables)
        for environment in [] if start.untrusted else self._environments(start):
            found.update(environment.variables)
        return found

    def _environments(self, start: Start) -> list[Environment]:
        """Those that a job of the workflow, or of one that it calls, names and this branch may use."""
        repository = self.hub.repository(start.payload["repository"]["full_name"])
        branch, found = start.ref.removeprefix("refs/heads/"), []
        jobs = [job for one in (start.workflow, *self._called(start)) for job in one.jobs.values()]
        for named in [job.get("environment") for job in jobs]:
            name = named.get("name") if isinstance(named, dict) else named
            environment = repository.environments.get(str(name))
            if environment is not None and (not environment.is_limited or matches(environment.branches, branch)):
                found.append(environment)
        return found

    def _finish(self, item: Item, conclusion: str) -> None:
        run = item.run
        run.status, run.conclusion, run.finished_at = "completed", conclusion, self.hub.clock()
        run.seconds = round(time.monotonic() - item.started, 3) if item.started else 0.0
        self._announce(item, "completed")
        self.hub.save()
        self._changed.notify_all()

    def _announce(self, item: Item, action: str) -> None:
        """The workflow_run event, which starts workflows though a run caused it, three levels deep at most."""
        run = item.run
        repository = self.hub.repository(run.repository)
        links = self.hub.links()
        if item.level >= CHAIN:
            return
        body = shapes.run(links, repository, run)
        pulls = [repository.issues[number] for number in run.pulls if number in repository.issues]
        body["pull_requests"] = [_pull_brief(simple(links, repository, one)) for one in pulls]
        announce(
            self.hub,
            repository,
            "workflow_run",
            action,
            run.actor,
            False,
            level=item.level + 1,
            workflow_run=body,
            workflow=shapes.workflow(links, repository, run.workflow, run.name),
        )

    # --- control

    def control(self, word: str, run: int) -> None:
        """`cancel` or `rerun`, as the API asks for."""
        with self._changed:
            item = self._items.get(run)
            if item is None:
                return
            if word == "rerun":
                self._again(item)
            elif item in self._waiting:
                self._waiting.remove(item)
                self._finish(item, "cancelled")
            else:
                self._cancel(item)

    def _again(self, item: Item) -> None:
        run = item.run
        run.attempt, run.status, run.conclusion, run.problem = run.attempt + 1, "queued", None, ""
        run.jobs, run.annotations = [], []
        fresh = Item(run, item.start, item.level, item.cancel_in_progress, item.queue_all)
        self._items[run.id] = fresh
        self._enter(fresh)

    def _cancel(self, item: Item) -> None:
        item.cancelled = True
        if item.process is not None:
            processes.end(item.process.pid, signal.SIGTERM)
            timer = threading.Timer(GRACE_S, processes.end_if_alive, (item.process,))
            timer.daemon = True
            timer.start()

    def again(self, run: int) -> None:
        """The event of a run, a second time."""
        with self._changed:
            item = self._items[run]
            event = "pull_request" if item.start.event == "pull_request_target" else item.start.event
            self.happened(Happening(item.run.repository, event, item.start.payload, level=item.level))

    def kill(self, run: int) -> None:
        """SIGKILL to everything that a run started, as when a runner dies."""
        with self._changed:
            item = self._items[run]
            if item.process is not None:
                processes.end(item.process.pid, signal.SIGKILL)

    def going(self) -> list[Run]:
        """Runs that are not finished."""
        with self._changed:
            return [item.run for item in (*self._going, *self._waiting)]

    def settle(self, timeout_s: float) -> None:
        """Wait until nothing waits and nothing goes. Raises WorldError after `timeout_s` seconds."""
        end = time.monotonic() + timeout_s
        with self._changed:
            while self._waiting or self._going:
                left = end - time.monotonic()
                if left <= 0:
                    names = ", ".join(f"{run.name} #{run.id} ({run.status})" for run in self.going())
                    raise WorldError(f"the sandbox is not quiet after {timeout_s:.0f} s: {names}", code="not_settled")
                self._changed.wait(left)

    def stop(self) -> None:
        """End everything that still goes, and wait for it."""
        with self._changed:
            self._stopping = True
            for item in list(self._waiting):
                self._waiting.remove(item)
                item.run.status, item.run.conclusion = "completed", "cancelled"
            for item in self._going:
                item.cancelled = True
                if item.process is not None:
                    processes.end(item.process.pid, signal.SIGKILL)
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(15)


def _title(start: Start) -> str:
    payload = start.payload
    for key in ("pull_request", "issue"):
        if key in payload:
            return str(payload[key]["title"])
    head = payload.get("head_commit") or {}
    return str(head.get("message", start.workflow.name)).split("\n")[0]


def _about(payload: dict[str, Any]) -> list[int]:
    """Numbers of the pull requests and issues that an event has to do with, as far as its payload says."""
    given = [
        payload.get("pull_request"),
        payload.get("issue"),
        *(payload.get("workflow_run") or {}).get("pull_requests", []),
    ]
    numbers = {int(one["number"]) for one in given if one}
    typed = str((payload.get("inputs") or {}).get("number", ""))
    return sorted(numbers | ({int(typed)} if typed.isdigit() else set()))


def _pull_brief(body: dict[str, Any]) -> dict[str, Any]:
    """A pull request as workflow_run shows it."""
    ends = {
        side: {
            "ref": body[side]["ref"],
            "sha": body[side]["sha"],
            "repo": {name: body[side]["repo"][name] for name in ("id", "url", "name")} if body[side]["repo"] else None,
        }
        for side in ("head", "base")
    }
    return {"url": body["url"], "id": body["id"], "number": body["number"], **ends}


def run_folder(directory: Path, run: Run) -> Path:
    """Where a run keeps its log, artifacts and payload."""
    return directory / "runs" / (str(run.id) if run.attempt == 1 else f"{run.id}-{run.attempt}")
