"""The repository of a rehearsal: files from a template, its DVC remote moved to a local folder, a first commit."""

from __future__ import annotations

import configparser
import io
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from bot.errors import UserError
from bot.sandbox.hub import Hub
from bot.sandbox.people import Person
from bot.sandbox.store import Repository

_LEFT_OUT = {".git", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"}
_LINK, _PROGRAM, _FILE = "120000", "100755", "100644"


def files(template: Path) -> Iterator[tuple[str, bytes]]:
    """Path and bytes of every file: what git tracks, as it is on disk; everything, when it is no checkout.

    Raises UserError when the template is not a folder.
    """
    if not template.is_dir():
        raise UserError(f"{template}: the template is not a folder", hint="Name a folder with models/ and policies/.")
    for name in _tracked(template) or _found(template):
        path = template / name
        if path.is_symlink() or not path.is_file():
            continue
        yield name, path.read_bytes()


def _tracked(template: Path) -> list[str]:
    if not (template / ".git").exists():
        return []
    line = ["git", "-C", str(template), "ls-files", "-z"]
    done = subprocess.run(line, capture_output=True, check=False)
    return [name for name in done.stdout.decode().split("\0") if name]


def _found(template: Path) -> list[str]:
    names = (path.relative_to(template) for path in sorted(template.rglob("*")))
    return [name.as_posix() for name in names if not _LEFT_OUT & set(name.parts)]


def with_local_remote(given: Mapping[str, bytes], remote: Path, template: Path) -> dict[str, bytes]:
    """The files with the default DVC remote pointing to `remote`, and that remote filled from the template's own.

    The template's remote must be a folder (relative to .dvc, as DVC reads it) for its objects to come along.
    """
    remote.mkdir(parents=True, exist_ok=True)
    config = configparser.ConfigParser()
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


def clone(into: Path, url: str, remote: Path) -> None:
    """An ordinary clone, in which `dvc` finds the remote also where a template had none configured."""
    subprocess.run(["git", "clone", "-q", url, str(into)], check=True)
    if not remote.exists():
        remote.mkdir()


def point_clone(into: Path, url: str) -> None:
    """Tell an old clone the server's new address."""
    if into.exists():
        subprocess.run(["git", "-C", str(into), "remote", "set-url", "origin", url], check=True)
