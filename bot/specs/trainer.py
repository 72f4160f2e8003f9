"""What, besides spec and data, decides the result of a training: bumped when the trainer would fit another model.

Change together with `bot/train/`: raise TRAINER_VERSION in the commit that changes what the same inputs give.
`tests/arm64/test_stored.py` notices when it was forgotten.
"""

from __future__ import annotations

TRAINER_VERSION = 4

# Distributions whose version can change a fitted model or its bytes.
NUMERICAL_LIBRARIES = ("numpy", "pyarrow", "scikit-learn", "scipy", "skops")
