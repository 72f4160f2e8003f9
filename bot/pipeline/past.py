"""What the repository knows before a model is measured: earlier results, drills, and who else reads the same data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bot.errors import MlbotError
from bot.ledger import Ledger
from bot.ledger.models import UsedRows
from bot.pipeline.reuse import spec_at
from bot.ports import Ports
from bot.promote.step import promotions, verifications
from bot.records.evaluation import Evaluation
from bot.records.ledger import bare
from bot.records.plan import Plan, Planned
from bot.records.training import Training
from bot.specs.attestation import Attestation, read_attestation

MOSTLY = 0.5


@dataclass(frozen=True)
class Look:
    """A result that was seen: of these inputs (digest in hex), by this metric, on test rows (digest in hex) that hold
    this share of the rows in question.
    """

    rows: str
    metric: str
    inputs: str
    share: float


def looks_at(training: Training, metric: str, sketch: Sequence[str], ports: Ports) -> list[Look]:
    """Every earlier look at a training's test rows, whatever the metric, target, split or model: by overlap of row ids.

    Ids say nothing across tables, so only rows of the same model or of a data file with the same path or content count.
    The same inputs by the same metric are no other look. Without a sketch only the very same test rows are found.
    """
    ledger, own = Ledger(ports.ledger), (bare(training.test_rows_digest), metric, bare(training.inputs_digest))
    found: list[Look] = []
    for rows, uses in ledger.looks().items():
        share = 1.0 if rows == own[0] else _share(training, sketch, ledger.rows_of_uses(rows, uses)) if sketch else 0.0
        if share:
            found += [Look(rows, *use, share) for use in uses if (rows, *use) != own]
    return found


def _share(training: Training, sketch: Sequence[str], used: UsedRows | None) -> float:
    from bot.specs.sketch import share_held

    if used is None or (used.model != training.model and not used.files & files_of(training)):
        return 0.0
    return share_held(sketch, used.sketch)


def files_of(training: Training) -> frozenset[str]:
    """Paths and MD5 digests of the data files that a model was trained from."""
    return frozenset(name for file in training.data_files for name in (file.path, file.md5))


def counted(looks: Sequence[Look]) -> int:
    """How many whole looks at the rows they are, rounded up."""
    return math.ceil(round(sum(one.share for one in looks), 3))


def earlier_of(looks: Sequence[Look], target: str, ports: Ports) -> list[Evaluation]:
    """The evaluations behind looks at mostly the same rows that predict the same target, as far as the ledger holds
    them.
    """
    ledger = Ledger(ports.ledger)
    found = [ledger.evaluation_of_use(one.rows, one.metric, one.inputs) for one in looks if one.share >= MOSTLY]
    return [one for one in found if one is not None and one.training.target == target]


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
