"""The tag grammar: what it builds it parses, as GTO itself does; and the versions behind it."""

from __future__ import annotations

import pytest
from gto.tag import parse_name
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.promote.tags import NAME, RegistryTag, checked_name, parse_tag
from bot.promote.version import bumped, numbers

names = st.from_regex(NAME, fullmatch=True).filter(lambda name: len(name) < 40 and name.isascii())
versions = st.tuples(*[st.integers(0, 999)] * 3).map(lambda parts: "v" + ".".join(map(str, parts)))
counters = st.one_of(st.none(), st.integers(0, 10**6))
registry_tags = st.one_of(
    st.builds(RegistryTag, names, version=versions, cancel=st.booleans(), counter=counters),
    st.builds(RegistryTag, names, environment=names, cancel=st.booleans(), counter=counters),
)


@given(registry_tags)
def test_every_tag_that_we_write_is_read_back_by_us_and_by_gto(tag: RegistryTag) -> None:
    """Round trip, and GTO's own parser finds the same words."""
    assert parse_tag(str(tag)) == tag
    theirs = parse_name(str(tag))
    assert theirs["name"] == tag.model
    assert (theirs.get("version"), theirs.get("stage")) == (tag.version, tag.environment)
    assert theirs["action"].value == tag.kind
    assert theirs.get("counter") == tag.counter


@pytest.mark.parametrize(
    "text",
    [
        "v1.0.0", "churn@1.0.0", "churn@v1.0", "churn@v1.0.0.0", "churn@v01.0.0", "churn#", "#production",
        "churn@latest",
        "churn#production#", "churn#production#x", "churn#production!!", "chu rn#production", "churn@v1.0.0\n",
        "churn.v2@v1.0.0", "-churn#production", "churn-#production", "churn##3", "churn@v1.0.0-rc1", "",
    ],
)  # fmt: skip
def test_other_peoples_tags_are_left_alone(text: str) -> None:
    """What is not exactly a registry tag is none."""
    assert parse_tag(text) is None


@pytest.mark.parametrize("name", ["", "churn.v2", "-churn", "churn-", "a b", "churn\n", "é", "a#b", "a@b", "_a"])
def test_names_that_gto_cannot_carry_are_refused(name: str) -> None:
    """Said before anything is written."""
    with pytest.raises(UserError):
        checked_name(name, "model")


@pytest.mark.parametrize(("bump", "version"), [("major", "v2.0.0"), ("minor", "v1.10.0"), ("patch", "v1.9.4")])
def test_steps_reset_what_is_smaller(bump: str, version: str) -> None:
    """v1.9.3 and its successors, compared as numbers and not as text."""
    assert bumped("v1.9.3", bump) == version  # type: ignore[arg-type]
    assert numbers(version) > numbers("v1.9.3")
