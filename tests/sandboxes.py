"""The rehearsal's GitHub around next to nothing, for tests of what talks to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.sandbox.world import Sandbox


def small_sandbox(folder: Path, **settings: Any) -> Sandbox:
    """A sandbox in `folder / "world"` whose repository holds `models/a.txt` only; `settings` as of Sandbox.start."""
    models = folder / "template" / "models"
    models.mkdir(parents=True)
    (models / "a.txt").write_text("one\n")
    return Sandbox.start(folder / "world", template=folder / "template", **settings)
