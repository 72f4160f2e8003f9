"""A person's own clone, and git run in their name."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.errors import UserError
from bot.sandbox.people import Person


def git(person: Person, server: str, arguments: Sequence[str], cwd: Path) -> str:
    """Git's output. Raises UserError with what git said when it fails."""
    token = base64.b64encode(f"x-access-token:{person.secret}".encode()).decode()
    options = [
        f"user.name={person.login}",
        f"user.email={person.email}",
        f"http.{server}/.extraheader=AUTHORIZATION: basic {token}",
    ]
    line = ["git", *[part for option in options for part in ("-c", option)], *arguments]
    done = subprocess.run(line, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"git {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}", code="git")
    return done.stdout


@dataclass(frozen=True)
class Desk:
    """Where a person works: a clone in `folder`, made when it is first needed."""

    person: Person
    folder: Path
    server: str
    origin: str

    def git(self, *arguments: str) -> str:
        return git(self.person, self.server, arguments, self.folder)

    def commit(self, branch: str, files: Mapping[str, bytes | None], message: str, base: str | None) -> str:
        """Commit on the branch as it is at the server, or anew from `base`, and push; the commit."""
        if not self.folder.exists():
            self.folder.parent.mkdir(exist_ok=True)
            git(self.person, self.server, ["clone", "-q", self.origin, str(self.folder)], self.folder.parent)
        self.git("remote", "set-url", "origin", self.origin)
        self.git("fetch", "-q", "--prune", "origin")
        self.git("checkout", "-q", "--force", "-B", branch, f"origin/{base or branch}")
        for name, data in files.items():
            path = self.folder / name
            if data is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        self.git("add", "--all", "--force", "--", *files)
        self.git("commit", "-q", "-m", message)
        self.git("push", "-q", "origin", f"HEAD:refs/heads/{branch}")
        return self.git("rev-parse", "HEAD").strip()
