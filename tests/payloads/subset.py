"""Cut GitHub's descriptions down to what the sandbox answers and announces. See SOURCE.md."""

import gzip
import json
import re
import sys
from pathlib import Path
from typing import Any

EVENTS = """
deployment-created deployment-status-created issue-comment-created issue-comment-deleted issue-comment-edited
issues-assigned issues-closed issues-edited issues-labeled issues-locked issues-opened issues-reopened
issues-unassigned issues-unlabeled issues-unlocked member-added member-edited member-removed membership-added
membership-removed merge-group-checks-requested merge-group-destroyed pull-request-assigned pull-request-closed
pull-request-converted-to-draft pull-request-dequeued pull-request-edited pull-request-enqueued pull-request-labeled
pull-request-locked pull-request-opened pull-request-ready-for-review pull-request-reopened
pull-request-review-dismissed pull-request-review-edited pull-request-review-request-removed
pull-request-review-requested pull-request-review-submitted pull-request-synchronize pull-request-unassigned
pull-request-unlabeled pull-request-unlocked push release-created release-deleted release-published repository-edited
repository-renamed repository-transferred status workflow-dispatch workflow-run-completed workflow-run-requested
""".split()  # noqa: SIM905 - a list of words reads better
DROP = {"description", "example", "examples", "externalDocs", "x-github", "deprecated", "title", "default", "summary"}


def shape(path: str) -> str:
    """A path with its parameters made nameless, so that ours and GitHub's compare."""
    return re.sub(r"\{[^}]+\}", "{}", path)


def clean(value: object, *, names: bool = False) -> object:
    """Without prose, and `nullable` as JSON Schema has it. `names` tells that the keys are field names."""
    if isinstance(value, list):
        return [clean(one) for one in value]
    if not isinstance(value, dict):
        return value
    if names:
        return {key: clean(one) for key, one in value.items()}
    kept = {key: clean(one, names=key == "properties") for key, one in value.items() if key not in DROP}
    if value.get("default") == "":
        kept.pop("format", None)  # GitHub answers "" for no address
    if kept.pop("nullable", False):
        if isinstance(kept.get("type"), str):
            kept["type"] = [kept["type"], "null"]
            if "enum" in kept and None not in kept["enum"]:
                kept["enum"] = [*kept["enum"], None]
        elif kept:
            kept = {"anyOf": [kept, {"type": "null"}]}
    return kept


def refs(value: object) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(refs, value)) if value else set()
    if not isinstance(value, dict):
        return set()
    own = {value["$ref"].rsplit("/", 1)[-1]} if isinstance(value.get("$ref"), str) else set()
    return own.union(*map(refs, value.values()))


def main(source: str, webhooks: str, target: str) -> None:
    """`source` is api.github.com.json, `webhooks` schema.json; writes both cuts into the folder `target`."""
    write(Path(target) / "github-openapi.json.gz", openapi(json.loads(Path(source).read_bytes())))
    write(Path(target) / "github-webhooks.json.gz", strict(json.loads(Path(webhooks).read_bytes())))


def write(target: Path, found: dict[str, object]) -> None:
    data = gzip.compress(json.dumps(found, sort_keys=True, separators=(",", ":")).encode(), 9, mtime=0)
    target.write_bytes(data)
    print(f"{target.name}: {len(data)} bytes")


def strict(spec: dict[str, dict[str, object]]) -> dict[str, object]:
    """The events of the webhook schemas, which allow no field that GitHub does not send."""
    wanted = {name.replace("-", "_") for name in EVENTS}
    names = {name for name in spec["definitions"] if name.replace("$", "_") in wanted}
    definitions: dict[str, object] = {}
    while names:
        name = names.pop()
        definitions[name] = clean(spec["definitions"][name])
        names |= refs(definitions[name]) - definitions.keys()
    return {"definitions": definitions}


def openapi(spec: dict[str, Any]) -> dict[str, object]:
    """Answers of the sandbox's routes and its events by name, with the schemas that they refer to."""
    from bot.sandbox import routes

    wanted = {(route.method.lower(), shape(route.pattern)) for route in routes.ALL}
    answers: dict[str, dict[str, object]] = {}
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            if (method, shape(path)) in wanted:
                for status, response in operation["responses"].items():
                    content = response.get("content", {}).get("application/json")
                    if status.startswith("2"):
                        answers.setdefault(f"{method.upper()} {shape(path)}", {})[status] = (
                            clean(content["schema"]) if content and content.get("schema") else None
                        )
    webhooks = {
        name: clean(spec["x-webhooks"][name]["post"]["requestBody"]["content"]["application/json"]["schema"])
        for name in EVENTS
    }
    schemas: dict[str, object] = {}
    open_refs = refs(answers) | refs(webhooks)
    while open_refs:
        name = open_refs.pop()
        schemas[name] = clean(spec["components"]["schemas"][name])
        open_refs |= refs(schemas[name]) - schemas.keys()
    print(f"{len(answers)} operations, {len(webhooks)} webhooks, {len(schemas)} schemas")
    return {"answers": answers, "webhooks": webhooks, "components": {"schemas": schemas}}


if __name__ == "__main__":
    main(*sys.argv[1:])
