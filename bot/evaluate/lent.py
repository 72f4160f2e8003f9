"""What the caller of the stage lends it, since a stage builds no adapter, and what it says about the base commit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.errors import MlbotError, UserError
from bot.evaluate.assemble import Fitted
from bot.evaluate.change.contract import contract_section
from bot.evaluate.change.report import Version, data_change
from bot.ports import Predictor
from bot.records.evaluation import Section
from bot.records.plan import DataFile
from bot.records.training import Training
from bot.specs.contract import Contract
from bot.specs.model import ModelSpec

Load = Callable[[Path, Training | None], Predictor]
ReadTable = Callable[[ModelSpec, Path, Sequence[str] | None], Any]
ReadBytes = Callable[[Path], bytes]


@dataclass(frozen=True)
class Loaders:
    """`bot.adapters.tables.read_table`, `bot.adapters.predictor.load` and a clock in seconds."""

    read_table: ReadTable
    load: Load
    clock: Callable[[], float]


@dataclass(frozen=True)
class Before:
    """The data of the base commit: files, the folder that holds `data/`, and model -> columns of all models that read
    them (None: only this one), and schema.yaml as it was (None: there was none).
    """

    files: Sequence[DataFile]
    data_dir: Path
    readers: Mapping[str, Sequence[str]] | None = None
    contract: Contract | None = None


def champion(where: Path | str, loaders: Loaders, read: ReadBytes) -> Fitted | str:
    """The deployed model in an artifact folder, or the reason why it cannot be scored."""
    if isinstance(where, str):
        return where
    try:
        training = Training.parse(read(where / "training.json"), source="training.json")
        return Fitted(training, loaders.load(where, training))
    except MlbotError as error:
        return error.message
    except OSError as error:
        return f"its artifact cannot be read: {error.strerror}"


def table_of(
    spec: ModelSpec,
    data_dir: Path,
    own: Sequence[str],
    theirs: Sequence[str],
    contract: Contract | None,
    loaders: Loaders,
) -> Any:
    """The rows with the columns that are used; all columns when a contract speaks of them.

    A column that only a deployed model reads may be gone from the data: then that model is what cannot be scored.
    """
    if contract is not None:
        return loaders.read_table(spec, data_dir, None)
    try:
        return loaders.read_table(spec, data_dir, tuple(dict.fromkeys([*own, *theirs])))
    except MlbotError:
        return loaders.read_table(spec, data_dir, tuple(dict.fromkeys(own)))


def change_sections(
    spec: ModelSpec,
    training: Training,
    data_dir: Path,
    before: Before | None,
    contract: Contract | None,
    loaders: Loaders,
) -> tuple[Section, ...]:
    """The data change report; empty when neither the model's data files nor its schema.yaml changed."""
    if before is None:
        return ()
    demands = contract_section(before.contract, contract)
    return (*((demands,) if demands else ()), *_data_sections(spec, training, data_dir, before, loaders))


def known_ids(spec: ModelSpec, training: Training, before: Before | None, loaders: Loaders) -> Any:
    """Row ids of all of the base commit's data; None when the data are the same, or the spec cannot read the old ones.

    Also of rows that `data.where` leaves out: a model may have been trained on them.
    """
    if before is None or {file.md5 for file in before.files} == {file.md5 for file in training.data_files}:
        return None
    try:
        return loaders.read_table(_without_where(spec), before.data_dir, ())[spec.data.row_id]
    except MlbotError:
        return None


def _data_sections(
    spec: ModelSpec, training: Training, data_dir: Path, before: Before, loaders: Loaders
) -> tuple[Section, ...]:
    if {file.path: file.md5 for file in before.files} == {file.path: file.md5 for file in training.data_files}:
        return ()
    old = Version(before.files, _old_table(spec, before, loaders))
    new = Version(training.data_files, loaders.read_table(spec, data_dir, None))
    return data_change(old, new, spec, before.readers or {training.model: training.inputs})


def _old_table(spec: ModelSpec, before: Before, loaders: Loaders) -> Any:
    """The base's rows that the spec reads; all of them when its window has moved past them."""
    try:
        return loaders.read_table(spec, before.data_dir, None)
    except UserError as error:
        if error.code != "data_empty":
            raise
        return loaders.read_table(_without_where(spec), before.data_dir, None)


def _without_where(spec: ModelSpec) -> ModelSpec:
    return spec.model_copy(update={"data": spec.data.model_copy(update={"where": None})})
