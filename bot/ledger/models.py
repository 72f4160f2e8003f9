"""What the ledger holds of a model: evaluations, releases, verifications, health, uses of its test set."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.errors import UserError
from bot.ledger.reading import Reader, Records
from bot.records.evaluation import Evaluation
from bot.records.health import Health
from bot.records.ledger import (
    TESTSETS,
    attestation_path,
    evaluation_folder,
    evaluation_path,
    health_folder,
    pointer_path,
    promotion_path,
    removal_path,
    reproduction_folder,
    testset_use_path,
    view_path,
)
from bot.records.release import Release, Removal, Verification
from bot.records.reproduction import Reproduction


@dataclass(frozen=True)
class UsedRows:
    """Test rows that were looked at: of which model, from which data files (paths, MD5), the sketch of their ids."""

    model: str
    files: frozenset[str]
    sketch: tuple[str, ...]


class OfModels(Reader):
    """Questions about models by name."""

    def evaluation(self, model: str, inputs_digest: str, evaluation_digest: str) -> Evaluation | None:
        """An evaluation by its digests."""
        return self.read(Evaluation, evaluation_path(model, inputs_digest, evaluation_digest))

    def evaluated_at(self, model: str, inputs_digest: str, evaluation_digest: str) -> datetime:
        """When an evaluation that is there was written down."""
        return self.first_written(evaluation_path(model, inputs_digest, evaluation_digest))

    def newest_evaluation(self, model: str, inputs_digest: str) -> str | None:
        """The digest of the newest evaluation of a model's inputs, None without any."""
        folder = evaluation_folder(model, inputs_digest)
        paths = [path for path in self.branch.paths(folder) if path.endswith(".json")]
        if len(paths) > 1:
            paths.sort(key=self.first_written)
        return f"sha256:{paths[-1].removeprefix(folder).removesuffix('.json')}" if paths else None

    def evaluation_names(self, model: str | None = None) -> list[tuple[str, str, str]]:
        """(model, inputs, evaluation; the digests in hex) of every evaluation there is, of one model or of all."""
        return self._evaluated(".json", model)

    def pointer(self, model: str, inputs_digest: str, evaluation_digest: str) -> str | None:
        """The DVC pointer to the artifact that an evaluation judged."""
        found = self.branch.get(pointer_path(model, inputs_digest, evaluation_digest))
        return None if found is None else found.decode("utf-8", "replace")

    def pointer_names(self) -> list[tuple[str, str, str]]:
        """(model, inputs, evaluation; the digests in hex) of every artifact that was stored."""
        return self._evaluated(".dvc", None)

    def stored_at(self, model: str, inputs_digest: str, evaluation_digest: str) -> datetime:
        """When the pointer to an artifact was written."""
        return self.first_written(pointer_path(model, inputs_digest, evaluation_digest))

    def reproductions(self, model: str, inputs_digest: str, evaluation_digest: str) -> Records[Reproduction]:
        """What came of training an evaluation's inputs again."""
        folder = reproduction_folder(model, inputs_digest, evaluation_digest)
        return self.read_all(Reproduction, self.branch.paths(folder))

    def removal(self, evaluation_digest: str) -> Removal | None:
        """When and why the artifact of an evaluation was removed, None while it is there."""
        return self.read(Removal, removal_path(evaluation_digest))

    def is_removed(self, evaluation_digest: str) -> bool:
        """Whether `mlbot gc` has removed the artifact of an evaluation."""
        return self.branch.get(removal_path(evaluation_digest)) is not None

    def _evaluated(self, suffix: str, model: str | None) -> list[tuple[str, str, str]]:
        found = self.branch.paths(f"evaluations/{model}/" if model else "evaluations/")
        parts = [path.split("/") for path in found if path.endswith(suffix)]
        return [(name, inputs, last.removesuffix(suffix)) for _, name, inputs, last in parts]

    def release(self, model: str, counter: int, environment: str) -> Release | None:
        """A change of an environment as the ledger has it."""
        return self.read(Release, promotion_path(model, counter, environment))

    def is_noted(self, release: Release) -> bool:
        """Whether the ledger holds the fact of a change of an environment."""
        return self.branch.get(promotion_path(release.model, release.counter, release.environment)) is not None

    def releases(self, model: str) -> Records[Release]:
        """Every change of any environment of a model, oldest first."""
        return self.read_all(Release, self.branch.paths(f"promotions/{model}/"))

    def all_releases(self) -> Records[Release]:
        """Every change of any environment of any model."""
        return self.read_all(Release, self.branch.paths("promotions/"))

    def released_models(self) -> list[str]:
        """Models that were ever in an environment."""
        return sorted({path.split("/")[1] for path in self.branch.paths("promotions/")})

    def newest_counters(self, model: str | None = None) -> dict[tuple[str, str], int]:
        """(model, environment) -> counter of the newest change, by the names of the facts alone."""
        found: dict[tuple[str, str], int] = {}
        for path in self.branch.paths(f"promotions/{model}/" if model else "promotions/"):
            _, name, last = path.split("/")
            counter, _, environment = last.removesuffix(".json").partition("-")
            if counter.isdigit():
                found[name, environment] = max(int(counter), found.get((name, environment), 0))
        return found

    def releases_of(self, environment: str) -> Records[Release]:
        """Every change of an environment, of any model."""
        paths = [path for path in self.branch.paths("promotions/") if path.endswith(f"-{environment}.json")]
        found = self.read_all(Release, paths)
        mine = {path: one for path, one in found.by_path.items() if one.environment == environment}
        return Records(mine, found.unreadable)

    def attestation(self, release: Release, kind: str) -> bytes | None:
        """A signed statement about a release; `kind` is `provenance` or `summary`."""
        return self.branch.get(attestation_path(release.model, release.counter, release.environment, kind))

    def owed(self) -> set[tuple[str, int, str]]:
        """(model, counter, environment) of changes whose tags and deployments are not all there."""
        paths = set(self.branch.paths("views/"))
        left = {path for path in paths if path.endswith(".owed.json")}
        left = {path for path in left if path.replace(".owed.", ".shown.") not in paths}
        found = set()
        for path in left:
            _, model, name = path.split("/")
            counter, _, environment = name.removesuffix(".owed.json").partition("-")
            if path == view_path(model, int(counter), environment, "owed"):
                found.add((model, int(counter), environment))
        return found

    def all_verifications(self) -> Records[Verification]:
        """Every verification of any model's releases."""
        return self.read_all(Verification, self.branch.paths("verifications/"))

    def verifications(self, model: str) -> Records[Verification]:
        """Every verification of a model's releases."""
        return self.read_all(Verification, self.branch.paths(f"verifications/{model}/"))

    def health(self, model: str, environment: str, last: int = 1) -> Records[Health]:
        """The newest records of a model in an environment, at most `last`, the oldest of them first."""
        return self.read_all(Health, self.branch.paths(health_folder(model, environment))[-last:])

    def newest_health(self, model: str) -> Records[Health]:
        """The newest record of each environment."""
        newest = {path.split("/")[2]: path for path in self.branch.paths(f"health/{model}/")}  # paths sort by time
        return self.read_all(Health, newest.values())

    def looks(self) -> dict[str, list[tuple[str, str]]]:
        """(metric, inputs; the digest in hex) of every result that was seen, by the digest of its test rows in hex."""
        found: dict[str, list[tuple[str, str]]] = {}
        for path in self.branch.paths(TESTSETS):
            _, rows, metric, last = path.split("/")
            found.setdefault(rows, []).append((metric, last.removesuffix(".json")))
        return found

    def rows_of_uses(self, rows: str, uses: Iterable[tuple[str, str]]) -> UsedRows | None:
        """The test rows with this digest as one of their uses (metric, inputs) noted them; None in older records."""
        for metric, inputs in uses:
            use = self._use(rows, metric, inputs)
            if isinstance(use.get("rows"), list) and isinstance(use.get("files"), list):
                return UsedRows(str(use.get("model")), frozenset(use["files"]), tuple(map(str, use["rows"])))
        return None

    def evaluation_of_use(self, test_rows_digest: str, metric: str, inputs: str) -> Evaluation | None:
        """The evaluation that used a test set; None when the ledger does not hold it."""
        use = self._use(test_rows_digest, metric, inputs)
        return self.evaluation(str(use.get("model")), inputs, str(use.get("evaluation_digest")))

    def _use(self, test_rows_digest: str, metric: str, inputs: str) -> dict[str, Any]:
        path = testset_use_path(test_rows_digest, metric, inputs)
        try:
            found = json.loads(self.branch.get(path) or b"{}")
        except ValueError as error:
            raise UserError(f"{path} is not JSON: {error}", code="record_invalid") from None
        return found if isinstance(found, dict) else {}
