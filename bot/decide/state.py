"""The pull request itself: is it open, complete, attributed and planned?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from bot.decide.case import Case
from bot.decide.exclusions import last_pusher, unattributed
from bot.decide.globs import fits_branch
from bot.decide.reasons import node
from bot.decide.wording import listed
from bot.records.decision import Node

_PLAIN = re.compile(r"[a-z0-9.+_\[\]-]{1,64}@[a-z0-9.-]{1,100}")


def state_nodes(case: Case) -> list[Node]:
    """What is wrong with the pull request as such; empty when nothing is."""
    return [*_openness(case), *_completeness(case)]


def _openness(case: Case) -> Iterator[Node]:
    pull_request = case.facts.pull_request
    author = (pull_request.author.login,)
    if not pull_request.merged and pull_request.state == "closed":
        yield node("open", "pending", "closed", "The pull request is closed.", who=author)
    elif pull_request.draft and not pull_request.merged:
        yield node("ready", "pending", "draft", "The pull request is a draft.", who=author)
    if not fits_branch(pull_request.base_ref, case.approvals.guarded_base_branches, pull_request.default_branch):
        sentence = f"The policy does not cover pull requests against {pull_request.base_ref}."
        yield node("base branch", "rejected", "base_not_allowed", sentence, who=author)


def _completeness(case: Case) -> Iterator[Node]:
    facts = case.facts
    author = (facts.pull_request.author.login,)
    if facts.unknown:
        sentence = f"GitHub did not tell: {listed(facts.unknown)}."
        yield node("facts", "error", "api_unavailable", sentence, who=("try again",))
    unsure = case.approvals.author_roles() & case.holding(facts.pull_request.author.id).unknown
    if unsure:
        sentence = f"GitHub did not say whether {author[0]} holds {listed(sorted(unsure))}, and a rule depends on it."
        yield node("author", "error", "role_unknown", sentence, who=("try again",))
    if facts.pull_request.head_sha not in {commit.sha for commit in facts.commits}:
        sentence = "The head is not among the pull request's commits: it moved while the bot was reading."
        yield node("head", "error", "ref_changed", sentence, who=("try again",))
    if case.head is None or not facts.planned:
        yield node("plan", "pending", "plan_missing", "The head has not been planned yet.", who=("wait for the run",))
    for broken in facts.broken:
        what, code = ("'s data", "data_missing") if broken.is_about_data else ("", "spec_invalid")
        sentence = f"{broken.model}{what} cannot be read: {broken.place}: {broken.message}"
        yield node(f"model {broken.model}", "rejected", code, sentence, who=author)
    if case.approvals.names_party("last_pusher") and not last_pusher(case):
        sentence = f"GitHub does not say who pushed {facts.pull_request.head_sha[:12]}: push once more."
        yield node("pusher", "error", "pusher_unknown", sentence, who=author)
    strangers = unattributed(case) if case.approvals.defaults.unattributed_commits == "block" else {}
    if strangers:
        sentence = (
            f"GitHub cannot say who made {listed(sha[:12] for sha in strangers)}: "
            f"commit with an e-mail address that belongs to an account{_or_list(strangers)}."
        )
        yield node("attribution", "error", "unattributed_commit", sentence, who=author)


def _or_list(strangers: Mapping[str, Iterable[str]]) -> str:
    """What to write where, with the addresses: they are somebody's text, so only plain ones are shown."""
    addresses = dict.fromkeys(one for found in strangers.values() for one in found if _PLAIN.fullmatch(one))
    if not addresses:
        return ""
    lines = listed((f"`{one}: LOGIN#ID`" for one in addresses), limit=3)
    return f", or say whose it is under `addresses` in policies/roles.yaml: {lines} (`tool` for a program)"
