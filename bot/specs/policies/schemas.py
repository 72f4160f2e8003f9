"""JSON Schemas of the policy files, for editors."""

from __future__ import annotations

from typing import Any

from bot.specs.base import Spec
from bot.specs.policies.loader import FILES
from bot.specs.policies.tests import PolicyTests

KINDS: dict[str, type[Spec]] = {name.removesuffix(".yaml"): kind for name, kind in FILES.items()} | {
    "policy-tests": PolicyTests
}


def schema(name: str) -> dict[str, Any]:
    """Draft 2020-12, by the name of the file without `.yaml`. Raises KeyError for another name."""
    found = KINDS[name].model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}
