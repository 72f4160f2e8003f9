"""GitHub Actions in one thread: the sandbox's own triggers, groups and conditions; a job is a call of `mlbot handle`.

Runs wait until somebody lets a job of theirs go, so that every order of jobs is possible.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import os
import re
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from bot import cli
from bot.sandbox import conditions, expressions
from bot.sandbox.concurrency import Claim, Groups, InvalidError, claim_of
from bot.sandbox.deliveries import Deliveries
from bot.sandbox.hub import Happening, Hub
from bot.sandbox.runs import Item, announce_run, contexts, item_of, secrets_of
from bot.sandbox.triggers import starts
from bot.sandbox.workflows import _permissions
from tests.reliability.chaos import Chaos, SimulatedCrash

SKIPPED = ("ci.yml", "arm64.yml", "reproduce.yml", "monitor.yml")
HANDLE = "mlbot handle"


@dataclass(eq=False)
class Row:
    """One entry of a job's matrix, empty without one, and the group that it waits for."""

    matrix: dict[str, Any]
    claim: Claim | None = None


@dataclass(eq=False)
class Going:
    """A run with what its jobs gave so far. `ends` are how the entries of a job ended."""

    item: Item
    results: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    artifacts: dict[str, dict[str, bytes]] = field(default_factory=dict)
    rows: dict[str, list[Row]] = field(default_factory=dict)  # still to run, by job
    ends: dict[str, set[str]] = field(default_factory=dict)

    @property
    def jobs(self) -> dict[str, dict[str, Any]]:
        return self.item.start.workflow.jobs

    @property
    def is_over(self) -> bool:
        return self.item.run.status == "completed"


@dataclass
class Ended:
    """How one call of a handler ended: `code` as of the command line, None when its runner died."""

    run: int
    job: str
    workflow: str
    event: str
    code: int | None
    said: str
    hit: list[str]
    about: list[int]


class Actions:
    """What GitHub Actions does with events. `ended` is told of every handler."""

    def __init__(self, hub: Hub, repository: str, folder: Path, chaos: Chaos, skip: tuple[str, ...] = SKIPPED) -> None:
        self.hub = hub
        self.name = repository
        self.folder = folder
        self.chaos = chaos
        self.skip = skip
        self.groups = Groups()
        self.going: list[Going] = []
        self.by_id: dict[int, Going] = {}
        self.ended: list[Callable[[Ended], None]] = []
        self.began: list[Callable[[Going, str], None]] = []
        self.deliveries = Deliveries(hub, self.happened)
        hub.listeners.append(self.deliveries.happened)
        hub.control = self.control
        self._depth = 0

    # --- events

    def happened(self, happening: Happening) -> None:
        """Queue what the event starts."""
        for start in starts(self.hub, happening):
            if start.workflow.path.rsplit("/", 1)[-1] in self.skip:
                continue
            going = Going(item_of(self.hub, start, happening.level))
            self.hub.data.runs.append(going.item.run)
            self.by_id[going.item.run.id] = going
            self._enter(going)
            announce_run(self.hub, going.item, "requested")

    def _enter(self, going: Going) -> None:
        self.going.append(going)
        given = going.item.start.workflow.body.get("concurrency")
        try:
            claim = claim_of(given, contexts(self.hub, going.item), self.name, going.item.run.id)
        except InvalidError:
            self._finish(going, "startup_failure")
            return
        if claim is not None:
            going.item.claim = claim
            self._take(claim)

    def _take(self, claim: Claim) -> None:
        for out in self.groups.enter(claim):
            other = self.by_id[out.run]
            if not out.job:
                self.cancel(other)
                continue
            for row in [row for row in other.rows.get(out.job, []) if row.claim is out]:
                self._ended(other, out.job, row, "cancelled")

    def _ended(self, going: Going, key: str, row: Row, result: str) -> None:
        """One entry of a job is over, and with the last one the job."""
        left = going.rows.get(key, [])
        if row in left:
            left.remove(row)
        if row.claim is not None:
            self.groups.leave(row.claim)
        going.ends.setdefault(key, set()).add(result)
        if not left and not going.is_over:
            going.rows.pop(key, None)
            worst = [word for word in ("failure", "cancelled", "success") if word in going.ends[key]]
            going.results[key] = worst[0]

    # --- what can run

    def ready(self) -> list[tuple[Going, str]]:
        """Jobs that could start now, oldest run first."""
        found = []
        for going in list(self.going):
            if going.item.claim is None or self.groups.holds(going.item.claim):
                found += [(going, key) for key in self._ready_jobs(going)]
        return [(going, key) for going, key in found if not going.is_over and self._next(going, key)]

    def _ready_jobs(self, going: Going) -> list[str]:
        """Keys whose needs are over; what is skipped is noted, and a run without anything left is finished."""
        changed, found = True, list[str]()
        while changed:
            changed, found = False, []
            for key, job in going.jobs.items():
                if key in going.results or any(name not in going.results for name in conditions.needs_of(job)):
                    continue
                if key in going.rows or self._opens(going, key, job):
                    found.append(key)
                else:
                    going.results[key] = "skipped"
                    changed = True
        if not found and len(going.results) == len(going.jobs):
            self._conclude(going)
        return found

    def _opens(self, going: Going, key: str, job: dict[str, Any]) -> bool:
        known = self._contexts(going, job)
        if not conditions.runs(job, known, going.results, is_cancelled=going.item.cancelled):
            return False
        going.rows[key] = [Row(one) for one in _rows(job, known)]
        for row in list(going.rows[key]) if job.get("concurrency") else ():
            inside = {**known, "matrix": row.matrix}
            row.claim = claim_of(job["concurrency"], inside, self.name, going.item.run.id, key)
            if row.claim is not None:
                self._take(row.claim)
        return key in going.rows or key in going.results

    def _next(self, going: Going, key: str) -> Row | None:
        """The first entry of a job that waits for nothing."""
        rows = going.rows.get(key, [])
        return next((row for row in rows if row.claim is None or self.groups.holds(row.claim)), None)

    def _contexts(self, going: Going, job: dict[str, Any], **more: Any) -> dict[str, Any]:
        needs = {
            name: {"result": going.results.get(name, ""), "outputs": going.outputs.get(name, {})}
            for name in conditions.needs_of(job)
        }
        secrets = secrets_of(self.hub, going.item.start)
        return {**contexts(self.hub, going.item), "needs": needs, "env": {}, "secrets": secrets, **more}

    # --- a job

    def work(self, going: Going, key: str) -> None:
        """One entry of a job, to its end or its crash."""
        job, run = going.jobs[key], going.item.run
        run.status, run.started_at = "in_progress", run.started_at or self.hub.clock()
        row = self._next(going, key)
        assert row is not None
        going.rows[key].remove(row)
        for each in self.began:
            each(going, key)
        is_good = self._steps(going, key, job, row.matrix)
        self._ended(going, key, row, "success" if is_good else "failure")
        if not going.is_over:
            self._ready_jobs(going)

    def _steps(self, going: Going, key: str, job: dict[str, Any], row: dict[str, Any]) -> bool:
        """Whether every step succeeded. Steps know artifacts and `mlbot handle`; others do nothing."""
        workspace = self.folder / f"job-{going.item.run.id}-{key}-{len(going.rows.get(key, []))}-{self._depth}"
        token = self.hub.mint(_permissions(job.get("permissions", {})), going.item.run.id)
        known = self._contexts(going, job, matrix=row)
        known["github"] = {**known["github"], "token": token, "api_url": self.hub.url}
        outputs: dict[str, dict[str, str]] = {}
        is_good = True
        try:
            for step in job.get("steps", ()):
                condition = str(step.get("if", ""))
                if not is_good and "always()" not in condition and "!cancelled()" not in condition:
                    continue
                is_good = self._step(going, key, step, known, workspace, outputs) and is_good
            mapped = {**known, "steps": {name: {"outputs": one} for name, one in outputs.items()}}
            wanted = job.get("outputs") or {}
            going.outputs[key] = {name: expressions.fill(str(text), mapped) for name, text in wanted.items()}
        except SimulatedCrash:
            is_good = False
        finally:
            self.hub.expire(going.item.run.id)
            shutil.rmtree(workspace, ignore_errors=True)
        return is_good

    def _step(
        self, going: Going, key: str, step: dict[str, Any], known: dict[str, Any], workspace: Path,
        outputs: dict[str, dict[str, str]],
    ) -> bool:  # fmt: skip
        uses, given = str(step.get("uses", "")), step.get("with") or {}
        filled = {name: expressions.fill(str(text), known) for name, text in given.items()}
        if uses.startswith("actions/checkout@"):
            self.checkout(workspace)
        elif uses.startswith("actions/upload-artifact@"):
            return self._upload(going, filled, workspace)
        elif uses.startswith("actions/download-artifact@"):
            self._download(going, filled, workspace)
        elif HANDLE in str(step.get("run", "")):
            env = {name: expressions.fill(str(text), known) for name, text in (step.get("env") or {}).items()}
            code, found = self._handle(going, key, env, workspace)
            outputs[str(step.get("id", ""))] = found
            return code == 0
        return True

    def checkout(self, workspace: Path) -> None:
        """A clone with every branch and tag, at the tip of the default branch; objects are the server's."""
        bare, default = self.hub.bare(self.name), self.hub.repository(self.name).default_branch
        git = workspace / ".git"
        (git / "refs/heads").mkdir(parents=True)
        (git / "objects").symlink_to(bare.path.resolve() / "objects")
        (git / "config").write_text(
            f'[core]\n\trepositoryformatversion = 0\n\tbare = false\n[remote "origin"]\n\turl = {bare.path}\n'
        )
        refs, lines = bare.refs(), ["# pack-refs with: peeled fully-peeled sorted "]
        named = {name.replace("refs/heads/", "refs/remotes/origin/", 1): sha for name, sha in refs.items()}
        lines += [f"{sha} {name}" for name, sha in sorted(named.items()) if not name.startswith("refs/pull/")]
        (git / "packed-refs").write_text("\n".join(lines) + "\n")
        (git / "HEAD").write_text(f"ref: refs/heads/{default}\n")
        (git / "refs/heads" / default).write_text(refs[f"refs/heads/{default}"] + "\n")
        self._lay_out(bare, refs[f"refs/heads/{default}"], workspace)

    def _lay_out(self, bare: Any, sha: str, workspace: Path) -> None:
        """Files that are read from the disk: only DVC's."""
        config = bare.read(sha, ".dvc/config")
        (workspace / ".dvc").mkdir()
        (workspace / ".dvc/config").write_bytes(config or b"")

    def _upload(self, going: Going, given: dict[str, str], workspace: Path) -> bool:
        """upload-artifact: the root is the folder before the first wildcard, or the one that holds all files."""
        found: list[Path] = []
        roots: list[Path] = []
        for pattern in (line.strip().rstrip("/") for line in given["path"].splitlines()):
            if "*" in pattern:
                roots.append(workspace / pattern.split("*")[0])
                folders = sorted(roots[-1].glob("*/"))
                found += [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
            else:
                roots.append((workspace / pattern).parent)
                found += [path for path in [workspace / pattern] if path.is_file()]
        if not found:
            return given.get("if-no-files-found") != "error"
        root = os.path.commonpath(roots)
        going.artifacts[given["name"]] = {path.relative_to(root).as_posix(): path.read_bytes() for path in found}
        return True

    def _download(self, going: Going, given: dict[str, str], workspace: Path) -> None:
        """download-artifact: one by name as it is; of several each has a folder of its own, or they are merged."""
        prefix = given.get("pattern", "").rstrip("*")
        for name, files in going.artifacts.items():
            if name != given.get("name") and not (prefix and name.startswith(prefix)):
                continue
            is_apart = name != given.get("name") and given.get("merge-multiple") != "true"
            into = workspace / given.get("path", ".") / (name if is_apart else "")
            for path, data in files.items():
                (into / path).parent.mkdir(parents=True, exist_ok=True)
                (into / path).write_bytes(data)

    def _handle(
        self, going: Going, key: str, env: dict[str, str], workspace: Path
    ) -> tuple[int | None, dict[str, str]]:
        """`mlbot handle` as the step calls it: its exit code and its outputs."""
        run, start = going.item.run, going.item.start
        event, output = workspace / ".event.json", workspace / ".output"
        event.write_text(json.dumps(start.payload))
        output.touch()
        given = {
            "GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": str(run.id), "GITHUB_RUN_ATTEMPT": str(run.attempt),
            "GITHUB_SERVER_URL": self.hub.url, "GITHUB_API_URL": self.hub.url,
            "GITHUB_GRAPHQL_URL": f"{self.hub.url}/graphql",
            "GITHUB_REPOSITORY": run.repository, "GITHUB_JOB": key, "GITHUB_WORKFLOW": run.name,
            "GITHUB_ACTOR": run.actor, "GITHUB_SHA": start.sha, "GITHUB_EVENT_NAME": start.event,
            "GITHUB_EVENT_PATH": str(event), "GITHUB_OUTPUT": str(output), "GITHUB_WORKSPACE": str(workspace),
            "GITHUB_REF": start.ref, "PATH": os.environ.get("PATH", ""), "HOME": str(workspace),
            "GITHUB_STEP_SUMMARY": str(workspace / ".summary"), "TMPDIR": os.environ.get("TMPDIR", "/tmp"),
        }  # fmt: skip
        said = io.StringIO()
        code: int | None = None
        self.chaos.active += 1
        hit, self.chaos.hit = self.chaos.hit, []
        try:
            code = self.call({**given, **env}, workspace, said)
        finally:
            self.chaos.active -= 1
            hit, self.chaos.hit = self.chaos.hit, hit
            found = Ended(run.id, key, run.file, start.event, code, said.getvalue(), hit, list(run.about))
            for each in self.ended:
                each(found)
        return code, _outputs(output.read_text()) if code == 0 else {}

    def call(self, environment: dict[str, str], workspace: Path, said: io.StringIO) -> int:
        """The command in this process; its exit code. Raises SimulatedCrash when its runner dies."""
        with mock.patch.dict(os.environ, environment, clear=True), _listening(said):
            return cli.run(["handle", "--repo", str(workspace)])

    # --- ends

    def _conclude(self, going: Going) -> None:
        results = set(going.results.values())
        word = "failure" if "failure" in results else "cancelled" if "cancelled" in results else "success"
        word = "skipped" if results == {"skipped"} else word
        self._finish(going, "cancelled" if going.item.cancelled else word)

    def _finish(self, going: Going, conclusion: str) -> None:
        if going.is_over:
            return
        run = going.item.run
        run.status, run.conclusion, run.finished_at = "completed", conclusion, self.hub.clock()
        self.going = [one for one in self.going if one is not going]
        waiting = [row.claim for rows in going.rows.values() for row in rows]
        for claim in (going.item.claim, *waiting):
            if claim is not None:
                self.groups.leave(claim)
        announce_run(self.hub, going.item, "completed")

    def cancel(self, going: Going) -> None:
        """Jobs that did not begin are skipped, unless they go on; one that goes does so until its end."""
        if going.is_over or going.item.cancelled:
            return
        going.item.cancelled = True
        for key in [key for key in going.jobs if key not in going.results]:
            if not conditions.goes_on(going.jobs[key]):
                begun = going.rows.pop(key, [])
                for row in begun:
                    if row.claim is not None:
                        self.groups.leave(row.claim)
                going.results[key] = "cancelled" if begun else "skipped"
        if len(going.results) == len(going.jobs):
            self._conclude(going)

    def control(self, word: str, run: int) -> None:
        going = self.by_id.get(run)
        if going is None:
            return
        if word == "cancel":
            self.cancel(going)
        elif going.is_over:
            self.rerun(going)

    def rerun(self, going: Going) -> None:
        """All jobs again, as another attempt."""
        item = going.item
        item.run.attempt, item.run.status, item.run.conclusion = item.run.attempt + 1, "queued", None
        fresh = Going(Item(item.run, item.start, item.level))
        self.by_id[item.run.id] = fresh
        self._enter(fresh)


def _rows(job: dict[str, Any], known: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries of a job's matrix; one empty entry without one."""
    given = (job.get("strategy") or {}).get("matrix")
    if given is None:
        return [{}]
    if isinstance(given, str):
        given = expressions.value(re.sub(r"^\$\{\{|\}\}$", "", given.strip()), known)
    return copy.deepcopy(list(given.get("include", [])))


def _outputs(text: str) -> dict[str, str]:
    """GITHUB_OUTPUT, in the form that takes several lines."""
    found, lines = {}, iter(text.splitlines())
    for line in lines:
        name, _, mark = line.partition("<<")
        value = []
        for inner in lines:
            if inner == mark:
                break
            value.append(inner)
        found[name] = "\n".join(value)
    return found


@contextlib.contextmanager
def _listening(said: io.StringIO) -> Iterator[None]:
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            yield
        except SimulatedCrash as crash:
            said.write(f"\nthe runner died {crash}\n")
            raise
        except BaseException:
            traceback.print_exc(file=sys.__stderr__)
            raise
