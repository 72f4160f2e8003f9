"""Check rendered manifests against the models that KServe and Kubernetes generate from their own OpenAPI documents.

As a script, with wheels that nobody has to install (their modules are read, not imported):

    uv run --no-project --with pip -- pip download --no-deps -d wheels kserve "kubernetes<33"
    python -m tests.promote.kserve_models wheels

The test suite uses the smaller `inferenceservice.schema.json`, which needs no download and refuses more.
"""

from __future__ import annotations

import ast
import sys
import zipfile
from pathlib import Path
from typing import Any

import yaml

from bot.promote.manifest import render
from tests.promote.test_manifest import ONE, TWO, a_target

PLAIN: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (int, float), "bool": (bool,)}
TRITON = {"runtime": "triton", "storage_uri": "s3://models"}
FORMS: dict[str, tuple[dict[str, Any], Any]] = {
    "Standard": ({}, None),
    "Knative": ({"mode": "Knative"}, None),
    "Standard canary": ({"canary_percent": 10}, ONE),
    "Knative canary": ({"mode": "Knative", "canary_percent": 10}, ONE),
    "Triton": (TRITON, None),
    "Triton canary": ({**TRITON, "mode": "Knative", "canary_percent": 10}, ONE),
}


def models(wheels: Path) -> dict[str, dict[str, str]]:
    """Class name -> JSON key -> type, of every generated model in the wheels."""
    found = {}
    for wheel in wheels.glob("*.whl"):
        with zipfile.ZipFile(wheel) as file:
            for name in file.namelist():
                if "/models/v1" in name:
                    found.update(_classes(ast.parse(file.read(name))))
    return found


def _classes(module: ast.Module) -> dict[str, dict[str, str]]:
    found = {}
    for one in (node for node in module.body if isinstance(node, ast.ClassDef)):
        said = {
            node.targets[0].id: ast.literal_eval(node.value)
            for node in one.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id in ("openapi_types", "attribute_map")
        }  # fmt: skip
        if len(said) == 2:
            found[one.name] = {key: said["openapi_types"][name] for name, key in said["attribute_map"].items()}
    return found


def wrong(kind: str, value: Any, at: str, known: dict[str, dict[str, str]]) -> list[str]:
    """What of a value does not fit its type, with the place."""
    if kind.startswith("list["):
        if not isinstance(value, list):
            return [f"{at} is no list"]
        return [text for n, one in enumerate(value) for text in wrong(kind[5:-1], one, f"{at}[{n}]", known)]
    if kind in known:
        if not isinstance(value, dict):
            return [f"{at} is no {kind}"]
        odd = [f"{at}.{key} is unknown to {kind}" for key in value if key not in known[kind]]
        inside = {key: one for key, one in value.items() if key in known[kind]}
        return odd + [
            text for key, one in inside.items() for text in wrong(known[kind][key], one, f"{at}.{key}", known)
        ]
    if kind in PLAIN:
        return [] if isinstance(value, PLAIN[kind]) else [f"{at} is {value!r}, not {kind}"]
    return [] if kind.startswith("dict(") or kind in ("object", "datetime") else [f"{at} has the unknown type {kind}"]


def main() -> int:
    """The script."""
    known = models(Path(sys.argv[1]))
    failed = 0
    for name, (changes, previous) in FORMS.items():
        manifest = yaml.safe_load(render(TWO, a_target(**changes), previous=previous))
        found = wrong("V1beta1InferenceService", manifest, "", known)
        failed += bool(found)
        print(name, "; ".join(found) or "fits")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
