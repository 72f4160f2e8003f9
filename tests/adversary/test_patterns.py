"""Whatever pattern a spec, a contract or a policy holds, it is matched in time that grows with the text alone."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.decide.globs import fits
from bot.errors import UserError
from bot.specs.contract import read_contract
from bot.specs.linear import begin_with

SLOW = ["(a+)+$", "(a|a)*$", "(a*)*b", "(.*a){20}", "(a|aa)+$", "([a-z]+)*x", "^(([a-z])+.)+[A-Z]([a-z])+$"]


@pytest.mark.parametrize("pattern", SLOW)
def test_a_pattern_for_columns_takes_no_time(pattern: str) -> None:
    contract = f'columns:\n  "{pattern}": {{regex: true}}\n  b: {{dtype: str, str_matches: "{pattern}"}}\n'
    since = time.process_time()
    read_contract(contract.encode(), "schema.yaml")
    begin_with(pattern, ["a" * 5000 + "_x"] * 20)
    assert time.process_time() - since < 2


@pytest.mark.parametrize(
    "pattern", ["(?=a)", r"(a)\\1", "(a", "[", "((a{100}){100}){100}", "a" * 501, "(?P<x>a)(?P=x)"]
)
@pytest.mark.parametrize("place", ['"{}": {{regex: true}}', 'b: {{str_matches: "{}"}}', 'b: {{str_contains: "{}"}}'])
def test_what_is_no_such_pattern_is_refused_with_its_place(pattern: str, place: str) -> None:
    with pytest.raises(UserError) as caught:
        read_contract(f"columns:\n  {place.format(pattern)}\n".encode(), "schema.yaml")
    assert ("schema.yaml:" in str(caught.value) and "pattern" in str(caught.value)) or "500" in str(caught.value)


def test_patterns_have_a_number() -> None:
    columns = "".join(f'  "a{n}.*": {{regex: true}}\n' for n in range(101))
    with pytest.raises(UserError, match="at most 100"):
        read_contract(f"columns:\n{columns}".encode(), "schema.yaml")


@pytest.mark.parametrize(
    "pattern", ["**/" * 30 + "b", "*a" * 60 + "b", "**a" * 40 + "b", "**/*a" * 30 + "/c", "?" * 500]
)
def test_a_glob_of_a_policy_takes_no_time(pattern: str) -> None:
    since = time.process_time()
    for text in ("a" * 2000, "a/" * 1000, "/".join(["aaa"] * 500)):
        assert not fits(text, [pattern])
    assert time.process_time() - since < 2


GLOB = st.lists(st.sampled_from(["*", "**", "**/", "?", "a", "b", "/", "."]), max_size=8).map("".join)


@given(GLOB, st.text("ab/.", max_size=8))
def test_a_glob_means_what_it_says(pattern: str, text: str) -> None:
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    spelled = {"**/": r"(?:.*/)?", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
    plain = re.compile("".join(spelled.get(part) or re.escape(part) for part in parts), re.DOTALL)
    assert fits(text, [pattern]) == bool(plain.fullmatch(text))
