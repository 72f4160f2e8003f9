"""The environment that will serve, apart from ours: an artifact is loaded and asked there before it is let out."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bot.errors import UserError, WorldError
from bot.records.training import Training

PACKAGE = Path(__file__).resolve().parents[1]
TIMEOUT_S = 300


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
    """Loads and asks an artifact in a process of that Python."""

    def __init__(self, python: Path | None = None) -> None:
        self.python = python or Path(sys.executable)

    def check(self, folder: Path, training: Training) -> None:
        """Raises UserError (code `load_check_failed`) unless every engine reproduces the golden predictions there."""
        with tempfile.TemporaryDirectory(prefix="mlbot-check-") as temporary:
            copy = Path(temporary)
            for file in training.files:
                (copy / file.name).write_bytes((folder / file.name).read_bytes())
            (copy / "training.json").write_bytes(training.canonical())
            said = self._ask(copy)
        wrong = [f"{kind}: {what}" for kind, what in said["engines"].items() if what != "reproduced"]
        if wrong:
            versions = ", ".join(f"{name} {version}" for name, version in said["versions"].items())
            raise UserError(
                f"the serving environment does not reproduce {training.model}: {'; '.join(wrong)}",
                hint=f"It has {versions}; train with the versions that serve, or update the serving environment.",
                code="load_check_failed",
            )

    def _ask(self, folder: Path) -> dict[str, dict[str, str]]:
        # Only `bot` of ours, by a link: when mlbot is installed, its folder also holds our own numerical libraries.
        code = folder / "code"
        code.mkdir()
        (code / "bot").symlink_to(PACKAGE, target_is_directory=True)
        environ = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(code), "HOME": str(folder)}
        environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        command = [str(self.python), "-m", "bot.cli.probe", str(folder)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, env=environ, timeout=TIMEOUT_S, cwd=folder
            )
            found: dict[str, dict[str, str]] = json.loads(done.stdout.strip().splitlines()[-1])
        except subprocess.TimeoutExpired:
            raise UserError(f"loading took more than {TIMEOUT_S} s", code="load_check_failed") from None
        except (ValueError, IndexError):
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise UserError(f"the serving environment cannot load it: {last}", code="load_check_failed") from None
        return found
