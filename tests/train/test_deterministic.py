"""The same inputs give the same bytes: whatever the hash seed, the number of jobs and the number of threads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.train.small import put, rows

ROOT = Path(__file__).parents[2]

PROGRAM = """
import sys
from pathlib import Path
from bot.adapters.workbench import LocalWorkbench
from bot.train.step import train
from tests.builders import a_planned
from tests.train.small import a_spec

folder, jobs = Path(sys.argv[1]), sys.argv[2]
SEARCH = "{parameters: {max_leaf_nodes: [4, 8]}, folds: 2}"
for estimator, search in (
    ("{name: HistGradientBoostingClassifier, parameters: {max_iter: 8}}", SEARCH),
    ("{name: RandomForestClassifier, parameters: {n_estimators: 8}}", ""),
    ("{name: LogisticRegression, calibration: sigmoid}", "{parameters: {C: [0.1, 1]}, folds: 2}"),
):
    spec = a_spec(estimator=estimator, search=search, resources="{jobs: " + jobs + "}",
                  features="{numeric: [signal, noise], categorical: [{columns: [shop], encode: one_hot}]}")
    training = train(spec, a_planned("small"), LocalWorkbench(folder, folder / "out" / jobs))
    print(*(file.sha256 for file in training.files), training.parameters)
"""


def said(folder: Path, jobs: str, threads: str, hash_seed: str) -> str:
    environment = {
        **os.environ,
        "PYTHONHASHSEED": hash_seed,
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
    }
    command = [sys.executable, "-c", PROGRAM, str(folder), jobs]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_bytes_do_not_depend_on_hash_seed_jobs_or_threads(tmp_path):
    put(tmp_path, rows())
    first = said(tmp_path, "1", "1", "1")
    assert first.count("sha256:") >= 6
    assert said(tmp_path, "2", "2", "2") == first
