"""Both ends: what a schema, the grammar, the ledger or a list of codes promises, some code of the product does.

`test_policy_keys.py` and its like see what a key changes; here it is seen that no end hangs in the air.
"""

from __future__ import annotations

import ast
import functools
import re
import sys
import tomllib
import typing
from collections import Counter
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bot.chatops.grammar import FORMS
from bot.cli import VERBS as COMMAND_LINE
from bot.decide.reasons import REASONS
from bot.pipeline.commands import COMMANDS
from bot.records import command, ledger
from bot.specs import contract, deployment, gates, model
from bot.specs.base import Spec
from bot.specs.policies import commands, training
from bot.specs.policies.loader import FILES

ROOT = Path(__file__).resolve().parents[1]
BOT = ROOT / "bot"

# Keys that no code reads by name, and why.
UNREAD = {
    "apiVersion": "checked where it is read: it has one value",
    "kind": "checked where it is read: it has one value, or tells gates apart",
    "version": "of gates.yaml: checked where it is read; of a contract: kept for its readers",
}
# Fields that are read all together.
TOGETHER = {
    "Column": "contract: each check is looked up by its key",
    "Contract": "Pandera's own keys: refused or kept as they are",
    "Metadata": "contract: looked up by key",
    "DateTime": "features: parts are looked up by key",
    "When": "each key is looked up in bot.decide.predicates",
}


@functools.cache
def trees() -> dict[str, ast.Module]:
    return {path.relative_to(BOT).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in BOT.rglob("*.py")}


@functools.cache
def texts() -> dict[str, str]:
    """Every file of the product by name, templates among them."""
    found = (path for pattern in ("*.py", "*.j2", "*.html", "*.js") for path in BOT.rglob(pattern))
    return {path.relative_to(BOT).as_posix(): path.read_text(encoding="utf-8") for path in found}


@functools.cache
def strings() -> dict[str, frozenset[str]]:
    """The string literals of each module, without its docstrings and comments."""
    found = {}
    for name, tree in trees().items():
        literals = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
        found[name] = frozenset(one for one in literals if isinstance(one, str))
    return found


def specs_of(kind: object, seen: dict[type[Spec], None]) -> None:
    """The specs that are reached from a spec's fields, in order."""
    if isinstance(kind, type) and issubclass(kind, Spec) and kind not in seen:
        seen[kind] = None
        for field in kind.model_fields.values():
            specs_of(field.annotation, seen)
    for inner in typing.get_args(kind):
        specs_of(inner, seen)


def all_specs() -> list[type[Spec]]:
    """What people write: every spec, policy and contract."""
    seen: dict[type[Spec], None] = {}
    roots = (*FILES.values(), model.ModelSpec, gates.GatesPolicy, contract.Contract, deployment.Deployment)
    for root in (*roots, training.TrainingPolicy):
        specs_of(root, seen)
    return list(seen)


@functools.cache
def read_attributes() -> dict[str, Counter[str]]:
    """Attribute names that are read, by module; what a validator checks in its own class is read by nobody."""
    found: dict[str, Counter[str]] = {}

    def walk(node: ast.AST, home: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef) and any(
                "validator" in ast.unparse(one) for one in child.decorator_list
            ):
                continue
            if isinstance(child, ast.Attribute) and isinstance(child.ctx, ast.Load):
                found.setdefault(home, Counter())[child.attr] += 1
            walk(child, home)

    for name, tree in trees().items():
        walk(tree, name)
    return found


def is_read(field: str) -> bool:
    """Whether some code reads an attribute of this name, or a template of a manifest does."""
    templates = (text for name, text in texts().items() if name.endswith((".j2", "templates.py")))
    return any(field in names for names in read_attributes().values()) or any(f".{field}" in one for one in templates)


@pytest.mark.parametrize("kind", all_specs(), ids=lambda kind: kind.__name__)
def test_every_key_that_people_write_is_read(kind: type[Spec]) -> None:
    if kind.__name__ in TOGETHER:
        return
    unread = [name for name in kind.model_fields if (name not in UNREAD) and not is_read(name)]
    keys = [kind.model_fields[name].alias or name for name in unread]
    assert [key for key in keys if key not in UNREAD] == [], "nobody reads them: wire them, or delete them"


def options() -> Iterator[tuple[str, str]]:
    for form in FORMS:
        for option in form.options:
            yield form.verb, option.name
        extra = {"user": form.user != "no", "topic": form.topic is not None, "confirm": form.confirm}
        yield from ((form.verb, name) for name, is_there in extra.items() if is_there)


@pytest.mark.parametrize(("verb", "option"), sorted(set(options())))
def test_every_option_of_a_command_is_read_where_commands_are_carried_out(verb: str, option: str) -> None:
    readers = ("pipeline/", "decide/")
    reads = re.compile(rf"""options(?:\.get\(|\[)["']{option}["']|["']{option}["'] in (?:\w+\.)*options""")
    assert any(reads.search(text) for name, text in texts().items() if name.startswith(readers)), f"/{verb} {option}="


def test_every_verb_has_a_form_an_act_and_a_rule() -> None:
    forms = {form.verb for form in FORMS}
    assert set(typing.get_args(command.Verb)) == forms == set(COMMANDS) == set(typing.get_args(commands.Verb))
    assert set(commands.DEFAULT_STAGES) <= forms


def test_every_verb_of_the_command_line_is_a_module_with_a_command_and_is_documented() -> None:
    pages = "\n".join(path.read_text() for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")))
    for verb, (module, _) in COMMAND_LINE.items():
        assert re.search(
            r"def command\(|^command = |name=\"" + verb,
            texts()[f"{module.removeprefix('bot.').replace('.', '/')}.py"],
            re.M,
        ), verb
        assert f"mlbot {verb}" in pages, f"no page names mlbot {verb}"


@pytest.mark.parametrize("code", sorted(REASONS))
def test_every_reason_code_is_given_by_some_judgement(code: str) -> None:
    lists = ("decide/reasons.py", "decide/unblock.py", "decide/wording.py")
    givers = [name for name, found in strings().items() if code in found and name not in lists]
    givers = [name for name in givers if name.startswith(("decide/", "pipeline/"))]
    assert givers, "nothing gives it: raise it, or delete it"


# path function -> (who writes there, who reads it), as modules of the product.
PATHS: dict[str, tuple[str, str]] = {
    "evaluation_path": ("pipeline/report_job.py", "ledger/models.py"),
    "pointer_path": ("pipeline/report_job.py", "ledger/models.py"),
    "head_path": ("pipeline/report_job.py", "ledger/pull_requests.py"),
    "plan_path": ("pipeline/report_job.py", "ledger/pull_requests.py"),
    "approval_path": ("decide/recording.py", "ledger/pull_requests.py"),
    "decision_path": ("decide/step.py", "ledger/pull_requests.py"),
    "promotion_path": ("promote/step.py", "ledger/models.py"),
    "view_path": ("promote/views.py", "ledger/models.py"),
    "release_path": ("promote/writing.py", "ledger/environments.py"),
    "withdrawn_path": ("promote/writing.py", "ledger/environments.py"),
    "artifact_path": ("promote/writing.py", "ledger/environments.py"),
    "manifest_path": ("promote/writing.py", "promote/upkeep.py"),
    "facts_path": ("decide/step.py", "ledger/pull_requests.py"),
    "commits_path": ("decide/step.py", "ledger/pull_requests.py"),
    "contribution_path": ("decide/step.py", "ledger/pull_requests.py"),
    "stopped_path": ("pipeline/queued.py", "ledger/pull_requests.py"),
    "grouped_path": ("pipeline/queued.py", "ledger/pull_requests.py"),
    "reproducing_path": ("pipeline/asking_again.py", "ledger/pull_requests.py"),
    "reproduction_path": ("pipeline/compare_job.py", "ledger/models.py"),
    "journal_path": ("adapters/upgrade.py", "adapters/journal.py"),
    "acted_path": ("pipeline/chatops_job.py", "ledger/pull_requests.py"),
    "party_path": ("decide/step.py", "ledger/pull_requests.py"),
    "handled_path": ("pipeline/chatops_job.py", "ledger/pull_requests.py"),
    "accepted_path": ("pipeline/dispatched.py", "ledger/pull_requests.py"),
    "told_path": ("pipeline/answer.py", "ledger/pull_requests.py"),
    "settled_path": ("pipeline/merges.py", "ledger/standing.py"),
    "measuring_path": ("pipeline/judge.py", "ledger/pull_requests.py"),
    "delegation_path": ("decide/orders.py", "ledger/standing.py"),
    "undelegation_path": ("decide/orders.py", "ledger/standing.py"),
    "break_glass_path": ("decide/orders.py", "ledger/standing.py"),
    "break_glass_review_path": ("decide/orders.py", "ledger/standing.py"),
    "revocation_path": ("decide/orders.py", "ledger/standing.py"),
    "removal_path": ("cli/gc.py", "ledger/models.py"),
    "lock_path": ("decide/orders.py", "ledger/environments.py"),
    "verification_path": ("promote/upkeep.py", "ledger/models.py"),
    "attestation_path": ("promote/step.py", "ledger/models.py"),
    "testset_use_path": ("pipeline/report_job.py", "ledger/models.py"),
    "health_path": ("monitor/step.py", "ledger/models.py"),
}


def test_every_path_of_the_bots_branches_is_on_the_list() -> None:
    functions = (node.name for node in trees()["records/ledger.py"].body if isinstance(node, ast.FunctionDef))
    assert {name for name in functions if name.endswith("_path")} == set(PATHS)


@pytest.mark.parametrize("name", sorted(PATHS))
def test_every_path_of_the_bots_branches_has_a_writer_and_a_reader(name: str) -> None:
    """The writer makes the path by its function; the reader too, or it lists the folder."""
    writer, reader = PATHS[name]
    assert name in re.findall(r"\w+", texts()[writer])
    inner = re.findall(r"\w+_folder", ast.unparse(function(name)))
    folder = re.match(r'[^/]*["\']([a-z_]+/)', ast.unparse(function(name)).split("return")[-1])
    known = {name, *inner, *constants_of(name)}
    words = set(re.findall(r"\w+", texts()[reader]))
    assert known & words or (folder and any(one.startswith(folder[1]) for one in strings()[reader])), reader


def function(name: str) -> ast.FunctionDef:
    body = trees()["records/ledger.py"].body
    return next(node for node in body if isinstance(node, ast.FunctionDef) and node.name == name)


def constants_of(name: str) -> set[str]:
    """Names of folders, such as `SETTLED`, that the function is made of."""
    return {node.id for node in ast.walk(function(name)) if isinstance(node, ast.Name) and node.id.isupper()}


def test_no_top_level_name_lives_for_tests_alone() -> None:
    """A name that the product says once is only defined. What a decorator registers is said by the decorator."""
    said = Counter(re.findall(r"\w+", "\n".join(texts().values())))
    outside = "\n".join(path.read_text() for path in (*ROOT.glob("*.toml"), *(ROOT / ".github").rglob("*.yml")))
    alone = []
    for module, tree in trees().items():
        for node in tree.body:
            names: list[str] = []
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.decorator_list:
                names = [node.name]
            elif isinstance(node, ast.Assign):
                names = [one.id for one in node.targets if isinstance(one, ast.Name)]
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                names = [node.target.id]
            alone += [
                f"{module}: {name}"
                for name in names
                if said[name] == 1 and name not in outside and not name.startswith("__")
            ]
    assert alone == [], "nothing of the product uses them"


def test_everything_imported_is_declared() -> None:
    """By mlbot itself, not by one of its dependencies; which work needs which is held by `test_extras.py`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = [one for extra in project["project"]["optional-dependencies"].values() for one in extra]
    needed = [*project["project"]["dependencies"], *extras]
    declared = {canonicalize_name(Requirement(one).name) for one in needed if isinstance(one, str)}
    packages = metadata.packages_distributions()
    undeclared = [
        f"{module}: {top}"
        for module, tree in trees().items()
        for top in {name.partition(".")[0] for name in imported(tree)} - {"bot", "__future__"} - sys.stdlib_module_names
        if not {canonicalize_name(one) for one in packages.get(top, [top])} & declared
    ]
    assert undeclared == []


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def test_the_list_of_paths_is_about_the_module_that_builds_them() -> None:
    assert all(callable(getattr(ledger, name)) for name in PATHS)
