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
from bot.sandbox import act, allowed_actions, cancelling, conditions, environments, expressions, gates, processes
from bot.sandbox.concurrency import Claim, Groups, InvalidError, claim_of
from bot.sandbox.deliveries import Deliveries
from bot.sandbox.hub import Happening, Hub
from bot.sandbox.runs import (
    Item,
    announce_run,
    called_by,
    contexts,
    heads_of,
    item_of,
    run_folder,
    secrets_of,
    variables_of,
)
from bot.sandbox.store import Job, Run
from bot.sandbox.timeouts import Watch
from bot.sandbox.triggers import Start, starts
from bot.sandbox.workflows import labels_of_models, labels_of_policy

WORKERS = 2
SHIFT = Path(__file__).parent / "shift"  # what moves the bot's own clock in a run
# https://docs.github.com/actions/reference/workflows-and-actions/workflow-cancellation: then everything is ended
GRACE_S = 300.0


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
        self.groups = Groups()
        self._changed = threading.Condition(hub.lock)
        self._waiting: list[Item] = []
        self._going: list[Item] = []
        self._items: dict[int, Item] = {}
        self._threads: list[threading.Thread] = []
        self._stopping = False
        self.deliveries = Deliveries(hub, self.happened)
        hub.listeners.append(self.deliveries.happened)
        hub.control = self.control

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
        item = item_of(self.hub, start, happening.level)
        self.hub.data.runs.append(item.run)
        self._items[item.run.id] = item
        refused = self._enter(item)
        announce_run(self.hub, item, "requested")
        if refused:
            self._waiting.remove(item)
            item.run.problem = refused
            self._finish(item, "startup_failure")
        self._advance()

    def _enter(self, item: Item) -> str:
        """Take a place in the queue and in the run's group; why GitHub would refuse the workflow, empty otherwise."""
        self._waiting.append(item)
        if refused := allowed_actions.refusal(self.hub.repository(item.run.repository), item.start.workflow):
            return refused
        try:
            item.claim = self._claim(item, item.start.workflow.body.get("concurrency"))
        except InvalidError as error:
            return str(error)
        if item.claim is not None:
            item.run.groups = [item.claim.group.partition(":")[2]]
            self._take(item.claim)
        return ""

    def _claim(self, item: Item, given: Any, job: str = "") -> Claim | None:
        try:
            return claim_of(given, contexts(self.hub, item), item.run.repository, item.run.id, job)
        except expressions.UnknownError:
            return None

    def _take(self, claim: Claim) -> None:
        """Enter a group, and stop whoever must make way."""
        for out in self.groups.enter(claim):
            item = self._items[out.run]
            if item in self._waiting:
                self._drop(item)
            elif out.job:
                self._stop_job(item, out)
            else:
                self._cancel(item)

    def _drop(self, item: Item) -> None:
        """End a run that has not begun."""
        self._waiting.remove(item)
        self._finish(item, "cancelled")

    # --- work

    def _advance(self) -> None:
        """Start what may start, oldest first; a run whose jobs wait for a group takes no worker."""
        for item in list(self._waiting):
            busy = sum(not one.gates for one in self._going)
            if busy >= WORKERS or self._stopping:
                break
            if item in self._waiting and self._is_ready(item):
                self._waiting.remove(item)
                self._going.append(item)
                item.run.status, item.run.started_at = "in_progress", self.hub.clock()
                item.started = time.monotonic()
                thread = threading.Thread(target=self._work, args=(item,), daemon=True)
                self._threads = [*(one for one in self._threads if one.is_alive()), thread]
                thread.start()
        self._changed.notify_all()

    def _is_ready(self, item: Item) -> bool:
        """Whether it holds its group, and so does its job when it has only one; that asks as soon as the run holds."""
        if item.claim is not None and not self.groups.holds(item.claim):
            return False
        if not item.is_looked_at:
            item.is_looked_at = True
            item.early = self._only_jobs(item)
            if item.early is not None:
                self._take(item.early)
        return item in self._waiting and (item.early is None or self.groups.holds(item.early))

    def _only_jobs(self, item: Item) -> Claim | None:
        """The claim of a run's only job, None when it is skipped, or nothing is known of it before it starts."""
        jobs = item.start.workflow.jobs
        if len(jobs) != 1:
            return None
        ((key, job),) = jobs.items()
        try:
            wanted = conditions.runs(job, contexts(self.hub, item), {})
            return self._claim(item, job.get("concurrency"), key) if wanted else None
        except (expressions.UnknownError, InvalidError):
            return None

    def _work(self, item: Item) -> None:
        conclusion = "failure"
        try:
            conclusion = self._execute(item)
        except Exception as error:
            item.run.problem = item.run.problem or f"{type(error).__name__}: {error}"
            traceback.print_exc()
        with self._changed:
            self._going.remove(item)
            results = {job.result for job in item.run.jobs}
            is_cancelled = item.cancelled or ("cancelled" in results and "failure" not in results)
            self._finish(item, "cancelled" if is_cancelled else conclusion)
            self._advance()

    def _execute(self, item: Item) -> str:
        run, start = item.run, item.start
        granted = dict.fromkeys(run.permissions, "read") if start.untrusted else run.permissions
        with self.hub.lock:
            token = self.hub.mint(granted, run.id)
            job = self._job(item, token)
        try:
            act.prepare(job)
            if item.cancelled:
                return "cancelled"
            conclusion = self._followed(item, job)
            if item.cancelled and not self._stopping:
                known = contexts(self.hub, item)
                rest = cancelling.left(item, known)
                if rest:
                    cancelling.rewrite(item, rest, job.work)
                    self._followed(item, job)
            return conclusion
        finally:
            with self.hub.lock:
                self.hub.expire(run.id)
            act.clean(job)

    def _followed(self, item: Item, job: act.Job) -> str:
        """One run of `act`, to its end; the conclusion."""
        before = item.cancelled
        item.process = act.spawn(job)
        if item.cancelled and not before:
            cancelling.begin(item)  # meanwhile
        watch = Watch(item.run, item.start.workflow, item.process.pid, self.settings.minute_s)
        try:
            return act.follow(job, item.process, self.hub, self.settings.timeout_s, _Listener(self, item))
        finally:
            watch.end()
            if item.cancelled and not before:
                cancelling.tidy(item)

    def _job(self, item: Item, token: str) -> act.Job:
        run, start, bare = item.run, item.start, self.hub.bare(item.run.repository)
        labels = start.workflow.labels() | self.settings.labels | labels_of_models(bare, run.commit)
        labels |= labels_of_policy(bare, run.commit)
        for head in heads_of(self.hub, run):
            labels |= labels_of_models(bare, head)
        for called in called_by(self.hub, start):
            labels |= called.labels()
        folder = run_folder(self.hub.directory, run)
        ahead_s = self.hub.clock.ahead_s
        shifted = {"SANDBOX_AHEAD_S": str(ahead_s), "PYTHONPATH": str(SHIFT)} if ahead_s else {}
        environment = self.settings.extra_env | shifted
        job = act.Job(run, start, folder, bare, self.hub.url, token, environment, labels)
        job.secrets, job.variables = secrets_of(self.hub, start), variables_of(self.hub, start)
        job.closed = environments.closed_to(self.hub, self.hub.repository(run.repository), start.ref)
        job.others = {name: self.hub.bare(one) for name, one in self.hub.data.repositories.items()}
        return job

    def _finish(self, item: Item, conclusion: str) -> None:
        run = item.run
        run.status, run.conclusion, run.finished_at = "completed", conclusion, self.hub.clock()
        run.seconds = round(time.monotonic() - item.started, 3) if item.started else 0.0
        for claim in item.all_claims:
            self.groups.leave(claim)
        self._open_gates()
        announce_run(self.hub, item, "completed")
        self.hub.save()
        self._changed.notify_all()

    # --- groups of jobs

    def asked(self, item: Item, job: Job, wish: gates.Asked) -> None:
        """A job waits at its gate until it holds its group."""
        with self._changed:
            early = item.early if item.early is not None and item.early.job == job.key else None
            fresh = Claim(f"{item.run.repository}:{wish.group}", item.run.id, job.key, wish.cancels, wish.queues)
            item.claims[job.name] = early or fresh
            item.gates[job.name] = wish.gate
            if item.cancelled and not cancelling.goes_on(item, job.key):
                self._shut(item, job.name)
            elif early is None:
                self._take(fresh)
            self._open_gates()
            self._advance()

    def ended(self, item: Item, job: Job) -> None:
        """A job is over: whoever waits for its group is next."""
        with self._changed:
            if job.name in item.put_out and job.result != "success":
                job.result = "cancelled"
            claim = item.claims.pop(job.name, None)
            item.gates.pop(job.name, None)
            if claim is not None:
                self.groups.leave(claim)
            if item.cancelled:
                cancelling.begin(item)  # the last one that went on may have ended
            self._open_gates()
            self._advance()

    def _stop_job(self, item: Item, claim: Claim) -> None:
        for name in [name for name, one in item.claims.items() if one is claim]:
            item.put_out.add(name)
            if name in item.gates:
                self._shut(item, name)
            elif item.process is not None:
                processes.end_job(item.process.pid, claim.job)

    def _shut(self, item: Item, name: str) -> None:
        item.put_out.add(name)
        gates.answer(run_folder(self.hub.directory, item.run) / "gates", item.gates.pop(name), is_open=False)

    def _open_gates(self) -> None:
        for item in self._going:
            folder = run_folder(self.hub.directory, item.run) / "gates"
            for name in [name for name in item.gates if self.groups.holds(item.claims[name])]:
                gates.answer(folder, item.gates.pop(name), is_open=True)

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
                self._drop(item)
            else:
                self._cancel(item)
            self._advance()

    def _again(self, item: Item) -> None:
        run = item.run
        run.attempt, run.status, run.conclusion, run.problem = run.attempt + 1, "queued", None, ""
        run.jobs, run.annotations = [], []
        fresh = Item(run, item.start, item.level)
        self._items[run.id] = fresh
        self._enter(fresh)

    def _cancel(self, item: Item) -> None:
        if item.cancelled:
            return
        item.cancelled, item.known = True, {job.name for job in item.run.jobs}
        for name in list(item.gates):
            self._shut(item, name)
        cancelling.begin(item)
        if item.process is not None:
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
        """Wait until nothing waits, nothing goes and no event is under way. Raises WorldError after `timeout_s`."""
        end = time.monotonic() + timeout_s
        with self._changed:
            while self._waiting or self._going or self.deliveries.under_way:
                left = end - time.monotonic()
                if left <= 0:
                    names = ", ".join(f"{run.name} #{run.id} ({run.status})" for run in self.going())
                    raise WorldError(f"the sandbox is not quiet after {timeout_s:.0f} s: {names}", code="not_settled")
                self._changed.wait(min(left, 0.5))

    def stop(self) -> None:
        """End everything that still goes, and wait for it."""
        with self._changed:
            self._stopping = True
            self.deliveries.stop()
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


@dataclass
class _Listener:
    """What the log of a run tells the engine."""

    engine: Engine
    item: Item

    def asked(self, job: Job, wish: gates.Asked) -> None:
        self.engine.asked(self.item, job, wish)

    def ended(self, job: Job) -> None:
        self.engine.ended(self.item, job)
