"""`environments.yaml`: where a model goes after the merge, in which order, by whom and when."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from bot.specs.base import Spec, wrong
from bot.specs.policies.approvals import Requirement
from bot.specs.policies.monitor import Monitor
from bot.specs.policies.words import DEFAULT_BRANCH, Duration, Glob, Name, seconds

Bypass = Literal["freeze_windows", "soak_time", "wait_timer", "approvals", "verification", "lock"]
NeverBypass = Literal["provenance", "revoked-artifact", "separation_of_duties"]


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise wrong(f"{text!r} is not a time zone", "Write a name of the tz database, such as Europe/Madrid.") from None
    return text


def _local(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise wrong(f"{text!r} is not a date and time", 'Write "2026-01-28T18:00:00".') from None
    if moment.tzinfo is not None:
        raise wrong(f"{text!r} carries a time zone", "Leave it out: `time_zone` says where the clock hangs.")
    return text


class Window(Spec):
    """A recurring time span (RFC 5545): `deny` closes it, `allow` windows open the rest of the time closed.

    A `duration` in days or weeks ends at the same time of day by the wall clock; one in hours or less is elapsed time.
    """

    name: Name
    kind: Literal["allow", "deny"]
    environments: tuple[Name, ...] = Field(min_length=1)
    dtstart: Annotated[str, AfterValidator(_local)]
    rrule: str = Field(min_length=1, max_length=500)
    duration: Duration
    time_zone: Annotated[str, AfterValidator(_zone)]
    exempt_actions: tuple[Literal["rollback"], ...] = ()
    reason: str = ""

    @model_validator(mode="after")
    def _recurs(self) -> Self:
        from dateutil.rrule import rrulestr  # parsing is slow to import; only environments with windows need it

        try:
            rrulestr(self.rrule, dtstart=datetime.fromisoformat(self.dtstart))
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            hint = "An RFC 5545 recurrence without DTSTART, such as FREQ=WEEKLY;BYDAY=MO,TU."
            raise wrong(f"not a recurrence rule: {error}", hint, key="rrule") from None
        if "DTSTART" in self.rrule.upper() or "\n" in self.rrule:
            raise wrong("a recurrence rule in one line, without DTSTART", "`dtstart` is its own key.", key="rrule")
        if "SECONDLY" in self.rrule.upper() or "MINUTELY" in self.rrule.upper():
            raise wrong("windows recur hourly at most", "Use FREQ=HOURLY, DAILY, WEEKLY ...", key="rrule")
        if seconds(self.duration) == 0:
            raise wrong("the window has no length", "Write a duration above zero.", key="duration")
        return self


class VerificationRule(Spec):
    """What must have confirmed this artifact: a verification of the environment before, other runs, or both."""

    workflow: str | None = Field(None, min_length=1)
    """What verifies the environment before; `mlbot serve` says so itself."""
    max_age: Duration | None = None
    """How old that may be."""
    reproduced: int = Field(0, ge=0, le=5)
    """How many other runs must have trained the same inputs and come to the same artifact and metrics. An approved
    release asks for the first by itself; `/reproduce` asks for more."""

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if (self.workflow is None) != (self.max_age is None):
            raise wrong("`workflow` and `max_age` go together", "Name both, or neither.")
        if self.workflow is None and not self.reproduced:
            raise wrong("nothing is to be verified", "Name `workflow` and `max_age`, or `reproduced: 1`.")
        return self


class Rollback(Spec):
    """Who may take an environment back; its target is always something that was live there."""

    roles: tuple[Name, ...] = Field(min_length=1)
    target: Literal["last_known_good"] = "last_known_good"
    exempt_from: tuple[Literal["freeze_windows", "soak_time", "wait_timer"], ...] = (
        "freeze_windows",
        "soak_time",
        "wait_timer",
    )


class Environment(Spec):
    """A place where models are live. Times of zero mean at once."""

    description: str = ""
    allowed_base_branches: tuple[Glob, ...] = Field((DEFAULT_BRANCH,), min_length=1)
    """Patterns of branches; `~default` is the default branch, whatever it is called."""
    requires_gates: tuple[Literal["merge"], ...] = ("merge",)
    promote_from: tuple[Name, ...] = ()
    """The artifact must be live in one of these first."""
    auto_promote: Literal["merge"] | None = None
    """Promote after the merge without a command."""
    promoters: tuple[Name, ...] = Field(min_length=1)
    approvals: tuple[Requirement, ...] = ()
    """Approvals of exactly this artifact for exactly this environment (`/approve E-... to ENVIRONMENT`)."""
    soak_time: Duration = "0s"
    """How long the artifact must have been live in `promote_from`."""
    wait_timer: Duration = "0s"
    """How long to wait after the promotion was asked for."""
    verification: VerificationRule | None = None
    rollback: Rollback | None = None
    delivery: Literal["commit", "pull_request"] = "commit"
    """How the environments branch is written."""
    automatic_rollback: bool = False
    """Go back to the last known good when verification fails."""
    rollback_drill: Duration | None = None
    """Rehearse a rollback of each model this often: back and forth again; for an environment that nobody depends on."""
    verify_before_serving: bool = False
    """`mlbot serve` refuses a release unless the whole chain back to the merged pull request verifies."""
    monitor: Monitor | None = None
    """How what is live here is watched, and what follows an alarm; left out: not watched."""


class BreakGlassReview(Spec):
    """The review that must follow; while one is overdue nothing is promoted there."""

    role: Name
    within: Duration


class BreakGlass(Spec):
    """Several people together may go past some conditions, with a reason, for a short time, reviewed afterwards."""

    roles: tuple[Name, ...] = Field(min_length=1)
    min_people: int = Field(ge=2, le=10)
    environments: tuple[Name, ...] = Field(min_length=1)
    bypasses: tuple[Bypass, ...] = Field(min_length=1)
    never_bypasses: tuple[NeverBypass, ...] = ("provenance", "revoked-artifact", "separation_of_duties")
    confirm_within: Duration = "15m"
    max_duration: Duration
    review: BreakGlassReview


class Environments(Spec):
    """Where a model goes after the merge. The order of environments is the order on the page."""

    api_version: Literal["policy/v1"] = Field(alias="apiVersion")
    kind: Literal["Environments"]
    environments: dict[Name, Environment] = Field(min_length=1)
    freeze_windows: tuple[Window, ...] = ()
    break_glass: BreakGlass | None = None
