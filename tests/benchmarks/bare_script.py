"""What a data scientist would write: read, split, fit, score, save. The yardstick of test_training.py.

python bare_script.py ROWS.parquet OUT.skops
"""

import sys

import numpy as np
import pyarrow.parquet as pq
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

NUMERIC = [f"n{i}" for i in range(12)]
TEXT = [f"c{i}" for i in range(3)]

table = pq.read_table(sys.argv[1], columns=[*NUMERIC, *TEXT, "target"])
y = (table["target"].to_numpy(zero_copy_only=False) == "yes").astype(int)
train, test = train_test_split(np.arange(len(y)), test_size=0.25, random_state=0)
model = make_pipeline(
    ColumnTransformer(
        [
            ("n", StandardScaler(with_mean=False, with_std=False), NUMERIC),
            ("c", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), TEXT),
        ]
    ),
    HistGradientBoostingClassifier(random_state=0),
)
model.fit(table.select(NUMERIC + TEXT).take(train), y[train])
p = model.predict_proba(table.select(NUMERIC + TEXT).take(test))
print(roc_auc_score(y[test], p[:, 1]), log_loss(y[test], p))
skops.io.dump(model, sys.argv[2])
