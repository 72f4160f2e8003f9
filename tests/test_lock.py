"""Everything that is locked installs on arm64 as on x86-64 without a compiler."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCK = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))

# Pure Python, published as source only on every architecture; needs no compiler.
SOURCE_ONLY = {"antlr4-python3-runtime"}

PURE = re.compile(r"-(py3|py2\.py3|cp3\d+|py3\d+)-none-any\.whl$")


def packages() -> list[dict]:
    return [package for package in LOCK["package"] if "registry" in package["source"]]


def fits(wheel: str, machine: str) -> bool:
    name = wheel.rpartition("/")[2]
    linux = rf"-(cp311-cp311|cp3\d+-abi3|py3-none|py2\.py3-none|cp311-none)-[a-z0-9_.]*manylinux[a-z0-9_.]*_{machine}"
    return bool(PURE.search(name) or re.search(linux, name))


@pytest.mark.parametrize("machine", ["aarch64", "x86_64"])
def test_every_locked_package_has_a_wheel(machine):
    without = {
        package["name"]
        for package in packages()
        if not any(fits(wheel["url"], machine) for wheel in package.get("wheels", ()))
    }
    assert without <= SOURCE_ONLY


def test_the_lock_is_for_both_architectures():
    assert {marker.split("'")[1] for marker in LOCK["supported-markers"]} == {"aarch64", "x86_64"}


@pytest.mark.slow
def test_the_lock_resolves_for_arm64_from_binaries_only(tmp_path):
    """uv itself, with the very versions of the lock."""
    uv = [sys.executable, "-m", "uv"]
    pinned = tmp_path / "pinned.txt"
    export = [*uv, "export", "--frozen", "--all-groups", "--all-extras", "--no-emit-project", "--no-hashes", "-q"]
    subprocess.run([*export, "-o", str(pinned)], cwd=ROOT, check=True)
    command = [*uv, "pip", "compile", "-q", "--only-binary", ":all:"]
    for name in sorted(SOURCE_ONLY):
        command += ["--no-binary", name]
    platform = ["--python-version", "3.11", "--python-platform", "aarch64-unknown-linux-gnu", str(pinned)]
    done = subprocess.run([*command, *platform], capture_output=True, text=True, check=False)
    if done.returncode and "error sending request" in done.stderr and not os.environ.get("CI"):
        pytest.skip("no package index")
    assert done.returncode == 0, done.stderr
    assert "scikit-learn==" in done.stdout
