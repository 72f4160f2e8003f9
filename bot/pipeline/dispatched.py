"""Who asks for what a dispatched run does: GitHub's own sender, or the author of a comment that the bot accepted.

An input names nobody. A person who dispatches asks in their own name and needs the role of the command that the inputs
stand for. For a comment only the bot starts a run, and before it does, it writes down what it accepted: the ledger's
signed fact holds the command, its author and every input, so that neither another comment nor other inputs pass.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta

from bot.decide.case import Case
from bot.decide.orders import checked, within_budget
from bot.decide.step import asking
from bot.errors import UserError
from bot.ledger import Ledger
from bot.pipeline.job import Job
from bot.pipeline.judge import policies_of
from bot.records.event import Account, Dispatched
from bot.records.ledger import Accepted, accepted_path

TRAINING, PROMOTION, REPRODUCTION = "pull-request.yml", "promote.yml", "reproduce.yml"
STARTS = {"plan": TRAINING, "retrain": TRAINING, "reproduce": REPRODUCTION}  # what costs minutes, by verb
DAY = timedelta(days=1)
NAMING = ("head", "models", "seed")  # inputs that ask for more than what any push starts
_ID = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)


def accept(one: Accepted, job: Job) -> None:
    """Write down what was accepted, then start its run. Raises as the ledger and GitHub do."""
    path, inputs = accepted_path(one), {**one.inputs, "comment_id": str(one.comment_id)}
    said = f"accepted on #{one.number}: {one.verb} of {one.author.login}"
    Ledger(job.ports.ledger).add({path: one.canonical()}, said)
    job.ports.conversation.dispatch(one.workflow, inputs)


def asker(event: Dispatched, number: int, workflow: str, job: Job) -> Account | None:
    """Who asked for this run: the person who dispatched it, or the author of the comment; None: the bot by itself.

    Raises UserError for an input that names a comment which the bot did not accept for exactly this run (codes
    `comment_named`, `not_accepted`), and when a bot asks for more than any push starts (`promoter_missing`).
    """
    if event.sender.kind == "User":
        if event.inputs.get("comment_id"):
            said = "a comment is named by the bot alone: whoever dispatches a workflow asks in their own name"
            raise UserError(said, hint="Leave `comment_id` empty, or write the command.", code="comment_named")
        return event.sender
    if event.inputs.get("comment_id"):
        return accepted(event, number, workflow, job).author
    named = [name for name in NAMING if event.inputs.get(name)]
    if named:
        said = f"{event.sender.login} names no comment that asks for {', '.join(named)}"
        raise UserError(said, hint="Write the command in the pull request.", code="promoter_missing")
    return None


def accepted(event: Dispatched, number: int, workflow: str, job: Job) -> Accepted:
    """What the bot wrote down before it started this run. Raises UserError (code `not_accepted`) without it."""
    name, ledger = event.inputs["comment_id"], Ledger(job.ports.ledger)
    comment_id = int(name) if _ID.fullmatch(name) else 0
    found = ledger.accepted(number, comment_id).whole if comment_id else []
    given = _given(event.inputs)
    same = [one for one in found if one.workflow == workflow and _given(one.inputs) == given]
    note = ledger.handled(number, comment_id) if same else None
    refused = json.loads(note)["refused"] if note else ()
    for one in same:
        if (one.number, one.comment_id) == (number, comment_id) and one.index not in refused:
            return one
    hint = "What was refused once is asked for in a new comment." if refused else "Write the command in a new comment."
    said = f"the bot has not accepted comment {name[:20]} of #{number} for this"
    raise UserError(said, hint=hint, code="not_accepted")


def _given(inputs: Mapping[str, str]) -> dict[str, str]:
    """Inputs that say something; GitHub may leave an empty one out."""
    return {name: text for name, text in inputs.items() if text and name != "comment_id"}


def _spend(verb: str, who: Account, workflow: str, case: Case, job: Job) -> None:
    """Runs that somebody dispatched count against the same budget as their commands, this one included."""
    rule = case.policies.commands.commands.get(verb)  # type: ignore[call-overload]
    if rule is None or rule.budget is None:
        return
    runs = job.ports.training_runs
    if runs is None:
        raise UserError("how many runs somebody started is known in GitHub Actions only", code="not_available")
    since = case.now - DAY
    by_hand = runs.started_by(who.login, workflow, since) - 1
    within_budget(verb, rule.budget, by_hand + Ledger(job.ports.ledger).used_since(who.id, verb, since, case.now), case)


def may_start(event: Dispatched, number: int, job: Job, workflow: str = TRAINING) -> Account | None:
    """`asker` of a training. Raises UserError when a person dispatches who may not use the command it stands for.

    That is `retrain` with a head, models or a seed, else `plan`; or `reproduce`. Requests: the pull request and the
    person's permission.
    """
    who = asker(event, number, workflow, job)
    if who is not None and event.sender.kind == "User":
        policies = policies_of(job)
        verb = "retrain" if any(event.inputs.get(name) for name in NAMING) else "plan"
        verb = "reproduce" if workflow == REPRODUCTION else verb
        case = Case(asking(number, who, policies, job.ports), policies, job.ports.clock.now())
        checked(verb, who.id, case)
        _spend(verb, who, workflow, case, job)
    return who
