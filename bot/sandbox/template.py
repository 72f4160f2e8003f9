"""The repository of a rehearsal: files from a template, its DVC remote moved to a local folder, a first commit."""

from __future__ import annotations

import configparser
import io
import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bot.errors import UserError
from bot.sandbox.hub import Hub
from bot.sandbox.people import Person
from bot.sandbox.store import Repository

_LEFT_OUT = {".git", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"}
_LINK, _PROGRAM, _FILE = "120000", "100755", "100644"
MOST_FILES, MOST_BYTES = 5000, 500_000_000  # of a folder whose files nobody chose with `git add`
RULESETS = (".github/rulesets", "docs/rulesets")  # where a repository keeps its rulesets; the first that holds any


def files(template: Path) -> Iterator[tuple[str, bytes]]:
    """Path and bytes of every file: what git tracks, as it is on disk; everything, when it is no checkout.

    Raises UserError when the template is not a folder, or no checkout and too large.
    """
    for name in names(template)[0]:
        path = template / name
        if path.is_symlink() or not path.is_file():
            continue
        yield name, path.read_bytes()


def names(template: Path) -> tuple[list[str], bool]:
    """(paths of the template's files, whether git tracks them). Raises UserError as `files` does."""
    if not template.is_dir():
        raise UserError(f"{template}: the template is not a folder", hint="Name a folder with models/ and policies/.")
    tracked = _tracked(template)
    return (tracked, True) if tracked else (_found(template), False)


def _tracked(template: Path) -> list[str]:
    if enclosing(template) is None:
        return []
    done = _git(template, "ls-files", "-z")
    return [name for name in done.stdout.split("\0") if name]


def _git(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Git as it speaks to programs, and about this folder only: no GIT_DIR of a hook that we may run in."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    line = ["git", "-C", str(where), *arguments]
    return subprocess.run(line, env=environ | {"LC_ALL": "C"}, capture_output=True, text=True, check=False)


def enclosing(folder: Path) -> Path | None:
    """The Git work tree that a folder is, or lies in; None for none. Raises UserError with what git says against it."""
    there = next(one for one in (folder.resolve(), *folder.resolve().parents) if one.is_dir())
    done = _git(there, "rev-parse", "--show-toplevel")
    if done.returncode == 0:
        return Path(done.stdout.rstrip("\n"))
    if "not a git repository" in done.stderr or "must be run in a work tree" in done.stderr:
        return None
    raise UserError(f"{folder}: {done.stderr.strip()}", hint="Then call mlbot again.", code="git")


def _found(template: Path) -> list[str]:
    """Every file of a folder; stops at a size that nobody meant. Raises UserError."""
    found: list[str] = []
    size = 0
    for folder, below, here in os.walk(template):
        below[:] = sorted(set(below) - _LEFT_OUT)
        for name in here:
            path = Path(folder, name)
            found.append(path.relative_to(template).as_posix())
            size += path.lstat().st_size
        if len(found) > MOST_FILES or size > MOST_BYTES:
            many = f"{MOST_FILES:,} files" if len(found) > MOST_FILES else f"{MOST_BYTES / 1e6:.0f} MB"
            hint = "Run `git init` and `git add` in it, so that it is clear what belongs to it, or name another folder."
            raise UserError(f"{template} is no Git checkout and holds more than {many}", hint=hint, code="too_large")
    return sorted(found)


def default_branch(template: Path) -> str:
    """The name of a checkout's default branch; main for a folder without Git.

    That is what its origin calls so, when that is known; else main or master when there is such a branch, since a side
    branch that is checked out renames nothing; else the branch that is checked out.
    """
    if not template.is_dir() or enclosing(template) is None:
        return "main"
    of_origin = _git(template, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD").stdout.strip()
    if of_origin:
        return of_origin.removeprefix("origin/")
    for name in ("main", "master"):
        if _git(template, "rev-parse", "--verify", "--quiet", f"refs/heads/{name}").returncode == 0:
            return name
    return _git(template, "symbolic-ref", "--quiet", "--short", "HEAD").stdout.strip() or "main"


def rulesets(given: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """The rulesets that a repository keeps as files, as requests to GitHub's API. Raises UserError for no JSON."""
    for folder in RULESETS:
        listed = sorted(name for name in given if name.startswith(f"{folder}/") and name.endswith(".json"))
        if listed:
            return [_parsed(name, given[name]) for name in listed]
    return []


def _parsed(name: str, data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError as error:
        raise UserError(f"{name}: {error}", hint="A ruleset file holds the JSON that GitHub's API takes.") from None
    if not isinstance(found, dict):
        raise UserError(f"{name}: not a JSON object", hint="A ruleset file holds the JSON that GitHub's API takes.")
    return found


def with_local_remote(given: Mapping[str, bytes], remote: Path, template: Path) -> dict[str, bytes]:
    """The files with the default DVC remote pointing to `remote`, and that remote filled from the template's own.

    The template's remote must be a folder (relative to .dvc, as DVC reads it) for its objects to come along.
    """
    remote.mkdir(parents=True, exist_ok=True)
    config = configparser.ConfigParser(interpolation=None)
    config.read_string(given.get(".dvc/config", b"").decode())
    name = config.get("core", "remote", fallback="storage")
    section = f"'remote \"{name}\"'"
    old = config.get(section, "url", fallback="")
    source = (template / ".dvc" / old).resolve()
    if old and "://" not in old and source.is_dir():
        shutil.copytree(source, remote, dirs_exist_ok=True)
    for part, key, value in (("core", "remote", name), (section, "url", str(remote))):
        if not config.has_section(part):
            config.add_section(part)
        config.set(part, key, value)
    text = io.StringIO()
    config.write(text)
    return dict(given) | {".dvc/config": text.getvalue().encode()}


def first_commit(hub: Hub, repository: Repository, given: Mapping[str, bytes], author: Person) -> str:
    """Write the files as the first commit of the default branch; nothing is announced."""
    bare = hub.bare(repository)
    script = [
        f"commit refs/heads/{repository.default_branch}",
        f"author {author.login} <{author.email}> {int(hub.clock().timestamp())} +0000",
        f"committer {author.login} <{author.email}> {int(hub.clock().timestamp())} +0000",
        "data 13",
        "First commit\n",
    ]
    stream = "\n".join(script).encode()
    for name, data in sorted(given.items()):
        mode = _PROGRAM if data.startswith(b"#!") else _FILE
        stream += f"M {mode} inline {_quoted(name)}\ndata {len(data)}\n".encode() + data + b"\n"
    subprocess.run(["git", "-C", str(bare.path), "fast-import", "--quiet"], input=stream, check=True)
    sha = bare.branch(repository.default_branch)
    assert sha is not None
    return sha


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def clone(into: Path, url: str, remote: Path, reader: str) -> None:
    """An ordinary clone, in which `dvc` finds the remote also where a template had none configured.

    Git finds the token `reader` in a file of the clone that nobody else may open.
    """
    _keep(_kept(into), url, reader)
    asked = [part for helper in _helpers(into) for part in ("-c", f"credential.helper={helper}")]
    subprocess.run(["git", *asked, "clone", "-q", url, str(into)], check=True)
    _ask_there(into)
    if not remote.exists():
        remote.mkdir()


def _helpers(clone: Path) -> tuple[str, str]:
    """None of the user's own, and then the file beside the clone."""
    return "", f"store --file={shlex.quote(str(_kept(clone)))}"


def _ask_there(clone: Path) -> None:
    """The folder may be a copy of one that lay elsewhere, so the place of the file is written anew."""
    git = ["git", "-C", str(clone), "config"]
    subprocess.run([*git, "--unset-all", "credential.helper"], check=False)
    for helper in _helpers(clone):
        subprocess.run([*git, "--add", "credential.helper", helper], check=True)


def _kept(clone: Path) -> Path:
    return clone.with_name(f"{clone.name}.reads")


def _keep(file: Path, url: str, reader: str) -> None:
    """https://git-scm.com/docs/git-credential-store#_storage_format"""
    file.touch(mode=0o600)
    file.write_text("/".join(url.replace("//", f"//x-access-token:{reader}@", 1).split("/")[:3]) + "\n")


def point_clone(into: Path, url: str, reader: str) -> None:
    """Tell an old clone the server's new address."""
    if into.exists():
        if url.startswith("http"):
            _keep(_kept(into), url, reader)
            _ask_there(into)
        subprocess.run(["git", "-C", str(into), "remote", "set-url", "origin", url], check=True)
