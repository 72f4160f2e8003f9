"""Installs the npm packages of node/package-lock.json into a folder of the machine's cache, once for each lock.

    python3 tests/clients/packages.py

Prints the folder. Standard library only, so that it runs before anything else is installed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

NODE = Path(__file__).parent / "node"


def folder() -> Path:
    """Where the packages of this lock are, or would be."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    digest = hashlib.sha256((NODE / "package-lock.json").read_bytes()).hexdigest()[:16]
    return cache / "mlbot-test-clients" / digest


def missing() -> str:
    """Why tests that need the packages cannot run, empty when they can."""
    if shutil.which("node") is None:
        return "node is not installed"
    if not (folder() / "complete").exists():
        return "npm packages are not installed: python3 tests/clients/packages.py"
    return ""


def install() -> None:
    """Whole or not at all. Raises CalledProcessError with what npm said."""
    target = folder()
    if (target / "complete").exists():
        return
    draft = target.with_suffix(f".{os.getpid()}")
    draft.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(NODE / name, draft)
    line = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    subprocess.run(line, cwd=draft, check=True, stdout=subprocess.DEVNULL)
    (draft / "complete").touch()
    shutil.rmtree(target, ignore_errors=True)
    draft.rename(target)


if __name__ == "__main__":
    if shutil.which("npm") is None:
        sys.exit("npm is not installed")
    install()
    print(folder())
