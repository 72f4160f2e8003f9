"""What the tests cost, by suite: `pytest --minutes` prints it beside what the table in tests/README.md names.

CPU time, of the test's process and of every process that it waited for, so that a busy machine changes little.
"""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import pytest

from tests.suites import suite_of, suites


@dataclass
class Cost:
    """Of one suite; times in seconds."""

    tests: int = 0
    cpu_s: float = 0.0
    wall_s: float = 0.0
    longest_s: float = 0.0
    longest: str = ""


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
        cpu_s = getattr(report, "cpu_s", 0.0)  # a worker that crashed made no report
        cost.tests += report.when == "call"
        cost.cpu_s += cpu_s
        cost.wall_s += report.duration
        if cpu_s > cost.longest_s:
            cost.longest_s, cost.longest = cpu_s, report.nodeid.partition("/")[2]

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if not self._is_printed:
            return
        terminalreporter.section("minutes of CPU")
        for name, cost in sorted(self._costs.items(), key=lambda one: -one[1].cpu_s):
            row = suites().get(name)
            line = f"{name:<14}{cost.tests:>6} tests {cost.cpu_s / 60:>6.2f} CPU {cost.wall_s / 60:>6.2f} elapsed"
            line += f" {row.minutes if row else '?':>5} in tests/README.md"
            terminalreporter.line(f"{line}   longest {cost.longest_s:.0f} s: {cost.longest}")
        total_s = sum(cost.cpu_s for cost in self._costs.values())
        terminalreporter.line(f"{'together':<14}{total_s / 60:>19.2f} CPU")


def _cpu_s() -> float:
    return sum(os.times()[:4])
