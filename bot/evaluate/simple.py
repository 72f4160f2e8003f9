"""The two models that every candidate must be worth more than: a constant, and a linear one on the same inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from bot.evaluate.rows import Codes, Floats, Scores
from bot.records.training import Training
from bot.specs.frame import frame, frame_names, is_text
from bot.specs.signature import signature_of
from bot.specs.values import conformed

MOST_ROWS = 20_000
MOST_CATEGORIES = 1_000  # of one column; the rarest ones are taken together beyond


def dummy(training: Training, truth: Codes | Floats, n_test: int) -> Scores:
    """What training rows (n,) say without any input: class shares and the likeliest class, or the median."""
    if training.classes is None:
        return Scores(np.full(n_test, float(np.median(truth))))
    shares = np.bincount(truth.astype(np.int64), minlength=len(training.classes)) / len(truth)
    return Scores(np.full(n_test, int(shares.argmax()), dtype=np.int64), np.tile(shares, (n_test, 1)))


def linear(training: Training, train: Any, truth: Codes | Floats, test: Any, seed: int = 0) -> Scores:
    """Logistic or ridge regression on the candidate's own inputs but free text (`unread`), at most 20,000 training rows
    drawn with `seed`.

    `train` and `test` are pyarrow.Tables with the model's inputs, `truth` (n,) belongs to `train`.
    """
    if train.num_rows > MOST_ROWS:
        chosen = np.sort(np.random.default_rng(seed).choice(train.num_rows, MOST_ROWS, replace=False))
        train, truth = train.take(chosen), truth[chosen]
    read = [column for column in training.columns if column.kind != "text"]
    names = [(name, is_text(column)) for column in read for name in frame_names(column)]
    if not names:
        return dummy(training, truth, test.num_rows)
    signature = signature_of(training)
    train, framed = (frame(conformed(table, signature), training.columns) for table in (train, test))
    pipeline = _pipeline(training, names, seed).fit(train, truth)
    if training.classes is None:
        return Scores(np.asarray(pipeline.predict(framed), dtype=np.float64))
    known = pipeline.classes_.astype(np.int64)
    probabilities = np.zeros((test.num_rows, len(training.classes)))
    probabilities[:, known] = pipeline.predict_proba(framed)
    return Scores(probabilities.argmax(axis=1), probabilities)


def unread(training: Training) -> tuple[str, ...]:
    """Inputs of the candidate that the linear model does not read: free text."""
    return tuple(column.name for column in training.columns if column.kind == "text")


def _pipeline(training: Training, names: list[tuple[str, bool]], seed: int) -> Any:
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
    words = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=MOST_CATEGORIES)
    columns = ColumnTransformer(
        [
            ("numbers", numbers, [name for name, text in names if not text]),
            ("words", words, [name for name, text in names if text]),
        ]
    )
    last = Ridge() if training.classes is None else LogisticRegression(max_iter=200, random_state=seed)
    return make_pipeline(columns, last)
