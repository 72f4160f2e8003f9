"""Worlds that a test goes on from: each is made once a test run and copied."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.sandbox.world import Sandbox
from tests.reliability.recorded import given
from tests.sandboxes import copied, made_once
from tests.stories.world import BIKES, approve_by_review, bikes, evaluation_id, say, verdict
from tests.stories.world import notes as make_notes

TUNED = 2  # the pull request of a model


def _tuned(notes: Path, folder: Path) -> None:
    """Pull request 2 besides, of a model that was evaluated and that an owner and a validator approved."""
    with copied(notes, folder) as sandbox:
        sandbox.propose("dana", "tune", {BIKES: bikes(61)}, "Tune")
        sandbox.settle()
        say(sandbox, "vera", TUNED, f"/approve {evaluation_id(sandbox, TUNED)}")
        approve_by_review(sandbox, "owen", TUNED)
        given(verdict(sandbox, TUNED) == "success", "a green model")


@pytest.fixture(scope="session")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(tmp_path_factory, "notes", make_notes)


@pytest.fixture(scope="session")
def tuned(tmp_path_factory: pytest.TempPathFactory, notes: Path) -> Path:
    return made_once(tmp_path_factory, "tuned", lambda folder: _tuned(notes, folder))


@pytest.fixture
def sandbox(notes: Path, tmp_path: Path) -> Iterator[Sandbox]:
    """Pull request NOTES is green: owen approved it."""
    with copied(notes, tmp_path / "world") as resumed:
        yield resumed


@pytest.fixture
def releasing(tuned: Path, tmp_path: Path) -> Iterator[Sandbox]:
    """NOTES is green, and so is TUNED, whose merge brings a model to staging."""
    with copied(tuned, tmp_path / "world") as resumed:
        yield resumed
