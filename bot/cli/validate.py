"""`mlbot validate`: specs and policies; every error with file, line, column and hint."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click

from bot.errors import Place, Problems, UserError


@click.command(name="validate")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the errors as JSON.")
def command(paths: tuple[Path, ...], as_json: bool) -> int:
    """Check model specs, data contracts and policies, as they are on disk.

    PATH is a model's folder, a file in it, or a policies folder; without any, models/ and policies/.
    Exit 1 when something is wrong.
    """
    checked: list[str] = []
    errors: list[UserError] = []
    for name, check in _checks(paths):
        checked.append(name)
        errors.extend(_errors(check))
    if as_json:
        click.echo(json.dumps({"checked": checked, "errors": [_as_json(error) for error in errors]}, indent=2))
        return 1 if errors else 0
    if errors:
        raise errors[0] if len(errors) == 1 else Problems(errors)
    for name in checked:
        click.echo(f"{name}: fine")
    return 0


def _checks(paths: tuple[Path, ...]) -> Iterator[tuple[str, Callable[[], object]]]:
    for path in paths or _default_paths():
        if (path / "roles.yaml").is_file() or path.name == "policies":
            yield str(path), partial(_check_policies, path)
        else:
            yield from ((str(folder), partial(_check_model, folder)) for folder in _model_folders(path))


def _default_paths() -> list[Path]:
    found = [path for path in (Path("models"), Path("policies")) if path.is_dir()]
    if not found:
        raise UserError("there is no models/ or policies/ here", hint="Name a path, or run `mlbot init` first.")
    return found


def _model_folders(path: Path) -> list[Path]:
    if path.is_file():
        return [path.parent]
    if not path.is_dir():
        raise UserError(f"{path} is not there", hint="Name a model's folder, a spec or a policies folder.")
    if (path / "model.yaml").exists():
        return [path]
    folders = sorted(folder for folder in path.iterdir() if folder.is_dir() or folder.is_symlink())
    if not folders:
        raise UserError(f"there is no model in {path}", hint="A model is a folder with a model.yaml.")
    return folders


def _check_model(folder: Path) -> None:
    from bot.cli.held_files import filter_errors, link_errors
    from bot.cli.spec_checks import data_errors, estimator_errors, parameter_errors, pointer_errors
    from bot.specs.agreement import disagreements
    from bot.specs.attestation import read_attestation
    from bot.specs.contract import read_contract
    from bot.specs.model import check_name, model_spec
    from bot.specs.policies.training import read_training_policy, refused_resources
    from bot.specs.yaml import read_yaml, together

    file = folder / "model.yaml"
    held = [*link_errors(folder), *filter_errors([file, folder / "schema.yaml", folder / "attestation.yaml"])]
    if held:
        raise together(held)
    check_name(folder.resolve().name, str(file))
    document = read_yaml(_bytes(file), str(file))
    spec, root = model_spec(document, str(file)), folder.resolve().parent.parent
    errors = list(parameter_errors(spec, document)) or list(estimator_errors(spec))
    policy = root / "policies/training.yaml"
    refused = refused_resources(spec, document, read_training_policy(_bytes(policy) if policy.exists() else None))
    errors.extend([refused] if refused else [])
    schema = folder / "schema.yaml"
    contract = read_contract(_bytes(schema), str(schema)) if schema.exists() else None
    if contract is not None:
        errors.extend(disagreements(spec, document, contract))
    errors.extend(pointer_errors(spec, root))
    errors = errors or list(data_errors(spec, document, contract, root))
    if errors:
        raise together(errors)
    attestation = folder / "attestation.yaml"
    if attestation.exists():
        read_attestation(_bytes(attestation), str(attestation))


def _check_policies(folder: Path) -> None:
    from bot.cli.held_files import filter_errors
    from bot.cli.policy_files import folder_files
    from bot.specs.gates import read_gates
    from bot.specs.policies import read_policies
    from bot.specs.policies.training import read_training_policy
    from bot.specs.yaml import together

    files = folder_files(folder)
    held = list(filter_errors([folder / name.removeprefix("policies/") for name in files]))
    if held:
        raise together(held)
    read_policies(files)
    if any(name.startswith("policies/templates/") for name in files):
        from bot.report.override import read_templates

        read_templates(files)
    gates = files.get("policies/gates.yaml")
    if gates is not None:
        read_gates(gates, str(folder / "gates.yaml"))
    read_training_policy(files.get("policies/training.yaml"), str(folder / "training.yaml"))


def _bytes(file: Path) -> bytes:
    if file.is_symlink() or not file.is_file():
        message = "this is a link" if file.is_symlink() else "the file is not there"
        raise UserError(message, hint="A model is a folder with a plain file model.yaml.", place=Place(str(file)))
    return file.read_bytes()


def _errors(check: Callable[[], object]) -> list[UserError]:
    try:
        check()
    except Problems as problems:
        return problems.errors
    except UserError as error:
        return [error]
    return []


def _as_json(error: UserError) -> dict[str, Any]:
    place = error.place or Place("")
    return {
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "message": error.message,
        "hint": error.next_step,
        "code": error.code,
    }
