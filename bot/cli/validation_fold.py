"""A validation fold: part of the training rows, judged by models that are fitted again without them.

What is measured here is no look at the test rows. The fitted pipeline of an artifact gives the recipe, so that what is
live is fitted again on the same rows as the candidate, and neither has seen what it is judged on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bot.adapters.predictor import SkopsModel, read_skops
from bot.errors import UserError
from bot.evaluate.assemble import check_test_rows
from bot.evaluate.lent import Loaders
from bot.ports import Predictor
from bot.records.evaluation import Evaluation, Section
from bot.records.training import Training
from bot.specs.data import Split
from bot.specs.frame import frame
from bot.specs.model import ModelSpec
from bot.specs.split import split_rows, test_rows_digest
from bot.specs.values import conformed

SHARE = 0.2  # of the training rows: one fold of five


@dataclass(frozen=True)
class ValidationFold:
    """`inner` splits the training rows of `spec` as `spec` splits all rows; `data` holds the files."""

    spec: ModelSpec
    data: Path
    loaders: Loaders

    @property
    def inner(self) -> ModelSpec:
        """Another seed than that of the test rows: the same would find none of them."""
        split = self.spec.split
        wanted = Split(method=split.method, test=SHARE, seed=split.seed + 1 if split.seed < 2**32 - 1 else 0)
        return self.spec.model_copy(update={"split": wanted})

    def read(self, _spec: ModelSpec, folder: Path, columns: Sequence[str] | None) -> Any:
        """The training rows alone."""
        table = self.loaders.read_table(self.spec, folder, columns)
        return table.filter(split_rows(self.spec, table)[0])

    def load(self, folder: Path, training: Training | None) -> Predictor:
        """The artifact's pipeline, fitted again without the fold. Raises UserError (code `not_refitted`)."""
        fitted = self.loaders.load(folder, training)
        known = training or Training.parse((folder / "training.json").read_bytes(), source="training.json")
        weight = [self.spec.data.weight] if self.spec.data.weight else []
        table = self.read(self.spec, self.data, [*known.inputs, *weight])
        table = table.filter(split_rows(self.inner, table)[0])
        pipeline = read_skops((folder / "model.skops").read_bytes())
        return SkopsModel(self._refitted(pipeline, known, table, getattr(fitted, "signature", None)), known)

    def _refitted(self, pipeline: Any, training: Training, table: Any, signature: Any) -> Any:
        from sklearn.base import clone

        from bot.train.learner import fitted
        from bot.train.target import Target

        values, is_known = _truth(self.spec, training, table)
        if training.classes is not None and len(np.unique(values[is_known])) < len(training.classes):
            hint = "`--test` measures on the test rows, or bring more training rows."
            raise UserError("a class has no row outside the validation fold", hint=hint, code="not_refitted")
        weights = table[self.spec.data.weight].to_numpy() if self.spec.data.weight else None
        target = Target(values, training.classes, weights).at(is_known)
        shown = conformed(table, signature) if signature is not None else table
        return fitted(clone(pipeline), frame(shown, training.columns).filter(is_known), target)

    def training(self, training: Training) -> Training:
        """What the evaluation of the fold is about: its rows stand where the test rows do.

        Raises UserError (code `test_rows_changed`) when the data are not those of the training.
        """
        whole = self.loaders.read_table(self.spec, self.data, training.inputs)
        outer, test = split_rows(self.spec, whole)
        check_test_rows(training, self.spec, whole, test)  # by their ids: nothing of them is measured
        table = whole.filter(outer)
        train, fold = split_rows(self.inner, table)
        digest = test_rows_digest(table, self.spec.data.row_id, fold)
        sides = {"n_train": int(train.sum()), "n_test": int(fold.sum()), "test_rows_digest": digest}
        return training.model_copy(update={**sides, "data_files": ()})  # other files: nobody was trained on the fold

    def lent(self) -> Loaders:
        """For an evaluation on the fold."""
        return replace(self.loaders, read_table=self.read, load=self.load)


def _truth(spec: ModelSpec, training: Training, table: Any) -> tuple[Any, Any]:
    """The target as a fit takes it, and which rows have a value that the model knows."""
    from bot.evaluate.tables import class_codes, texts

    column = table[spec.data.target]
    if training.classes is None:
        values = np.asarray(column.to_numpy(), dtype=np.float64)
        return values, np.isfinite(values)
    codes = class_codes(texts(column), training.classes)
    return codes, codes >= 0


def marked(found: Evaluation, note: str) -> Evaluation:
    """The evaluation, with a first section that says on which rows it was made."""
    return found.model_copy(
        update={"sections": (Section(id="rows", heading="Rows", columns=(), rows=(), note=note), *found.sections)}
    )
