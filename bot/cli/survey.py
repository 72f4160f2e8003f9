"""What `mlbot init` and `doctor` find in somebody's repository: what stays to do, each with the commands for it."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.errors import UserError
from bot.specs.pointer import ARTIFACT_REMOTE

LFS = b"version https://git-lfs.github.com/spec/"


@dataclass(frozen=True)
class Step:
    """Something that the team must do: why, and the commands that do it."""

    sentence: str
    commands: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join((self.sentence, *(f"     {command}" for command in self.commands)))


def root_of(folder: Path) -> Path | None:
    """The root of the repository that a folder is; None when it is in none.

    Raises UserError for a folder further down in a repository: GitHub reads workflows at the root alone.
    """
    if not folder.is_dir():
        return None
    top = _git(folder, "rev-parse", "--show-toplevel").strip()
    if not top:
        return None
    if Path(top).resolve() != folder.resolve():
        hint = f"cd {shlex.quote(top)} && mlbot init; data and models of a service may lie in its own folder."
        raise UserError(f"{folder.resolve()} is a folder of the repository {top}", hint=hint, code="not_the_root")
    return Path(top).resolve()


def in_git(root: Path, path: str) -> list[str]:
    """Files at or below a path that Git holds."""
    return _git(root, "ls-files", "-z", "--", f":(literal){path}").split("\0")[:-1]


def ignored(root: Path, names: Sequence[str]) -> dict[str, str]:
    """Paths that Git ignores, each with the rule that says so (`.gitignore:7 /models/`)."""
    asked = "".join(f"{name}\0" for name in names)
    said = _git(root, "check-ignore", "-v", "-z", "--no-index", "--stdin", input_=asked).split("\0")
    rules = {}
    for file, line, pattern, path in zip(*(said[n:-1:4] for n in range(4)), strict=True):
        if not pattern.startswith("!"):
            rules[path] = f"{file}:{line} {pattern}"
    return rules


def hidden(root: Path, names: Sequence[str]) -> Iterator[Step]:
    """Paths that are to be committed and that Git ignores, a step for each rule."""
    by_rule: dict[str, list[str]] = {}
    for name, rule in ignored(root, [name for name in names if not in_git(root, name)]).items():
        by_rule.setdefault(rule, []).append(name)
    for rule, paths in by_rule.items():
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        sentence = f"{rule} hides {paths[0]}{more} from Git: without a change of that line nobody else gets it."
        tops = sorted({(name.split("/")[0], "/" in name) for name in paths})
        text = "\\n".join(f"!/{top}/\\n!/{top}/**" if is_folder else f"!/{top}" for top, is_folder in tops)
        yield Step(sentence, (rf"printf '{text}\n' >> .gitignore",))


def workflows(root: Path, ours: dict[str, str]) -> Iterator[Step]:
    """Workflows of the team whose file has the name of one of ours."""
    for name, text in ours.items():
        path = root / name
        if not name.startswith(".github/workflows/") or not path.is_file():
            continue
        if _started(path.read_text("utf-8", errors="replace")) != _started(text):
            new = name.replace(".yml", "-of-ours.yml")
            sentence = f"{name} is a workflow of your own, so that mlbot's does not run. Give yours another name."
            yield Step(sentence, (f"git mv {name} {new}", "mlbot init"))


def _started(text: str) -> object:
    """(name, what starts it) of a workflow; None when it is no YAML."""
    import yaml

    try:
        read = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    return (
        (read.get("name"), read.get("on", read.get(True))) if isinstance(read, dict) else None
    )  # YAML 1.1: on is true


def project(root: Path) -> Iterator[Step]:
    """A project of the team that does not bring mlbot."""
    import tomllib

    path = root / "pyproject.toml"
    if not path.is_file():
        return
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        yield Step("pyproject.toml cannot be read, and the workflows run `uv run mlbot`: mend it.")
        return
    groups = [found.get("project", {}).get("dependencies", []), *found.get("dependency-groups", {}).values()]
    if not any(str(text).startswith("mlbot") for group in groups for text in group):
        sentence = "pyproject.toml is yours and does not bring mlbot, which the workflows run by `uv run mlbot`."
        yield Step(sentence, ("uv add mlbot",))


def remote(root: Path) -> Iterator[Step]:
    """A remote of the team's that artifacts cannot be written to, or none."""
    from bot.adapters.dvc_store import artifact_remote, remote_url

    if not (root / ".dvc/config").is_file() or artifact_remote(root):
        return
    url = remote_url(root)
    if url is None:
        sentence = "DVC has no default remote: say where data and artifacts live."
        yield Step(sentence, ("dvc remote add --default storage s3://BUCKET/PATH",))
    elif url.startswith(("http://", "https://")):
        sentence = f"{url} can only be read. Artifacts need a place of their own:"
        yield Step(sentence, (f"dvc remote add {ARTIFACT_REMOTE} s3://BUCKET/PATH",))


def tracking(root: Path, data: str | None) -> tuple[str | None, list[Step]]:
    """(what `dvc add` can be given now, None when nothing; what must be done by hand before).

    `data` is the path of a first model's data, None without one: then the folder `data/`, where there is one.
    """
    path = data or "data"
    if not (root / path).exists() or is_tracked(root, path):
        return None, []
    if held := in_git(root, path):
        moved = shlex.quote(path)
        data_files = [name for name in held if not _marks_a_folder(name)] or held
        verb = "are" if len(data_files) > 1 else "is"
        sentence = f"{data_files[0]}{_more(data_files)} {verb} in Git; mlbot reads what DVC tracks."
        commands = (f"git rm -r --cached {moved}", f"dvc add {moved} && dvc push", "git add -A && git commit")
        is_meant = data is not None or not all(map(_marks_a_folder, held))
        return None, [Step(sentence, commands)] if is_meant else []
    pointers = list((root / path).rglob("*.dvc")) if (root / path).is_dir() else []
    if pointers:
        first = pointers[0].relative_to(root).as_posix()
        return None, [] if data is None else [
            Step(f"{path} holds data that DVC tracks file by file ({first}): name one.")
        ]
    whole = path.startswith("data/") and _is_free(root)
    return ("data" if whole else path), []


def _marks_a_folder(name: str) -> bool:
    """Whether a file is no data: it keeps a folder in Git, says what is in it, or is DVC's."""
    return Path(name).name.startswith(".git") or Path(name).suffix in (".md", ".dvc")


def _is_free(root: Path) -> bool:
    """Whether `data/` may become one folder of DVC: nothing in it is in Git, or is tracked by itself."""
    if in_git(root, "data") or any((root / "data").rglob("*.dvc")):
        return False
    return not any(one.startswith("data/") for one in _outputs(root))


def _outputs(root: Path) -> Iterator[str]:
    from bot.specs.tracked import LOCK, PIPELINE, read_tracked

    for lock in root.rglob(LOCK):
        pipeline = lock.with_name(PIPELINE)
        content = pipeline.read_bytes() if pipeline.is_file() else None
        for one in read_tracked(lock.read_bytes(), lock.relative_to(root).as_posix(), content):
            yield one.path


def is_tracked(root: Path, path: str) -> bool:
    """Whether a `.dvc` file or `dvc.lock` of the work tree tracks a path, or a folder that it lies in."""
    from bot.specs.tracked import read_tracked

    for folder in (Path(path), *Path(path).parents):
        for pointer in (root / folder.parent).glob("*.dvc") if folder != Path() else ():
            tracked = (
                read_tracked(pointer.read_bytes(), pointer.relative_to(root).as_posix()) if pointer.is_file() else ()
            )
            if any(one.covers(path) for one in tracked):
                return True
    return any(path == one or path.startswith(f"{one}/") for one in _outputs(root))


def lfs_pointers(root: Path, path: str) -> Iterator[Step]:
    """Files that are not here, but in Git's large file storage."""
    for name in in_git(root, path):
        file = root / name
        if file.is_file() and file.stat().st_size < 1024 and file.read_bytes().startswith(LFS):
            yield Step(f"{name} is a pointer of Git LFS and not the data.", ("git lfs pull",))
            return


def _more(names: Collection[str]) -> str:
    return f" and {len(names) - 1} more" if len(names) > 1 else ""


def _git(root: Path, *arguments: str, input_: str | None = None) -> str:
    """What git prints; nothing when it refuses (`check-ignore` ends with 1 when nothing is ignored)."""
    command = ["git", "-C", str(root), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, input=input_)
    return done.stdout
