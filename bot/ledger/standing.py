"""What the ledger keeps apart from pull requests and models: lent roles, revocations, break-glass, settled merges."""

from __future__ import annotations

from bot.ledger.reading import Reader, Records, collected
from bot.records.facts import BreakGlassUse, Delegation
from bot.records.ledger import REVOCATIONS, SETTLED, Settled, revocation_path, revoked_digest
from bot.records.release import Revocation

OVER, REVIEWED = ".revoked.json", ".reviewed.json"  # beside a loan that was taken back, and a use that was reviewed


class Standing(Reader):
    """Questions about what stands now."""

    def delegations(self) -> Records[Delegation]:
        """Roles that are lent and were not taken back, also where the time is over."""
        there = self.branch.paths("delegations/")
        over = {path.removesuffix(OVER) for path in there if path.endswith(OVER)}
        going = [path for path in there if path.partition(".")[0] not in over]
        return collected(going, lambda path: self.read_part(Delegation, path))

    def revoked(self) -> list[str]:
        """Digests of artifacts that must not be live anywhere any more."""
        return [revoked_digest(path) for path in self.branch.paths(REVOCATIONS)]

    def revocation(self, artifact_digest: str) -> Revocation | None:
        """Who revoked the artifact and why, None when nobody did."""
        return self.read(Revocation, revocation_path(artifact_digest))

    def break_glass(self) -> Records[BreakGlassUse]:
        """Break-glass promotions, and whether each was reviewed."""
        there = self.branch.paths("break_glass/")

        def read(path: str) -> BreakGlassUse | None:
            use = self.read_part(BreakGlassUse, path)
            is_reviewed = path.replace(".json", REVIEWED) in there
            return None if use is None else use.model_copy(update={"reviewed": is_reviewed})

        return collected([path for path in there if not path.endswith(REVIEWED)], read)

    def settled(self) -> Settled | None:
        """Up to where merges are settled, None before the first time."""
        paths = self.branch.paths(SETTLED)
        return self.read(Settled, paths[-1]) if paths else None
