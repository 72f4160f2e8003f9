"""tests/README.md tells of every suite, and what it tells is so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.suites import FILES, HERE, suites

MOST_MINUTES = 15  # of `make test` on two quiet cores
CORES = 2
SPENT_BESIDES = 2.0  # lint, types, collecting


def test_every_folder_of_tests_is_a_suite_with_its_minutes() -> None:
    folders = {path.parent.relative_to(HERE).parts[0] for path in HERE.glob("*/**/test_*.py")}
    assert {*folders, FILES} == suites().keys()


def test_all_suites_fit_into_the_minutes_of_make_test() -> None:
    total = sum(suite.minutes for suite in suites().values())
    assert total / CORES + SPENT_BESIDES <= MOST_MINUTES, f"{total:.1f} minutes of CPU"


def test_what_is_fast_fits_into_a_minute() -> None:
    assert sum(suite.minutes for suite in suites().values() if suite.is_fast) / CORES <= 1


def test_commands_that_the_page_names_exist() -> None:
    text = (HERE / "README.md").read_text(encoding="utf-8")
    makefile = (HERE.parent / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"(?:`|^    )make ([a-z][a-z0-9-]*)", text, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for module in re.findall(r"`python -m tests\.([a-z_.]+)", text):
        path = HERE / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module
    for path in re.findall(r"`python (tests/\S+\.py)", text):
        assert (HERE.parent / path).exists(), path


def test_campaigns_of_the_page_are_those_of_make() -> None:
    text = (HERE / "README.md").read_text(encoding="utf-8").partition("## By command")[2]
    makefile = (HERE.parent / "Makefile").read_text(encoding="utf-8")
    recipe = makefile.partition("\ncampaigns:")[2].partition("\n\n")[0]
    for command in re.findall(r"^\| `python (-m tests\.[a-z_.]+|tests/\S+\.py)", text, re.MULTILINE):
        assert command in recipe, command


@pytest.mark.slow
def test_fast_runs_fast_suites_and_nothing_marked_slow() -> None:
    line = [sys.executable, "-m", "pytest", "--fast", "--collect-only", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(line, cwd=HERE.parent, capture_output=True, text=True, check=False)
    names = {one.split("/")[1] for one in done.stdout.splitlines() if "::" in one}
    fast = {suite.name for suite in suites().values() if suite.is_fast}
    assert {name if not name.startswith("test_") else FILES for name in (one.split("::")[0] for one in names)} == fast
    assert "2000_test_sets" not in done.stdout and "page_in_browser" not in done.stdout


DEPENDENT = """
seen = []
def test_first():
    seen.append(1)
def test_second():
    assert seen
"""


@pytest.mark.slow
def test_a_test_that_needs_another_is_found_when_it_is_alone(tmp_path: Path) -> None:
    file = tmp_path / "test_dependent.py"
    file.write_text(DEPENDENT)
    line = [sys.executable, "-m", "tests.alone", "--root", str(tmp_path), "--noted", str(tmp_path / "noted"), file.name]
    for more, told in (([], "2 tests alone, 1 failed"), (["--resume"], "1 tests alone, 1 failed")):
        done = subprocess.run([*line, *more], cwd=HERE.parent, capture_output=True, text=True, check=False)
        assert done.returncode == 1 and told in done.stdout and "::test_second" in done.stdout, done.stdout
