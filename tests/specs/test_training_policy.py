"""policies/training.yaml: a spec asks for a machine; what is not offered, or for longer, is refused at its line."""

from __future__ import annotations

import pytest

from bot.errors import UserError
from bot.specs.model import model_spec
from bot.specs.policies.training import TrainingPolicy, read_training_policy, refused_resources
from bot.specs.yaml import read_yaml
from tests.train.small import SPEC

FILE = "models/small/model.yaml"
POLICY = b"runners: {gpu: {minutes: 300}, big-*: {minutes: 60}, ubuntu-24.04-arm: {}}\n"


def refusal(resources: str, policy: bytes | None = POLICY) -> UserError | None:
    document = read_yaml(f"{SPEC.strip()}\nresources: {resources}\n".encode(), FILE)
    return refused_resources(model_spec(document, FILE), document, read_training_policy(policy))


@pytest.mark.parametrize(
    ("resources", "policy"),
    [
        ("{}", None),
        ("{timeout_minutes: 120}", None),
        ("{runner: ubuntu-22.04-arm}", None),
        ("{runner: gpu, timeout_minutes: 300}", POLICY),
        ("{runner: big-arm, timeout_minutes: 60}", POLICY),
        ("{timeout_minutes: 120}", POLICY),
    ],
)
def test_what_is_offered_may_be_asked_for(resources: str, policy: bytes | None) -> None:
    assert refusal(resources, policy) is None


@pytest.mark.parametrize(
    ("resources", "policy", "says", "key"),
    [
        ("{runner: self-hosted}", None, "'self-hosted'", "runner"),
        ("{runner: ubuntu-latest}", None, "'ubuntu-latest'", "runner"),
        ("{runner: ubuntu-24.04-arm-64-cores}", None, "'ubuntu-24.04-arm-64-cores'", "runner"),
        ("{timeout_minutes: 121}", None, "121 minutes", "timeout_minutes"),
        ("{runner: GPU}", POLICY, "'GPU'", "runner"),
        ("{runner: big-arm, timeout_minutes: 61}", POLICY, "61 minutes", "timeout_minutes"),
        ("{runner: ubuntu-22.04-arm}", POLICY, "'ubuntu-22.04-arm'", "runner"),
    ],
)
def test_what_is_not_offered_is_refused_with_its_place(resources: str, policy: bytes, says: str, key: str) -> None:
    error = refusal(resources, policy)
    assert error is not None and says in error.message and error.code == "resources_refused"
    assert error.hint and "policies/training.yaml" in error.hint + error.message
    assert error.place is not None and error.place.line == SPEC.strip().count("\n") + 2, key


def test_without_a_file_githubs_own_arm64_machines_are_offered() -> None:
    assert read_training_policy(None) == TrainingPolicy()
    assert set(TrainingPolicy().runners) == {"ubuntu-24.04-arm", "ubuntu-22.04-arm"}


@pytest.mark.parametrize(
    "text", ["", "runners: {}", "runner: x", "memory: lots", "runners: {x: {minutes: 361}}", "kind: Roles"]
)
def test_a_policy_that_does_not_read_offers_nothing(text: str) -> None:
    with pytest.raises(UserError):
        read_training_policy(text.encode())
