"""`mlbot train` and its like, started by hand, need no variables to be exported first."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

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
