"""A job installs what its work needs: jobs that only judge start, and judge, without the libraries of numbers."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest

from bot.errors import EXTRAS, translated

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LIGHT = ("plan", "reviewed", "chatops", "promote", "reconcile")  # jobs with the extra `data`, or little more
MOST_MB = 120  # of what such a job installs, python itself not counted
# Hides what these jobs do not install, as if it were not there.
HIDE = """
import importlib.abc, importlib.metadata, sys
class Hidden(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in HEAVY:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hidden())
"""
HEAVY = {top for top, extra in EXTRAS.items() if extra not in ("data", "sigstore")} | {"gto", "pandas"}


def without(script: str) -> subprocess.CompletedProcess[str]:
    text = f"HEAVY = {sorted(HEAVY)!r}\n{HIDE}\n{script}"
    return subprocess.run([sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, check=False)


def names_of(extra: str, seen: frozenset[str] = frozenset()) -> set[str]:
    """Distributions that an extra names, those of the extras in it included."""
    found = set()
    for line in PROJECT["optional-dependencies"][extra]:
        name = re.split(r"[<>=\[ ]", line)[0].lower()
        inside = re.findall(r"\[(.+)\]", line) if name == "mlbot" else ()
        for other in (one for part in inside for one in part.split(",") if one not in seen):
            found |= names_of(other, seen | {extra})
        found |= {name} - {"mlbot"}
    return found


def test_jobs_that_judge_import_without_the_libraries_of_numbers() -> None:
    script = f"""
import importlib
from bot.pipeline import JOBS
for job in {LIGHT!r}:
    importlib.import_module(JOBS[job])
for name in ("cli.handle", "pipeline.merge_group", "pipeline.probes", "report.html", "adapters.dvc"):
    importlib.import_module(f"bot.{{name}}")
"""
    done = without(script)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_jobs_that_judge_judge_without_them() -> None:
    """The suites of the jobs in memory, which hand models over as records."""
    files = ["tests/pipeline/test_merges.py", "tests/decide/test_step.py", "tests/promote/test_job.py"]
    done = without(f"import pytest; raise SystemExit(pytest.main(['-q', '-x', '-p', 'no:randomly', *{files!r}]))")
    assert done.returncode == 0, done.stdout[-3000:]


def test_what_is_not_installed_is_named_with_its_command() -> None:
    done = without("from bot.cli import main\nimport sys\nsys.argv = ['mlbot', 'testset-size', '--help']\nmain()")
    assert done.returncode in (0, 1), done.stderr
    error = translated(ModuleNotFoundError("No module named 'skl2onnx'", name="skl2onnx"))
    assert error is not None
    assert error.code == "extra_missing"
    assert error.hint == "`uv sync --inexact --extra train`, or `pip install 'mlbot[train]'`."
    assert translated(ModuleNotFoundError("No module named 'bot.nothing'", name="bot.nothing")) is None


def test_every_library_is_in_the_extra_that_the_error_names() -> None:
    distributions = packages_distributions()
    for library, extra in EXTRAS.items():
        names = {name.lower() for name in distributions.get(library, [library])}
        assert names & names_of(extra) or library == "dvc_data", f"{library} is not in the extra {extra}"


def test_light_jobs_stay_light() -> None:
    """Of the packages installed here, those that the core and the extra `data` bring, by their files."""
    from importlib.metadata import distribution

    seen: set[str] = set()
    todo = [re.split(r"[<>=\[ ;]", line)[0].lower() for line in PROJECT["dependencies"]] + sorted(names_of("data"))
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        lines = [line for line in requires(name) or () if "extra ==" not in line and "win32" not in line]
        todo += [re.split(r"[<>=!~\[ ;(]", line)[0].lower() for line in lines if _is_here(line)]
    sizes = {
        name: sum(file.size or 0 for file in distribution(name).files or () if file.suffix != ".pyc") for name in seen
    }
    assert sum(sizes.values()) < MOST_MB * 1e6, sorted(sizes.items(), key=lambda one: -one[1])[:10]


def _is_here(line: str) -> bool:
    from packaging.requirements import Requirement

    marker = Requirement(line).marker
    return marker is None or marker.evaluate({"extra": ""})
