"""Every spec, policy and record has a JSON Schema, and the pages made from them are current."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from pathlib import Path

import jsonschema
import pytest

import bot.records
from bot.cli import run
from bot.cli.schema import PAGES, SCHEMAS, WRITTEN, documents, schema_of
from bot.records.base import Record
from bot.specs.yaml import read_yaml

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_each_name_gives_a_valid_schema(name, capsys):
    assert run(["schema", name]) == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(capsys.readouterr().out))


def test_every_record_is_listed():
    listed = set(SCHEMAS.values())
    for module in pkgutil.iter_modules(bot.records.__path__):
        found = importlib.import_module(f"bot.records.{module.name}")
        for name, kind in inspect.getmembers(found, inspect.isclass):
            if issubclass(kind, Record) and kind is not Record and kind.__module__ == found.__name__:
                assert f"{found.__name__}:{name}" in listed, f"add {name} to SCHEMAS in bot/cli/schema.py"


def test_a_mistyped_name_gets_a_hint(capsys):
    assert run(["schema", "modle"]) == 1
    assert "Did you mean `model`?" in capsys.readouterr().err


def test_without_a_name_the_names_are_listed(capsys):
    assert run(["schema"]) == 0
    assert capsys.readouterr().out.split() == list(SCHEMAS)


@pytest.mark.parametrize(
    "file", sorted([f"schemas/{name}.json" for name in WRITTEN] + [page[0] for page in PAGES.values()])
)
def test_the_documentation_is_what_the_code_says(file):
    """If this fails: `mlbot schema --docs docs`, look at the difference, commit it."""
    assert (ROOT / "docs" / file).read_text(encoding="utf-8") == documents(ROOT)[file]


@pytest.mark.parametrize(("pattern", "name"), [("models/*/model.yaml", "model"), ("models/*/schema.yaml", "contract")])
def test_the_files_of_this_repository_fit_their_schema(pattern, name):
    """So that an editor with a YAML language server shows no error in them."""
    validator = jsonschema.Draft202012Validator(schema_of(name))
    files = sorted(ROOT.glob(pattern))
    assert len(files) >= 3
    for file in files:
        value = read_yaml(file.read_bytes(), str(file)).value
        assert not [error.message for error in validator.iter_errors(value)]
