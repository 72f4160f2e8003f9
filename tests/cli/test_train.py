"""`mlbot train` and its like, started by hand, need no variables to be exported first."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from bot.cli import run
from tests.real_data import ROOT

PROGRAM = """
import json
from bot.cli import main
try:
    main(["--version"])
except SystemExit:
    import numpy, sklearn.ensemble
    from threadpoolctl import threadpool_info
    print(json.dumps([pool["num_threads"] for pool in threadpool_info()]))
"""


@pytest.mark.parametrize(("exported", "threads"), [(None, 1), ("2", 2)])
def test_numerical_libraries_use_one_thread_unless_the_user_says_otherwise(exported, threads):
    environ = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    if exported:
        environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), exported)
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environ, capture_output=True, text=True, check=True)
    assert max(json.loads(done.stdout.splitlines()[-1])) == threads


@pytest.mark.parametrize("more", [[], ["--rev", "HEAD"]], ids=["files", "a revision"])
def test_a_mistyped_model_is_answered_with_the_nearest_one(more, tmp_path, capsys):
    assert run(["train", "bike-rental", "--repo", str(ROOT), "--out", str(tmp_path / "out"), *more]) == 1
    assert "Did you mean `bike-rentals`?" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
