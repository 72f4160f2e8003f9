"""May this person use this command here? The table of commands.yaml, applied to facts."""

from __future__ import annotations

from bot.decide.case import Case
from bot.decide.reasons import node
from bot.decide.roles import at_least
from bot.decide.wording import listed
from bot.records.decision import Node
from bot.records.facts import Subject
from bot.specs.policies.commands import ANYWHERE, DEFAULT_STAGES, CommandRule, Stage

READERS = frozenset(("help", "status", "explain", "simulate"))


def command_node(verb: str, actor: int, case: Case) -> Node:
    """Approved, or why not: who may, and in which state of the pull request."""
    rule = case.policies.commands.commands.get(verb)  # type: ignore[call-overload]
    if rule is None:
        if verb in READERS:
            return node(verb, "approved", "approved", "Everybody may.")
        sentence = f"policies/commands.yaml lets nobody {case.written(f'/{verb}')}."
        return node(verb, "rejected", "command_not_allowed", sentence)
    stages = rule.stages or DEFAULT_STAGES.get(verb, ANYWHERE)
    stage = stage_of(case.facts.pull_request)
    if stage not in stages:
        sentence = (
            f"{case.written(f'/{verb}')} works on a pull request that is {' or '.join(stages)}; this one is {stage}."
        )
        return node(verb, "rejected", "closed" if stage == "closed" else "command_not_allowed", sentence)
    return _person(verb, actor, case)


def stage_of(pull_request: Subject) -> Stage:
    """The pull request's state in the words of the policy."""
    if pull_request.merged:
        return "merged"
    if pull_request.state == "closed":
        return "closed"
    return "draft" if pull_request.draft else "open"


def may_use(verb: str, actor: int, case: Case) -> bool | None:
    """Whether the person may use a command at all, whatever the pull request's state; None when that is not known."""
    rule = case.policies.commands.commands.get(verb)  # type: ignore[call-overload]
    if rule is None:
        return verb in READERS
    found = case.actors.get(actor)
    answers: list[bool | None] = [_or_author(rule, actor, case)]
    if found is None or found.account.kind == "User":
        by_role = case.holds_any(actor, rule.roles) if rule.roles else True
        permitted = at_least(found.permission if found else None, rule.permission)
        answers.append(False if False in (by_role, permitted) else None if None in (by_role, permitted) else True)
    return True if True in answers else None if None in answers else False


def who_may(verb: str, case: Case) -> tuple[str, ...]:
    """For people to read."""
    rule = case.policies.commands.commands.get(verb)  # type: ignore[call-overload]
    if rule is None:
        return ()
    named = case.members(rule.roles or ()) or (f"anybody with {rule.permission} permission",)
    return (*named, "the author") if rule.or_author else named


def _or_author(rule: CommandRule, actor: int, case: Case) -> bool:
    pull_request = case.facts.pull_request
    if actor != pull_request.author.id or rule.or_author is None:
        return False
    return rule.or_author == "always" or not pull_request.from_fork


def _person(verb: str, actor: int, case: Case) -> Node:
    answer, line = may_use(verb, actor, case), case.written(f"/{verb}")
    who = who_may(verb, case)
    if answer is None:
        sentence = f"GitHub did not say whether {case.login(actor)} may {line}."
        return node(verb, "error", "role_unknown", sentence, who=who)
    if answer:
        return node(verb, "approved", "approved", f"{case.login(actor)} may {line}.")
    sentence = f"{case.login(actor)} may not {line}. Who may: {listed(who)}."
    return node(verb, "rejected", "command_not_allowed", sentence, who=who)
