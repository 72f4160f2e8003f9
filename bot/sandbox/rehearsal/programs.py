"""git, dvc, gto and mlbot run as a user runs them, with a home folder of their own: nothing is left elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from bot.errors import WorldError


class Programs:
    """Programs of this environment; whatever they keep for themselves lies in `home`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        (home / "tmp").mkdir(parents=True, exist_ok=True)

    @property
    def environ(self) -> Mapping[str, str]:
        """Nothing of ours but PATH."""
        return {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
            "HOME": str(self.home),
            "TMPDIR": str(self.home / "tmp"),
            "DVC_SITE_CACHE_DIR": str(self.home / "dvc"),
            "DVC_NO_ANALYTICS": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }

    def run(self, *line: str, cwd: Path) -> str:
        """What the program printed. Raises WorldError with its last lines when it fails."""
        done = subprocess.run(line, cwd=cwd, env=self.environ, capture_output=True, text=True, check=False)
        if done.returncode:
            tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-12:])
            raise WorldError(
                f"{' '.join(line)} ended with code {done.returncode} in {cwd}\n{tail}", code="program_failed"
            )
        return done.stdout.strip()

    def remove(self) -> None:
        """Delete the home."""
        shutil.rmtree(self.home, ignore_errors=True)
