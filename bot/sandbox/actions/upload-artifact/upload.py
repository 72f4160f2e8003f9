"""Copy the files that the patterns name into the run's store, laid out as the real one does."""

import glob
import hashlib
import os
import shutil
import sys
from pathlib import Path


def _files(patterns: list[str], hidden: bool) -> list[Path]:
    kept: dict[Path, None] = {}
    for pattern in patterns:
        negative = pattern.startswith("!")
        bare = pattern.removeprefix("!").strip()
        for name in sorted(glob.glob(bare, recursive=True, include_hidden=hidden)):  # noqa: PTH207, hidden files
            path = Path(name)
            found = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
            for one in found:
                if not hidden and any(part.startswith(".") and part not in (".", "..") for part in one.parts):
                    continue
                if negative:
                    kept.pop(one.absolute(), None)
                else:
                    kept[one.absolute()] = None
    return list(kept)


def _search_path(pattern: str) -> Path:
    """The part of a pattern before its first wildcard."""
    parts = []
    for part in Path(pattern).parts:
        if any(letter in part for letter in "*?["):
            break
        parts.append(part)
    return Path(*parts).absolute()


def _root(patterns: list[str], files: list[Path]) -> Path:
    """The folder that file names in the artifact are relative to: what the search paths have in common."""
    paths = [_search_path(pattern) for pattern in patterns if not pattern.startswith("!")]
    if len(paths) > 1:
        return Path(os.path.commonpath(paths))
    return paths[0].parent if files == paths else paths[0]


def main() -> int:
    name, store = os.environ["NAME"], Path(os.environ["SANDBOX_ARTIFACTS"])
    if not name or any(letter in name for letter in '":<>|*?\r\n\\/'):
        print(f"::error::The artifact name is not valid: {name}. Contains an invalid character")
        return 1
    patterns = [line.strip() for line in os.environ["FILES"].splitlines() if line.strip()]
    files = _files(patterns, os.environ["HIDDEN"] == "true")
    if not files:
        level = os.environ["NONE"]
        if level != "ignore":
            word = "error" if level == "error" else "warning"
            print(f"::{word}::No files were found with the provided path: {patterns}. No artifacts will be uploaded.")
        return int(level == "error")
    target = store / name
    if target.exists() and os.environ["OVERWRITE"] != "true":
        print(
            f"::error::Failed to CreateArtifact: an artifact with this name already exists on the workflow run: {name}"
        )
        return 1
    shutil.rmtree(target, ignore_errors=True)
    root, digest = _root(patterns, files), hashlib.sha256()
    for one in sorted(files):
        inside = target / one.relative_to(root)
        inside.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(one, inside)
        digest.update(one.read_bytes())
    number = int(hashlib.sha256(f"{os.environ['GITHUB_RUN_ID']}/{name}".encode()).hexdigest()[:7], 16)
    home = f"{os.environ['GITHUB_SERVER_URL']}/{os.environ['GITHUB_REPOSITORY']}"
    run = f"{home}/actions/runs/{os.environ['GITHUB_RUN_ID']}"
    with Path(os.environ["GITHUB_OUTPUT"]).open("a") as output:
        output.write(f"artifact-id={number}\nartifact-url={run}/artifacts/{number}\n")
        output.write(f"artifact-digest={digest.hexdigest()}\n")
    print(f"Artifact {name} has been successfully uploaded: {len(files)} files")
    return 0


sys.exit(main())
