"""The local repository: objects read through libgit2 without a checkout; fetch and push through git itself."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from bot.adapters.git_depth import deepen, unknown_past
from bot.adapters.git_objects import Objects, refused
from bot.adapters.git_refusals import fetch_error as _fetch_error
from bot.adapters.git_refusals import is_locked, lost_race, only_tags_moved
from bot.adapters.git_refusals import push_error as _push_error
from bot.adapters.git_tree import BLOB, FOLDER, LINK, SUBMODULE, beside, entries_of, kind_of, oids_of, place_of, text_of
from bot.errors import UserError, WorldError
from bot.ports import Change, Tag, TreeEntry

# The account that GITHUB_TOKEN acts as: https://api.github.com/users/github-actions[bot]
BOT_NAME = "github-actions[bot]"
BOT_EMAIL = "41898282+github-actions[bot]@users.noreply.github.com"
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
STAMPS = "refs/mlbot/"  # on origin: no branch and no tag, so nothing shows them and no history of them grows
SEEN = "refs/mlbot/seen/"  # in this clone: the last tip of a branch that origin has no more
PUSH_ATTEMPTS = 8
FETCH_WAITS_S = (0.1, 0.4, 1.0, 2.0)  # while another git of this clone writes the same refs
MOST_OF_A_LINE = 100
# What a head stands for changes when it is evaluated again (a training that failed, a champion that moved).
REWRITABLE = ("heads/", "plans/")


def credentials(server_url: str, token: str | None) -> dict[str, str]:
    """Environment that lets git send `token` to `server_url` only; nothing is written to any configuration file."""
    if not token:
        return {}
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{server_url.rstrip('/')}/.extraheader",
        "GIT_CONFIG_VALUE_0": f"AUTHORIZATION: basic {basic}",
    }


class LocalGit:
    """Port Git on the repository at `path`. `environ` is added to that of git (see `credentials`)."""

    def __init__(self, path: Path, environ: Mapping[str, str] | None = None) -> None:
        import pygit2

        self.path = path
        # in English, whatever language the machine speaks: what went wrong is read from git's words
        self.environ = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "LANGUAGE": "", **(environ or {})}
        try:
            self.repository = pygit2.Repository(str(path))
        except pygit2.GitError:
            raise refused(str(path), self.run) from None
        self.objects = Objects(self.repository, self.run)
        self.whole: set[str] = set()  # branches of which a shallow clone has fetched the past

    def reopen(self) -> None:
        """Read anew where this clone ends, which libgit2 remembers."""
        import pygit2

        self.repository = pygit2.Repository(str(self.path))
        self.objects = Objects(self.repository, self.run)

    def run(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """git itself; never raises, the caller reads `returncode` and `stderr`."""
        return subprocess.run(
            ["git", "-C", str(self.path), *arguments], env=self.environ, capture_output=True, text=True,
            encoding="utf-8", errors="replace", check=False, input=stdin,
        )  # fmt: skip

    def default_branch(self) -> str:
        """What origin calls its default branch, by this clone, or by origin where the clone does not know.

        Raises UserError (code `no_default_branch`) when neither tells.
        """
        known = self.run("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD").stdout.strip()
        if known:
            return known.removeprefix("origin/")
        told = self.run("ls-remote", "--symref", "origin", "HEAD").stdout
        found = re.match(r"ref: refs/heads/(\S+)\tHEAD", told)
        if not found:
            hint = "`git remote set-head origin -a` asks origin; `git remote set-head origin NAME` says it."
            raise UserError("this clone does not know the default branch", hint=hint, code="no_default_branch")
        return found[1]

    def resolve(self, rev: str) -> str:
        import pygit2

        try:
            found = self.repository.revparse_single(rev)
            return str(found.peel(pygit2.Commit).id)
        except (KeyError, ValueError, pygit2.GitError):
            raise UserError(
                f"no commit {rev!r} in this repository", hint="Fetch it first: `git fetch origin`.", code="ref_missing"
            ) from None

    def tree(self, sha: str) -> Any:
        """The tree of a commit."""
        return self.objects.get(self.repository[sha].tree_id)

    def _node(self, sha: str, path: str) -> tuple[int, Any] | None:
        """Mode and object at a path, None when nothing is there."""
        mode, node = FOLDER, self.tree(sha)
        for part in [part for part in path.split("/") if part]:
            # A link is a blob and a submodule is not here: neither is ever walked through.
            if mode != FOLDER or part not in node or node[part].filemode == SUBMODULE:
                return None
            mode, node = node[part].filemode, self.objects.get(node[part].id, beside(node))
        return mode, node

    def folder(self, sha: str, path: str) -> Any | None:
        """The tree at a path, None when no folder is there."""
        found = self._node(sha, path)
        return found[1] if found and found[0] == FOLDER else None

    def entries(self, sha: str, path: str = "") -> dict[str, TreeEntry]:
        node = self.folder(self.resolve(sha), path)
        found = ((text_of(name), mode, oid) for name, (mode, oid) in entries_of(node).items())
        return {name: TreeEntry(name, kind_of(mode), oid) for name, mode, oid in found}

    def read(self, sha: str, path: str) -> bytes | None:
        found = self._node(self.resolve(sha), path)
        return bytes(found[1].data) if found and found[0] not in (FOLDER, LINK) else None

    def changes(self, base: str, head: str, *, under: Sequence[str] = ()) -> list[Change]:
        one, two = (self.tree(self.resolve(rev)) for rev in (base, head))
        found = self._differences(one, two, b"")
        if under:
            roots = tuple(root.rstrip("/") for root in under)
            found = (c for c in found if any(c.path == root or c.path.startswith(root + "/") for root in roots))
        return sorted(found, key=lambda change: change.path)

    def _differences(self, one: Any, two: Any, prefix: bytes) -> Iterator[Change]:
        """Like libgit2's diff of trees, which opens every folder; this opens those that differ."""
        old, new = entries_of(one), entries_of(two)
        for name in old.keys() | new.keys():
            pair = (old.get(name), new.get(name))
            if pair[0] == pair[1]:
                continue
            files = [entry[1] if entry and entry[0] != FOLDER else None for entry in pair]
            folders = [self.objects.get(entry[1]) if entry and entry[0] == FOLDER else None for entry in pair]
            if any(files):
                yield Change(text_of(prefix + name), files[0], files[1])
            if any(folders):
                yield from self._differences(folders[0], folders[1], prefix + name + b"/")

    def merge_base(self, one: str, two: str) -> str | None:
        import pygit2

        try:
            found = self.repository.merge_base(self.resolve(one), self.resolve(two))
        except pygit2.GitError:  # libgit2 walks past the boundary of a shallow clone
            raise unknown_past(f"where {one[:12]} and {two[:12]} part") from None
        if found is None and self.repository.is_shallow:
            raise unknown_past(f"where {one[:12]} and {two[:12]} part")
        return str(found) if found else None

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        import pygit2

        old, new = self.resolve(ancestor), self.resolve(descendant)
        try:
            return old == new or bool(self.repository.descendant_of(new, old))
        except pygit2.GitError:
            raise unknown_past(f"whether {old[:12]} is behind {new[:12]}") from None

    def line(self, old: str, new: str) -> list[str]:
        found: list[str] = []
        one = self.repository.get(new)
        while one is not None and str(one.id) != old and len(found) < MOST_OF_A_LINE:
            found.append(str(one.id))
            one = self.repository.get(one.parent_ids[0]) if one.parent_ids else None
        return found[::-1] if one is not None and str(one.id) == old else [new]

    def fetch(self, *refspecs: str) -> None:
        # not --quiet, which says nothing of a reference that it does not update
        line = ("fetch", "--no-progress", "--no-recurse-submodules", "--no-write-fetch-head", "origin", *refspecs)
        done = self.run(*line)
        for wait_s in FETCH_WAITS_S:
            if not done.returncode or not is_locked(done.stderr):
                break
            time.sleep(wait_s)
            done = self.run(*line)
        if done.returncode and not only_tags_moved(done.stderr):
            raise _fetch_error(done.stderr)

    def tags(self, model: str | None = None) -> list[Tag]:
        import pygit2

        found = []
        for name in self.repository.references:
            if not name.startswith(tuple(f"refs/tags/{model}{end}" for end in "@#") if model else "refs/tags/"):
                continue
            tag = self.repository[self.repository.references[name].target]
            if isinstance(tag, pygit2.Tag):  # lightweight tags carry no word of anybody
                at = datetime.fromtimestamp(tag.tagger.time if tag.tagger else 0, UTC)
                commit = str(tag.get_object().peel(pygit2.Commit).id)
                found.append(Tag(name.removeprefix("refs/tags/"), commit, tag.message, at))
        return sorted(found, key=lambda tag: (tag.at, tag.name))

    def stamp(self, name: str) -> datetime | None:
        import pygit2

        found = self.repository.references.get(f"{STAMPS}{name}")
        if found is None:
            return None
        return datetime.fromtimestamp(self.repository[found.target].peel(pygit2.Commit).commit_time, UTC)

    def set_stamp(self, name: str, at: datetime) -> bool:
        import pygit2

        ref, who = f"{STAMPS}{name}", pygit2.Signature(BOT_NAME, BOT_EMAIL, int(at.timestamp()))
        tree = self.repository.TreeBuilder().write()
        new = str(self.repository.create_commit(None, who, who, f"{name}\n", tree, []))
        there = self.repository.references.get(ref)
        lease = f"--force-with-lease={ref}:{there.target if there else ''}"
        done = self.run("push", "--quiet", lease, "origin", f"{new}:{ref}")
        if done.returncode and not lost_race(done.stderr):
            raise _push_error(f"reference {ref}", done.stderr)
        if not done.returncode:
            self.repository.references.create(ref, new, force=True)
        return not done.returncode

    def push_tag(self, name: str, sha: str, message: str, *, at: datetime) -> None:
        import pygit2

        found = self.repository.references.get(f"refs/tags/{name}")
        there = found is not None and str(found.peel(pygit2.Commit).id) == sha
        source = f"refs/tags/{name}" if there else self._tag_object(name, sha, message, at)
        done = self.run("push", "--quiet", "origin", f"{source}:refs/tags/{name}")
        if done.returncode:
            raise _push_error(f"tag {name}", done.stderr)
        if not there:  # only now: what a run that dies in between leaves here must not pass for a tag of origin
            self.repository.references.create(f"refs/tags/{name}", pygit2.Oid(hex=source))

    def _tag_object(self, name: str, sha: str, message: str, at: datetime) -> str:
        import pygit2

        tagger = f"{BOT_NAME} <{BOT_EMAIL}> {int(at.timestamp())} +0000"
        content = f"object {sha}\ntype commit\ntag {name}\ntagger {tagger}\n\n{message}"
        return str(self.repository.write(pygit2.enums.ObjectType.TAG, content.encode()))


class GitBranch:
    """Port Branch: `name` on origin, written by compare-and-swap.

    `append_only` refuses to change what is there, except below the folders of REWRITABLE.
    """

    def __init__(self, git: LocalGit, name: str, *, append_only: bool = False) -> None:
        self.git = git
        self.name = name
        self.append_only = append_only
        self.ref = f"refs/remotes/origin/{name}"

    def refresh(self) -> None:
        """Fetch the tip; a branch that origin does not have (any more) counts as not existing."""
        try:
            self.git.fetch(f"+refs/heads/{self.name}:{self.ref}")
        except UserError as error:
            if error.code != "ref_missing":
                raise
            if self.ref in self.git.repository.references:  # kept, so that it can be put back
                self.git.repository.references.create(f"{SEEN}{self.name}", self.head(), force=True)
                self.git.repository.references.delete(self.ref)

    def head(self) -> str | None:
        found = self.git.repository.references.get(self.ref)
        return str(found.target) if found else None

    def get(self, path: str) -> bytes | None:
        tip = self.head()
        return self.git.read(tip, path) if tip else None

    def paths(self, prefix: str = "") -> list[str]:
        tip = self.head()
        if tip is None:
            return []
        folder = prefix.rpartition("/")[0]
        found = self._walk(self.git.folder(tip, folder), folder + "/" if folder else "")
        return sorted(path for path in found if path.startswith(prefix))

    def prefetch(self, paths: Sequence[str]) -> None:
        if self.git.objects.is_partial and (tip := self.head()) is not None:
            self.git.objects.prefetch(oids_of(paths, partial(self.git.folder, tip)))

    def _walk(self, tree: Any, prefix: str) -> Iterator[str]:
        entries = entries_of(tree)
        folders = [oid for mode, oid in entries.values() if mode == FOLDER]
        for name, (mode, oid) in entries.items():
            if mode == FOLDER:
                yield from self._walk(self.git.objects.get(oid, folders), f"{prefix}{text_of(name)}/")
            else:
                yield prefix + text_of(name)

    def commit(
        self, files: Mapping[str, bytes | None], message: str, *, expect: Mapping[str, bytes | None] | None = None
    ) -> str | None:
        for _ in range(PUSH_ATTEMPTS):
            tip = self.head()
            for path, data in (expect or {}).items():
                if (self.git.read(tip, path) if tip else None) != data:
                    raise UserError(f"{self.name}: {path} was changed by somebody else meanwhile", code="branch_moved")
            new = self._write(tip, files, message)
            if new is None:
                return None
            lease = f"--force-with-lease=refs/heads/{self.name}:{tip or ''}"
            done = self.git.run("push", "--quiet", lease, "origin", f"{new}:refs/heads/{self.name}")
            if done.returncode == 0:
                self.git.repository.references.create(self.ref, new, force=True)
                return new
            if not lost_race(done.stderr):
                raise _push_error(f"branch {self.name}", done.stderr)
            self.refresh()
        raise WorldError(f"branch {self.name} moved {PUSH_ATTEMPTS} times while it was written", hint="Run this again.")

    def _write(self, tip: str | None, files: Mapping[str, bytes | None], message: str) -> str | None:
        import pygit2

        repository = self.git.repository
        staged = {path: data for path, data in files.items() if self._differs(tip, path, data)}
        if not staged:
            return None
        tree = self._tree(self.git.tree(tip) if tip else None, staged)
        who = pygit2.Signature(BOT_NAME, BOT_EMAIL)
        parents = [pygit2.Oid(hex=tip)] if tip else []
        return str(repository.create_commit(None, who, who, message, pygit2.Oid(hex=tree), parents))

    def _tree(self, old: Any | None, files: Mapping[str, bytes | None]) -> str:
        """Write a folder with these files (None removes) in it; only the folders on the way are read and written."""
        import pygit2

        entries, below = entries_of(old), dict[str, dict[str, bytes | None]]()
        for path, data in files.items():
            name, _, rest = path.partition("/")
            if rest:
                below.setdefault(name, {})[rest] = data
            elif data is None:
                entries.pop(name.encode(), None)
            else:
                entries[name.encode()] = (BLOB, str(self.git.repository.create_blob(data)))
        for name, inside in below.items():
            mode, oid = entries.pop(name.encode(), (0, ""))
            tree = self._tree(self.git.objects.get(oid) if mode == FOLDER else None, inside)
            if tree != EMPTY_TREE:
                entries[name.encode()] = (FOLDER, tree)
        raw = b"".join(
            b"%o %s\0%s" % (mode, name, bytes.fromhex(oid))
            for name, (mode, oid) in sorted(entries.items(), key=place_of)
        )
        return str(self.git.repository.write(pygit2.enums.ObjectType.TREE, raw))

    def _differs(self, tip: str | None, path: str, data: bytes | None) -> bool:
        """Whether the file must be written. Raises UserError when an append-only branch has another one there."""
        there = self.git.read(tip, path) if tip else None
        if there == data:
            return False
        if self.append_only and there is not None and not path.startswith(REWRITABLE):
            raise UserError(f"{self.name}: {path} is there already and differs", code="ledger_conflict")
        return True

    def _whole(self) -> str | None:
        """The tip, with all that is behind it: where a clone is shallow, questions about the past fetch that first."""
        deepen(self.git, self.name)
        return self.head()

    def log(self, path: str = "") -> list[tuple[str, datetime, str]]:
        tip = self._whole()
        if tip is None:
            return []
        scope = ["--", path] if path else []
        done = self.git.run("log", "--format=%H%x1f%ct%x1f%B%x1e", tip, *scope)
        rows = [row.strip("\n").split("\x1f", 2) for row in done.stdout.split("\x1e") if row.strip()]
        return [(sha, datetime.fromtimestamp(int(at), UTC), text.strip()) for sha, at, text in rows]

    def written(self, prefix: str) -> dict[str, datetime]:
        tip, folder = self._whole(), prefix.rpartition("/")[0]
        if tip is None:
            return {}
        scope = ["--", folder] if folder else []
        found: dict[str, datetime] = {}
        shown = ("-z", "--format=%x1e%ct", "--name-only", "--diff-filter=A", "--no-renames")
        done = self.git.run("log", *shown, tip, *scope)
        for commit in done.stdout.split("\x1e")[1:]:
            at, *names = commit.replace("\n", "\0").split("\0")
            found |= {name: datetime.fromtimestamp(int(at), UTC) for name in names if name.startswith(prefix)}
        return found
