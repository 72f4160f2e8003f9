"""A live release -> what the monitor is lent: from the commit, the data and the bytes of the release."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.adapters.locations import Tables, tables_at
from bot.errors import MlbotError, UserError, WorldError
from bot.monitor.inputs import Known, as_trained
from bot.monitor.lent import Answer, Lent, Reference
from bot.pipeline.measuring import against_live, measure
from bot.ports import Ports, Predictor
from bot.promote.reading import evaluation_of, pointer_of
from bot.records.log import PREDICTED, PROBABILITY
from bot.records.release import Release
from bot.records.training import Training
from bot.serve.golden import reproduces
from bot.serve.step import verify_files
from bot.specs.contract import Contract, read_contract
from bot.specs.model import ModelSpec, read_model_spec
from bot.specs.split import split_rows, test_rows_digest

MOST_CATEGORIES = 20_000


@contextmanager
def lent(ports: Ports, root: Path) -> Iterator[Lent]:
    """What `bot.monitor.watch.watch` asks for; what is fetched lies in a temporary folder until the end.

    Locations of the policy are relative to `root`.
    """
    with tempfile.TemporaryDirectory(prefix="mlbot-") as name:
        desk = Desk(ports, root, Path(name))
        yield Lent(desk.tables, desk.reference, desk.answer, measure, against_live, desk.page)


@dataclass(frozen=True)
class Desk:
    """A folder, and the ports that fill it."""

    ports: Ports
    root: Path
    folder: Path

    def tables(self, place: str) -> Tables:
        """A location; a path of the repository that DVC tracks on the default branch is fetched."""
        if "://" not in place and not place.startswith(("/", ".")):
            head = self.ports.git.resolve("HEAD")
            try:
                files = self.ports.data.files(head, place.partition("*")[0].rstrip("/"))
            except UserError as error:
                if error.code not in ("data_path_missing", "data_missing"):
                    raise
            else:
                self.ports.data.fetch(files, self.folder / "tracked")
                return tables_at(place, self.folder / "tracked")
        return tables_at(place, self.root)

    def reference(self, release: Release) -> Reference:
        """The test rows of a release with its own answers. Raises MlbotError saying what of it is gone."""
        evaluation = evaluation_of(release, self.ports)
        training = evaluation.training
        spec, contract = self._written(release)
        predictor, golden = self._loaded(release, training)
        table = self._rows(release, spec, training)
        _, test = split_rows(spec, table)
        if test_rows_digest(table, spec.data.row_id, test) != training.test_rows_digest:
            raise UserError(f"the test rows of {release.model} {release.version} are gone", code="test_rows_changed")
        sensitive = contract.sensitive if contract is not None else frozenset()
        types = {name: table.schema.field(name).type for name in training.inputs if name not in sensitive}
        names = dict.fromkeys([*training.inputs, training.target, *([spec.data.group] if spec.data.group else [])])
        rows = table.filter(test).select(list(names))
        answer = _answers(predictor, training, {name: table.schema.field(name).type for name in training.inputs})
        return Reference(
            training=training, evaluation=evaluation, contract=contract, table=_labelled(answer(rows), training),
            types=types, categories=_categories(table, training, types), answer=answer, golden=golden, spec=spec,
        )  # fmt: skip

    def answer(self, release: Release) -> Answer:
        """What another release says to logged inputs."""
        training = evaluation_of(release, self.ports).training
        predictor, _ = self._loaded(release, training)
        return _answers(predictor, training, {})

    def page(self, place: str) -> str | None:
        """A server's page of numbers, from a file or an address. Raises WorldError when it does not answer."""
        import requests

        if not place.startswith(("http://", "https://")):
            file = self.root / place
            return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else None
        try:
            answer = requests.get(place, timeout=20)
            answer.raise_for_status()
        except requests.RequestException as error:
            raise WorldError(f"{place} does not answer: {type(error).__name__}") from None
        return answer.text

    def _written(self, release: Release) -> tuple[ModelSpec, Contract | None]:
        at = f"models/{release.model}"
        spec, schema = (self.ports.git.read(release.commit, f"{at}/{name}") for name in ("model.yaml", "schema.yaml"))
        if spec is None:
            raise UserError(f"{at}/model.yaml is not at {release.commit[:10]}", code="spec_missing")
        contract = read_contract(schema, f"{at}/schema.yaml") if schema is not None else None
        return read_model_spec(spec, f"{at}/model.yaml"), contract

    def _loaded(self, release: Release, training: Training) -> tuple[Predictor, str]:
        """The predictor of a release's verified files, and why its golden predictions differ (empty: they do not)."""
        from bot.adapters.predictor import load

        folder = self.folder / release.artifact_digest.removeprefix("sha256:")
        if not folder.is_dir():
            folder.mkdir(parents=True)
            self.ports.artifacts.fetch(pointer_of(release, self.ports), folder)
        verify_files(folder, release, training)
        predictor = load(folder, training)
        try:
            reproduces(predictor, training, "skops", (folder / "golden.json").read_bytes())
        except OSError:
            return predictor, ""
        except MlbotError as error:
            return predictor, error.message
        return predictor, ""

    def _rows(self, release: Release, spec: ModelSpec, training: Training) -> Any:
        from bot.adapters.tables import read_table

        self.ports.data.files(release.commit, spec.data.path)  # the commit may carry the objects itself
        where = self.folder / "data" / release.artifact_digest.removeprefix("sha256:")
        self.ports.data.fetch(training.data_files, where)
        return read_table(spec, where, training.inputs)


def _answers(predictor: Predictor, training: Training, types: Mapping[str, Any]) -> Answer:
    """Appends a model's answers to a table of its inputs, which are brought to the types of its training first."""

    def answer(table: Any) -> Any:
        import pyarrow as pa

        missing = [name for name in training.inputs if name not in table.column_names]
        if missing:
            raise UserError(f"the log does not hold its input {missing[0]}", code="column_missing")
        inputs = as_trained(table, types or _trained_types(training, table))
        said = predictor.predict(inputs)
        kind = pa.string() if training.classes else pa.float64()
        names = [name for name in table.column_names if not name.startswith((PREDICTED, PROBABILITY))]
        out = table.select(names).append_column(PREDICTED, pa.array(said.tolist(), kind))
        probabilities = predictor.probabilities(inputs)
        for place, label in enumerate(training.classes or () if probabilities is not None else ()):
            out = out.append_column(f"{PROBABILITY}{label}", pa.array(probabilities[:, place], pa.float64()))
        return out

    return answer


def _trained_types(training: Training, table: Any) -> dict[str, Any]:
    """Types of the inputs by the names that the Training keeps; as in the table where a type has no short name."""
    import pyarrow as pa

    known = {column.name: column.type for column in training.columns}
    found = {}
    for name in training.inputs:
        try:
            found[name] = pa.type_for_alias(known[name])
        except (KeyError, ValueError):
            found[name] = table.schema.field(name).type
    return found


def _labelled(table: Any, training: Training) -> Any:
    """Test rows with the target as the labels come: text of a class, or a number."""
    import pyarrow as pa
    import pyarrow.compute as pc

    place = table.column_names.index(training.target)
    kind = pa.string() if training.classes else pa.float64()
    return table.set_column(place, training.target, pc.cast(table[training.target], kind))


def _categories(table: Any, training: Training, types: Mapping[str, Any]) -> dict[str, Known]:
    """Known values of the categorical inputs, over training and test rows; none of a column of free text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = {}
    for column in training.columns:
        if column.kind == "categorical" and column.name in types:
            there = pc.value_counts(table[column.name].combine_chunks().drop_null())
            values, counts = there.field("values"), there.field("counts")
            if len(values) <= MOST_CATEGORIES:
                texts = frozenset(pc.cast(values, pa.string()).to_pylist())
                found[column.name] = Known(texts, pc.sum(counts).as_py() or 0, pc.sum(pc.equal(counts, 1)).as_py() or 0)
    return found
