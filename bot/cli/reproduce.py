"""`mlbot reproduce`: train a ledger entry again, on whatever machine this is, and compare."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.errors import UserError

if TYPE_CHECKING:
    from bot.ports import Ports
    from bot.records.evaluation import Evaluation
    from bot.records.plan import Planned
    from bot.records.training import Training
    from bot.specs.contract import Contract
    from bot.specs.model import ModelSpec
    from bot.train.compare import Agreement

SHORTEST = 8


@click.command(name="reproduce")
@click.argument("digest")
@click.option("--repo", default=".", type=click.Path(exists=True, path_type=Path), help="A clone.")
def command(digest: str, repo: Path) -> int:
    """Train the evaluation with this inputs, evaluation or artifact DIGEST again and compare it with what was stored.

    The first 8 hexadecimal digits are enough. Exit 1 when the predictions differ beyond the estimator's tolerance.
    """
    from bot.cli.clone import clone_ports

    return compare(digest, clone_ports(repo, fetch=False))


def compare(digest: str, ports: Ports) -> int:
    """Train again, print what differs; 0 when the predictions agree, else 1."""
    evaluation, pointer = find_evaluation(digest, ports)
    before, after, found = reproduce(evaluation, pointer, ports)
    click.echo(f"{before.model} {before.artifact_digest}")
    for words, training in (("then", before), ("now", after)):
        machine = training.machine
        click.echo(f"  {words:5} {machine.architecture}, {machine.cpu}, {machine.blas}, Python {machine.python}")
    for name in sorted(before.machine.packages):
        old, new = before.machine.packages[name], after.machine.packages.get(name)
        if old != new:
            click.echo(f"  {name} was {old}, is {new}")
    click.echo(f"  {found.sentence()}")
    return 0 if found.holds else 1


def find_evaluation(digest: str, ports: Ports) -> tuple[Evaluation, str]:
    """The newest stored Evaluation that has this digest (or whose beginning it is), and the pointer to its artifact.

    Raises UserError (code `digest_unknown`) when there is none, or when several models have it.
    """
    from bot.ledger import Ledger
    from bot.records.ledger import bare, evaluation_path

    wanted = digest.removeprefix("sha256:").lower()
    if len(wanted) < SHORTEST:
        raise UserError(f"{digest!r} is too short", hint=f"Give at least {SHORTEST} digits.", code="digest_unknown")
    ledger = Ledger(ports.ledger)
    names = ledger.evaluation_names()
    by_name = [where for where in names if any(digest.startswith(wanted) for digest in where[1:])]
    stored = [(where, ledger.evaluation(*where)) for where in by_name or names]
    found = [(where, one) for where, one in stored if one is not None]
    if not by_name:
        found = [(where, one) for where, one in found if bare(one.artifact_digest).startswith(wanted)]
    if len({one.inputs_digest for _, one in found}) != 1:
        hint = "`mlbot history MODEL` shows digests."
        what = "several evaluations have" if found else "no evaluation in the ledger has"
        raise UserError(f"{what} the digest {digest}", hint=hint, code="digest_unknown")
    where, evaluation = found[-1]
    pointer = ledger.pointer(*where)
    if pointer is None:
        raise UserError(f"the artifact of {evaluation_path(*where)} is not in the ledger", code="artifact_missing")
    return evaluation, pointer


def reproduce(evaluation: Evaluation, pointer: str, ports: Ports) -> tuple[Training, Training, Agreement]:
    """(stored training, new training, whether they agree on every test row and golden row)."""
    from bot.adapters.predictor import load
    from bot.adapters.tables import read_table
    from bot.adapters.workbench import LocalWorkbench
    from bot.specs.split import split_rows
    from bot.train.compare import agreement
    from bot.train.step import train

    before = evaluation.training
    spec, planned, contract = inputs_of(before, ports)
    with tempfile.TemporaryDirectory() as name:
        data, old, new = (Path(name) / part for part in ("data-root", "then", "now"))
        ports.data.fetch(before.data_files, data)
        ports.artifacts.fetch(pointer, old)
        after = train(spec, planned, LocalWorkbench(data, new, contract=contract))
        table = read_table(spec, data, tuple(dict.fromkeys((*before.inputs, *after.inputs))))
        table = table.filter(split_rows(spec, table)[1])
        one, other = load(old, before), load(new, after)
        predictions = (one.predict(table), other.predict(table))
        found = agreement(before, after, predictions, (one.probabilities(table), other.probabilities(table)))
    return before, after, found


def inputs_of(before: Training, ports: Ports) -> tuple[ModelSpec, Planned, Contract | None]:
    """The spec that a training had, from the commits that the ledger names, newest first, then the default branch.

    Raises UserError (code `inputs_gone`) when no commit that is here still says it.
    """
    from bot.cli.train import from_commit
    from bot.errors import MlbotError
    from bot.plan.digest import inputs_digest
    from bot.plan.facts import SCHEMA, schema_path
    from bot.specs.yaml import read_yaml

    for sha in _commits(before, ports):
        try:
            spec, planned, contract = from_commit(before.model, sha, ports)
            raw = ports.git.read(sha, f"models/{before.model}/{SCHEMA}")
        except MlbotError:
            continue
        plain = None if raw is None else read_yaml(raw, schema_path(before.model)).value
        versions = {name: before.machine.packages.get(name, "") for name in _libraries()}
        if inputs_digest(spec, before.data_files, plain, versions) == before.inputs_digest:
            known = planned.model_copy(update={"data_files": before.data_files, "inputs_digest": before.inputs_digest})
            return spec, known, contract
    raise UserError(
        f"no commit here has the spec that {before.inputs_digest[:19]} was trained from",
        hint="Fetch the pull request's head: git fetch origin 'refs/pull/*/head'.",
        code="inputs_gone",
    )


def _libraries() -> tuple[str, ...]:
    from bot.specs.trainer import NUMERICAL_LIBRARIES

    return NUMERICAL_LIBRARIES


def _commits(before: Training, ports: Ports) -> list[str]:
    from bot.ledger import Ledger

    shas = [ports.git.resolve("HEAD")]
    for head in Ledger(ports.ledger).all_heads().readable:
        one = head.models.get(before.model)
        if one is not None and one.inputs_digest == before.inputs_digest:
            shas.append(head.head_sha)
    return shas
