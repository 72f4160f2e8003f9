"""One live model a test, fitted once a session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.monitor.world import World, world


@pytest.fixture(scope="session")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """A folder for the model of so many rows."""
    folders: dict[int, Path] = {}

    def folder(n: int) -> Path:
        return folders.setdefault(n, tmp_path_factory.mktemp(f"fitted-{n}"))

    return folder


@pytest.fixture
def live(tmp_path: Path, fitted: Callable[[int], Path]) -> World:
    return world(tmp_path, fitted(2400))
