"""`mlbot evaluate`: measure a trained model and compare it with what is deployed."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.errors import MlbotError, Place, UserError

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
@click.option("--test", "on_test", is_flag=True, help="Measure on the test rows: a look that is not counted.")
@click.option("--json", "as_json", is_flag=True, help="Print the Evaluation as JSON.")
@click.option(
    "--to-label",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Measure nothing: print the ids of the rows of FILE (CSV or Parquet, no target needed) that need a label.",
)
def command(
    folder: Path, baselines: tuple[str, ...], data: Path, models: Path, gates_file: Path, on_test: bool,
    as_json: bool, to_label: Path | None,
) -> int:  # fmt: skip
    """Measure the model in FOLDER (as `mlbot train` wrote it), and write evaluation.json there.

    It is compared with what is live by origin's mlbot/environments, or with --baseline. Both are fitted again without
    a fifth of the training rows and measured on these, so that nobody chooses a model by its test rows; --test
    measures the models as they are on the test rows.

    Exit 1 when a gate that blocks fails or cannot be told. To tell FOLDER and one --baseline apart, only rows on which
    they differ need a label: --to-label lists them.
    """
    from bot.records.training import Training

    training = Training.parse(_read(folder / "training.json", "`mlbot train` writes it."), source="training.json")
    if to_label is not None:
        return _list_rows(folder, training, [where for _, where in map(_baseline, baselines)], to_label, models)
    given = dict(map(_baseline, baselines))
    with tempfile.TemporaryDirectory(prefix="mlbot-") as live:
        result = _evaluate(folder, training, given, Path(live), data, models, gates_file, on_test=on_test)
    (folder / "evaluation.json").write_bytes(result.canonical())
    if as_json:
        click.echo(result.canonical())
    else:
        from bot.evaluate.terminal import tables

        click.echo(tables(result, rows="test rows" if on_test else "rows of a validation fold"), nl=False)
        click.echo(f"\n{folder / 'evaluation.json'} written: {result.digest()}")
    click.echo(LOOK if on_test else VALIDATION, err=True)
    return 0 if result.verdict == "pass" else 1


LOOK = (
    "The test rows were looked at, and this look is not counted. Who chooses by it makes the result of the pull "
    "request look better than it is."
)
VALIDATION = (
    "Measured on a fifth of the training rows, which the models were fitted again without. The test rows were not "
    "looked at; --test does that."
)


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
    folder: Path, training: Training, baselines: dict[str, Path], live: Path, data: Path, models: Path,
    gates_file: Path, *, on_test: bool,
) -> Evaluation:  # fmt: skip
    from bot.adapters.clock import SystemClock
    from bot.adapters.predictor import load
    from bot.adapters.tables import read_table
    from bot.cli.validation_fold import ValidationFold, marked
    from bot.evaluate.lent import Loaders
    from bot.evaluate.step import evaluate
    from bot.records.base import sha256
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
    others = [one for one in spec.environments if one not in baselines]
    where = {**_live(others, training.model, live), **baselines}
    loaders, about = Loaders(read_table, load, time.perf_counter), (spec, training)
    if not on_test:
        fold = ValidationFold(spec, data, loaders)
        loaders, about = fold.lent(), (fold.inner, fold.training(training))
    schema = file.with_name("schema.yaml")
    contract = read_contract(schema.read_bytes(), str(schema)) if schema.is_file() else None
    vouched = file.with_name("attestation.yaml")
    result = evaluate(
        *about,
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
    return marked(result, LOOK if on_test else VALIDATION)


def _live(environments: list[str], model: str, into: Path) -> dict[str, Path | str]:
    """What is live by origin, by environment; outside of a clone nothing can be."""
    from bot.cli.clone import clone_ports
    from bot.cli.local import find_root
    from bot.pipeline.champions import deployed
    from bot.records.evaluation import NOTHING_DEPLOYED

    try:
        root = find_root(Path.cwd())
    except UserError:
        return dict.fromkeys(environments, NOTHING_DEPLOYED)
    if not environments:
        return {}
    try:
        ports = clone_ports(root)
    except MlbotError as error:
        click.echo(f"warning: {error.message}; compared with what was fetched last", err=True)
        ports = clone_ports(root, fetch=False)
    found: dict[str, Path | str] = {}
    for name in environments:
        (into / name).mkdir()
        try:
            found[name] = deployed(name, model, into / name, ports)
        except MlbotError as error:  # said in the tables: it is not compared
            found[name] = error.message
    return found


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
