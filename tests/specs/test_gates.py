"""policies/gates.yaml: what it may say, and what it refuses, each mistake with its place."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.evaluate.gates import JUDGES
from bot.specs.gates import Gate, read_gates, with_spec_gates
from bot.specs.yaml import read_yaml

SHIPPED = Path("policies/gates.yaml")
FLOOR = "  - {id: good, kind: floor, metric: roc_auc, value: 0.8}\n"


def a_file(*gates: str, head: str = "version: 1\n") -> bytes:
    return (head + "gates:\n" + "".join(f"  - {gate}\n" for gate in gates)).encode()


def test_the_shipped_policy_reads_and_knows_its_lines() -> None:
    gates = read_gates(SHIPPED.read_bytes())
    lines = SHIPPED.read_text().splitlines()
    for placed in gates.gates:
        assert f"id: {placed.gate.id}" in lines[(placed.place.line or 0) - 1]
    assert gates.policy.inconclusive == "block"
    assert "budget" in lines[(gates.budget_place.line or 0) - 1]


@pytest.mark.parametrize(
    ("gate", "line_column", "said", "hint"),
    [
        ("{id: a, kind: flor, value: 1.0}", "3:18", "must be one of", "`floor`"),
        ("{id: a, kind: floor, valeu: 1.0}", "3:26", "unknown key", "`value`"),
        ("{id: a, kind: floor}", "3:5", "`gates[0].value` is missing", None),
        ("{id: A b, kind: floor, value: 1.0}", "3:10", "gates[0].id", None),
        ('{id: a, kind: floor, value: "1"}', "3:33", "must be a number", "Remove the quotes."),
        ("{id: a, kind: non_inferiority, against: production}", "3:5", "either `margin` or `margin_share`", None),
        ("{id: a, kind: non_inferiority, against: production, margin: -0.1}", "3:65", "greater than or equal", None),
        ("{id: a, kind: operating, name: artifact_bytes, times: 2.0}", "3:5", "belong together", None),
        ("{id: a, kind: operating, name: size, value: 2.0}", "3:36", "must be one of fit_s", None),
        ("{id: a, kind: architecture, allowed: []}", "3:42", "at least 1 item", None),
        ("{id: a, kind: condition, condition: n > 0.8}", "3:41", "it ends", "+/-"),
        ("{id: a, kind: floor, value: 1.0, tasks: [ranking]}", "3:46", "must be one of binary", None),
        ("{id: a, kind: floor, value: .nan}", None, "", None),
        ("{id: a, kind: floor, metric: rocauc, value: 1.0}", "3:34", "unknown metric 'rocauc'", "`roc_auc`"),
    ],
)
def test_a_mistake_has_a_place_and_a_hint(gate: str, line_column: str | None, said: str, hint: str | None) -> None:
    with pytest.raises(UserError) as caught:
        read_gates(a_file(gate), "gates.yaml")
    error = caught.value
    assert said in str(error)
    if line_column:
        assert str(error.place).startswith(f"gates.yaml:{line_column.split(':')[0]}:"), error.place
    if hint:
        assert hint in (error.hint or "")


def test_two_gates_of_one_id_are_refused() -> None:
    gate = "{id: a, kind: floor, value: 1.0}"
    with pytest.raises(UserError, match="two gates have the id `a`"):
        read_gates(a_file(gate, gate))


@pytest.mark.parametrize("head", ["", "version: 2\n", "version: 1\ngate: []\n", "version: 1\nconfidence: 95\n"])
def test_a_policy_of_another_form_is_refused(head: str) -> None:
    with pytest.raises(UserError):
        read_gates(a_file("{id: a, kind: floor, value: 1.0}", head=head))


def test_a_policy_without_gates_is_refused() -> None:
    with pytest.raises(UserError):
        read_gates(b"version: 1\ngates: []\n")


def test_every_kind_has_a_judge_in_a_file_of_its_name() -> None:
    kinds = {get_args(kind.model_fields["kind"].annotation)[0] for kind in get_args(get_args(Gate)[0])}
    assert kinds == set(JUDGES)
    assert {judge.__module__.rpartition(".")[2] for judge in JUDGES.values()} == kinds
    files = {path.stem for path in Path("bot/evaluate/gates").glob("*.py")}
    assert files - kinds == {"__init__", "interface", "baseline", "reasons", "slices"}


def test_gates_ask_only_the_models_and_tasks_they_name() -> None:
    gates = read_gates(
        a_file(
            "{id: a, kind: floor, value: 1.0, tasks: [binary]}",
            "{id: b, kind: floor, value: 1.0, models: [churn-*]}",
            "{id: c, kind: floor, value: 1.0}",
        )
    )
    assert [placed.gate.id for placed in gates.for_model("churn-eu", "binary")] == ["a", "b", "c"]
    assert [placed.gate.id for placed in gates.for_model("price", "regression")] == ["c"]


def spec_with(gates: str):
    return read_yaml(f"task: binary\ngates:\n{gates}".encode(), "models/churn/model.yaml")


def test_a_model_spec_adds_gates_with_its_own_file_and_line() -> None:
    policy = read_gates(a_file("{id: a, kind: floor, value: 0.7}"))
    both = with_spec_gates(policy, spec_with(FLOOR))
    assert [(one.gate.id, str(one.place)) for one in both.gates] == [
        ("a", "policies/gates.yaml:3:5"),
        ("good", "models/churn/model.yaml:3:5"),
    ]
    assert with_spec_gates(policy, read_yaml(b"task: binary\n", "m")) == policy


@pytest.mark.parametrize(
    ("gates", "said"),
    [
        ("  - {id: a, kind: floor, value: 0.1}\n", "already asked for by the policy"),
        ("  - {id: b, kind: floor, valu: 0.1}\n", "unknown key"),
        ("  - {id: b, kind: floor, value: 0.1}\n  - {id: b, kind: floor, value: 0.2}\n", "already asked for"),
        ("  b: 1\n", "must be a list"),
    ],
)
def test_a_model_spec_can_never_weaken_a_gate(gates: str, said: str) -> None:
    policy = read_gates(a_file("{id: a, kind: floor, value: 0.7}"))
    with pytest.raises(UserError, match=said) as caught:
        with_spec_gates(policy, spec_with(gates))
    assert caught.value.place.file == "models/churn/model.yaml"


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_policy_or_a_user_error(data: bytes) -> None:
    try:
        read_gates(data)
    except UserError as error:
        assert str(error)


KEYS = st.sampled_from(["id", "kind", "value", "metric", "against", "margin", "tasks", "condition", "x"])
VALUES = st.sampled_from(
    ["floor", "condition", "a", "1", "-0.5", "[binary]", "{}", "null", "n > 0 +/- 1", "true", "1e400"]
)


@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=5), max_size=3))
def test_any_gates_are_a_policy_or_a_user_error(gates: list[dict[str, str]]) -> None:
    lines = ["{" + ", ".join(f"{key}: {value}" for key, value in gate.items()) + "}" for gate in gates]
    try:
        read_gates(a_file(*lines))
    except UserError as error:
        assert str(error)
