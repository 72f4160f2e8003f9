"""What the repository says happened: ledger and environments branch, read from the clone as any user can."""

from __future__ import annotations

from pathlib import Path

from bot.adapters.git import GitBranch, LocalGit
from bot.errors import WorldError
from bot.ledger import Environments, Ledger
from bot.records.decision import Decision
from bot.records.evaluation import Evaluation
from bot.records.ledger import ENVIRONMENTS, LEDGER, Head, evaluation_id, head_path
from bot.records.release import Release
from bot.records.report import Report, RunFacts


class Evidence:
    """The clone's view; `refresh` fetches it anew."""

    def __init__(self, clone: Path) -> None:
        git = LocalGit(clone)
        self._branches = GitBranch(git, LEDGER, append_only=True), GitBranch(git, ENVIRONMENTS)
        self.ledger, self.environments = Ledger(self._branches[0]), Environments(self._branches[1])

    def refresh(self) -> None:
        """Fetch both branches."""
        for branch in self._branches:
            branch.refresh()

    def head(self, number: int, sha: str) -> Head:
        """What was evaluated at a head. Raises WorldError when the ledger does not know it."""
        found = self.ledger.head(number, sha)
        if found is None:
            raise WorldError(f"the ledger has no {head_path(number, sha)}", code="not_recorded")
        return found

    def evaluation(self, head: Head, model: str) -> Evaluation:
        """A model's evaluation at a head. Raises WorldError when there is none."""
        one = head.models.get(model)
        digest = one.evaluation_digest if one is not None else None
        found = self.ledger.evaluation(model, one.inputs_digest, digest) if one is not None and digest else None
        if found is None:
            raise WorldError(f"#{head.number} has no evaluation of {model}", code="not_recorded")
        return found

    def release(self, environment: str, model: str) -> Release | None:
        """What is live, None when nothing is."""
        return self.environments.live(environment, model)

    def decisions(self, number: int) -> list[Decision]:
        """Every decision about a pull request, oldest first."""
        found = self.ledger.decisions(number).readable  # signatures among them are no decisions
        return sorted(found, key=lambda one: one.decided_at)

    def report(self, number: int, sha: str) -> Report:
        """Everything about a head as the report's record, with the newest decision about the merge."""
        head = self.head(number, sha)
        merges = [one for one in self.decisions(number) if one.subject == "merge" and one.head_sha == sha]
        return Report(
            number=number,
            plan=self.ledger.plan(number, sha),
            evaluations={name: self.evaluation(head, name) for name in head.models},
            decision=merges[-1] if merges else None,
            evaluation_id=evaluation_id(head.models),
            run=RunFacts(id=head.run_id, attempt=head.run_attempt),
        )
