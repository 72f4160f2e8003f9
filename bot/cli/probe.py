"""`python bot/cli/probe.py`: load artifacts in this Python environment and reproduce their golden predictions.

Run by the load-and-query check in the environment that will serve, as a file, so that nothing of the command line is
imported. Reads one folder a line from standard input and says one JSON line for each.
"""

from __future__ import annotations

import json
import sys
from importlib import metadata
from pathlib import Path

from bot.errors import MlbotError


def probe(folder: Path) -> dict[str, str]:
    """Engine -> `reproduced`, or what went wrong. `folder` holds the artifact's files and training.json."""
    from bot.adapters.predictor import load
    from bot.records.training import Training
    from bot.serve.golden import reproduces

    training = Training.parse((folder / "training.json").read_bytes(), source="training.json")
    golden = (folder / "golden.json").read_bytes()
    found = {}
    for kind in ("skops", "onnx") if training.onnx == "passed" else ("skops",):
        try:
            predictor = load(folder, training, prefer="onnx" if kind == "onnx" else "skops")
            reproduces(predictor, training, kind, golden)
            found[kind] = "reproduced"
        except MlbotError as error:
            found[kind] = error.message
        except Exception as error:  # another version of scikit-learn may raise anything
            found[kind] = f"{type(error).__name__}: {error}"
    return found


def main() -> None:
    """The process: an answer is out before the next artifact is touched, which may end the process.

    It reads the artifacts and Python, and nothing else of the machine.
    """
    from bot.adapters.confine import confine

    folders = [Path(line.rstrip("\n")) for line in sys.stdin]
    confine(folders)
    for folder in folders:
        engines = probe(folder)
        versions = {name: metadata.version(name) for name in ("scikit-learn", "numpy", "skops", "onnxruntime")}
        print(json.dumps({"engines": engines, "versions": versions}), flush=True)


if __name__ == "__main__":
    main()
