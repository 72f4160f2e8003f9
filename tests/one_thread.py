"""One BLAS/OpenMP thread for every test, set before numpy is imported: reproducible, and faster on small machines.

A plugin of its own (`-p` in pyproject.toml), since another plugin imports numpy before any conftest.py is read.
"""

import os

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
