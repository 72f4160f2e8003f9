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
    "roles": "bot.specs.policies.roles:Roles",
    "approvals": "bot.specs.policies.approvals:ApprovalPolicy",
    "environments": "bot.specs.policies.environments:Environments",
    "commands": "bot.specs.policies.commands:Commands",
    "policy-tests": "bot.specs.policies.tests:PolicyTests",
    "plan": "bot.records.plan:Plan",
    "training": "bot.records.training:Training",
    "golden": "bot.records.training:Golden",
    "evaluation": "bot.records.evaluation:Evaluation",
    "facts": "bot.records.facts:Facts",
    "decision": "bot.records.decision:Decision",
    "approval": "bot.records.approval:Approval",
    "void": "bot.records.approval:Void",
    "head": "bot.records.ledger:Head",
    "release": "bot.records.release:Release",
    "verification": "bot.records.release:Verification",
    "report": "bot.records.report:Report",
    "event-pull-request": "bot.records.event:PullRequestChanged",
    "event-comment": "bot.records.event:CommentCreated",
    "event-review": "bot.records.event:ReviewChanged",
    "event-push": "bot.records.event:Pushed",
    "event-merge-group": "bot.records.event:MergeGroupRequested",
    "event-dispatch": "bot.records.event:Dispatched",
    "event-schedule": "bot.records.event:Scheduled",
    "event-ignored": "bot.records.event:Ignored",
}
ALIASES = {"schema": "contract"}

# Those that an editor checks while people write.
WRITTEN = ("model", "contract", "gates", "roles", "approvals", "environments", "commands", "policy-tests")


@click.command(name="schema")
@click.argument("name", required=False)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Write what people write to this folder.")
def command(name: str | None, out: Path | None) -> None:
    """Print the JSON Schema (draft 2020-12) of NAME; without NAME, the names.

    In an editor with a YAML language server, put this on the first line of a spec:
    `# yaml-language-server: $schema=../../docs/schemas/model.json`
    """
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for one in WRITTEN:
            (out / f"{one}.json").write_text(schema_text(one), encoding="utf-8")
    elif name is None:
        click.echo("\n".join(SCHEMAS))
    else:
        click.echo(schema_text(name), nl=False)


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
