"""`python tests/arm64/store.py` keeps what an x86-64 machine predicts in `tests/arm64/x86_64/`, for other machines.

Refuses when the same inputs digest would mean another model: then the trainer changed, and TRAINER_VERSION must say so.
"""

from __future__ import annotations

import platform
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

STORED = Path(__file__).with_name("x86_64")


def main() -> int:
    """0 when everything was stored."""
    from tests.arm64.compare import compared
    from tests.arm64.fit import fit
    from tests.real_data import fetch

    if platform.machine() != "x86_64":
        print("This is no x86-64 machine.")
        return 1
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "out"
        fit(out, fetch(Path(name)))
        for folder in sorted(out.iterdir()):
            kept = STORED / folder.name
            if kept.exists():
                before, after, found = compared(kept, folder)
                if before.inputs_digest == after.inputs_digest and not found.holds:
                    print(f"{folder.name}: {found.sentence()}\nRaise TRAINER_VERSION in bot/specs/trainer.py first.")
                    return 1
        shutil.rmtree(STORED, ignore_errors=True)
        for folder in sorted(out.iterdir()):
            (STORED / folder.name).mkdir(parents=True)
            for file in ("training.json", "predictions.json"):
                shutil.copyfile(folder / file, STORED / folder.name / file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
