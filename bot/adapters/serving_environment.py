"""The environment that will serve, apart from ours: an artifact is loaded and asked there before it is let out."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bot.adapters.trusted import plain
from bot.errors import UserError, WorldError
from bot.records.training import Training

PACKAGE = Path(__file__).resolve().parents[1]
TIMEOUT_S = 300
Answer = dict[str, dict[str, str]]  # `engines` and `versions`, each by name


def cache_folder() -> Path:
    """Where environments are kept between runs."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mlbot" / "serving"


def prepared(requirements: bytes | None, cache: Path) -> Path:
    """The Python of an environment with exactly these locked requirements (a pip file); None: those of mlbot itself.

    Environments are kept in `cache` by the digest of their requirements. Raises WorldError when one cannot be made.
    """
    if requirements is None:
        return Path(sys.executable)
    folder = cache / hashlib.sha256(requirements).hexdigest()[:32]
    python = folder / "bin" / "python"
    if (folder / "complete").exists():
        return python
    lock = folder.with_suffix(".txt")
    cache.mkdir(parents=True, exist_ok=True)
    lock.write_bytes(requirements)
    make = ["uv", "venv", "--quiet", "--clear", str(folder)]
    fill = ["uv", "pip", "sync", "--quiet", "--python", str(python), str(lock)]
    for command in (make, fill):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise WorldError(f"the serving environment cannot be made: {last}", hint="Check its requirements file.")
    (folder / "complete").touch()
    return python


class ServingEnvironment:
    """Loads and asks artifacts in a process of that Python."""

    def __init__(self, python: Path | None = None) -> None:
        self.python = python or Path(sys.executable)

    def check(self, folder: Path, training: Training) -> None:
        """Raises UserError (code `load_check_failed`) unless every engine reproduces the golden predictions there."""
        (found,) = self.check_all([(folder, training)])
        if found is not None:
            raise found

    def check_all(self, artifacts: Sequence[tuple[Path, Training]]) -> list[UserError | None]:
        """What is wrong with each artifact, None when it answers as it did in training.

        One process for all of them, since starting one costs more than asking a model; whoever ends the process is
        at fault, and the others are asked in a new one.
        """
        with tempfile.TemporaryDirectory(prefix="mlbot-check-") as temporary:
            copies = [
                _copied(folder, training, Path(temporary, str(n))) for n, (folder, training) in enumerate(artifacts)
            ]
            # Only `bot` of ours, by a link: when mlbot is installed, its folder also holds our own libraries.
            code = Path(temporary, "code")
            code.mkdir()
            (code / "bot").symlink_to(PACKAGE, target_is_directory=True)
            found: list[UserError | None] = []
            while len(found) < len(artifacts):
                answers, problem = self._ask(code, copies[len(found) :])
                for answer in answers:
                    found.append(_wrong(answer, artifacts[len(found)][1]))
                if len(found) < len(artifacts):
                    found.append(UserError(problem, code="load_check_failed"))
        return found

    def _ask(self, code: Path, folders: Sequence[Path]) -> tuple[list[Answer], str]:
        """The answers that came, in order, and why there were no more."""
        environ = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(code), "HOME": str(code.parent)}
        environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        command = [str(self.python), "-P", str(code / "bot/cli/probe.py")]
        said, problem = b"", f"loading took more than {TIMEOUT_S} s"
        try:
            done = subprocess.run(
                command, input="".join(f"{folder}\n" for folder in folders).encode(), capture_output=True, check=False,
                env=environ, timeout=TIMEOUT_S * len(folders), cwd=code.parent,
            )  # fmt: skip
            said = done.stdout
            last = (
                done.stderr.decode("utf-8", "replace").strip().splitlines() or [f"it ended with {done.returncode}"]
            )[-1]
            problem = f"the serving environment cannot load it: {plain(last)}"
        except subprocess.TimeoutExpired as stopped:
            said = stopped.stdout or b""
        answers: list[Answer] = []
        with contextlib.suppress(ValueError):
            answers.extend(json.loads(line) for line in said.splitlines()[: len(folders)])
        return answers, problem


def _copied(folder: Path, training: Training, into: Path) -> Path:
    """The artifact's own files and its Training, apart from whatever else lies in the folder."""
    into.mkdir()
    for file in training.files:
        shutil.copyfile(folder / file.name, into / file.name)
    (into / "training.json").write_bytes(training.canonical())
    return into


def _wrong(answer: Answer, training: Training) -> UserError | None:
    wrong = [f"{plain(kind)}: {plain(what)}" for kind, what in answer["engines"].items() if what != "reproduced"]
    if not wrong:
        return None
    versions = plain(", ".join(f"{name} {version}" for name, version in answer["versions"].items()))
    return UserError(
        f"the serving environment does not reproduce {training.model}: {'; '.join(wrong)}",
        hint=f"It has {versions}; train with the versions that serve, or update the serving environment.",
        code="load_check_failed",
    )
