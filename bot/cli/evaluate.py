"""`mlbot evaluate`: measure a trained model and compare it with what is deployed."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.errors import Place, UserError

if TYPE_CHECKING:
    from bot.records.evaluation import Evaluation
    from bot.records.training import Training
    from bot.specs.gates import Gates


@click.command(name="evaluate")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--baseline", "baselines", multiple=True, metavar="ENV=FOLDER", help="What is deployed, as a folder.")
@click.option("--data", default=".", type=click.Path(path_type=Path), help="Folder that holds data/.")
@click.option("--models", default="models", type=click.Path(path_type=Path), help="Folder of the model specs.")
@click.option("--gates", "gates_file", default="policies/gates.yaml", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the Evaluation as JSON.")
@click.option(
    "--to-label",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Measure nothing: print the ids of the rows of FILE (CSV or Parquet, no target needed) that need a label.",
)
def command(
    folder: Path, baselines: tuple[str, ...], data: Path, models: Path, gates_file: Path, as_json: bool,
    to_label: Path | None,
) -> int:  # fmt: skip
    """Measure the model in FOLDER (as `mlbot train` wrote it) on its test rows, and write evaluation.json there.

    Exit 1 when a gate that blocks fails or cannot be told. To tell FOLDER and one --baseline apart, only rows on which
    they differ need a label: --to-label lists them.
    """
    from bot.records.training import Training

    training = Training.parse(_read(folder / "training.json", "`mlbot train` writes it."), source="training.json")
    if to_label is not None:
        return _list_rows(folder, training, [where for _, where in map(_baseline, baselines)], to_label, models)
    result = _evaluate(folder, training, dict(map(_baseline, baselines)), data, models, gates_file)
    (folder / "evaluation.json").write_bytes(result.canonical())
    if as_json:
        click.echo(result.canonical())
    else:
        from bot.evaluate.terminal import tables

        click.echo(tables(result), nl=False)
        click.echo(f"\n{folder / 'evaluation.json'} written: {result.digest()}")
    return 0 if result.verdict == "pass" else 1


def _list_rows(folder: Path, training: Training, baselines: list[Path], file: Path, models: Path) -> int:
    """Ids on standard output, so that they can be piped; what they are on standard error."""
    from bot.adapters.predictor import load
    from bot.adapters.tables import read_rows
    from bot.evaluate.assemble import Fitted
    from bot.evaluate.labelling import rows_to_label
    from bot.records.training import Training
    from bot.specs.model import read_model_spec

    if len(baselines) != 1:
        hint = "mlbot evaluate out/churn --baseline production=deployed/churn --to-label new.csv"
        raise UserError("--to-label compares with one --baseline", hint=hint, code="baseline_missing")
    theirs = Training.parse(_read(baselines[0] / "training.json", "It is no artifact folder."), source="training.json")
    at = models / training.model / "model.yaml"
    spec = read_model_spec(_read(at, "`--models` names the folder of the specs."), str(at))
    table = read_rows(file, spec, [spec.data.row_id, *training.inputs, *theirs.inputs])
    pair = [Fitted(one, load(where, one)) for one, where in ((training, folder), (theirs, baselines[0]))]
    ids = rows_to_label(pair[0], pair[1], table, spec.data.row_id)
    click.echo("".join(f"{one}\n" for one in ids), nl=False)
    share = len(ids) / table.num_rows if table.num_rows else 0.0
    click.echo(f"the two differ on {len(ids):,} of {table.num_rows:,} rows ({share:.1%})", err=True)
    return 0


def _evaluate(
    folder: Path, training: Training, baselines: dict[str, Path], data: Path, models: Path, gates_file: Path
) -> Evaluation:
    from bot.adapters.clock import SystemClock
    from bot.adapters.predictor import load
    from bot.adapters.tables import read_table
    from bot.evaluate.lent import Loaders
    from bot.evaluate.step import evaluate
    from bot.records.base import sha256
    from bot.records.evaluation import NOTHING_DEPLOYED
    from bot.specs.attestation import read_attestation
    from bot.specs.contract import read_contract
    from bot.specs.gates import read_gates, with_spec_gates
    from bot.specs.model import model_spec
    from bot.specs.yaml import read_yaml

    file = models / training.model / "model.yaml"
    document = read_yaml(_read(file, "`--models` names the folder of the specs."), str(file))
    spec = model_spec(document, str(file))
    policy = _read(gates_file, "`--gates` names the file; `mlbot init` writes one.")
    gates: Gates = with_spec_gates(read_gates(policy, str(gates_file)), document)
    where: dict[str, Path | str] = dict.fromkeys(spec.environments, NOTHING_DEPLOYED)
    where.update(baselines)
    loaders = Loaders(read_table, load, time.perf_counter)
    schema = file.with_name("schema.yaml")
    contract = read_contract(schema.read_bytes(), str(schema)) if schema.is_file() else None
    vouched = file.with_name("attestation.yaml")
    return evaluate(
        spec,
        training,
        folder,
        data,
        where,
        gates,
        loaders=loaders,
        policy_digest=sha256(policy),
        contract=contract,
        now=SystemClock().now(),
        attestation=read_attestation(vouched.read_bytes(), str(vouched)) if vouched.is_file() else None,
    )


def _baseline(text: str) -> tuple[str, Path]:
    name, equals, folder = text.partition("=")
    if not equals or not Path(folder).is_dir():
        hint = "Write --baseline production=FOLDER with the folder of an artifact."
        raise UserError(f"not a baseline: {text}", hint=hint, code="baseline_invalid")
    return name, Path(folder)


def _read(path: Path, hint: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise UserError(message, hint=hint, place=Place(str(path)), code="file_missing") from None
