"""The architecture, as a test: who may import whom, what pure files may not touch, how long things are, what is listed.

Standard library only. A new package or a new exception fails until it has a row in a table here, with its reason.
"""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BOT = ROOT / "bot"

STAGES = ("receive", "chatops", "plan", "train", "evaluate", "report", "decide", "promote", "serve", "monitor")
BASE = {"codes", "errors", "records", "specs", "ports", "words"}

# package -> what it may import of bot, besides itself.
MAY_IMPORT: dict[str, set[str]] = {
    "codes": set(),
    "errors": {"codes"},
    "records": {"errors"},
    "specs": {"errors", "records"},
    "words": {"specs"},
    "ports": {"errors", "records", "specs", "words"},
    "ledger": {"errors", "records", "ports"},
    **{stage: {*BASE, "ledger"} for stage in STAGES},
    "adapters": BASE,
    "pipeline": {*BASE, "ledger", *STAGES},
    "sandbox": {*BASE, "ledger", *STAGES, "adapters", "pipeline"},
    "cli": {*BASE, "ledger", *STAGES, "adapters", "pipeline", "sandbox"},
}

# Files that break the table above, what they import, and why. A row that is not needed any more fails, too.
BREAKS: dict[str, tuple[set[str], str]] = {
    "pipeline/again.py": ({"adapters"}, "installs the numbers that a job which judges needs only when gates changed"),
    "pipeline/job.py": ({"adapters"}, "makes the data readable at a pull request's head, once that is fetched"),
    "pipeline/probes.py": ({"adapters"}, "builds a release's own environment, which only a promotion needs"),
    "pipeline/retraining.py": ({"adapters"}, "reads and writes the data files that a retraining pull request brings"),
    "pipeline/watching.py": ({"adapters"}, "builds the readers of logs and rows that only the monitor needs"),
    "pipeline/reproduce_job.py": ({"adapters"}, "as `train_job`, whose work it does again"),
    "pipeline/train_job.py": ({"adapters"}, "builds the workbench and loaders that no other job needs, when it runs"),
}

# Folders that know the bot's branches as branches: who asks them otherwise goes round the door.
BRANCHES = ("ledger", "adapters", "specs")  # specs know environments of policies alone
RAW = re.compile(r"\b(?:ledger|environments|proposals|branch)\.(?:get|paths|log|commit)\(")
NOT_THE_BOTS = re.compile(r"environments\.environments\.get\(|(?:repository|call\.repo)\.environments\.get\(")

# What a port hands out: values, and a loaded artifact. A pure file may know their types, never a port itself.
PORT_VALUES = {
    "TreeEntry", "Change", "Tag", "PullRequest", "Commit", "Comment", "Review", "TimelineEvent", "Sibling", "Run",
    "Predictor", "Thread",
}  # fmt: skip

# Pure stage files may not import these, nor what lies below them.
WORLD = {
    "asyncio", "getpass", "github", "glob", "http", "importlib", "multiprocessing", "os", "pathlib", "platform",
    "pygit2", "random", "requests", "secrets", "shutil", "signal", "socket", "ssl", "starlette", "subprocess", "sys",
    "tempfile", "threading", "time", "urllib", "uuid", "uvicorn",
}  # fmt: skip
# ... and may not call these.
WORLD_CALLS = {"open", "print", "input", "exec", "eval", "__import__", "breakpoint"}
WORLD_METHODS = {
    "now", "utcnow", "today", "read_text", "read_bytes", "write_text", "write_bytes", "mkdir", "unlink", "rmdir",
    "is_file", "is_dir", "iterdir", "rglob", "touch", "getenv", "perf_counter", "sleep", "monotonic", "import_module",
}  # fmt: skip

# file -> what it may touch all the same, and why. A row that is not needed any more fails, too.
TOUCHES: dict[str, tuple[set[str], str]] = {
    "decide/surroundings.py": (
        {"Ports", "now"},
        "reads what surrounds a pull request; split off step.py for its length",
    ),
    "promote/upkeep.py": ({"Ports", "now"}, "acts after a promotion; split off step.py for its length"),
    "promote/evidence.py": (
        {"Ports"},
        "reads what a release rests on; split off step.py for its length",
    ),
    "promote/artifact.py": (
        {"Ports", "pathlib", "read_bytes", "is_file", "rglob", "tempfile"},
        "fetches and hashes an artifact; split off step.py for its length",
    ),
    "promote/views.py": ({"Ports"}, "writes what mirrors a release; split off step.py for its length"),
    "promote/reading.py": ({"Ports"}, "reads releases from the two branches; split off step.py for its length"),
    "evaluate/lent.py": ({"pathlib"}, "names folders that the caller's loaders open; opens none itself"),
    "train/card.py": ({"importlib", "read_text"}, "reads its own template from the package"),
    "train/estimator.py": ({"importlib", "import_module"}, "imports the allow-listed estimator when it is needed"),
    "records/numbers.py": ({"sys"}, "asks for the smallest normal float, a constant"),
    "serve/app.py": ({"starlette", "asyncio", "monotonic"}, "is the server; the clock is handed in"),
    "serve/admission.py": ({"asyncio"}, "waits for a body, and no longer than it may take"),
    "serve/batching.py": ({"asyncio"}, "lets waiting requests share a call"),
}

# What must be known at once may not wait for these.
HEAVY = (
    "sklearn", "skops", "dvc", "gto", "pyarrow", "onnxruntime", "skl2onnx", "scipy", "numpy", "github", "starlette",
)  # fmt: skip
LIGHT = (
    "bot.cli", "bot.chatops.parse", "bot.receive.step", "bot.decide.decide", "bot.decide.step", "bot.cli.chatops",
    "bot.cli.decide", "bot.cli.handle",
)  # fmt: skip

FORBIDDEN_NAMES = re.compile(r"(^|_)(utils?|common|helpers?|managers?|misc)(_|$)")

# folder -> (its written list, the files of the folder that are not on it and why).
LISTS: dict[str, tuple[str, dict[str, str]]] = {
    "evaluate/metrics": ("METRICS", {"interface": "the contract", "ratio": "shared by the per-class ratios"}),
    "evaluate/gates": (
        "JUDGES",
        {
            "interface": "the contract",
            "reasons": "the closed list of reason codes",
            "baseline": "shared by the gates that compare",
            "slices": "shared by the gates of slices",
        },
    ),
    "decide/predicates": ("PREDICATES", {}),
    "decide/conditions": ("CONDITIONS", {"live": "what is live now, shared by the conditions"}),
    "decide/lint": ("RULES", {"finding": "the contract"}),
    "report/sections": ("SECTIONS", {"more": "the evaluator's own tables, as many as there are"}),
}

# Files of bot/cli that are no verb, and why.
NO_VERB = {
    "clone": "the ports of a clone, without GitHub",
    "doctor_checks": "the checks of `doctor`",
    "doctor_identity": "who signs and who acts, for `doctor`",
    "doctor_repository": "the checks of `doctor` of what Git holds",
    "finding": "what `doctor` found about one thing",
    "held_files": "what `validate` asks of Git about files",
    "local": "the ports of a folder, for train and plan",
    "policy_files": "the readers of `policy`",
    "probe": "run in a release's own environment by promote",
    "replay": "`decide --replay`",
    "spec_checks": "the checks of `validate`",
    "validation_fold": "the rows that `evaluate` measures on until --test asks for others",
    "survey": "what `init` and `doctor` find in somebody's repository",
}


def sources(folder: Path = BOT) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(BOT).as_posix()


def package_of(path: Path) -> str:
    return path.relative_to(BOT).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every imported module or name, wherever the import stands, as a dotted name with its line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}:{node.lineno}: relative import"
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def touched(path: Path) -> dict[str, int]:
    """What a file touches of the world: word -> first line."""
    found: dict[str, int] = {}
    for name, line in imports(path):
        top, _, rest = name.partition(".")
        if top in WORLD and not name.startswith("importlib.metadata."):
            found.setdefault(top, line)
        if name.startswith("bot.ports.") and rest.removeprefix("ports.") not in PORT_VALUES:
            found.setdefault(rest.removeprefix("ports."), line)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id in WORLD_CALLS:
            found.setdefault(node.func.id, node.lineno)
        if isinstance(node.func, ast.Attribute) and node.func.attr in WORLD_METHODS:
            found.setdefault(node.func.attr, node.lineno)
    return found


def functions() -> list[tuple[int, str]]:
    return [
        (node.end_lineno - node.lineno + 1, f"{name_of(path)}: {node.name}")
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None
    ]


def test_imports_go_one_way_and_a_new_package_needs_a_row() -> None:
    wrong = []
    for path in sources():
        package = package_of(path)
        if package == "__init__":
            continue
        assert package in MAY_IMPORT, f"bot/{package} has no row in MAY_IMPORT"
        allowed = BREAKS.get(name_of(path), (set(), ""))[0]
        for name, line in imports(path):
            parts = name.split(".")
            if parts[0] == "bot" and len(parts) > 1:
                to = parts[1]
                if to != package and to not in MAY_IMPORT[package] | allowed:
                    wrong.append(f"{name_of(path)}:{line} may not import {name}")
    assert not wrong, "\n".join(wrong)


def test_nobody_reads_or_writes_the_bots_branches_but_through_the_door() -> None:
    """A fact that somebody reads by its path is parsed a second time, and a missing one is not said to be missing."""
    wrong = [
        f"{name_of(path)}:{number} {line.strip()}"
        for path in sources()
        if package_of(path) not in BRANCHES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if RAW.search(NOT_THE_BOTS.sub("", line))
    ]
    assert not wrong, "\n".join(wrong)


def test_pure_files_touch_no_clock_file_network_environment_or_process() -> None:
    wrong = []
    for stage in (*STAGES, "specs", "records"):
        for path in sources(BOT / stage):
            if path.name == "step.py":
                continue
            allowed = TOUCHES.get(name_of(path), (set(), ""))[0]
            wrong += [
                f"{name_of(path)}:{line} touches {word}" for word, line in touched(path).items() if word not in allowed
            ]
    assert not wrong, "\n".join(wrong)


def test_every_exception_is_still_needed_and_has_a_reason() -> None:
    for name, (words, reason) in TOUCHES.items():
        assert words <= touched(BOT / name).keys(), f"{name} needs less than its row says"
        assert reason
    for name, (packages, reason) in BREAKS.items():
        there = {imported.split(".")[1] for imported, _ in imports(BOT / name) if imported.startswith("bot.")}
        assert packages <= there, f"{name} needs less than its row says"
        assert reason


@pytest.mark.parametrize("module", LIGHT)
def test_what_must_start_at_once_imports_nothing_heavy(module: str) -> None:
    script = f"import sys, {module}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_help_imports_nothing_heavy_and_names_every_verb() -> None:
    script = f"import sys; from bot.cli import run; run(['--help']); print([n for n in {HEAVY!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    from bot.cli import VERBS

    assert done.stdout.endswith("\n[]\n")
    assert [verb for verb in VERBS if f"\n  {verb} " not in done.stdout] == []


def test_functions_are_short() -> None:
    found = sorted(functions())
    lengths = [length for length, _ in found]
    assert statistics.median(lengths) < 10
    assert lengths[int(len(lengths) * 0.9)] < 40
    assert [where for length, where in found if length > 80] == []


def test_modules_fit_a_reader() -> None:
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}
    assert [f"{name}: {length}" for name, length in lengths.items() if length > 400] == []
    assert statistics.median(lengths.values()) < 130


def test_names_say_what_is_in_them() -> None:
    wrong = [
        name_of(path)
        for path in [*sources(), *(path for path in BOT.rglob("*") if path.is_dir())]
        if FORBIDDEN_NAMES.search(path.stem)
    ]
    assert not wrong
    assert not (BOT / "models.py").exists(), "a model is a machine-learning model"


@pytest.mark.parametrize("package", sorted({*STAGES, "specs", "records", "ledger", "adapters", "sandbox", "cli"}))
def test_every_package_has_tests(package: str) -> None:
    assert any((ROOT / "tests" / package).glob("test_*.py")), f"tests/{package} holds no test"


@pytest.mark.parametrize("folder", LISTS)
def test_every_file_is_on_its_written_list(folder: str) -> None:
    listed_in, besides = LISTS[folder]
    package = f"bot.{folder.replace('/', '.')}"
    module = __import__(package, fromlist=[listed_in])
    files = {path.stem for path in (BOT / folder).glob("*.py")} - {"__init__"}
    assert files - set(besides) == set(getattr(module, listed_in)), f"{package}.{listed_in} and its folder differ"
    assert set(besides) <= files


def test_every_verb_has_its_file_and_every_file_its_verb() -> None:
    from bot.cli import VERBS

    files = {path.stem for path in (BOT / "cli").glob("*.py")} - {"__init__"}
    verbs = {module.rpartition(".")[2] for module, _ in VERBS.values()}
    assert files - set(NO_VERB) == verbs
    assert set(NO_VERB) <= files


PAGES = [ROOT / "README.md", BOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# Only the bot's own code: `models/`, `policies/` and the like in prose are often a user's.
CODE_PATH = re.compile(r"`((?:bot|tests|docs|\.github|\.ci)/[A-Za-z0-9_./-]+)`")
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_paths_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    missing = [path for path in CODE_PATH.findall(text) if not (ROOT / path).exists()]
    missing += [path for path in LINK.findall(text) if not (page.parent / path).exists()]
    assert not missing


def test_the_flow_table_names_the_stages() -> None:
    text = (BOT / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| \[`(\w+)`\]\(\1/\) \|", text, re.MULTILINE)
    assert tuple(named) == STAGES


@pytest.mark.parametrize("page", [ROOT / "README.md", BOT / "README.md"], ids=["README.md", "bot/README.md"])
def test_verbs_that_a_page_names_exist(page: Path) -> None:
    from bot.cli import VERBS

    named = set(re.findall(r"`mlbot ([a-z][a-z-]*)", page.read_text(encoding="utf-8")))
    assert named - VERBS.keys() - {"VERB"} == set()
