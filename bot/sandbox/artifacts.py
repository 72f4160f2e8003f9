"""What a run's jobs uploaded and said, read from the run's folders, of all its attempts."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.sandbox.actlog import LEVELS
from bot.sandbox.runs import run_folder
from bot.sandbox.store import Job, Run

_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f]')


@dataclass(frozen=True)
class Artifact:
    """A folder of files under a name; `id` is the one that the uploading step was told."""

    id: int
    name: str
    folder: Path
    run: Run

    @property
    def created_at(self) -> datetime:
        return datetime.fromtimestamp(int(self.folder.stat().st_mtime), UTC)

    def files(self) -> list[Path]:
        return sorted(path for path in self.folder.rglob("*") if path.is_file())

    @property
    def size(self) -> int:
        """Bytes of the files."""
        return sum(path.stat().st_size for path in self.files())

    def zipped(self) -> bytes:
        """The same bytes each time."""
        return _zip((path.relative_to(self.folder).as_posix(), path.read_bytes()) for path in self.files())


def artifact_id(run: int, name: str) -> int:
    """As `actions/upload-artifact/upload.py` says it."""
    return int(hashlib.sha256(f"{run}/{name}".encode()).hexdigest()[:7], 16)


def artifacts_of(directory: Path, run: Run) -> list[Artifact]:
    """By name; what a later attempt uploaded again stands for the earlier."""
    found: dict[str, Artifact] = {}
    for attempt in range(1, run.attempt + 1):
        store = _folder(directory, run, attempt) / "artifacts"
        for folder in sorted(store.iterdir()) if store.is_dir() else []:
            if folder.is_dir():
                found[folder.name] = Artifact(artifact_id(run.id, folder.name), folder.name, folder, run)
    return list(found.values())


def _folder(directory: Path, run: Run, attempt: int) -> Path:
    return run_folder(directory, replace(run, attempt=attempt))


# --- logs


def job_log(directory: Path, run: Run, job: Job, attempt: int | None = None) -> str:
    """Everything that the job said, in lines that start with their time."""
    lines = _lines(_folder(directory, run, attempt or run.attempt))
    return "".join(f"{at} {text}\n" for name, _, at, text in lines if name == job.name)


def zipped_logs(directory: Path, run: Run, attempt: int | None = None) -> bytes:
    """A file a job and, in a folder a job, a file a step, named as GitHub names them."""
    wholes: dict[str, str] = {}
    steps: dict[tuple[str, str], str] = {}
    for name, step, at, text in _lines(_folder(directory, run, attempt or run.attempt)):
        wholes[name] = wholes.get(name, "") + f"{at} {text}\n"
        steps[name, step] = steps.get((name, step), "") + f"{at} {text}\n"
    return _zip(_log_files(run, wholes, steps))


def _log_files(run: Run, wholes: dict[str, str], steps: dict[tuple[str, str], str]) -> Iterator[tuple[str, bytes]]:
    for index, job in enumerate(run.jobs):
        shown = _UNSAFE.sub("", job.name.removeprefix(f"{run.name}/"))
        yield f"{index}_{shown}.txt", wholes.get(job.name, "").encode()
        for number, step in enumerate(job.steps, 1):
            text = steps.get((job.name, step.name), "")
            yield f"{shown}/{number}_{_UNSAFE.sub('', step.name)}.txt", text.encode()


def _lines(folder: Path) -> Iterator[tuple[str, str, str, str]]:
    """(job, step, time, text) of what the jobs printed, by the engine's own log."""
    path = folder / "act.jsonl"
    for line in path.read_text(errors="replace").splitlines() if path.exists() else []:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and "job" in entry:
            step = str(entry.get("step", "")).split("\n")[0]
            at = _utc(str(entry.get("time", "")))
            yield from ((str(entry["job"]).strip(), step, at, text) for text in _said(entry, step))


def _said(entry: dict[str, Any], step: str) -> list[str]:
    """The lines of GitHub's log that stand for one line of the engine's."""
    text = str(entry.get("msg", "")).rstrip("\r\n")
    if entry.get("command") in LEVELS:
        return [f"##[{entry['command']}]{entry.get('arg', '')}"]
    if entry.get("raw_output"):
        return [text]
    started = entry.get("stage") == "Main" and text.startswith("⭐") and not entry.get("stepResult")
    return [f"##[group]Run {step}", "##[endgroup]"] if started else []


def _utc(text: str) -> str:
    """GitHub's time of a line, to seven places."""
    try:
        when = datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
    except ValueError:
        when = datetime.fromtimestamp(0, UTC)
    return when.strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def _zip(files: Iterator[tuple[str, bytes]]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return packed.getvalue()
