"""One look at a live release, from the command line or from the monitor workflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.decide.step import policy_files
from bot.errors import UserError
from bot.monitor.step import history
from bot.monitor.watch import watch
from bot.pipeline.watching import lent
from bot.ports import Ports
from bot.promote.reading import live_releases, promotions
from bot.records.health import Health
from bot.records.release import Release
from bot.specs.policies import read_policies
from bot.specs.policies.monitor import Monitor


@dataclass(frozen=True)
class Look:
    """What was seen: `rows` are the labelled rows (pyarrow.Table) or None, `past` the records before, oldest first."""

    release: Release
    monitor: Monitor
    health: Health
    past: tuple[Health, ...]
    rows: Any


def look(release: Release, monitor: Monitor, ports: Ports, root: Path, *, is_kept: bool) -> Look:
    """Judge a release now; nothing is written. `is_kept`: the caller will store the record.

    Raises MlbotError when its log or its test rows cannot be read.
    """
    past = history(release.model, release.environment, ports)
    same = [one for one in past if one.artifact_digest == release.artifact_digest]
    with lent(ports, root) as given:
        released = promotions(release.model, ports)
        health, rows = watch(release, monitor, given, ports.clock.now(), same, released, is_kept=is_kept)
    return Look(release, monitor, health, tuple(past), rows)


def watched(ports: Ports, sha: str) -> Mapping[str, Monitor]:
    """Environment -> how it is watched, by the policies of a commit. Raises Problems when they do not load."""
    found = read_policies(policy_files(ports.git, sha)).environments.environments
    return {name: one.monitor for name, one in found.items() if one.monitor is not None}


def live(model: str, environment: str, ports: Ports) -> Release:
    """What is live. Raises UserError (code `not_live`) naming what is."""
    found = {(one.model, one.environment): one for one in live_releases(ports)}
    if (model, environment) not in found:
        names = ", ".join(f"{one} in {two}" for one, two in sorted(found)) or "nothing"
        raise UserError(f"{model} is not live in {environment}", hint=f"Live: {names}.", code="not_live")
    return found[model, environment]
