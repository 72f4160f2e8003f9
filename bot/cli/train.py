"""`mlbot train`: one model, from its spec and data to an artifact folder."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.errors import Place, UserError

if TYPE_CHECKING:
    from bot.ports import Ports
    from bot.records.plan import Planned
    from bot.records.training import Training
    from bot.specs.contract import Contract
    from bot.specs.model import ModelSpec


@click.command(name="train")
@click.argument("model")
@click.option("--rev", metavar="REV", help="Train what this revision says; left out: the files as they lie here.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="The artifact's folder.")
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder that holds data/.")
@click.option("--repo", default=".", type=click.Path(exists=True, path_type=Path), help="A clone.")
@click.option("--dask", metavar="ADDRESS", help="Dask scheduler to spread the search over: tls://host:port.")
@click.option("--json", "as_json", is_flag=True, help="Print the Training record.")
def command(
    model: str, rev: str | None, out: Path, data: Path | None, repo: Path, dask: str | None, as_json: bool
) -> int:
    """Train MODEL and write model.skops, golden.json, training.json, README.md and, where it agrees, model.onnx."""
    from bot.adapters.progress import Progress
    from bot.adapters.workbench import LocalWorkbench
    from bot.train.step import train

    with ExitStack() as stack:
        if rev is None:
            spec, planned, contract = from_files(model, repo, data or repo)
        else:
            spec, planned, contract = from_revision(model, repo, rev)
            data = data or fetched(planned, repo, Path(stack.enter_context(tempfile.TemporaryDirectory())))
        if dask is None and spec.search is not None and spec.search.dask:
            dask = os.environ.get("MLBOT_DASK") or None
        progress = stack.enter_context(Progress(quiet=as_json))
        training = train(spec, planned, LocalWorkbench(data or repo, out, progress, contract=contract), dask=dask)
    click.echo(training.canonical() if as_json else summary(training, out))
    return 0


def from_files(model: str, repo: Path, data: Path) -> tuple[ModelSpec, Planned, Contract | None]:
    """The spec, contract and data files as they lie in folders, committed or not."""
    from bot.adapters.dvc_store import md5_of
    from bot.adapters.tables import data_files
    from bot.plan.digest import inputs_digest
    from bot.plan.facts import schema_path, spec_path
    from bot.plan.step import library_versions
    from bot.records.plan import DataFile, Planned, Reason
    from bot.specs.contract import read_contract
    from bot.specs.model import read_model_spec
    from bot.specs.validation import did_you_mean
    from bot.specs.yaml import read_yaml

    spec_file, schema_file = repo / spec_path(model), repo / schema_path(model)
    if not spec_file.is_file():
        hint = did_you_mean(model, [one.parent.name for one in repo.glob(spec_path("*"))], noun="models")
        raise UserError(f"there is no model {model!r}", hint=hint, place=Place(spec_path(model)), code="no_model")
    spec = read_model_spec(spec_file.read_bytes(), spec_path(model))
    raw = schema_file.read_bytes() if schema_file.is_file() else None
    files = tuple(
        DataFile(path=file.relative_to(data).as_posix(), md5=md5_of(file), size=file.stat().st_size)
        for file in data_files(spec, data)[0]
    )
    plain = None if raw is None else read_yaml(raw, schema_path(model)).value
    planned = Planned(
        model=model,
        inputs_digest=inputs_digest(spec, files, plain, library_versions(repo)),
        base_inputs_digest=None,
        reasons=(Reason(code="asked_for", sentence="It was asked for."),),
        data_files=files,
        runner=spec.resources.runner,
        timeout_minutes=spec.resources.timeout_minutes,
        risk_tier=spec.risk_tier,
    )
    return spec, planned, None if raw is None else read_contract(raw, schema_path(model))


def from_revision(model: str, repo: Path, rev: str) -> tuple[ModelSpec, Planned, Contract | None]:
    """The same from Git objects; nothing is checked out."""
    from bot.cli.local import local_ports

    return from_commit(model, rev, local_ports(repo))


def from_commit(model: str, rev: str, ports: Ports) -> tuple[ModelSpec, Planned, Contract | None]:
    """The same with ports at hand."""
    from bot.plan.facts import schema_path, spec_of
    from bot.plan.step import folder, plan_one
    from bot.specs.contract import read_contract

    planned = plan_one(model, rev, ports)
    read = folder(ports.git, ports.git.resolve(rev), model)
    contract = None if read.schema is None else read_contract(read.schema, schema_path(model))
    return spec_of(read), planned, contract


def fetched(planned: Planned, repo: Path, into: Path) -> Path:
    """The planned data files, from the DVC remote or its cache."""
    from bot.cli.local import local_ports

    local_ports(repo).data.fetch(planned.data_files, into)
    return into


def summary(training: Training, out: Path) -> str:
    """What was made, for a terminal."""
    seconds = training.seconds
    lines = [
        f"{training.model}: {training.estimator} on {len(training.inputs)} inputs,"
        f" {training.n_train} training rows, {training.n_test} test rows",
        f"  parameters   {training.parameters}",
        f"  artifact     {training.artifact_digest}",
        f"  ONNX         {training.onnx}: {training.onnx_detail}",
        f"  seconds      read {seconds.read:.1f}, select {seconds.select:.1f}, search {seconds.search:.1f},"
        f" fit {seconds.fit:.1f}, export {seconds.export:.1f}",
        f"  folder       {out}",
    ]
    lines += [f"  left out     {one.column}: {one.reason} {one.detail}".rstrip() for one in training.dropped]
    lines += [f"  note         {one}" for one in training.warnings]
    return "\n".join(lines)
