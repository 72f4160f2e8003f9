"""A table, a candidate and the deployed models, all loaded -> the Case that is evaluated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.errors import MlbotError, UserError
from bot.evaluate import simple
from bot.evaluate.evaluate import Baseline, Case
from bot.evaluate.facts import Context, facts_of
from bot.evaluate.fresh import is_new
from bot.evaluate.labels import slice_labels
from bot.evaluate.operating import characteristics
from bot.evaluate.rows import FEWEST_GROUPS, Rows
from bot.evaluate.tables import rows_of, scores_of
from bot.ports import Predictor
from bot.records.evaluation import NOTHING_DEPLOYED, MissingBaseline, Section
from bot.records.training import Training
from bot.specs.model import ModelSpec
from bot.specs.sketch import sketch_of
from bot.specs.split import split_rows, test_rows_digest


@dataclass(frozen=True)
class Fitted:
    """A trained model that is loaded."""

    training: Training
    predictor: Predictor


def case_of(
    spec: ModelSpec,
    candidate: Fitted,
    champions: Mapping[str, Fitted | str],
    table: Any,
    context: Context,
    clock: Callable[[], float],
) -> Case:
    """`champions`: environment -> the model deployed there, or the reason why there is none to compare with.

    `table` is a pyarrow.Table of all rows. Raises UserError when the candidate cannot be scored on it; a champion that
    cannot is a missing baseline with the reason.
    """
    training = candidate.training
    train_mask, test_mask = split_rows(spec, table)
    check_test_rows(training, spec, table, test_mask)
    train, test = table.filter(train_mask), table.filter(test_mask)
    stratified = context.gates.policy.stratified
    rows = rows_of(spec, training, test, slice_labels(spec, test, train), stratified=stratified)
    _check_groups(rows, spec)
    truth = rows_of(spec, training, train, {}).truth
    scored = {name: _score(one, training, test, rows.classes, clock) for name, one in champions.items()}
    baselines = {name: one for name, one in scored.items() if isinstance(one, Baseline)}
    baselines["dummy"] = Baseline(simple.dummy(training, truth, len(rows)))
    baselines["linear"] = Baseline(simple.linear(training, train, truth, test))

    def known() -> str | None:
        ours = is_new(table[spec.data.row_id], context.known_ids)
        return None if ours is None else test_rows_digest(table, spec.data.row_id, test_mask & ~ours)

    return Case(
        spec=spec,
        training=training,
        rows=rows,
        candidate=scores_of(candidate.predictor, training, test, rows.classes),
        baselines=baselines,
        missing=tuple(_missing(name, one) for name, one in scored.items() if isinstance(one, str)),
        gates=context.gates,
        policy_digest=context.policy_digest,
        uses=context.uses or {},
        best=context.best or {},
        passed=context.passed,
        operating=characteristics(training, candidate.predictor, test, clock),
        facts=facts_of(spec, training, table, train, test, with_cautions(context, training, champions, spec, known)),
        run=context.run or {},
        fresh=is_new(test[spec.data.row_id], context.known_ids),
        sketch=sketch_of(test[spec.data.row_id]),
    )


def with_cautions(
    context: Context,
    training: Training,
    champions: Mapping[str, Fitted | str],
    spec: ModelSpec,
    known: Callable[[], str | None],
) -> Context:
    """The context, and sections that name champions which may have been trained on these test rows, inputs that the
    linear baseline does not read, and weights that do not count. `known` is the digest of the test rows that the base
    commit's data had, None without a base.
    """
    sections = [_other_split(training, champions, known), _unread(training), _unweighted(spec)]
    return replace(context, sections=(*context.sections, *(one for one in sections if one is not None)))


def _unweighted(spec: ModelSpec) -> Section | None:
    if spec.data.weight is None:
        return None
    note = (
        f"{spec.data.weight} counts in fitting, search and selection alone. These numbers, and the gates, count each "
    )
    note += "test row once: they hold for a row drawn from the data, not for what the weights stand for."
    rows = ((spec.data.weight, "fitting, search, selection"),)
    return Section(id="unweighted", heading="Weights", columns=("Weight", "Counts in"), rows=rows, note=note)


def _unread(training: Training) -> Section | None:
    rows = tuple((name, "free text") for name in simple.unread(training))
    if not rows:
        return None
    note = "The linear model that the candidate is compared with reads the other inputs only."
    head = ("Input", "Why not")
    heading = "Inputs that the linear baseline leaves out"
    return Section(id="linear_reads", heading=heading, columns=head, rows=rows, note=note)


def _other_split(
    training: Training, champions: Mapping[str, Fitted | str], known: Callable[[], str | None]
) -> Section | None:
    """Champions of which it cannot be shown that they left today's test rows out: their own test rows are neither these
    nor the ones of these that the base commit's data had. Growing data never move a row of the same split.
    """
    others = {
        name: one.training.test_rows_digest
        for name, one in champions.items()
        if isinstance(one, Fitted) and one.training.test_rows_digest != training.test_rows_digest
    }
    before = known() if others else None
    rows = tuple((name, digest) for name, digest in others.items() if digest != before)
    if not rows:
        return None
    note = "These models may have been trained on some of the rows that they are tested on here, which favours them: "
    note += "their own test rows are others, and not only since the data have grown."
    head = ("Environment", "Its own test rows")
    return Section(id="other_split", heading="Deployed models of another split", columns=head, rows=rows, note=note)


def _score(
    champion: Fitted | str, candidate: Training, test: Any, classes: tuple[str, ...] | None, clock: Callable[[], float]
) -> Baseline | str:
    if isinstance(champion, str):
        return champion
    theirs = champion.training
    if theirs.target != candidate.target or (theirs.task == "regression") != (candidate.task == "regression"):
        return f"it predicts {theirs.target} ({theirs.task}), the candidate {candidate.target} ({candidate.task})"
    try:
        scores = scores_of(champion.predictor, theirs, test, classes)
        speed = characteristics(theirs, champion.predictor, test, clock)
    except MlbotError as error:
        return error.message
    return Baseline(scores, theirs.artifact_digest, speed)


def _missing(environment: str, reason: str) -> MissingBaseline:
    code = "nothing_deployed" if reason == NOTHING_DEPLOYED else "not_scored"
    return MissingBaseline(environment=environment, reason=reason, code=code)


def check_test_rows(training: Training, spec: ModelSpec, table: Any, test: Any) -> None:
    """The test rows must be those that training left out. Raises UserError (code `test_rows_changed`)."""
    if test_rows_digest(table, spec.data.row_id, test) != training.test_rows_digest:
        raise UserError(
            f"the test rows of {training.model} are not those that its training left out",
            hint="The data or the split changed since: train again.",
            code="test_rows_changed",
        )


def _check_groups(rows: Rows, spec: ModelSpec) -> None:
    """Rows of one group are one observation. Raises UserError (code `groups_too_few`) below five groups."""
    if rows.few_groups:
        raise UserError(
            f"the test rows belong to fewer than {FEWEST_GROUPS} groups of {spec.data.group}",
            hint="Nothing can be said about other groups: add data, or remove `data.group`.",
            code="groups_too_few",
        )
