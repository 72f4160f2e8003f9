"""This repository's own policies keep their promises."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from bot.cli.policy import command
from bot.cli.schema import schema_text
from tests.decide.world import NOW, REV, account, facts, review

ROOT = Path(__file__).parents[2]
POLICIES = str(ROOT / "policies")


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, list(words), standalone_mode=False, catch_exceptions=False)
    return int(result.return_value or 0), result.output


def test_their_own_tests_pass_and_reach_every_rule() -> None:
    code, said = run("test", "--policies", POLICIES, "--json")
    report = json.loads(said)
    assert code == 0
    assert [one for one in report["tests"] if one["problems"]] == []
    for name, counts in report["coverage"].items():
        assert counts.get("approved"), name
        assert counts.get("pending") or counts.get("rejected"), name


def test_lint_finds_no_error() -> None:
    code, said = run("lint", "--policies", POLICIES)
    assert code == 0, said


@pytest.mark.parametrize("name", ["roles", "approvals", "environments", "commands", "policy-tests"])
def test_the_published_schema_is_current_and_fits(name: str) -> None:
    published = (ROOT / "docs" / "schemas" / f"{name}.json").read_text()
    assert published == schema_text(name), f"run `mlbot schema --out docs/schemas` ({name})"
    folder = ROOT / "policies"
    files = sorted((folder / "tests").glob("*.yaml")) if name == "policy-tests" else [folder / f"{name}.yaml"]
    for file in files:
        jsonschema.validate(yaml.safe_load(file.read_text()), json.loads(published))
        assert file.read_text().startswith("# yaml-language-server: $schema="), file


def test_a_test_that_fails_says_what_came_out(tmp_path: Path) -> None:
    for file in (ROOT / "policies").glob("*.yaml"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "tests").mkdir()
    text = "apiVersion: policy/v1\nkind: PolicyTests\ntests:\n  - name: wishful\n    given: {author: dana}\n"
    (tmp_path / "tests" / "a.yaml").write_text(text + "    expect: {status: approved, codes: [vetoed, nonsense]}\n")
    code, said = run("test", "--policies", str(tmp_path))
    assert code == 1
    assert "expected approved, got pending" in said
    assert "`vetoed` is not in the tree" in said
    assert "`nonsense` is not a reason code" in said
    assert "0 of 1 tests pass; 0 of" in said


def test_simulate_says_what_one_more_approval_would_do(tmp_path: Path) -> None:
    file = tmp_path / "facts.json"
    changed = facts(pr={"author": account(REV)}, training_initiators=(REV,))
    file.write_bytes(changed.canonical())
    words = ("simulate", "--facts", str(file), "--policies", POLICIES, "--now", NOW.isoformat())
    code, said = run(*words, "+approve=@owen")
    assert code == 1 and "vera: approve as model-validator" in said
    code, said = run(*words, "+approve=@owen,@vera")
    assert code == 0 and "Approved: may be merged." in said


def test_simulate_without_somebody(tmp_path: Path) -> None:
    file = tmp_path / "facts.json"
    file.write_bytes(facts(review(1002), review(1003), actors=()).canonical())
    code, said = run("simulate", "--facts", str(file), "--policies", POLICIES, "+approve=owen", "+approve=vera")
    assert code == 0, said
    code, said = run("simulate", "--facts", str(file), "--policies", POLICIES, "+approve=owen", "+reject=vera")
    assert code == 1 and "[vetoed]" in said


@pytest.mark.parametrize("change", ["approve=owen", "+promote=owen", "+approve=", "+approve=nobody"])
def test_simulate_refuses_what_it_does_not_know(change: str, tmp_path: Path) -> None:
    from bot.errors import UserError

    file = tmp_path / "facts.json"
    file.write_bytes(facts().canonical())
    with pytest.raises(UserError):
        run("simulate", "--facts", str(file), "--policies", POLICIES, change)
