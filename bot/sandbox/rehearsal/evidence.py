"""What the repository says happened: ledger and environments branch, read from the clone as any user can."""

from __future__ import annotations

from pathlib import Path

from bot.adapters.git import GitBranch, LocalGit
from bot.errors import WorldError
from bot.records.decision import Decision
from bot.records.evaluation import Evaluation
from bot.records.ledger import (
    ENVIRONMENTS,
    LEDGER,
    Head,
    evaluation_id,
    evaluation_path,
    head_path,
    plan_path,
    release_path,
)
from bot.records.plan import Plan
from bot.records.release import Release
from bot.records.report import Report, RunFacts


class Evidence:
    """The clone's view; `refresh` fetches it anew."""

    def __init__(self, clone: Path) -> None:
        git = LocalGit(clone)
        self.ledger = GitBranch(git, LEDGER, append_only=True)
        self.environments = GitBranch(git, ENVIRONMENTS)

    def refresh(self) -> None:
        """Fetch both branches."""
        self.ledger.refresh()
        self.environments.refresh()

    def head(self, number: int, sha: str) -> Head:
        """What was evaluated at a head. Raises WorldError when the ledger does not know it."""
        data = self.ledger.get(head_path(number, sha))
        if data is None:
            raise WorldError(f"the ledger has no {head_path(number, sha)}", code="not_recorded")
        return Head.parse(data, source=head_path(number, sha))

    def evaluation(self, head: Head, model: str) -> Evaluation:
        """A model's evaluation at a head. Raises WorldError when there is none."""
        one = head.models.get(model)
        if one is None or one.evaluation_digest is None:
            raise WorldError(f"#{head.number} has no evaluation of {model}", code="not_recorded")
        path = evaluation_path(model, one.inputs_digest, one.evaluation_digest)
        return Evaluation.parse(self.ledger.get(path) or b"", source=path)

    def release(self, environment: str, model: str) -> Release | None:
        """What is live, None when nothing is."""
        path = release_path(environment, model)
        data = self.environments.get(path)
        return Release.parse(data, source=path) if data else None

    def decisions(self, number: int) -> list[Decision]:
        """Every decision about a pull request, oldest first."""
        paths = self.ledger.paths(f"decisions/{number}/")
        found = [Decision.parse(self.ledger.get(path) or b"", source=path) for path in paths if path.endswith(".json")]
        return sorted(found, key=lambda one: one.decided_at)

    def report(self, number: int, sha: str) -> Report:
        """Everything about a head as the report's record, with the newest decision about the merge."""
        head = self.head(number, sha)
        merges = [one for one in self.decisions(number) if one.subject == "merge" and one.head_sha == sha]
        return Report(
            number=number,
            plan=Plan.parse(self.ledger.get(plan_path(number, sha)) or b"", source=plan_path(number, sha)),
            evaluations={name: self.evaluation(head, name) for name in head.models},
            decision=merges[-1] if merges else None,
            evaluation_id=evaluation_id(head.models),
            run=RunFacts(id=head.run_id, attempt=head.run_attempt),
        )
