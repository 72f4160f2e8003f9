"""Spec, data files, contract and versions -> the identity of what a training would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.records.base import canonical_json, sha256
from bot.records.plan import DataFile
from bot.specs.model import ModelSpec
from bot.specs.trainer import TRAINER_VERSION, revisions

# For people, for the release process or for where it runs: none of it can change a fitted model or a measured number.
_NOT_TRAINED: Any = {
    "owner": True,
    "description": True,
    "intended_use": True,
    "limits": True,
    "risk_tier": True,
    "resources": True,
    "environments": True,
    "version": True,
    "search": {"dask": True},
}


def trained_part(spec: ModelSpec) -> dict[str, Any]:
    """The part of a spec that decides what is fitted and measured, without what is left at its default."""
    part: dict[str, Any] = spec.model_dump(mode="json", exclude=_NOT_TRAINED, exclude_defaults=True)
    derived = list(spec.features.derived)
    if derived != sorted(derived):  # their order is that of the inputs, which a mapping does not keep
        part["features"]["derived_order"] = derived
    return part


def inputs_digest(spec: ModelSpec, data_files: Sequence[DataFile], contract: Any, versions: Mapping[str, str]) -> str:
    """`sha256:<hex>` over everything that decides the result of training and measuring a model.

    `data_files` are exactly the files that it reads; `contract` is the plain data of schema.yaml, None without one;
    `versions` are those of NUMERICAL_LIBRARIES. Not the commit, not the documentation, not the architecture.
    """
    identity: dict[str, Any] = {
        "trainer": TRAINER_VERSION,
        "spec": trained_part(spec),
        "data": [[file.path, file.md5] for file in sorted(data_files, key=lambda file: file.path)],
        "contract": contract,
        "libraries": dict(versions),
    }
    if changed := revisions(spec):
        identity["revisions"] = changed
    return sha256(canonical_json(identity))
