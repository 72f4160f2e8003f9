"""The options that tests/README.md tells of: `--fast`, `--backwards` and `--minutes`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.minutes import Minutes
from tests.suites import HERE, NOT_FAST, is_fast, suite_of


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--minutes", action="store_true", help="print the minutes of CPU that each suite took")
    parser.addoption("--fast", action="store_true", help="only what needs no engine, browser or server process")
    parser.addoption("--backwards", action="store_true", help="the last test first: who needs an earlier one fails")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Minutes(config.option.minutes), "minutes")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A suite that is not run is not imported either."""
    is_suite = collection_path.parent == HERE and collection_path.is_dir()
    return True if config.option.fast and is_suite and not is_fast(collection_path.name) else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.option.backwards:
        items.reverse()
    if not config.option.fast:
        return
    slow = [one for one in items if not is_fast(suite_of(one.nodeid)) or any(map(one.get_closest_marker, NOT_FAST))]
    config.hook.pytest_deselected(items=slow)
    items[:] = [one for one in items if one not in slow]
