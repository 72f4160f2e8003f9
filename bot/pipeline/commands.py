"""What each command of a comment does. `COMMANDS` is the written list; each returns a reply, empty for none."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.chatops.answers import help_text
from bot.decide import orders
from bot.decide.allowed import READERS, command_node
from bot.decide.decide import decide
from bot.decide.explain import explain
from bot.decide.reading import opinion_id
from bot.decide.simulate import as_if
from bot.decide.surroundings import environments
from bot.decide.unheard import why_unheard
from bot.errors import Parts, UserError
from bot.ledger import Environments, Ledger
from bot.pipeline.asking_again import ask_again
from bot.pipeline.dispatched import PROMOTION, REPRODUCTION, STARTS, TRAINING, accept
from bot.pipeline.job import Job
from bot.pipeline.judge import Judged, head_of, judge, run_url, show_verdict
from bot.pipeline.overdue import last_reconcile, sentence
from bot.pipeline.promotion import asked_of, chosen, merged_of, requested
from bot.promote.reading import known_artifact
from bot.records.command import Command
from bot.records.decision import Decision, Node
from bot.records.event import Account, CommentCreated
from bot.records.facts import EnvironmentFact
from bot.records.ledger import Accepted
from bot.report.markdown_blocks import link
from bot.specs.policies.commands import Budget
from bot.words import Markdown, fenced, prose

MAX_REPLY = 20_000
DAY = timedelta(days=1)
MOVING = ("delegate", "undelegate", "revoke")  # a verdict may hang on it; those of others follow by reconcile
REFUSED = ("pending", "rejected", "error", "not_applicable")


@dataclass(frozen=True)
class Ask:
    """A command with who gave it and what was decided about the merge with it."""

    command: Command
    event: CommentCreated
    index: int
    judged: Judged
    job: Job
    done: tuple[str, ...] = ()  # verbs that this comment carried out before, and that are noted

    @property
    def budget(self) -> Budget | None:
        """How much of the command the policy gives to one person, None for any amount."""
        rule = self.judged.policies.commands.commands.get(self.command.verb)
        return rule.budget if rule is not None else None

    @property
    def opinion_id(self) -> str:
        """The id that `decide` knows this command by."""
        return opinion_id(self.event.comment_id, self.index)

    def allowed(self) -> None:
        """Raises UserError naming who may."""
        orders.checked(self.command.verb, self.event.author.id, self.judged.case)


def used_today(ask: Ask) -> int:
    """How often the person did this within the last day: by comments, before in this one, and by dispatching it."""
    job, verb, who = ask.job, ask.command.verb, ask.event.author
    now = job.ports.clock.now()
    before = Ledger(job.ports.ledger).used_since(who.id, verb, now - DAY, now) + ask.done.count(verb)
    runs, workflow = job.ports.training_runs, STARTS.get(verb)
    by_hand = runs.started_by(who.login, workflow, now - DAY) if runs is not None and workflow is not None else 0
    return before + by_hand


def opinion(ask: Ask) -> Markdown:
    """Approve, withdraw, reject, hold: the opinion is read live; the report shows what it changed, unless nothing."""
    ask.allowed()
    if ask.command.verb == "approve":
        _heard(ask)
    return _shown(lambda: show_verdict(ask.judged, ask.job), ask)


def _heard(ask: Ask) -> None:
    """Raises UserError with the reason when an approval counts nowhere in what it is for."""
    about = ask.command.environment
    judged = ask.judged if about is None else judge(ask.event.number, about, ask.job, actor=ask.event.author)
    decision = judged.decision
    counts = any(ask.opinion_id in one.approvals for one in decision.models)
    why = None if counts or decision.status == "approved" else why_unheard(ask.opinion_id, judged.case)
    if why is not None:
        raise UserError(f"{why.name}: {why.sentence}", hint=_next_step(decision), code=why.reason_code)


def _shown(show: Callable[[], object], ask: Ask) -> Markdown:
    """Bring the verdict up to date; why that failed, for the person who asked: what was said counts all the same."""
    views = ask.job.ports.views
    before = len(views.failed)
    views.attempt("verdict", show)
    missing = [error.message for name, error in views.failed[before:] if name == "verdict"]
    said = Markdown("It counts, but the verdict could not be shown: {}")
    return Markdown("").join(said.format(prose(one)) for one in missing)


def _nodes(tree: Node) -> Iterator[Node]:
    yield tree
    for child in tree.children:
        yield from _nodes(child)


def help_(ask: Ask) -> Markdown:
    """The commands that this person may use here."""
    rules = ask.judged.policies.commands
    verbs = [*rules.commands, *READERS]
    case, actor = ask.judged.case, ask.event.author.id
    may = [verb for verb in verbs if command_node(verb, actor, case).status == "approved"]
    return help_text(may, topic=ask.command.options.get("topic"), prefix=rules.prefix)


def status(ask: Ask) -> Markdown:
    """The verdict, the report brought up to date, and how the models do where they are live."""
    from bot.pipeline.health_line import health_lines

    judged = ask.judged
    missing = _shown(lambda: show_verdict(judged, ask.job), ask)
    models = [one.model for one in judged.facts.models]
    health = health_lines(models, judged.policies.environments.environments, ask.job.ports)
    reconciled = prose(sentence(last_reconcile(ask.job), ask.job.ports.clock.now()))
    return Markdown("\n\n").join(part for part in (missing, explain_(ask), health, reconciled) if part)


def explain_(ask: Ask) -> Markdown:
    """The verdict tree, in a code block."""
    return _block(explain(ask.judged.decision, rule=ask.command.options.get("topic")))


def simulate(ask: Ask) -> Markdown:
    """What the verdict would be if these people approved, and the change went to another branch; nothing is written."""
    base = ask.command.options.get("base")
    logins = [one for one in ask.command.options.get("approve", "").split(",") if one]
    case = ask.judged.case
    facts = as_if(ask.judged.facts, case.policies, case.now, approve=logins, base=base)
    asked = ["they approved"] if logins else []
    asked += [f"the change went to {base}, evaluated as it is"] if base else []
    lead = Markdown("If {} (nothing was changed):\n\n").format(" and ".join(asked) or "nothing changed")
    return lead + _block(explain(decide(facts, case.policies, case.now)))


def start_training(ask: Ask) -> Markdown:
    """Plan again, or train again: dispatched, so that training never runs where a comment is handled."""
    ask.allowed()
    command, subject = ask.command, ask.judged.facts.pull_request
    if command.target and command.target != subject.head_sha:
        raise UserError(
            f"the head is {subject.head_sha} by now", hint=f"/retrain {subject.head_sha}", code="ref_changed"
        )
    if subject.from_fork and not command.target:
        hint = f"/retrain {subject.head_sha}"
        raise UserError("a fork's head is trained by its full commit id", hint=hint, code="target_missing")
    models = " ".join(command.models) or ("*" if command.verb == "retrain" else "")
    inputs = {"number": str(subject.number), "head": subject.head_sha, "models": models}
    inputs |= {"seed": command.options["seed"]} if "seed" in command.options else {}
    _start(ask, TRAINING, inputs)
    return Markdown("")


def start_reproduction(ask: Ask) -> Markdown:
    """Train again what the live head's evaluations say, in a run of its own."""
    ask.allowed()
    subject, named = ask.judged.facts.pull_request, ask.command.models
    head = head_of(subject.number, subject.head_sha, ask.job)
    chosen(named, head)
    if not any(one.evaluation_digest for one in (head.models.values() if head else ())):
        raise UserError("nothing of this head is evaluated yet", hint="/retrain", code="evaluation_missing")
    _start(ask, REPRODUCTION, {"number": str(subject.number), "head": subject.head_sha, "models": " ".join(named)})
    return Markdown("")


def promote(ask: Ask) -> Markdown:
    """Ask the policy now, so that a refusal is told at once; the promote workflow asks it again and acts."""
    ask.allowed()
    command, environment = ask.command, ask.command.environment or ""
    inside, asked = asked_of(command, ask.event, ask.judged, ask.job), merged_of(ask.event.number, ask.job)
    found = judge(ask.event.number, environment, ask.job, actor=ask.event.author, asked=inside, merged=asked)
    if found.decision.status != "approved":
        ask_again(found, ask.job)
        raise UserError(_reason(found.decision), hint=_next_step(found.decision), code=found.decision.reason_code)
    _dispatch(ask, "rollback" if command.verb == "rollback" else "promote")
    return Markdown("")


def break_glass(ask: Ask) -> Markdown:
    """The first call opens a request; a second person's confirmation promotes; a reviewer's closes it afterwards."""
    request = ask.command.options.get("confirm")
    if request:
        done = orders.review_break_glass(request, ask.event.author, ask.command.reason, ask.judged.case)
        if done is None:
            return promote(replace(ask, command=requested(ask.command, ask.event.number, ask.job)))
        Ledger(ask.job.ports.ledger).write(done.ledger, f"review {request} by {ask.event.author.login}")
        return prose(done.sentence)
    author, about = ask.event.author, ask.command.environment or ""
    return prose(orders.open_break_glass(ask.opinion_id, author, about, ask.command.reason, ask.judged.case))


def _dispatch(ask: Ask, action: str) -> None:
    inputs = {
        "action": action, "environment": ask.command.environment or "", "model": " ".join(ask.command.models),
        "number": str(ask.event.number), "reason": ask.command.reason,
    }  # fmt: skip
    _start(ask, PROMOTION, inputs)


def _start(ask: Ask, workflow: str, inputs: dict[str, str]) -> None:
    """The run that a command asks for, written down first: nobody else can start it in the author's name."""
    event, verb = ask.event, ask.command.verb
    one = Accepted(
        number=event.number, comment_id=event.comment_id, index=ask.index, verb=verb, author=event.author,
        workflow=workflow, inputs=inputs,
    )  # fmt: skip
    accept(one, ask.job)


def merge(ask: Ask) -> Markdown:
    """Merge exactly the head that was judged. A merge by this token starts no workflow: promotion is dispatched."""
    ask.allowed()
    decision = ask.judged.decision
    if decision.status != "approved":
        raise UserError(_reason(decision), hint=_next_step(decision), code=decision.reason_code)
    talk, number = ask.job.ports.conversation, ask.event.number
    if talk.merge(number, ask.judged.facts.pull_request.head_sha) is None:
        return Markdown("#{} waits in the merge queue, and is promoted once that has merged it.").format(number)
    started = Parts()
    started.attempt("promotion", lambda: talk.dispatch(PROMOTION, {"action": "promote", "number": str(number)}))
    said = Markdown("Merged; its promotion could not be started, and the next `reconcile` does it: {}")
    return Markdown("").join(said.format(prose(error.message)) for _, error in started.failed)


def order(ask: Ask) -> Markdown:
    """Delegations and locks: small facts on the bot's branches."""
    written = _written(ask)
    message = f"{ask.command.verb} by {ask.event.author.login} on #{ask.event.number}"
    Ledger(ask.job.ports.ledger).write(written.ledger, message)
    Environments(ask.job.ports.environments).write(written.environments, message)
    if ask.command.verb in MOVING:
        again = functools.partial(judge, ask.event.number, "merge", ask.job, actor=ask.event.author)
        missing = _shown(lambda: show_verdict(again(), ask.job), ask)
        return Markdown(" ").join(part for part in (prose(written.sentence), missing) if part)
    return prose(written.sentence)


def _written(ask: Ask) -> orders.Written:
    command, actor, case = ask.command, ask.event.author, ask.judged.case
    options = command.options
    if command.verb == "lock":
        return orders.lock(command.environment or "", actor, command.reason, _environments(ask), case)
    if command.verb == "unlock":
        return orders.unlock(command.environment or "", actor, _environments(ask), case)
    if command.verb == "revoke":
        artifact = known_artifact(command.target or "", ask.job.ports)
        return orders.revoke(artifact, actor, command.reason, _environments(ask), case)
    other = _account(options.get("user", ""), ask)
    if command.verb == "undelegate":
        return orders.undelegate(actor, other, options.get("role"), command.reason, case)
    length, role = options.get("for", ""), options.get("role", "")
    return orders.delegate(ask.opinion_id, actor, other, role, length, command.reason, case)


def _environments(ask: Ask) -> tuple[EnvironmentFact, ...]:
    """Only `collect` about an environment reads them."""
    return environments(ask.judged.policies, (), ask.job.ports)


def _account(login: str, ask: Ask) -> Account:
    found = ask.job.ports.pull_requests.account(login)
    if found is None:
        hint = "Look at the person's profile: it shows the login as it is now."
        raise UserError(f"GitHub has no account {login}", hint=hint, code="not_found")
    return found


def cancel(ask: Ask) -> Markdown:
    """Stop the runs that train this pull request; GitHub stops whole runs, so all models at once."""
    ask.allowed()
    runs, number = ask.job.ports.training_runs, ask.event.number
    if runs is None:
        raise UserError("runs are cancelled in GitHub Actions only", code="not_available")
    stopped = [one.id for one in runs.of(number) if one.is_going and runs.cancel(one.id)]
    if not stopped:
        raise UserError("nothing of this pull request is being trained", code="nothing_to_cancel")
    links = Markdown(", ").join(link(f"run {one}", run_url(one, ask.job)) for one in stopped)
    return Markdown("Stopped {}. What was trained before it stays; `retrain` starts again.").format(links)


def _next_step(decision: Decision) -> str:
    """Who can do what, a line each; the reply shows it as code, so that no line of it is a command."""
    steps = [f"{', '.join(one.who) or 'anybody'}: {one.command or one.action}" for one in decision.unblock]
    return "\n".join(steps)


def _reason(decision: Decision) -> str:
    leaves = [one for one in _nodes(decision.tree) if not one.children and one.status in REFUSED[:3]]
    return "; ".join(one.sentence for one in leaves[:3]) or decision.headline


def _block(text: str) -> Markdown:
    return fenced(text, MAX_REPLY)


COMMANDS: dict[str, Callable[[Ask], Markdown]] = {
    "help": help_,
    "status": status,
    "explain": explain_,
    "plan": start_training,
    "retrain": start_training,
    "reproduce": start_reproduction,
    "cancel": cancel,
    "approve": opinion,
    "unapprove": opinion,
    "reject": opinion,
    "hold": opinion,
    "unhold": opinion,
    "delegate": order,
    "undelegate": order,
    "promote": promote,
    "rollback": promote,
    "revoke": order,
    "lock": order,
    "unlock": order,
    "break-glass": break_glass,
    "simulate": simulate,
    "merge": merge,
}
