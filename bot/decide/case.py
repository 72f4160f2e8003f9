"""Facts, policies and the time, with the look-ups that every judgement needs, made once."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from bot.decide.roles import Holding, roles_of
from bot.records.event import Account
from bot.records.facts import Actor, Delegation, Facts, HeadFact, ModelFact, Opinion
from bot.specs.policies import Policies
from bot.specs.policies.approvals import ApprovalPolicy, DelegationRule
from bot.specs.policies.words import seconds

# At the same second what blocks comes last, so that it stands.
_RANK = {"approve": 0, "break_glass": 0, "break_glass_confirm": 0, "unhold": 1, "withdraw": 2, "hold": 3, "reject": 4}

REPOSITORY = "repository"
SKEW = timedelta(minutes=5)  # by so much GitHub's clock may be ahead of the machine that judges


def moment(text: str) -> datetime:
    """An RFC 3339 time; a naive one is an error of the facts."""
    value = datetime.fromisoformat(text)
    if value.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return value


@dataclass(frozen=True)
class Scope:
    """What is judged on its own: a model, or (None) the rest of the change.

    `label` names a model that the change does not affect (a rollback of it).
    """

    model: ModelFact | None
    label: str = ""

    @property
    def name(self) -> str:
        """The model's name, or `repository`."""
        return self.model.model if self.model else self.label or REPOSITORY


@dataclass(frozen=True)
class Case:
    """One question: these facts, this policy, this time (aware)."""

    facts: Facts
    policies: Policies
    now: datetime

    @property
    def approvals(self) -> ApprovalPolicy:
        """The approval policy."""
        return self.policies.approvals

    def written(self, line: str) -> str:
        """A command such as `/unhold` as people write it in this repository."""
        return self.policies.commands.written(line)

    @cached_property
    def scopes(self) -> tuple[Scope, ...]:
        """Every affected model, and the repository when files changed that no model's digest covers."""
        models = tuple(Scope(model) for model in self.facts.models)
        return (*models, Scope(None)) if self.facts.guarded_paths or not models else models

    @cached_property
    def actors(self) -> dict[int, Actor]:
        """Actors by account id."""
        return {actor.account.id: actor for actor in self.facts.actors}

    @cached_property
    def holdings(self) -> dict[int, Holding]:
        """Roles by account id."""
        return {id_: roles_of(actor, self.policies.roles) for id_, actor in self.actors.items()}

    def holding(self, actor: int) -> Holding:
        """Roles of an account; of one that the facts do not know every role is unknown."""
        return self.holdings.get(actor) or Holding(unknown=frozenset(self.policies.roles.roles))

    @cached_property
    def loans(self) -> tuple[Delegation, ...]:
        """Roles that are lent now: as the policy allows it, with a reason, begun, not over, not taken back.

        Only a role of one's own can be lent: `holding` knows no lent roles, hence no chain.
        """
        rule = self.approvals.delegation
        return tuple(one for one in self.facts.delegations if rule is not None and self._is_lent(one, rule))

    def _is_lent(self, one: Delegation, rule: DelegationRule) -> bool:
        since, until = moment(one.since), moment(one.until)
        is_allowed = one.role in rule.roles and (until - since).total_seconds() <= seconds(rule.max_duration)
        is_sound = one.delegator != one.delegate and bool(one.reason.strip()) and not one.revoked
        return is_allowed and is_sound and since <= self.now < until

    def holds_any(self, actor: int, roles: Iterable[str], without: Collection[int] = ()) -> bool | None:
        """Whether the account holds one of the roles, as its own or lent; None when that is not known.

        The accounts of `without` hold nothing here, and what they lent counts for nobody.
        """
        if actor in without:
            return False
        wanted, lent = frozenset(roles), [one for one in self.loans if one.delegate == actor]
        answers = [self._holds(actor, wanted)]
        answers += [self._holds(one.delegator, wanted & {one.role}) for one in lent if one.delegator not in without]
        return True if True in answers else None if None in answers else False

    def _holds(self, actor: int, wanted: frozenset[str]) -> bool | None:
        holding = self.holding(actor)
        return True if holding.held & wanted else None if holding.unknown & wanted else False

    def is_genuine(self, one: Opinion) -> bool:
        """Whether a word is as it was posted, and not dated in the future; an objection counts even when it is not."""
        return not (one.tampered or (one.edited and one.method == "command") or self.is_ahead(one))

    def is_ahead(self, one: Opinion) -> bool:
        """Whether it is dated in the future."""
        return moment(one.created_at) > self.now + SKEW

    def login(self, actor: int) -> str:
        """How to call an account."""
        found = self.actors.get(actor)
        if found:
            return found.account.login
        author: Account = self.facts.pull_request.author
        return author.login if author.id == actor else f"account {actor}"

    @cached_property
    def opinions(self) -> tuple[Opinion, ...]:
        """In the order in which they were given, whatever the order in which they were read."""
        return tuple(
            sorted(self.facts.opinions, key=lambda one: (moment(one.created_at), _RANK.get(one.kind, 5), one.id))
        )

    @cached_property
    def heads(self) -> dict[str, HeadFact]:
        """Known heads by SHA."""
        return {head.head_sha: head for head in self.facts.heads}

    @cached_property
    def heads_by_evaluation(self) -> dict[str, tuple[HeadFact, ...]]:
        """Known heads by evaluation id."""
        found: dict[str, tuple[HeadFact, ...]] = {}
        for head in self.facts.heads:
            if head.evaluation_id and head.models:
                found[head.evaluation_id] = (*found.get(head.evaluation_id, ()), head)
        return found

    @property
    def head(self) -> HeadFact | None:
        """The live head, None when it has not been planned."""
        return self.heads.get(self.facts.pull_request.head_sha)

    def members(self, roles: Iterable[str], without: Collection[int] = ()) -> tuple[str, ...]:
        """Who holds one of the roles, for people to read: logins but for those accounts, and teams by name."""
        named: dict[str, None] = {}
        for name in roles:
            role = self.policies.roles.roles[name]
            named |= dict.fromkeys(one.login for one in role.accounts if one.id not in without)
            named |= dict.fromkeys(f"team {team}" for team in role.teams)
            if not (role.users or role.teams or role.apps):
                named[f"anybody with {role.permission} permission"] = None
        return tuple(named)
