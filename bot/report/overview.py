"""The ten-second view: what changed, is it better, for whom is it worse, what is blocked, and what comes next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.records.decision import Unblock
from bot.records.evaluation import Evaluation
from bot.records.failure import Failure
from bot.records.numbers import counted, listed
from bot.records.plan import Invalid, Skipped
from bot.records.report import Report
from bot.report.blocks import Break, Name, Part, Strong
from bot.report.findings import affected, answer, blocking_gates, slice_effect, state, worse_slices
from bot.report.sentences import FEW, UNMEASURED, Parts, coded, evidence, names, outcome, outcomes, said_of
from bot.report.wording import CHANGES, STATUSES, needed, sentence, slice_line


@dataclass(frozen=True)
class Step:
    """What people can do: (who, action) of all who would use the same command, and the command."""

    people: tuple[tuple[str, str], ...]
    command: str | None


@dataclass(frozen=True)
class Overview:
    """`verdict` is a sign with its word; `headline` one sentence. Empty parts mean that there is nothing to say."""

    verdict: str
    headline: Parts
    changed: Parts
    better: Parts
    worse_for: Parts
    approved_by: Parts
    flags: Parts
    blocked_by: tuple[Parts, ...]
    steps: tuple[Step, ...]


def overview(report: Report) -> Overview:
    """From everything that is known; says "not yet" where something is not."""
    return Overview(
        verdict=verdict(report),
        headline=headline(report),
        changed=changed(report),
        better=better(report),
        worse_for=worse_for(report),
        approved_by=approved_by(report),
        flags=flags(report),
        blocked_by=blocked_by(report),
        steps=(*_mending(report), *steps(_asked(report))),
    )


def verdict(report: Report) -> str:
    """The decision's word; before a decision, what the evaluations alone say."""
    if report.decision:
        return STATUSES[report.decision.status]
    states = {state(report, model) for model in affected(report)}
    if states & {"invalid", "no_data", "failed", "fail"}:
        return STATUSES["rejected"]
    if states & {"running", "held"}:
        return "⏳ Training" if "running" in states else "⏳ Not trained yet"
    if not states:
        return "➖ Nothing to decide"
    return "❔ Cannot tell" if "inconclusive" in states else "✅ Every gate passes"


def headline(report: Report) -> Parts:
    """One sentence: what blocks, and then what the change does to the models."""
    blocker, effect = _blocker(report), _effect(report)
    is_same = blocker[:1] == effect[:1] and isinstance(blocker[0], Name) if blocker else False
    return (*blocker, *(("it", *effect[1:]) if is_same else effect))


def _blocker(report: Report) -> Parts:
    """The gates that failed; without any, what else the decision says no to. Empty when nothing is in the way."""
    failing = {
        model: [gate.gate for gate in blocking_gates(evaluation) if gate.verdict == "fail"]
        for model, evaluation in report.evaluations.items()
    }
    failing = {model: gates for model, gates in sorted(failing.items()) if gates}
    if len(failing) == 1:
        ((model, gates),) = failing.items()
        return Name(model), f"fails {'its gate' if len(gates) == 1 else 'its gates'}", *names(gates), ";"
    if failing:
        return (*names(list(failing)), "fail gates;")
    decision = report.decision
    if decision is None or decision.status not in ("rejected", "error") or report.failures:
        return ()
    if report.plan is not None and any(isinstance(one, Invalid) for one in report.plan.entries):
        return ()
    return (f"{decision.headline.partition(': ')[2].rstrip('.')};",)


def _effect(report: Report) -> Parts:
    models = affected(report)
    if not models:
        return ("no model is affected.",)
    if len(models) == 1:
        return _headline_of_one(report, models[0])
    found = outcomes(report, models)
    if len(models) > FEW:
        said = ", ".join(f"{len(who)} {word}" for word, who in found)
        return (f"{counted(len(models), 'model')}: {said}.",)
    parts: list[Part] = []
    for word, who in found:
        parts += [*names(who), f"{'is' if len(who) == 1 else 'are'} {word};"]
    return (*parts[:-1], f"{str(parts[-1])[:-1]}.")


def _headline_of_one(report: Report, model: str) -> Parts:
    found = outcome(report, model)
    worse = worse_slices(report.evaluations[model]) if model in report.evaluations else []
    if not worse or found in UNMEASURED:
        return Name(model), f"{said_of(found)}."
    link = "and" if found == "worse" else "but"
    base = said_of("better" if found == "mixed" else found)
    return Name(model), f"{base}, {link} worse for", *names([one.slice for one in worse]), "."


def changed(report: Report) -> Parts:
    """Kinds of change, and how much of the repository they touch."""
    if report.plan is None:
        return ()
    order = [
        *(kind for kind in CHANGES if kind in report.plan.change_kinds),
        *sorted({*report.plan.change_kinds} - {*CHANGES}),
    ]
    kinds = ", ".join(CHANGES.get(kind, kind) for kind in order) or "nothing"
    models = affected(report)
    total = max(report.plan.n_models, len(models) + sum(isinstance(one, Skipped) for one in report.plan.entries))
    if not models:
        return (f"{kinds}; affects none of {counted(total, 'model')}.",)
    known = f"{counted(len(report.reused), 'model')} with known inputs not trained again." if report.reused else ""
    return f"{kinds}; affects {len(models)} of {counted(total, 'model')}:", *names(models), ".", known


def better(report: Report) -> Parts:
    """The answer with its numbers for a few models, the counts and first names for many."""
    judged = [model for model in affected(report) if model in report.evaluations]
    if not judged:
        return ("Not known yet.",) if affected(report) else ()
    if len(judged) == 1:
        return evidence(report.evaluations[judged[0]])
    parts: list[Part] = []
    if len(judged) <= FEW:
        for model in judged:
            parts += [Name(model), "·", *evidence(report.evaluations[model], among_others=True), Break()]
        return tuple(parts[:-1])
    for word, who in outcomes(report, judged):
        parts += [f"{len(who)} {word}:", *names(who), ";"]
    return tuple(parts[:-1])


def worse_for(report: Report) -> Parts:
    """The slices on which a candidate is clearly worse, the worst first."""
    judged = [model for model in affected(report) if model in report.evaluations]
    found = [(model, one) for model in judged for one in worse_slices(report.evaluations[model])]
    if not found:
        return _nobody([report.evaluations[model] for model in judged])
    parts: list[Part] = []
    for model, one in found[:FEW]:
        prefix: Parts = (Name(model), "on") if len(judged) > 1 else ()
        parts += [*prefix, Name(one.slice), slice_line(one), ";"]
    more = len(found) - FEW
    return (*parts, f"and {more} more.") if more > 0 else (*parts[:-1], ".")


def _nobody(judged: list[Evaluation]) -> Parts:
    n = sum(slice_effect(evaluation, one) is not None for evaluation in judged for one in evaluation.slices)
    if n:
        return (f"No group is clearly worse ({counted(n, 'slice')} compared).",)
    if any(answer(evaluation) is not None for evaluation in judged):
        return ("Not known: no slices were compared.",)
    return ()


FLAGS = {"break_glass": "⚠️ Break-glass was used: conditions were bypassed, and a review is due."}


def flags(report: Report) -> Parts:
    """What must not be overlooked."""
    raised = report.decision.flags if report.decision else ()
    return tuple(Strong(FLAGS.get(flag, f"⚠️ {flag.replace('_', ' ')}")) for flag in raised)


def approved_by(report: Report) -> Parts:
    """Whose approvals count, each with the role it counts for; empty while there are none."""
    people = {
        (one.login, one.role): None
        for verdict in (report.decision.models if report.decision else ())
        for one in verdict.approved_by
    }
    said = [f"{login} ({role})" if role else login for login, role in people]
    return (f"{listed(said, 6)}.",) if said else ()


def blocked_by(report: Report) -> tuple[Parts, ...]:
    """A line for each thing in the way: specs and trainings first, then gates."""
    lines: list[Parts] = []
    for entry in report.plan.entries if report.plan else ():
        if isinstance(entry, Invalid):
            lines.append(_mishap(entry.model, entry, entry.message, entry.hint or ""))
    for model, failure in sorted(report.failures.items()):
        lines.append(_mishap(model, failure, failure.message, failure.hint))
    for model in affected(report):
        if model in report.evaluations:
            lines += _gates(report.evaluations[model])
    return tuple(lines)


def _mishap(model: str, at: Invalid | Failure, message: str, hint: str) -> Parts:
    where = _place(at)
    return Name(model), "·", *((Name(where), "·") if where else ()), *coded(sentence(message)), *coded(sentence(hint))


def _place(at: Invalid | Failure) -> str:
    return ":".join(str(one) for one in (at.file, at.line, at.column) if one is not None)


def _gates(evaluation: Evaluation) -> list[Parts]:
    words = {"fail": "fails:", "inconclusive": "cannot tell:"}
    return [
        (
            Name(evaluation.model),
            "· gate",
            Name(gate.gate),
            words[gate.verdict],
            *(sentence(gate.sentence), needed(gate), *coded(sentence(gate.next_step))),
        )
        for gate in blocking_gates(evaluation)
    ]


def _mending(report: Report) -> tuple[Step, ...]:
    """What a training broke off at is for the author; nobody's approval or another run would help."""
    places = [f"{model} at {_place(one)}" for model, one in sorted(report.failures.items()) if one.file]
    return (Step((("the author", f"mend, then push: {listed(places, FEW)}"),), None),) if places else ()


def _asked(report: Report) -> list[Unblock]:
    """What the decision asks for; approvals come last while there is no evaluation that they could be of."""
    if report.decision is None:
        return []
    decision = report.decision
    if decision.evaluation_id is not None:
        return list(decision.unblock)
    return sorted(decision.unblock, key=lambda one: decision.head_sha in (one.command or ""))


def steps(unblock: Iterable[Unblock]) -> tuple[Step, ...]:
    """One step a command, in the order given; a step without a command stands alone."""
    made: list[Step] = []
    for one in unblock:
        person = (", ".join(one.who) or "anybody", one.action)
        same = [number for number, step in enumerate(made) if one.command and step.command == one.command]
        if same:
            made[same[0]] = Step((*made[same[0]].people, person), one.command)
        else:
            made.append(Step((person,), one.command))
    return tuple(made)
