"""Every door for a moment: `make fuzz` is the same for ten minutes each."""

from __future__ import annotations

import os
import random
import subprocess

import pytest

from bot.errors import UserError
from tests.fuzz.targets import TARGETS
from tests.fuzz.watch import HangError, WroteError, fuzz, tried


@pytest.mark.parametrize("name", TARGETS)
def test_no_input_crashes_hangs_or_writes(name: str) -> None:
    seed = random.SystemRandom().randrange(10**6)
    found = fuzz(TARGETS[name], 0.7, seed)
    assert found.inputs >= 3
    assert not found.wrong, f"seed {seed}\n" + "\n".join(f"{place}\n{told}" for place, (_, told) in found.wrong.items())


def test_the_watch_sees_what_it_is_for(tmp_path) -> None:  # type: ignore[no-untyped-def]
    def refuse(_: bytes) -> None:
        raise UserError("no")

    assert tried(refuse, b"") is None
    assert isinstance(tried(lambda _: 1 // 0, b""), ZeroDivisionError)
    assert isinstance(tried(lambda _: (tmp_path / "x").write_text("x"), b""), WroteError)
    assert isinstance(tried(lambda _: os.mkdir(tmp_path / "y"), b""), WroteError)
    assert isinstance(tried(lambda _: subprocess.run(["true"]), b""), WroteError)


def test_a_loop_without_end_is_seen() -> None:
    def turn(_: bytes) -> None:
        while True:
            pass

    assert isinstance(tried(turn, b""), HangError)
