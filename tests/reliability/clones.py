"""People's clones, as git makes them: partial ones, with a tag that moves, on a machine that does not speak English."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import subprocess
import tempfile
from pathlib import Path
from unittest import mock

from bot import cli
from tests.reliability.stage import Stage

KINDS = {"plain": (), "partial": ("--filter=blob:none",), "german": ()}
VERBS = (("environments",), ("history", "churn"))


@functools.cache
def german() -> dict[str, str]:
    """The environment of somebody whose git speaks German; empty where this machine has no German."""
    folder = tempfile.mkdtemp(prefix="locale-")
    line = ["localedef", "-i", "de_DE", "-f", "UTF-8", f"{folder}/de_DE.UTF-8"]
    with contextlib.suppress(OSError):
        if subprocess.run(line, capture_output=True, check=False).returncode == 0:
            return {"LANG": "de_DE.UTF-8", "LOCPATH": folder}
    return {}


def use(stage: Stage, kind: str, verb: tuple[str, ...]) -> None:
    """A release verb in a clone of this kind, which is made when it is first used; what goes wrong is noted."""
    bare, folder = stage.hub.bare(stage.repo), stage.folder / f"clone-{kind}"
    bare.set_ref("refs/tags/nightly", bare.branch(stage.default) or "")  # a tag that a team moves
    if not folder.exists():
        line = ["git", "clone", "-q", *KINDS[kind], f"file://{bare.path.resolve()}", str(folder)]
        subprocess.run(line, check=True, capture_output=True)
        stage.git.clones |= {folder, folder.resolve()}
    said = io.StringIO()
    words = german() if kind == "german" else {}
    with mock.patch.dict(os.environ, words), _inside(folder), contextlib.redirect_stderr(said):
        for name in ("LC_ALL", "LANGUAGE"):
            os.environ.pop(name, None) if words else None
        with contextlib.redirect_stdout(said):
            code = cli.run(list(verb))
    if code > (0 if verb == ("environments",) else 1):
        stage.in_clones.append((f"{verb[0]} in a {kind} clone ended with {code}", said.getvalue()[-400:]))


@contextlib.contextmanager
def _inside(folder: Path):  # type: ignore[no-untyped-def]
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
