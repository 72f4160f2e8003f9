"""Bad days for a sandbox: time that passes, events that go astray, calls that fail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.errors import UserError
from bot.sandbox import schedules
from bot.sandbox.faults import How, When
from bot.sandbox.limits import ContentLimit
from bot.sandbox.triggers import crons
from bot.sandbox.workflows import read_workflows

if TYPE_CHECKING:
    from bot.sandbox.clock import Clock
    from bot.sandbox.deliveries import Deliveries
    from bot.sandbox.engine import Engine
    from bot.sandbox.hub import Hub
    from bot.sandbox.server import Api
    from bot.sandbox.store import Repository, Run


class Troubles:
    """The part of a Sandbox that tests make trouble with."""

    hub: Hub
    engine: Engine
    api: Api

    @property
    def repo(self) -> Repository:
        raise NotImplementedError

    # --- time

    @property
    def clock(self) -> Clock:
        """The time of the sandbox, which can be set. Runs of workflows follow it, commits do not."""
        return self.hub.clock

    def advance(self, *, settle_s: float = 300, **spent: float) -> datetime:
        """Let time pass (`hours=3`, as of `timedelta`): every schedule that is due strikes; the time then.

        Each one's runs end before the next strikes. Raises WorldError when that takes longer than `settle_s` seconds.
        """
        start = self.clock()
        end = start + timedelta(**spent)
        for due in schedules.between(self.hub, self.repo, start, end):
            self.clock.set(due.at)
            with self.hub.lock:
                schedules.strike(self.hub, self.repo, due.path, due.line)
            self.engine.settle(settle_s)
        self.clock.set(end)
        return self.clock()

    def schedule(self, workflow: str) -> None:
        """The clock strikes for a workflow file: its first cron line is due. Raises UserError when it has none."""
        files = read_workflows(self.hub.bare(self.repo), self.repo.default_branch)
        found = next((one for path, one in files.items() if path.endswith(f"/{workflow}")), None)
        lines = crons(found) if found else []
        if found is None or not lines:
            raise UserError(f"{workflow}: no schedule", hint="Name a file of .github/workflows with `on: schedule`.")
        with self.hub.lock:
            schedules.strike(self.hub, self.repo, found.path, lines[0])

    # --- events

    @property
    def events(self) -> Deliveries:
        """Lose, repeat, delay or reorder the events that start workflows."""
        return self.engine.deliveries

    def redeliver(self, run: Run) -> None:
        """The event that started a run comes a second time, as webhooks may; what it starts runs anew."""
        self.engine.again(run.id)

    def announce(self, event: str, payload: dict[str, Any]) -> None:
        """An event with any payload, true or forged, as if GitHub had sent it."""
        with self.hub.lock:
            self.hub.announce(self.repo, event, payload, by_run=False)

    def kill(self, run: Run) -> None:
        """SIGKILL to a run, as when its runner dies."""
        self.engine.kill(run.id)

    # --- calls

    def fail_next(
        self,
        method: str,
        path: str,
        status: int = 502,
        headers: Mapping[str, str] | None = None,
        *,
        message: str | None = None,
        times: int = 1,
        when: When = "before",
        how: How = "status",
        behind_s: float = 0.0,
    ) -> None:
        """The next `times` calls whose path matches the regular expression fail; "*" is any method.

        `when` is before or after the call took effect. `how`: an answer of this `status`; `reset` and `hang` give none;
        `stale` answers a GET or a GraphQL query from what was known `behind_s` seconds ago (0: before the last change).
        Git's own calls match too (`POST`, `git-receive-pack$`); `declined`: a hook refuses the push with `message`.
        """
        self.api.faults.add(method, path, status, headers or {}, message, times, when=when, how=how, behind_s=behind_s)

    def limit_content(
        self, per_minute: int = 80, per_hour: int = 500, *, status: int = 403, retry_after_s: int = 60
    ) -> None:
        """From now on an account that writes more often is blocked for a while, as GitHub's secondary limit does it."""
        self.hub.content_limit = ContentLimit(per_minute, per_hour, status, retry_after_s)

    def exhaust(self, token: str) -> None:
        """Spend the rest of a token's requests of this hour."""
        known = self.hub.data.tokens[token]
        self.hub.spend(known, self.hub.limits(known)["remaining"])
