"""`mlbot init`: what a repository needs so that mlbot can run in it; nothing that is there is ever changed."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.errors import UserError

if TYPE_CHECKING:
    from bot.cli.survey import Step

# Copied from mlbot's own repository; `ci.yml` and `arm64.yml` test mlbot itself.
COPIED = ("policies/**/*.yaml", ".github/workflows/*.yml", "docs/schemas/*.json", "docs/rulesets/*.json")
NOT_COPIED = (".github/workflows/ci.yml", ".github/workflows/arm64.yml")

WRITTEN = {
    ".dvc/config": (
        "[core]\n    remote = embedded\n    analytics = false\n['remote \"embedded\"']\n    url = embedded\n"
    ),
    ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n",
    ".dvcignore": "# Patterns of files that DVC ignores.\n",
    "models/README.md": (
        "# Models\n\nA folder a model: `model.yaml` says what it is, `schema.yaml` what its data must look like.\n"
        "`mlbot validate` checks them, `mlbot schema model` prints every key.\n"
    ),
}

WORKS = ("data", "train", "report", "serve", "promote", "monitor", "sandbox", "dask", "sigstore")  # extras, by work


@click.command(name="init")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(file_okay=False, path_type=Path))
@click.option("--data", metavar="PATH", help="Data of a first model: a file or a folder of the repository.")
@click.option("--target", metavar="COLUMN", help="What the first model predicts.")
@click.option("--dry-run", is_flag=True, help="Say what would be written and what is in the way; write nothing.")
def command(folder: Path, data: str | None, target: str | None, dry_run: bool) -> None:
    """Add models/, policies/, workflows and DVC set-up to the repository in DIR (made when it is not one).

    With --data and --target, also a first model with its data contract, drafted from the data. Everything is judged
    before anything is written. What is there stays as it is, and a second run adds only what is missing.
    """
    from bot.cli import survey

    there = survey.root_of(folder)
    root = there or folder.resolve()
    files = dict(_files(root))
    path = _inside(root, data) if data is not None else None
    if path is not None or target is not None:
        files |= _draft(root, path, target)
    new = [name for name in files if not (root / name).exists()]
    tracked, steps = survey.tracking(root, path) if there or root.is_dir() else (None, [])
    steps = [*survey.lfs_pointers(root, path or "data"), *steps, *survey.remote(root)] if there else steps
    steps += [*survey.workflows(root, files), *survey.project(root)]
    if dry_run:
        _say_plan(new, tracked)
    else:
        if there is None:
            root.mkdir(parents=True, exist_ok=True)
            subprocess.run(["git", "init", "-q", "-b", "main", str(root)], check=True)
        for name, text in files.items():
            _write(root, name, text)
        if path is None or path.startswith("data/"):
            _ignore_data(root, tracked)
        steps = [*(_track(root, tracked) if tracked else ()), *steps]
    steps += survey.hidden(root, [*files, *([f"{tracked}.dvc"] if tracked else [])]) if there else []
    click.echo(_next_steps(root, steps, files))


def _inside(root: Path, data: str) -> str:
    """The path from the root, however it was written. Raises UserError for one outside."""
    try:
        return (root / data).resolve().relative_to(root).as_posix()
    except ValueError:
        hint = f"Copy or link it into {root}: DVC tracks what lies in the repository."
        raise UserError(f"{data} lies outside the repository", hint=hint, code="data_path_outside") from None


def _say_plan(new: list[str], tracked: str | None) -> None:
    for name in new:
        click.echo(f"  would write  {name}")
    if tracked:
        click.echo(f"  would track  {tracked} (`dvc add {tracked}`, `dvc push`)")


def templates() -> Path:
    """The folder of what is copied: the checkout that this program runs from, or what its wheel brings along."""
    import bot

    package = Path(bot.__file__).resolve().parent
    return package.parent if (package.parent / "policies/roles.yaml").is_file() else package / "shipped"


def shipped_workflows() -> dict[str, str]:
    """Path -> text of the workflows that are copied."""
    source = templates()
    found = (path.relative_to(source).as_posix() for path in sorted(source.glob(".github/workflows/*.yml")))
    return {name: (source / name).read_text(encoding="utf-8") for name in found if name not in NOT_COPIED}


def _files(root: Path) -> Iterator[tuple[str, str]]:
    source = templates()
    for pattern in COPIED:
        for path in sorted(source.glob(pattern)):
            name = path.relative_to(source).as_posix()
            if name not in NOT_COPIED:
                yield name, path.read_text(encoding="utf-8")
    yield from WRITTEN.items()
    yield "pyproject.toml", _project(root.name, source)


def _project(name: str, source: Path) -> str:
    """A uv project that brings mlbot, for the workflows' `uv run mlbot`; from where this checkout came."""
    if not (source / "bot").is_dir():
        return _project_of(name, None)
    git = ["git", "-C", str(source)]
    url = subprocess.run(
        [*git, "remote", "get-url", "origin"], capture_output=True, text=True, check=False
    ).stdout.strip()
    rev = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
    is_public = url.startswith(("https://", "ssh://")) and rev
    return _project_of(name, f'mlbot = {{ git = "{url}", rev = "{rev}" }}' if is_public else None)


def _project_of(name: str, mlbot: str | None) -> str:
    """The text of pyproject.toml; `mlbot` is the line that says where mlbot comes from, None for the package index."""
    python = metadata("mlbot")["Requires-Python"]  # uv finds no versions for a Python that mlbot does not take
    lines = ["[project]", f'name = "{_plain(name)}"', 'version = "0"', f'requires-python = "{python}"']
    lines += ['dependencies = ["mlbot"]', "", "[project.optional-dependencies]  # each workflow installs what it needs"]
    lines += [f'{extra} = ["mlbot[{extra}]"]' for extra in WORKS]
    lines += ["", "[tool.uv.sources]", mlbot] if mlbot else []
    return "\n".join([*lines, "", "[tool.uv]", "package = false", ""])


def _plain(name: str) -> str:
    text = "".join(character if character.isalnum() and character.isascii() else "-" for character in name.lower())
    return text.strip("-") or "models"


def _write(root: Path, name: str, text: str) -> None:
    path = root / name
    if path.exists():
        if path.read_text(encoding="utf-8", errors="replace") != text:
            click.echo(f"  kept    {name} (it is there)")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    click.echo(f"  wrote   {name}")


def _ignore_data(root: Path, tracked: str | None) -> None:
    """Keep data out of Git until DVC, which ignores what it tracks by itself, has them: only where nothing is yet."""
    from bot.cli.survey import ignored, in_git

    if tracked or ((root / "data").exists() and (any((root / "data").rglob("*.dvc")) or in_git(root, "data"))):
        return
    if ignored(root, ["data/x"]) or ignored(root, ["data"]):
        return
    path = root / ".gitignore"
    text = path.read_bytes() if path.exists() else b""
    end = b"\r\n" if b"\r\n" in text else b"\n"
    path.write_bytes(text + (end if text and not text.endswith(b"\n") else b"") + b"/data" + end)
    click.echo("  ignored /data in .gitignore (DVC will track it)")


def _draft(root: Path, data: str | None, target: str | None) -> dict[str, str]:
    """Path -> text of a first model."""
    from bot.adapters.described import described
    from bot.specs.draft import draft_contract, draft_model, model_name

    if data is None or target is None:
        raise UserError("--data and --target go together", hint="mlbot init --data data/x.csv --target COLUMN")
    table, how = described(root, data)
    folder = f"models/{model_name(data)}"
    return {
        f"{folder}/model.yaml": draft_model(table, how, target, _owner(root)),
        f"{folder}/schema.yaml": draft_contract(table),
    }


def _owner(root: Path) -> str:
    done = subprocess.run(
        ["git", "-C", str(root), "config", "github.user"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "owner"


def _track(root: Path, path: str) -> list[Step]:
    """`dvc add` and `dvc push`; what they refuse becomes a step, in DVC's words."""
    from bot.cli.survey import Step

    for arguments in (["add", path], ["push"]):
        command = [sys.executable, "-m", "dvc", *arguments]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        if done.returncode:
            said = next((line for line in done.stderr.splitlines() if line.startswith("ERROR")), done.stderr.strip())
            return [
                Step(
                    f"`dvc {shlex.join(arguments)}` was refused: {said[:500]}",
                    ("dvc doctor", f"dvc add {path} && dvc push"),
                )
            ]
    click.echo(f"  tracked {path} by {path}.dvc, pushed to the DVC remote")
    return []


def _next_steps(root: Path, found: list[Step], files: Mapping[str, str]) -> str:
    steps = [
        *map(str, found),
        "Write your people into policies/roles.yaml (`gh api users/LOGIN --jq .id` gives the number).",
        "`uv lock`, then `mlbot validate`, then commit everything.",
        "`mlbot doctor` says what the repository on GitHub still needs.",
    ]
    project = root / "pyproject.toml"
    text = project.read_text(encoding="utf-8") if project.exists() else files["pyproject.toml"]
    if "tool.uv.sources" not in text:
        steps.insert(-2, "Say in pyproject.toml where mlbot comes from: `[tool.uv.sources]`, `mlbot = { git = ... }`.")
    if (root / ".dvc/config").exists() and "url = embedded" in (root / ".dvc/config").read_text(encoding="utf-8"):
        steps.insert(
            -2, "Bytes live in .dvc/embedded until you choose a place: `dvc remote modify embedded url s3://...`."
        )
    if not any((root / "models").glob("*/model.yaml")):
        steps.insert(0, "A first model: `mlbot init --data PATH --target COLUMN`.")
    return "\nNext:\n" + "\n".join(f"  {number}. {step}" for number, step in enumerate(steps, 1))
