"""What to load and what to drop, from what is wanted and what answers now."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from bot.records.release import Release
from bot.serve.engine import Engine


def wanted(releases: Mapping[str, Release], models: Collection[str], pin: str | None) -> dict[str, Release]:
    """The releases to serve: all, or only some models, or only the one with the pinned artifact digest."""
    chosen = {name: release for name, release in releases.items() if not models or name in models}
    return {name: release for name, release in chosen.items() if pin is None or release.artifact_digest == pin}


def changed(target: Mapping[str, Release], engines: Mapping[str, Engine]) -> list[Release]:
    """Releases that do not answer yet, by model."""
    now = {name: engine.release for name, engine in engines.items()}
    return [release for name, release in sorted(target.items()) if now.get(name) != release]


def gone(target: Mapping[str, Release], engines: Mapping[str, Engine]) -> list[str]:
    """Models that answer and should not any more."""
    return sorted(set(engines) - set(target))
