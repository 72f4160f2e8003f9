"""Every error has a code of the closed list and a next step, and every code a line in docs/errors.md."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.codes import CODES, STEPS, docs_page
from bot.decide.reasons import REASONS
from bot.errors import MlbotError, Place, Problems, UserError, WorldError

ROOT = Path(__file__).resolve().parents[1]
KINDS = ("UserError", "WorldError", "MlbotError")
# Codes that a function is handed by those who call it.
HANDED = {"code"}


def raised() -> Iterator[tuple[str, str]]:
    """(place, code) of every error that the product makes, as far as the code is written there."""
    for path in (ROOT / "bot").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for keyword in getattr(node, "keywords", ()) if isinstance(node, ast.Call) else ():
                is_error = isinstance(node.func, ast.Name) and node.func.id in KINDS  # type: ignore[attr-defined]
                if keyword.arg == "code" and is_error:
                    found = [one.value for one in ast.walk(keyword.value) if isinstance(one, ast.Constant)]
                    place = f"{path.relative_to(ROOT).as_posix()}:{node.lineno}"  # type: ignore[attr-defined]
                    yield from ((place, str(code)) for code in found if isinstance(code, str))


def test_every_code_is_on_the_closed_list() -> None:
    strangers = [f"{place}: {code}" for place, code in raised() if code not in CODES and code not in REASONS]
    assert strangers == [], "give it a next step in bot/codes.py"


def test_no_code_is_on_the_list_that_nothing_gives() -> None:
    words = {
        node.value
        for path in (ROOT / "bot").rglob("*.py")
        if path.name != "codes.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert sorted(set(CODES) - words) == []


def test_each_code_stands_once_with_a_step() -> None:
    assert sum(map(len, STEPS.values())) == len(CODES)
    assert all(step.endswith((".", "it")) and len(step) > 15 for step in STEPS)


@pytest.mark.parametrize("kind", [UserError, WorldError, MlbotError])
def test_an_error_without_a_word_of_its_own_says_what_comes_next(kind: type[MlbotError]) -> None:
    for code in ("", *CODES):
        error = kind("this is wrong", place=Place("models/churn/model.yaml", 3), code=code)
        assert error.told().startswith("models/churn/model.yaml:3: this is wrong\n\n") and error.next_step
    assert kind("x", hint="Do this.", code="bug").next_step == "Do this."


def test_of_several_mistakes_each_has_its_own_next_step() -> None:
    told = Problems([UserError("a", code="data_missing"), UserError("b", hint="Mend b.")]).told()
    assert "dvc pull" in told and "Mend b." in told


def test_the_page_of_errors_is_up_to_date() -> None:
    """`mlbot schema --docs docs` after a change of the list."""
    assert (ROOT / "docs/errors.md").read_text(encoding="utf-8") == docs_page()
