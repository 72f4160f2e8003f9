"""`mlbot schema`: JSON Schema of everything that people write and of every record."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import click

from bot.errors import UserError

# name -> `module:Class`. What people write first, then the records by the word that the code uses.
SCHEMAS: dict[str, str] = {
    "model": "bot.specs.model:ModelSpec",
    "contract": "bot.specs.contract:Contract",
    "gates": "bot.specs.gates:GatesPolicy",
    "attestation": "bot.specs.attestation:Attestation",
    "roles": "bot.specs.policies.roles:Roles",
    "approvals": "bot.specs.policies.approvals:ApprovalPolicy",
    "environments": "bot.specs.policies.environments:Environments",
    "commands": "bot.specs.policies.commands:Commands",
    "training-policy": "bot.specs.policies.training:TrainingPolicy",
    "policy-tests": "bot.specs.policies.tests:PolicyTests",
    "plan": "bot.records.plan:Plan",
    "training": "bot.records.training:Training",
    "golden": "bot.records.training:Golden",
    "evaluation": "bot.records.evaluation:Evaluation",
    "commits": "bot.records.facts:CommitList",
    "contributed": "bot.records.facts:Contributed",
    "facts": "bot.records.facts:Facts",
    "decision": "bot.records.decision:Decision",
    "approval": "bot.records.approval:Approval",
    "void": "bot.records.approval:Void",
    "head": "bot.records.ledger:Head",
    "settled": "bot.records.ledger:Settled",
    "accepted": "bot.records.ledger:Accepted",
    "grouped": "bot.records.ledger:Grouped",
    "reproduction": "bot.records.reproduction:Reproduction",
    "reproduction-targets": "bot.records.reproduction:Targets",
    "release": "bot.records.release:Release",
    "verification": "bot.records.release:Verification",
    "removal": "bot.records.release:Removal",
    "revocation": "bot.records.release:Revocation",
    "report": "bot.records.report:Report",
    "health": "bot.records.health:Health",
    "command": "bot.records.command:Parsed",
    "event-pull-request": "bot.records.event:PullRequestChanged",
    "event-comment": "bot.records.event:CommentCreated",
    "event-comment-changed": "bot.records.event:CommentChanged",
    "event-review": "bot.records.event:ReviewChanged",
    "event-push": "bot.records.event:Pushed",
    "event-merge-group": "bot.records.event:MergeGroupRequested",
    "event-dispatch": "bot.records.event:Dispatched",
    "event-schedule": "bot.records.event:Scheduled",
    "event-ignored": "bot.records.event:Ignored",
}
ALIASES = {"schema": "contract"}

# Those that have a page: name -> (file, title, introduction, example in this repository).
PAGES: dict[str, tuple[str, str, str, str]] = {
    "model": (
        "model-spec.md",
        "model.yaml",
        "Everything that mlbot knows about a model before training it. Specs are data, never code: unknown keys, YAML "
        "anchors and aliases, tags, duplicate keys and words that YAML 1.1 reads as something else (`no`, `on`, "
        "`12:30`, `010`) are errors, with file, line, column and the nearest valid key. `mlbot validate` checks the "
        "files on disk; `mlbot schema model` prints the JSON Schema of this page, from which it is made.",
        "models/flight-delays/model.yaml",
    ),
    "contract": (
        "data-contract.md",
        "schema.yaml",
        "What a model's data must look like, in the YAML format of [pandera](https://pandera.readthedocs.io), which "
        "reads these files as they are; `sensitive` and `metadata` are mlbot's own. Checked on every run: a violation "
        "is named with counts and row numbers, and never with values of a column that is `sensitive`.",
        "models/bike-rentals/schema.yaml",
    ),
}

# Those that an editor checks while people write.
WRITTEN = (
    "model",
    "contract",
    "gates",
    "roles",
    "approvals",
    "environments",
    "commands",
    "training-policy",
    "policy-tests",
)


@click.command(name="schema")
@click.argument("name", required=False)
@click.option("--docs", type=click.Path(path_type=Path, file_okay=False), help="Write pages and schemas to a folder.")
def command(name: str | None, docs: Path | None) -> None:
    """Print the JSON Schema (draft 2020-12) of NAME; without NAME, the names.

    In an editor with a YAML language server, put this on the first line of a spec:
    `# yaml-language-server: $schema=../../docs/schemas/model.json`
    """
    if docs is not None:
        for file, text in documents(Path()).items():
            (docs / file).parent.mkdir(parents=True, exist_ok=True)
            (docs / file).write_text(text, encoding="utf-8")
    elif name is None:
        click.echo("\n".join(SCHEMAS))
    else:
        click.echo(schema_text(name), nl=False)


def documents(root: Path) -> dict[str, str]:
    """File below `docs/` -> text, for what people write; `root` is the repository with the examples."""
    from bot.codes import docs_page
    from bot.specs.page import page

    found = {f"schemas/{name}.json": schema_text(name) for name in WRITTEN}
    for name, (file, title, intro, example) in PAGES.items():
        text = (root / example).read_text(encoding="utf-8")
        found[file] = page(schema_of(name), title=title, example=text, intro=intro, elsewhere=("gates",))
    return {**found, "errors.md": docs_page()}


def schema_text(name: str) -> str:
    """The schema as indented JSON with a line end."""
    return json.dumps(schema_of(name), indent=2) + "\n"


def schema_of(name: str) -> dict[str, Any]:
    """The schema. Raises UserError with the nearest name."""
    from bot.specs.validation import did_you_mean

    name = ALIASES.get(name, name)
    if name not in SCHEMAS:
        hint = did_you_mean(name, SCHEMAS, noun="schemas")
        raise UserError(f"there is no schema {name!r}", hint=hint, code="schema_unknown")
    module, _, kind = SCHEMAS[name].partition(":")
    schema: dict[str, Any] = getattr(importlib.import_module(module), kind).model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
