"""Both sides of one model -> its entry in the plan: planned, skipped or invalid, always with the reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.errors import MlbotError, Place, Problems
from bot.plan.differences import summary
from bot.plan.digest import trained_part
from bot.plan.facts import SCHEMA, SPEC, Files, Folder, Inputs, Versions, inputs_of, schema_path, spec_path
from bot.ports import TreeEntry
from bot.records.plan import Invalid, Planned, Reason, Skipped
from bot.specs.policies.training import TrainingPolicy, refused_resources
from bot.specs.yaml import read_yaml

# (model, inputs digest) -> digest of a stored Evaluation, None without one.
Known = Callable[[str, str], str | None]

ASKED = Reason(code="asked_for", sentence="It was asked for.")
UNAFFECTED = Reason(code="unaffected", sentence="Nothing that it reads changed.")


@dataclass(frozen=True)
class Sides:
    """What all models of a change share."""

    base_data: Files
    head_data: Files
    changed_data: Mapping[str, str]
    is_head_broken: bool
    """Whether a changed pointer of the head cannot be read, so that each model is read and says whether it needs it."""
    versions: Versions
    policy: TrainingPolicy


def entry_of(base: Folder | None, head: Folder, sides: Sides, known: Known) -> Planned | Skipped | Invalid:
    """The entry of a model that is there at the head, and maybe at the base."""
    is_same = not sides.changed_data and not sides.is_head_broken
    if base is not None and is_same and (settled := other_files(base, head)):
        return settled
    try:
        new = inputs_of(head, sides.head_data, sides.versions)
    except MlbotError as error:
        return invalid(head.name, error)
    old = _base_inputs(base, sides)
    if base is not None and old is not None and old.digest == new.digest:
        return _unmoved(base, head, old, new)
    refused = _refused(head, new, sides.policy)
    return refused or planned(head.name, new, old, _reasons(base, head, old, new, sides), known)


def asked(head: Folder, data: Files, versions: Versions, policy: TrainingPolicy, known: Known) -> Planned | Invalid:
    """The entry of a model that is to be evaluated whatever changed."""
    try:
        new = inputs_of(head, data, versions)
    except MlbotError as error:
        return invalid(head.name, error)
    return _refused(head, new, policy) or planned(head.name, new, None, [ASKED], known)


def _refused(head: Folder, inputs: Inputs, policy: TrainingPolicy) -> Invalid | None:
    """The entry of a model that asks for a machine that the policy does not offer."""
    error = refused_resources(inputs.spec, read_yaml(head.spec or b"", spec_path(head.name)), policy)
    return invalid(head.name, error) if error else None


def planned(name: str, new: Inputs, old: Inputs | None, reasons: Sequence[Reason], known: Known) -> Planned:
    """The entry of a model to evaluate."""
    return Planned(
        model=name,
        inputs_digest=new.digest,
        base_inputs_digest=old.digest if old else None,
        reasons=tuple(reasons),
        data_files=new.data_files,
        runner=new.spec.resources.runner,
        timeout_minutes=new.spec.resources.timeout_minutes,
        risk_tier=new.spec.risk_tier,
        known_evaluation=known(name, new.digest),
    )


def invalid(name: str, error: MlbotError) -> Invalid:
    """The entry of a model that cannot be read: the first mistake, and how many more there are."""
    errors = error.errors if isinstance(error, Problems) else [error]
    first = errors[0]
    place = first.place or Place(spec_path(name))
    more = f" (and {len(errors) - 1} more in this file)" if len(errors) > 1 else ""
    return Invalid(
        model=name,
        file=place.file,
        line=place.line,
        column=place.column,
        message=first.message + more,
        hint=first.hint,
        code=first.code,
    )


def skipped(name: str, code: str, sentence: str, path: str | None = None) -> Skipped:
    """The entry of a model that need not be read."""
    return Skipped(model=name, reason=Reason(code=code, sentence=sentence, path=path))


def removed(name: str, base: TreeEntry, arrivals: Mapping[str, str]) -> Skipped:
    """The entry of a model that is gone; `arrivals` are new models by the object id of their folder."""
    if base.oid in arrivals:
        sentence = f"It is now called {arrivals[base.oid]}."
        return skipped(name, "model_renamed", sentence, spec_path(arrivals[base.oid]))
    return skipped(name, "model_removed", "It is removed by this change.", spec_path(name))


def other_files(base: Folder, head: Folder) -> Skipped | None:
    """The entry of a model whose folder differs in files that nothing reads; None when spec or contract differ."""
    changed = sorted(
        file for file in base.entries.keys() | head.entries.keys() if base.entries.get(file) != head.entries.get(file)
    )
    if not changed or {SPEC, SCHEMA} & set(changed):
        return None
    sentence = f"Only {', '.join(changed[:3])} changed in its folder, which training does not read."
    return skipped(head.name, "documentation_changed", sentence, f"models/{head.name}/{changed[0]}")


def _base_inputs(base: Folder | None, sides: Sides) -> Inputs | None:
    if base is None:
        return None
    try:
        return inputs_of(base, sides.base_data, sides.versions)
    except MlbotError:
        return None


def _unmoved(base: Folder, head: Folder, old: Inputs, new: Inputs) -> Skipped:
    what = summary(old.spec.model_dump(mode="json"), new.spec.model_dump(mode="json"))
    about = f" ({what})" if what else ""
    path = spec_path(head.name) if base.spec != head.spec else schema_path(head.name)
    if base.entries == head.entries:
        return Skipped(model=head.name, reason=UNAFFECTED)
    if settled := other_files(base, head):
        return settled
    return skipped(head.name, "inputs_unchanged", f"What changed does not change the model{about}.", path)


def _reasons(base: Folder | None, head: Folder, old: Inputs | None, new: Inputs, sides: Sides) -> list[Reason]:
    name = head.name
    if base is None:
        return [Reason(code="new_model", sentence="It is new.", path=spec_path(name))]
    if old is None:
        return [Reason(code="base_unreadable", sentence="It could not be read before.", path=spec_path(name))]
    reasons = []
    what = summary(trained_part(old.spec), trained_part(new.spec))
    if what:
        reasons.append(Reason(code="spec_changed", sentence=f"Its spec changed: {what}.", path=spec_path(name)))
    if base.schema != head.schema:
        reasons.append(Reason(code="schema_changed", sentence="Its data contract changed.", path=schema_path(name)))
    read = {file.path: file.md5 for file in (*old.data_files, *new.data_files)}
    for path, word in sides.changed_data.items():
        if path in read:
            reasons.append(Reason(code="data_changed", sentence=f"{path} was {word}.", path=path))
    return reasons
