"""`mlbot init`: what a repository needs so that mlbot can run in it; nothing that is there is ever changed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import metadata
from pathlib import Path

import click

from bot.errors import UserError, WorldError

# Copied from mlbot's own repository; its `ci.yml` tests mlbot itself.
COPIED = ("policies/**/*.yaml", ".github/workflows/*.yml", "docs/schemas/*.json")
NOT_COPIED = (".github/workflows/ci.yml",)

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


@click.command(name="init")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(file_okay=False, path_type=Path))
@click.option("--data", metavar="PATH", help="Data of a first model, below data/: a file or a folder.")
@click.option("--target", metavar="COLUMN", help="What the first model predicts.")
def command(folder: Path, data: str | None, target: str | None) -> None:
    """Add models/, policies/, workflows and DVC set-up to the repository in DIR (made when it is not one).

    With --data and --target, also a first model with its data contract, drafted from the data.
    """
    root = _root(folder)
    for name, text in _files(root):
        _write(root, name, text)
    _ignore_data(root)
    if data is not None or target is not None:
        _draft(root, data, target)
    _track(root)
    click.echo(_next_steps(root))


def _root(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / ".git").exists():
        subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)
    return folder.resolve()


def templates() -> Path:
    """The checkout that this program runs from. Raises UserError when it was installed without one."""
    import bot

    root = Path(bot.__file__).resolve().parents[1]
    if not (root / "policies/roles.yaml").is_file():
        raise UserError(
            "this installation has no policies and workflows to copy: they are in mlbot's repository, not in its wheel",
            hint="Clone mlbot's repository and run `uv run mlbot init DIR` in it.",
            code="templates_missing",
        )
    return root


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
    git = ["git", "-C", str(source)]
    url = subprocess.run(
        [*git, "remote", "get-url", "origin"], capture_output=True, text=True, check=False
    ).stdout.strip()
    rev = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
    python = metadata("mlbot")["Requires-Python"]  # uv finds no versions for a Python that mlbot does not take
    lines = ["[project]", f'name = "{_plain(name)}"', 'version = "0"', f'requires-python = "{python}"']
    lines += ['dependencies = ["mlbot"]']
    if url.startswith(("https://", "ssh://")) and rev:
        lines += ["", "[tool.uv.sources]", f'mlbot = {{ git = "{url}", rev = "{rev}" }}']
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


def _ignore_data(root: Path) -> None:
    path = root / ".gitignore"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    if not {"/data", "/data/", "data/", "data"} & set(lines):
        path.write_text("\n".join([*lines, "/data", ""]), encoding="utf-8")
        click.echo("  ignored /data (DVC tracks it)")


def _draft(root: Path, data: str | None, target: str | None) -> None:
    from bot.specs.draft import draft_contract, draft_model, model_name

    if data is None or target is None:
        raise UserError("--data and --target go together", hint="mlbot init --data data/x.csv --target COLUMN")
    table = _read(root, data)
    folder = f"models/{model_name(data)}"
    _write(root, f"{folder}/model.yaml", draft_model(table, data.rstrip("/"), target, _owner(root)))
    _write(root, f"{folder}/schema.yaml", draft_contract(table))


def _read(root: Path, data: str) -> object:
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    from bot.adapters.tables import named
    from bot.records.plan import DataFile
    from bot.specs.data import ENDINGS

    path = root / data
    files = sorted(one for one in (path.rglob("*") if path.is_dir() else [path]) if one.is_file())
    known = [DataFile(path=str(one), md5="") for one in files if str(one).endswith(sum(ENDINGS.values(), ()))]
    if not data.startswith("data/") or not known:
        raise UserError(f"{data} is not a Parquet or CSV file below data/", hint="Put the data there first.")
    read = pyarrow.parquet.read_table if known[0].path.endswith(ENDINGS["parquet"]) else pyarrow.csv.read_csv
    tables = []
    for one in known:
        with named(Path(one.path), root):
            tables.append(read(one.path))
    with named(Path(known[0].path), root):
        return pa.concat_tables(tables, promote_options="default")


def _owner(root: Path) -> str:
    done = subprocess.run(
        ["git", "-C", str(root), "config", "github.user"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "owner"


def _track(root: Path) -> None:
    """`dvc add data && dvc push` when there are data that nobody tracks yet."""
    if (root / "data.dvc").exists() or not any((root / "data").glob("*")):
        return
    for arguments in (["add", "--quiet", "data"], ["push", "--quiet"]):
        command = [sys.executable, "-m", "dvc", *arguments]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        if done.returncode:
            message = f"`dvc {arguments[0]}` failed: {done.stderr.strip()[:500]}"
            raise WorldError(message, hint=f"Run `dvc {arguments[0]}` in {root} to see more.", code="dvc_failed")
    click.echo("  tracked data/ by data.dvc, pushed to the DVC remote")


def _next_steps(root: Path) -> str:
    steps = [
        "Write your people into policies/roles.yaml (`gh api users/LOGIN --jq .id` gives the number).",
        "Choose where bytes live: `dvc remote modify embedded url s3://...`; until then they are in .dvc/embedded.",
        "`uv lock`, then `mlbot validate`, then commit everything.",
        "`mlbot doctor` says what the repository on GitHub still needs.",
    ]
    if "tool.uv.sources" not in (root / "pyproject.toml").read_text(encoding="utf-8"):
        steps.insert(2, "Say in pyproject.toml where mlbot comes from: `[tool.uv.sources]`, `mlbot = { git = ... }`.")
    if not any((root / "models").glob("*/model.yaml")):
        steps.insert(0, "A first model: `mlbot init --data data/FILE --target COLUMN`.")
    return "\nNext:\n" + "\n".join(f"  {number}. {step}" for number, step in enumerate(steps, 1))
