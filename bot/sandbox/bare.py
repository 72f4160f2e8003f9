"""A bare Git repository as GitHub's server sees it: refs, commits, differences, merges, without a work tree."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pygit2

from bot.sandbox.people import Person

_STATES = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "C": "copied", "T": "changed"}


class Bare:
    """One bare repository. Opened anew for every question, since `git push` writes to it from another process."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path, default_branch: str) -> Bare:
        """An empty repository that takes pushes over HTTP and lets nobody push to refs/pull/."""
        subprocess.run(["git", "init", "-q", "--bare", "-b", default_branch, str(path)], check=True)
        settings = {
            "http.receivepack": "true",
            "http.uploadpack": "true",
            "receive.hideRefs": "refs/pull",
            "uploadpack.allowAnySHA1InWant": "true",
            "uploadpack.allowFilter": "true",
            "core.logAllRefUpdates": "true",
            "gc.auto": "0",
        }
        with (path / "config").open("a") as file:
            for key, value in settings.items():
                section, name = key.split(".")
                file.write(f"[{section}]\n\t{name} = {value}\n")
        found = cls(path)
        found.put_hook()
        return found

    def put_hook(self) -> None:
        """What a push over HTTP is asked by; an older sandbox may have another hook, or none."""
        folder = self.path / "hooks"
        folder.mkdir(exist_ok=True)
        (folder / "update").unlink(missing_ok=True)
        shutil.copy(Path(__file__).parent / "hooks/proc-receive", folder / "proc-receive")
        (folder / "proc-receive").chmod(0o755)

    def set_head(self, branch: str) -> None:
        """Let HEAD, which a clone checks out, name a branch."""
        line = ["git", "-C", str(self.path), "symbolic-ref", "HEAD", f"refs/heads/{branch}"]
        subprocess.run(line, check=True)

    @property
    def git(self) -> Any:
        return pygit2.Repository(str(self.path))

    def refs(self) -> dict[str, str]:
        """Every ref and the object it points to (an annotated tag's own id)."""
        git = self.git
        return {name: str(git.references[name].resolve().target) for name in git.references}

    def ref(self, name: str) -> str | None:
        """The object that a full ref name points to, None when there is no such ref."""
        git = self.git
        try:
            return str(git.references[name].resolve().target)
        except (KeyError, ValueError):
            return None

    def branch(self, name: str) -> str | None:
        return self.ref(f"refs/heads/{name}")

    def commit(self, rev: str) -> Any | None:
        """The commit that a branch, tag or SHA means, None when there is none."""
        git = self.git
        for name in (f"refs/heads/{rev}", f"refs/tags/{rev}", rev):
            try:
                return git.revparse_single(name).peel(pygit2.Commit)
            except (KeyError, ValueError, pygit2.GitError):
                continue
        return None

    def object(self, sha: str) -> Any | None:
        git = self.git
        try:
            return git[sha]
        except (KeyError, ValueError):
            return None

    def fetch(self, other: Path, sha: str) -> None:
        """Bring a commit over from another bare repository of this server."""
        subprocess.run(["git", "-C", str(self.path), "fetch", "-q", str(other), sha], check=True)

    def fetch_all(self, other: Path) -> None:
        """Copy every branch and tag of another bare repository of this server."""
        refspecs = ("refs/heads/*:refs/heads/*", "refs/tags/*:refs/tags/*")
        subprocess.run(["git", "-C", str(self.path), "fetch", "-q", str(other), *refspecs], check=True)

    def set_ref(self, name: str, sha: str) -> None:
        self.git.references.create(name, sha, force=True)

    def delete_ref(self, name: str) -> None:
        self.git.references.delete(name)

    def merge_base(self, one: str, two: str) -> str | None:
        found = self.git.merge_base(one, two)
        return str(found) if found else None

    def between(self, base: str, head: str) -> list[Any]:
        """Commits reachable from `head` and not from `base`, oldest first."""
        walker = self.git.walk(head, pygit2.enums.SortMode.TOPOLOGICAL | pygit2.enums.SortMode.REVERSE)
        walker.hide(base)
        return list(walker)

    def log(self, head: str, path: str | None = None) -> Iterator[Any]:
        """Commits from `head` backwards; with `path` those that change it against their first parent."""
        for commit in self.git.walk(head, pygit2.enums.SortMode.TOPOLOGICAL | pygit2.enums.SortMode.TIME):
            if path is None or self._touches(commit, path):
                yield commit

    def _touches(self, commit: Any, path: str) -> bool:
        before = [_entry(parent.tree, path) for parent in commit.parents] or [None]
        return all(old != _entry(commit.tree, path) for old in before)

    def files(self, base: str | None, head: str) -> list[dict[str, Any]]:
        """Changed files as GitHub lists them: filename, status, counts, patch, blob id."""
        git = self.git
        new = git[head].peel(pygit2.Tree)
        old = git[base].peel(pygit2.Tree) if base else None
        diff = old.diff_to_tree(new) if old is not None else new.diff_to_tree(swap=True)
        diff.find_similar()
        return sorted((_file(patch) for patch in diff), key=lambda entry: str(entry["filename"]))

    def paths_changed(self, base: str | None, head: str) -> list[str]:
        """Names of changed files, both names of a rename."""
        names: set[str] = set()
        for entry in self.files(base, head):
            names.update({str(entry["filename"]), str(entry.get("previous_filename", entry["filename"]))})
        return sorted(names)

    def new_paths(self, sha: str) -> list[str]:
        """Files that commits reachable from `sha` and from no ref change."""
        line = ["git", "-C", str(self.path), "log", "--format=", "--name-only", "-z", "-m", sha, "--not", "--all"]
        done = subprocess.run(line, capture_output=True, check=False)
        return sorted({name.strip() for name in done.stdout.decode(errors="replace").split("\0") if name.strip()})

    def unreachable(self, sha: str) -> list[str]:
        """Commits reachable from `sha` and from no ref, newest first."""
        line = ["git", "-C", str(self.path), "rev-list", sha, "--not", "--all"]
        return subprocess.run(line, capture_output=True, text=True, check=False).stdout.split()

    def new_sizes(self, sha: str) -> list[int]:
        """Bytes of every file version that comes with `sha` and that no ref holds."""
        git = ["git", "-C", str(self.path)]
        line = [*git, "rev-list", "--objects", "--no-object-names", sha, "--not", "--all"]
        listed = subprocess.run(line, capture_output=True, check=False).stdout
        line = [*git, "cat-file", "--batch-check=%(objecttype) %(objectsize)"]
        done = subprocess.run(line, input=listed, capture_output=True, check=False).stdout.decode().splitlines()
        return [int(one.split()[1]) for one in done if one.startswith("blob ")]

    def merged_tree(self, ours: str, theirs: str) -> str | None:
        """The tree of a merge, None on a conflict."""
        git = self.git
        index = git.merge_commits(ours, theirs)
        return None if index.conflicts is not None else str(index.write_tree(git))

    def write_commit(
        self, tree: str, parents: list[str], message: str, *, author: Person, committer: Person, at: datetime
    ) -> str:
        """Store a commit and point nothing at it."""
        signatures = [pygit2.Signature(who.login, who.email, int(at.timestamp())) for who in (author, committer)]
        return str(self.git.create_commit(None, *signatures, message, tree, parents))

    def diff(self, base: str, head: str) -> bytes:
        """The difference of two commits as `git diff` prints it."""
        return self._printed("diff", "--no-color", base, head)

    def patch(self, base: str | None, head: str) -> bytes:
        """The commits from `base` to `head` as mails; the last alone without a base."""
        return self._printed("format-patch", "--stdout", *([f"{base}..{head}"] if base else ["-1", head]))

    def _printed(self, *line: str) -> bytes:
        return subprocess.run(["git", "-C", str(self.path), *line], capture_output=True, check=True).stdout

    def archive(self, sha: str, kind: str, prefix: str) -> bytes:
        """The files of a commit in one, `zip` or `tar.gz`, below a folder."""
        return self._printed("archive", f"--format={kind}", f"--prefix={prefix}", sha)

    def tree_with(self, base: str | None, files: Mapping[str, Any]) -> str:
        """The tree of a commit or tree with other files: None takes one out, else its blob, or (id, mode)."""
        git, index = self.git, pygit2.Index()
        if base:
            index.read_tree(git[base].peel(pygit2.Tree))
        for path, found in files.items():
            if found is None:
                index.remove_all([path])
            else:
                sha, mode = found if isinstance(found, tuple) else (found, _mode(index, path))
                if mode == pygit2.enums.FileMode.TREE:
                    index.remove_all([path])
                    self._add_tree(index, path, git[sha])
                else:
                    index.add(pygit2.IndexEntry(path, sha, pygit2.enums.FileMode(mode)))
        return str(index.write_tree(git))

    def _add_tree(self, index: Any, prefix: str, tree: Any) -> None:
        for child in tree:
            path = f"{prefix}/{child.name}"
            if child.type_str == "tree":
                self._add_tree(index, path, child)
            else:
                index.add(pygit2.IndexEntry(path, child.id, child.filemode))

    def signature(self, given: Any, person: Person, at: datetime) -> Any:
        """Who a commit says made it: what a request gives, filled up from a person."""
        given = given or {}
        when = datetime.fromisoformat(given["date"]) if given.get("date") else at
        name, email = given.get("name") or person.login, given.get("email") or person.email
        return pygit2.Signature(name, email, int(when.timestamp()))

    def picked_tree(self, onto: str, commit: Any) -> str | None:
        """The tree of `onto` with one commit's change on top, None on a conflict."""
        git = self.git
        before = commit.parents[0].tree if commit.parents else git.TreeBuilder().write()
        index = git.merge_trees(before, git[onto].tree, commit.tree)
        return None if index.conflicts is not None else str(index.write_tree(git))

    def write_copy(self, commit: Any, tree: str, parent: str, *, committer: Person, at: datetime) -> str:
        """The commit anew with another tree, parent and committer; its author stays."""
        signature = pygit2.Signature(committer.login, committer.email, int(at.timestamp()))
        return str(self.git.create_commit(None, commit.author, signature, commit.message, tree, [parent]))

    def read(self, rev: str, path: str) -> bytes | None:
        """A file's bytes at a commit, None when it is not there or no file."""
        commit = self.commit(rev)
        entry = _find(commit.tree, path) if commit else None
        return bytes(entry.data) if entry is not None and entry.type_str == "blob" else None

    def folder(self, rev: str, path: str) -> dict[str, Any]:
        """Entries of a folder by name, empty when it is not there."""
        commit = self.commit(rev)
        entry = commit and (_find(commit.tree, path) if path else commit.tree)
        return {child.name: child for child in entry} if entry is not None and entry.type_str == "tree" else {}


def _mode(index: Any, path: str) -> Any:
    return index[path].mode if path in index else pygit2.enums.FileMode.BLOB


def moment(when: Any) -> datetime:
    """A pygit2 signature's time in UTC."""
    return datetime.fromtimestamp(when.time, UTC)


def _find(tree: Any, path: str) -> Any | None:
    try:
        return tree[path]
    except (KeyError, ValueError):
        return None


def _entry(tree: Any, path: str) -> str | None:
    found = _find(tree, path)
    return str(found.id) if found is not None else None


def _file(patch: Any) -> dict[str, Any]:
    delta = patch.delta
    _, added, removed = patch.line_stats
    status = _STATES.get(delta.status_char(), "modified")
    gone = status == "removed"
    entry: dict[str, Any] = {
        "sha": str((delta.old_file if gone else delta.new_file).id),
        "filename": delta.old_file.path if gone else delta.new_file.path,
        "status": status,
        "additions": added,
        "deletions": removed,
        "changes": added + removed,
    }
    if status == "renamed":
        entry["previous_filename"] = delta.old_file.path
    if not delta.is_binary and patch.hunks:
        text = patch.text or ""
        entry["patch"] = text[text.find("\n@@") + 1 :].rstrip("\n")
    return entry
