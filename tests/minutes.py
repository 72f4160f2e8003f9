"""What the tests cost, by folder: `pytest --minutes` prints it, and the table in tests/README.md names it.

CPU time, of the test's process and of every process that it waited for, so that a busy machine changes little.
"""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import pytest

FILES = "test_*.py"  # the suite of the files that lie in tests/ itself


@dataclass
class Cost:
    """Of one folder; times in seconds."""

    tests: int = 0
    cpu_s: float = 0.0
    wall_s: float = 0.0
    longest_s: float = 0.0
    longest: str = ""


def suite_of(nodeid: str) -> str:
    """The folder below tests/ that a test belongs to."""
    parts = nodeid.partition("::")[0].split("/")
    return parts[1] if len(parts) > 2 else FILES


class Minutes:
    """Plugin: each report carries its seconds of CPU, from a worker to the controller too."""

    def __init__(self, is_printed: bool) -> None:
        self._is_printed = is_printed
        self._before = _cpu_s()
        self._costs: dict[str, Cost] = defaultdict(Cost)

    def pytest_collection_finish(self) -> None:
        self._before = _cpu_s()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: Any) -> Any:
        report = yield
        now = _cpu_s()
        report.cpu_s, self._before = now - self._before, now
        return report

    def pytest_runtest_logreport(self, report: Any) -> None:
        cost = self._costs[suite_of(report.nodeid)]
        cost.tests += report.when == "call"
        cost.cpu_s += report.cpu_s
        cost.wall_s += report.duration
        if report.cpu_s > cost.longest_s:
            cost.longest_s, cost.longest = report.cpu_s, report.nodeid.partition("/")[2]

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if not self._is_printed:
            return
        terminalreporter.section("minutes of CPU")
        for folder, cost in sorted(self._costs.items(), key=lambda one: -one[1].cpu_s):
            line = f"{folder:<16}{cost.tests:>6} tests {cost.cpu_s / 60:>6.2f} CPU {cost.wall_s / 60:>6.2f} elapsed"
            terminalreporter.line(f"{line}   longest {cost.longest_s:.0f} s: {cost.longest}")


def _cpu_s() -> float:
    return sum(os.times()[:4])


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--minutes", action="store_true", help="print the minutes of CPU that each folder of tests took")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Minutes(config.option.minutes), "minutes")
