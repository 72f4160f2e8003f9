"""Trees that no honest git writes: a plan names what is wrong in them, and never leaves the repository."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.git import LocalGit
from bot.plan.step import plan
from bot.ports import Ports
from bot.records.plan import Invalid
from tests.evaluate.worlds import SPEC
from tests.fakes.branch import FakeBranch
from tests.fakes.data import FakeData
from tests.repositories import Repository

NAMES = ["..", ".", ".git", "a/b", "/etc", "-rf", "\\", "a\nb", "con:", "\xff\xfe"]


def written(repository: Path, kind: str, data: bytes) -> str:
    """An object as its bytes say, whatever git thinks of it."""
    line = ["git", "-C", str(repository), "hash-object", "-t", kind, "-w", "--literally", "--stdin"]
    return subprocess.run(line, input=data, capture_output=True, check=True).stdout.decode().strip()


def tree(repository: Path, *entries: tuple[str, bytes, str]) -> str:
    """A tree of (mode, name, object id)."""
    rows = (mode.encode() + b" " + name + b"\0" + bytes.fromhex(oid) for mode, name, oid in entries)
    return written(repository, "tree", b"".join(rows))


@pytest.mark.parametrize("name", NAMES)
def test_a_model_folder_of_any_name_is_data(tmp_path: Path, name: str) -> None:
    origin = Repository(tmp_path)
    base = origin.commit({"README.md": "text"})
    model = tree(tmp_path, ("100644", b"model.yaml", written(tmp_path, "blob", SPEC)))
    models = tree(tmp_path, ("40000", name.encode("latin-1"), model))
    root = tree(tmp_path, ("40000", b"models", models))
    who = b"eve <eve@example.com> 1700000000 +0000"
    head = written(
        tmp_path,
        "commit",
        b"tree %b\nparent %b\nauthor %b\ncommitter %b\n\nx\n" % (root.encode(), base.encode(), who, who),
    )
    nothing: Any = None
    ports = Ports(
        git=LocalGit(tmp_path), ledger=FakeBranch(), environments=FakeBranch(), data=FakeData({"*": {}}),
        artifacts=nothing, pull_requests=nothing, conversation=nothing, clock=nothing, run=nothing,
    )  # fmt: skip
    (entry,) = plan(base, head, ports).entries
    assert isinstance(entry, Invalid) and "is not a model name" in entry.message
