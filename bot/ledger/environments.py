"""What the environments branch says is live, locked and delivered."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from bot.errors import UserError
from bot.ledger.reading import Reader, Records
from bot.records.facts import Lock
from bot.records.ledger import artifact_path, lock_path, release_path, withdrawn_path
from bot.records.release import Release

STATES = ("release.json", "withdrawn.json")  # of a model in an environment; one of them is there


class Environments(Reader):
    """What `mlbot/environments` holds, asked of its branch."""

    def live(self, environment: str, model: str) -> Release | None:
        """What is live, None when nothing is."""
        return self.read(Release, release_path(environment, model))

    def all_live(self, environment: str | None = None) -> Records[Release]:
        """Everything that is live, in one environment or in all, by environment and model."""
        paths = self.branch.paths(f"{environment}/" if environment else "")
        return self.read_all(Release, [path for path in paths if path.endswith("/release.json")])

    def models(self, records: Records[Release]) -> dict[str, UserError]:
        """Of records of one environment those that cannot be read, by model."""
        return {path.split("/")[1]: error for path, error in records.unreadable.items()}

    def states(self, models: Collection[str]) -> dict[str, dict[str, Release]]:
        """Model -> environment -> the last word on the model there, a withdrawal included. Raises UserError."""
        found: dict[str, dict[str, Release]] = {model: {} for model in models}
        parts = [path.split("/") for path in self.branch.paths()]
        wanted = ["/".join(one) for one in parts if len(one) == 3 and one[1] in found and one[2] in STATES]
        records = self.read_all(Release, wanted)
        _ = records.whole
        for path, state in records.by_path.items():
            environment, model, _ = path.split("/")
            found[model][environment] = state
        return found

    def names(self) -> set[tuple[str, str]]:
        """(environment, model) of which the branch says anything, a withdrawal included."""
        parts = [path.split("/") for path in self.branch.paths()]
        return {(part[0], part[1]) for part in parts if len(part) == 3 and part[2] in STATES}

    def withdrawn(self, environment: str, model: str) -> Release | None:
        """The withdrawal of a model, None when it was not withdrawn last."""
        return self.read(Release, withdrawn_path(environment, model))

    def pointer(self, environment: str, model: str) -> str | None:
        """The DVC pointer to what is live."""
        found = self.branch.get(artifact_path(environment, model))
        return None if found is None else found.decode("utf-8", "replace")

    def lock(self, environment: str) -> Lock | None:
        """Who has stopped promotions to the environment, None when nobody has. Raises UserError."""
        return self.read_part(Lock, lock_path(environment))

    def messages(self, release: Release) -> list[tuple[str, datetime, str]]:
        """(commit, time, message) of the commits that wrote this kind of state of the model there, newest first."""
        path = withdrawn_path if release.action == "withdraw" else release_path
        return self.branch.log(path(release.environment, release.model))

    def file(self, path: str) -> bytes | None:
        """A file beside the states: `dvc.yaml`, or one that a state's commit writes."""
        return self.branch.get(path)

    def is_there(self) -> bool:
        """Whether the branch exists, as last fetched."""
        return self.branch.head() is not None
