"""`mlbot evaluate`: measure a trained model and compare it with what is deployed."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.errors import Place, UserError

if TYPE_CHECKING:
    from bot.records.evaluation import Evaluation
    from bot.specs.gates import Gates


@click.command(name="evaluate")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--baseline", "baselines", multiple=True, metavar="ENV=FOLDER", help="What is deployed, as a folder.")
@click.option("--data", default=".", type=click.Path(path_type=Path), help="Folder that holds data/.")
@click.option("--models", default="models", type=click.Path(path_type=Path), help="Folder of the model specs.")
@click.option("--gates", "gates_file", default="policies/gates.yaml", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the Evaluation as JSON.")
def command(folder: Path, baselines: tuple[str, ...], data: Path, models: Path, gates_file: Path, as_json: bool) -> int:
    """Measure the model in FOLDER (as `mlbot train` wrote it) on its test rows, and write evaluation.json there.

    Exit 1 when a gate that blocks fails or cannot be told.
    """
    from bot.records.training import Training

    training = Training.parse(_read(folder / "training.json", "`mlbot train` writes it."), source="training.json")
    result = _evaluate(folder, training, dict(map(_baseline, baselines)), data, models, gates_file)
    (folder / "evaluation.json").write_bytes(result.canonical())
    if as_json:
        click.echo(result.canonical())
    else:
        from bot.evaluate.terminal import tables

        click.echo(tables(result), nl=False)
        click.echo(f"\n{folder / 'evaluation.json'} written: {result.digest()}")
    return 0 if result.verdict == "pass" else 1


def _evaluate(
    folder: Path, training: Any, baselines: dict[str, Path], data: Path, models: Path, gates_file: Path
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
