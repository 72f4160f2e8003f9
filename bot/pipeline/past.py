"""What the repository knows before a model is measured: earlier results, drills, and who else reads the same data."""

from __future__ import annotations

from collections.abc import Sequence

from bot.errors import MlbotError
from bot.ledger import Ledger
from bot.pipeline.reuse import spec_at
from bot.ports import Ports
from bot.promote.step import promotions, verifications
from bot.records.evaluation import Evaluation
from bot.records.ledger import bare
from bot.records.plan import Plan, Planned
from bot.specs.attestation import Attestation, read_attestation


def uses_of(test_rows_digest: str, metric: str, inputs_digest: str, ports: Ports) -> int:
    """How many results of other inputs were seen on these test rows."""
    return len(set(Ledger(ports.ledger).uses(test_rows_digest, metric)) - {bare(inputs_digest)})


def earlier_of(test_rows_digest: str, metric: str, inputs_digest: str, ports: Ports) -> list[Evaluation]:
    """The evaluations of other inputs on these test rows, as far as the ledger holds them."""
    ledger = Ledger(ports.ledger)
    uses = [inputs for inputs in ledger.uses(test_rows_digest, metric) if inputs != bare(inputs_digest)]
    found = [ledger.evaluation_of_use(test_rows_digest, metric, inputs) for inputs in uses]
    return [one for one in found if one is not None]


def tests_of(model: str, ports: Ports) -> dict[str, str]:
    """Ids of tests of the ML Test Score that the ledger shows to have run, and when."""
    from bot.evaluate.score import tests_in_use

    health = Ledger(ports.ledger).newest_health(model).whole
    return tests_in_use(promotions(model, ports), verifications(model, ports), health)


def attestation_of(model: str, sha: str, ports: Ports) -> Attestation | None:
    """What people vouch for at a commit; a file that cannot be read vouches for nothing, `mlbot validate` says why."""
    path = f"models/{model}/attestation.yaml"
    data = ports.git.read(sha, path)
    try:
        return read_attestation(data, path) if data is not None else None
    except MlbotError:
        return None


def readers_of(
    one: Planned, made: Plan, inputs: Sequence[str], names: Sequence[str], ports: Ports
) -> dict[str, tuple[str, ...]]:
    """Model -> columns it reads, of all models of the plan that read one of this model's data files.

    `inputs` are the columns that this model kept, `names` all columns of its data. Of the others the columns are those
    that their specs name; one that cannot be read has none.
    """
    files = {file.path for file in one.data_files}
    sharing = [other for other in made.planned if other != one and files & {file.path for file in other.data_files}]
    return {one.model: tuple(inputs)} | {other.model: _named(other, made.head_sha, names, ports) for other in sharing}


def _named(other: Planned, head: str, names: Sequence[str], ports: Ports) -> tuple[str, ...]:
    from bot.train.inputs import named_columns

    try:
        return named_columns(spec_at(other, head, ports), names)
    except MlbotError:
        return ()  # it names a column of another file, or one that is gone; its own evaluation says so
