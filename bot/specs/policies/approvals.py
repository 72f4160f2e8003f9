"""`approvals.yaml`: which change needs whose word."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from bot.specs.base import Spec, wrong
from bot.specs.policies.conditions import When
from bot.specs.policies.words import AccountText, Duration, Glob, Name

Exclusion = Literal["author", "committer", "co_author", "last_pusher", "training_initiator"]
Method = Literal["review", "command"]
Party = Literal["author", "committer", "co_author", "last_pusher", "training_initiator", "approver", "promoter"]


class Defaults(Spec):
    """What holds for every rule that does not say otherwise."""

    exclude_approvers: tuple[Exclusion, ...] = ("author", "committer", "co_author", "last_pusher", "training_initiator")
    """Whose approval never counts."""
    suggestions_count: bool = True
    """Whether applying a review suggestion makes the suggester a co-author."""
    unattributed_commits: Literal["block", "ignore"] = "block"
    approval_methods: tuple[Method, ...] = Field(("review", "command"), min_length=1)
    retain_on: tuple[Literal["identical_inputs"], ...] = ("identical_inputs",)
    """When an approval of an older head still counts; empty means never."""
    valid_for: Duration | None = None
    """How long an approval counts, until the merge."""


class Tier(Spec):
    """A risk tier. The first whose `match` holds is taken."""

    name: Name
    match: When
    raised_by_label: str | None = Field(None, min_length=1, max_length=50)
    """A label that raises a change to this tier. Labels never lower and never grant."""


class Requirement(Spec):
    """So many different people of a role (or of any of several)."""

    role: Name | None = None
    roles: tuple[Name, ...] | None = Field(None, min_length=1)
    count: int = Field(ge=1, le=100)
    valid_for: Duration | None = None
    not_contributor_within: Duration | None = None
    """Nobody who built the model within this time."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.role is None) == (self.roles is None):
            raise wrong("name either `role` or `roles`", "`roles` means a person of any of them.")
        return self

    @property
    def any_role(self) -> tuple[str, ...]:
        """The roles of which one is needed."""
        return self.roles if self.roles is not None else (str(self.role),)


class CheckRequirement(Spec):
    """A status check, by who reports it. In Actions every workflow reports as the same app, hence workflow and ref."""

    name: str = Field(min_length=1)
    app_id: int | None = Field(None, ge=1)
    """The app that makes the check run."""
    reported_by: AccountText | None = None
    """The account that sets the commit status, as `login#id`."""
    workflow: str | None = None
    """Path of the workflow file whose job it is."""
    ref: str | None = None
    """Where that file must come from; `refs/heads/main` is what only `pull_request_target` gives on a pull request."""
    events: tuple[str, ...] | None = Field(None, min_length=1)
    conclusions: tuple[str, ...] = Field(("success",), min_length=1)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.app_id is None) == (self.reported_by is None):
            raise wrong("name either `app_id` or `reported_by`", "A check run has an app, a commit status an account.")
        if self.reported_by is not None and (self.workflow or self.ref or self.events):
            raise wrong("a commit status has no workflow, ref or events", "Leave them out, or name an `app_id`.")
        return self


class Require(Spec):
    """What a rule asks for; all of it."""

    approvals: tuple[Requirement, ...] = ()
    checks: tuple[CheckRequirement, ...] = ()
    evaluation: Literal["passes"] | None = None
    """The model is evaluated at its present inputs and every blocking gate passes."""
    distinct_approvers: bool = True
    """One person fills one place of this rule."""
    role_check: Literal["at_evaluation", "at_approval_and_evaluation"] = "at_evaluation"

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not (self.approvals or self.checks or self.evaluation):
            raise wrong("the rule asks for nothing", "Write approvals, checks or `evaluation: passes`.")
        return self


class Rule(Spec):
    """When it applies, what it asks for."""

    name: Name
    description: str = ""
    when: When
    require: Require
    exclude_approvers: tuple[Exclusion, ...] | None = None
    approval_methods: tuple[Method, ...] | None = Field(None, min_length=1)


class VetoWhen(Spec):
    """One kind of veto."""

    changes_requested_by: tuple[Name, ...] | None = Field(None, min_length=1)
    """Somebody of these roles requested changes or said `/reject`."""
    held: Literal[True] | None = None
    artifact_revoked: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if sum(value is not None for value in (self.changes_requested_by, self.held, self.artifact_revoked)) != 1:
            raise wrong("a veto has exactly one condition", "changes_requested_by, held or artifact_revoked.")
        return self


class Veto(Spec):
    """Rejects, whatever else says. `release_roles` may lift it besides the person who made it."""

    name: Name
    when: VetoWhen
    release_roles: tuple[Name, ...] = ()


class Group(Spec):
    """Rules combined. A rule that does not apply drops out."""

    any_of: tuple[str | Group, ...] | None = Field(None, min_length=1)
    all_of: tuple[str | Group, ...] | None = Field(None, min_length=1)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.any_of is None) == (self.all_of is None):
            raise wrong("name either `any_of` or `all_of`", "Nest them for more.")
        return self

    def names(self) -> tuple[str, ...]:
        """The rules in it."""
        items = self.any_of or self.all_of or ()
        return tuple(name for item in items for name in ([item] if isinstance(item, str) else item.names()))


class Merge(Group):
    """What a merge needs."""

    distinct_approvers: Literal["within_rule", "across_rules"] = "within_rule"
    """`across_rules`: one person fills one place of all rules together."""


class Separation(Spec):
    """Parties that must be different people. An inner list is one party."""

    name: Name
    environments: tuple[Name, ...] = ()
    """Where it holds; empty means at the merge and everywhere."""
    distinct: tuple[Party | tuple[Party, ...], ...] = Field(min_length=2)


class DelegationRule(Spec):
    """Which roles may be lent, and for how long at most. A lent role is never lent again."""

    roles: tuple[Name, ...] = Field(min_length=1)
    max_duration: Duration


class ApprovalPolicy(Spec):
    """Which change needs whose word."""

    api_version: Literal["policy/v1"] = Field(alias="apiVersion")
    kind: Literal["ApprovalPolicy"]
    defaults: Defaults = Defaults()
    risk_tiers: tuple[Tier, ...] = Field(min_length=1)
    rules: tuple[Rule, ...] = Field(min_length=1)
    vetoes: tuple[Veto, ...] = ()
    merge: Merge
    separation_of_duties: tuple[Separation, ...] = ()
    delegation: DelegationRule | None = None
    guarded_base_branches: tuple[Glob, ...] = ("**",)
    """Patterns of branches; `~default` is the default branch, whatever it is called."""
    """Base branches whose pull requests are judged; others are refused."""

    def author_roles(self) -> frozenset[str]:
        """Roles of the author on which a condition depends."""
        conditions = [*(rule.when for rule in self.rules), *(tier.match for tier in self.risk_tiers)]
        return frozenset(role for one in conditions for part in one.parts() for role in part.author_roles or ())

    def names_party(self, party: Exclusion) -> bool:
        """Whether a verdict may hang on who is of the party."""
        excluded = [self.defaults.exclude_approvers, *(rule.exclude_approvers or () for rule in self.rules)]
        apart = [one for separation in self.separation_of_duties for one in separation.distinct]
        return any(party in names for names in excluded) or any(
            party == one if isinstance(one, str) else party in one for one in apart
        )
