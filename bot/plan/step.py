"""Two commits -> a Plan; reads the trees of `models/`, and of the models only those that differ."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bot.errors import MlbotError, UserError, missing_extra
from bot.ledger import Ledger
from bot.plan.candidates import candidates, n_models, untouched
from bot.plan.entries import ASKED, Known, Sides, asked, entry_of, planned
from bot.plan.facts import SCHEMA, SPEC, Folder, changed_data, inputs_of, may_read, spec_path
from bot.plan.kinds import change_kinds
from bot.ports import Branch, Data, Git, Ports
from bot.records.plan import DataFile, Entry, Plan, Planned
from bot.specs.policies.training import FILE, TrainingPolicy, read_training_policy
from bot.specs.tracked import pointers_among
from bot.specs.trainer import NUMERICAL_LIBRARIES
from bot.specs.validation import did_you_mean

LOCK = "uv.lock"


def plan(base: str, head: str, ports: Ports) -> Plan:
    """Which models the commits of `head` that are not in `base` affect, and why; which not, and why not.

    Compares with the merge base, as GitHub does; where a model may be trained is what `base` itself says. Raises
    UserError for a revision that is not there, WorldError when the data remote does not answer.
    """
    git, head_sha = ports.git, ports.git.resolve(head)
    policy = _policy(base, ports)
    base_sha = git.merge_base(git.resolve(base), head_sha) or git.resolve(base)
    trees = git.entries(base_sha, "models"), git.entries(head_sha, "models")
    sorted_out = candidates(*trees)
    paths = tuple(change.path for change in git.changes(base_sha, head_sha))
    sides = _sides(base_sha, head_sha, pointers_among(paths), policy, ports)
    entries = list(sorted_out.settled)
    for name in (*sorted_out.changed, *_readers(git, head_sha, sorted_out.same, sides)):
        base_folder = folder(git, base_sha, name) if name in trees[0] else None
        entries.append(entry_of(base_folder, folder(git, head_sha, name), sides, known_in(ports.ledger)))
    read = {entry.model for entry in entries}
    entries.extend(untouched(name) for name in sorted_out.same if name not in read)
    return _plan(base_sha, head_sha, entries, paths, n_models(trees[1]))


def plan_all(head: str, ports: Ports) -> Plan:
    """Every model at a commit, whatever changed: for a first adoption and for a push that no plan precedes."""
    sha = ports.git.resolve(head)
    tree = ports.git.entries(sha, "models")
    data = partial(ports.data.files, sha)
    sorted_out = candidates({}, tree)
    folders = [folder(ports.git, sha, name) for name in sorted_out.changed]
    versions, known = library_versions(ports.workspace), known_in(ports.ledger)
    entries = [asked(one, data, versions, _policy(sha, ports), known) for one in folders]
    return _plan(sha, sha, [*sorted_out.settled, *entries], (), n_models(tree))


def plan_one(name: str, head: str, ports: Ports) -> Planned:
    """One model at a commit. Raises MlbotError with the place when it cannot be read."""
    sha = ports.git.resolve(head)
    known = ports.git.entries(sha, "models")
    if name not in known:
        hint = did_you_mean(name, known, noun="models")
        raise UserError(f"there is no model {name!r} at {sha[:10]}", hint=hint, code="no_model")
    inputs = inputs_of(folder(ports.git, sha, name), partial(ports.data.files, sha), library_versions(ports.workspace))
    return planned(name, inputs, None, [ASKED], known_in(ports.ledger))


def folder(git: Git, sha: str, name: str) -> Folder:
    """A model's folder at a commit."""
    at = f"models/{name}"
    return Folder(name, git.entries(sha, at), git.read(sha, f"{at}/{SPEC}"), git.read(sha, f"{at}/{SCHEMA}"))


def known_in(ledger: Branch) -> Known:
    """Looks up the newest stored Evaluation of a model's inputs."""

    return Ledger(ledger).newest_evaluation


def library_versions(root: Path) -> dict[str, str]:
    """Versions of the libraries that decide a result: of what is installed, else as `uv.lock` in this folder has them.

    A job that trains nothing does not install them; what it plans is trained by the same lock.
    """
    return {name: _version(name, root) for name in NUMERICAL_LIBRARIES}


def _version(name: str, root: Path) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        lock = root / LOCK
        found = tomllib.loads(lock.read_text(encoding="utf-8")).get("package", ()) if lock.is_file() else ()
        locked = [str(one["version"]) for one in found if one.get("name") == name and "version" in one]
        if len(locked) != 1:
            raise missing_extra(name) from None
        return locked[0]


def _policy(rev: str, ports: Ports) -> TrainingPolicy:
    return read_training_policy(ports.git.read(ports.git.resolve(rev), FILE))


def _sides(base_sha: str, head_sha: str, pointers: Sequence[str], policy: TrainingPolicy, ports: Ports) -> Sides:
    """What both sides hold; the remote is asked only for what a changed pointer tracks, or a model that is read."""
    old, _ = _tracked(ports.data, base_sha, pointers)
    new, is_broken = _tracked(ports.data, head_sha, pointers)
    base, head = partial(ports.data.files, base_sha), partial(ports.data.files, head_sha)
    return Sides(base, head, changed_data(old, new), is_broken, library_versions(ports.workspace), policy)


def _tracked(data: Data, sha: str, pointers: Sequence[str]) -> tuple[list[DataFile], bool]:
    """(files that the pointers track, whether one of them cannot be read)."""
    found: list[DataFile] = []
    is_broken = False
    for pointer in pointers:
        try:
            found.extend(data.tracked_by(sha, pointer))
        except MlbotError as error:
            if error.exit_code != 1 and error.code != "data_object_missing":
                raise
            is_broken = True
    return found, is_broken


def _readers(git: Git, sha: str, names: tuple[str, ...], sides: Sides) -> list[str]:
    """Models with an unchanged folder that may read one of the changed data files."""
    if sides.is_head_broken:
        return list(names)
    if not sides.changed_data:
        return []
    texts = ((name, git.read(sha, spec_path(name))) for name in names)
    return [name for name, text in texts if text is None or may_read(text, sides.changed_data)]


def _plan(base: str, head: str, entries: list[Entry], paths: tuple[str, ...], models: int) -> Plan:
    return Plan(
        base_sha=base,
        head_sha=head,
        entries=tuple(sorted(entries, key=lambda entry: entry.model)),
        changed_paths=paths,
        change_kinds=change_kinds(paths),
        n_models=models,
    )
