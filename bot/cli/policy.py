"""`mlbot policy`: test, lint, backtest and simulate policies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.decide import EXITS, moment_of, show
from bot.cli.policy_files import folder_files, read_folder
from bot.errors import UserError

if TYPE_CHECKING:
    from bot.records.facts import Facts
    from bot.specs.policies.tests import PolicyTest

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group("policy")
def command() -> None:
    """Test, lint, backtest and simulate policies."""


@command.command("test")
@click.option("--policies", type=FOLDER, default="policies", show_default=True)
@click.option("--json", "wants_json", is_flag=True)
@click.option("--verbose", is_flag=True, help="Also name the tests that pass.")
def test(policies: Path, wants_json: bool, verbose: bool) -> int:
    """Run policies/tests/*.yaml and say which rules they reach."""
    from bot.decide import policy_tests

    loaded = read_folder(policies)
    outcomes = policy_tests.run(_tests(policies), loaded)
    reached = policy_tests.coverage(outcomes, loaded)
    failed = [one for one in outcomes if one.problems]
    if wants_json:
        tests = [{"name": one.test.name, "problems": one.problems} for one in outcomes]
        rules = {name: one.counts for name, one in reached.items()}
        click.echo(json.dumps({"tests": tests, "coverage": rules}, indent=2))
        return 1 if failed else 0
    for one in outcomes if verbose else failed:
        click.echo(f"{'FAIL' if one.problems else 'ok  '} {one.test.name}")
        for problem in one.problems:
            click.echo(f"     {problem}")
    covered = sum(one.is_covered for one in reached.values())
    click.echo(
        f"{len(outcomes) - len(failed)} of {len(outcomes)} tests pass; {covered} of {len(reached)} rules covered."
    )
    for name, rule in reached.items():
        if not rule.is_covered:
            seen = ", ".join(f"{status} {count}" for status, count in rule.counts.items()) or "never judged"
            click.echo(f"  not covered: {name} ({seen}): test it both approving and blocking")
    return 1 if failed else 0


@command.command("lint")
@click.option("--policies", type=FOLDER, default="policies", show_default=True)
@click.option("--strict", is_flag=True, help="Warnings fail too.")
@click.option("--now", default=None, metavar="TIME", help="Lint as of this time (RFC 3339).")
def lint(policies: Path, strict: bool, now: str | None) -> int:
    """Look for rules that can never match, quorums that cannot be met, windows that never open, and the like."""
    from bot.decide.lint import lint as find

    found = find(read_folder(policies), moment_of(now))
    for one in found:
        click.echo(str(one))
    errors = sum(one.severity == "error" for one in found)
    click.echo(f"{errors} errors, {len(found) - errors} warnings.")
    return 1 if errors or (strict and found) else 0


@command.command("backtest")
@click.option("--policies", type=FOLDER, default="policies", show_default=True, help="The changed policy.")
@click.option("--repo", type=FOLDER, default=".", show_default=True, help="A clone; its ledger is read.")
@click.option("--last", type=click.IntRange(1), default=100, show_default=True, help="Pull requests.")
def backtest(policies: Path, repo: Path, last: int) -> int:
    """Judge the ledger's last pull requests again under a changed policy. Exit 1 when a verdict changes."""
    from bot.cli.clone import clone_ports
    from bot.decide.backtest import as_markdown, differences
    from bot.decide.step import pasts_of_newest

    judged = pasts_of_newest(clone_ports(repo, fetch=False).ledger, last)
    found = differences(judged, read_folder(policies))
    click.echo(as_markdown(found, len(judged)), nl=False)
    return 1 if found else 0


@command.command("simulate")
@click.option("--facts", "facts_file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--pull-request", "number", type=click.IntRange(1), help="Its last facts, from the ledger.")
@click.option("--repo", type=FOLDER, default=".", show_default=True, help="For --pull-request: a clone.")
@click.option("--policies", type=FOLDER, default="policies", show_default=True)
@click.option("--now", default=None, metavar="TIME")
@click.option("--json", "wants_json", is_flag=True)
@click.argument("changes", nargs=-1, metavar="+approve=@LOGIN | +reject=@LOGIN | +without=@LOGIN | base=BRANCH ...")
def simulate(
    facts_file: Path | None,
    number: int | None,
    repo: Path,
    policies: Path,
    now: str | None,
    wants_json: bool,
    changes: tuple[str, ...],
) -> int:
    """What if? Changes nothing; prints the whole tree."""
    from bot.decide.decide import decide
    from bot.decide.simulate import as_if

    wanted: dict[str, list[str]] = {"approve": [], "reject": [], "without": []}
    base = next((one.removeprefix("base=") for one in changes if one.startswith("base=")), None)
    for change in (one for one in changes if not one.startswith("base=")):
        key, _, logins = change.removeprefix("+").partition("=")
        if key not in wanted or not logins or not change.startswith("+"):
            raise UserError(
                f"{change!r} is not a change",
                hint="Write +approve=@LOGIN, +reject=@LOGIN, +without=@LOGIN, base=BRANCH.",
            )
        wanted[key] += logins.split(",")
    loaded, moment = read_folder(policies), moment_of(now)
    facts = _facts(facts_file, number, repo)
    decision = decide(as_if(facts, loaded, moment, base=base, **wanted), loaded, moment)
    show(decision, wants_tree=True, wants_json=wants_json)
    return EXITS.get(decision.status, 1)


def _facts(file: Path | None, number: int | None, repo: Path) -> Facts:
    from bot.cli.clone import clone_ports
    from bot.decide.backtest import newest
    from bot.decide.step import pasts_of
    from bot.records.facts import Facts

    if (file is None) == (number is None):
        raise UserError("name either --facts or --pull-request", hint="mlbot policy simulate --pull-request 7 ...")
    if file is not None:
        return Facts.parse(file.read_bytes(), source=str(file))
    assert number is not None
    mine = pasts_of(number, clone_ports(repo, fetch=False).ledger)
    found = [one.facts for one in newest(mine, 1) if one.decision.subject == "merge"]
    if not found:
        hint = "Fetch the branch: `git fetch origin mlbot/ledger`."
        raise UserError(f"the ledger has no decision on #{number}", hint=hint, code="facts_missing")
    return found[0]


def _tests(policies: Path) -> list[PolicyTest]:
    from bot.specs.policies.tests import PolicyTests
    from bot.specs.validation import validate
    from bot.specs.yaml import read_yaml

    files = {name: data for name, data in folder_files(policies).items() if name.startswith("policies/tests/")}
    if not files:
        raise UserError(
            f"there are no tests in {policies}/tests", hint="`mlbot schema policy-tests` shows their shape."
        )
    documents = [read_yaml(data, name) for name, data in files.items() if name.endswith(".yaml")]
    return [test for one in documents for test in validate(one, PolicyTests, schema="policy-tests").tests]
