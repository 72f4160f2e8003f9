"""Job-level concurrency groups: a step before a job's own, which waits until the engine lets the job through.

The group's expressions are filled by `act` itself, which knows needs and matrix. The step is in no list of steps.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAME = "Wait for the concurrency group"
FOLDER = "SANDBOX_GATES"
_SAID = re.compile(r"^sandbox-gate (\d+) (\w*) (\w*) (.*)$")
_SCRIPT = """[ -d "$SANDBOX_GATES" ] || exit 0
echo "sandbox-gate $$ ${CANCELS:-false} ${QUEUE:-single} $GROUP"
until [ -e "$SANDBOX_GATES/$$.open" ]; do [ ! -e "$SANDBOX_GATES/$$.shut" ] || exit 1; sleep 0.05; done
"""


@dataclass(frozen=True)
class Asked:
    """What a job says at its gate."""

    gate: str
    cancels: bool
    queues: bool
    group: str


def step(concurrency: Any) -> str:
    """The step as one line of YAML, for a job's `concurrency:`."""
    given: Mapping[str, Any] = concurrency if isinstance(concurrency, dict) else {"group": concurrency}
    environment = {
        "GROUP": str(given.get("group", "")),
        "CANCELS": str(given.get("cancel-in-progress", "false")).lower(),
        "QUEUE": str(given.get("queue", "single")),
    }
    return json.dumps({"name": NAME, "shell": "sh", "env": environment, "run": _SCRIPT})


def asked(entry: Mapping[str, Any]) -> Asked | None:
    """What a line of the log asks for, None when it is no gate's."""
    if entry.get("step") != NAME or not entry.get("raw_output"):
        return None
    said = _SAID.match(str(entry.get("msg", "")).strip())
    return Asked(said[1], said[2] == "true", said[3] == "max", said[4]) if said else None


def answer(folder: Path, gate: str, *, is_open: bool) -> None:
    """Let the job through, or end it."""
    (folder / f"{gate}.{'open' if is_open else 'shut'}").touch()
