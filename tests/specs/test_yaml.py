"""Strict YAML: what people write is read the same by everybody, or refused with the place and the next step."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import MlbotError, Problems, UserError
from bot.specs.yaml import read_yaml


def read(text: str):
    return read_yaml(text.encode(), "model.yaml").value


def error(text: str) -> UserError:
    with pytest.raises(UserError) as caught:
        read(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1\nb: [x, 2.5, true, null]\n", {"a": 1, "b": ["x", 2.5, True, None]}),
        ("a: 1e-3\n", {"a": 0.001}),
        ("a: -1\nb: +2\nc: .5\n", {"a": -1, "b": 2, "c": 0.5}),
        ('a: "no"\nb: \'12:30\'\nc: "010"\n', {"a": "no", "b": "12:30", "c": "010"}),
        ("a: 2026-12-24\n", {"a": "2026-12-24"}),
        ("a: v1.2.3\nb: 1.2.3\n", {"a": "v1.2.3", "b": "1.2.3"}),
        ("a: |\n  two\n  lines\n", {"a": "two\nlines\n"}),
        ("", None),
        ("# only a comment\n", None),
        ("имя: хорошо\n", {"имя": "хорошо"}),
        ("---\na: 1\n", {"a": 1}),
    ],
)
def test_plain_data_is_read_as_every_reader_reads_it(text, value):
    assert read(text) == value


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("a: no\n", "model.yaml:1:4", "true or false for YAML 1.1", 'Write false, or "no"'),
        ("a:\n  - Yes\n", "model.yaml:2:5", "true or false", "Write true"),
        ("on: push\n", "model.yaml:1:1", "`on`", '"on"'),
        ("a: TRUE\n", "model.yaml:1:4", "`TRUE`", "Write true"),
        ("a: 12:30\n", "model.yaml:1:4", "base 60", '"12:30"'),
        ("a: 010\n", "model.yaml:1:4", "octal", "decimal"),
        ("a: 0x1F\n", "model.yaml:1:4", "octal, hexadecimal", "decimal"),
        ("a: 1_000\n", "model.yaml:1:4", "1_000", "underscores"),
        ("a: .inf\n", "model.yaml:1:4", "finite", "Leave the key out"),
        ("a: 1e999\n", "model.yaml:1:4", "finite", "smaller"),
        ("a: " + "9" * 5000 + "\n", "model.yaml:1:4", "5000 characters", "Quote"),
        ("a: 1\nb: 2\na: 3\n", "model.yaml:3:1", "duplicate key `a`", "line 1"),
        ("a: &x [1]\nb: *x\n", "model.yaml:1:4", "anchors and aliases", "Write the value out"),
        ("a: !!python/object:os.system x\n", "model.yaml:1:4", "tags are not read", "plain value"),
        ("a: 1\n---\nb: 2\n", "model.yaml:2:1", "second document", "one document"),
        ("%YAML 1.1\n---\na: 1\n", "model.yaml:1:1", "directives", "Remove"),
        ("1: x\n", "model.yaml:1:1", "is not text", '"1"'),
        ("? [a, b]\n: x\n", "model.yaml:1:3", "key must be one word", "Quote"),
        ("a: [1\n", "model.yaml:2:1", "not YAML", "brackets"),
        ("a:\n\tb: 1\n", "model.yaml:2:1", "not YAML", "spaces, not tabs"),
        ("a: x\u200by\n", "model.yaml:1:5", "U+200B ZERO WIDTH SPACE", "Type it again"),
        ("a: \u202etxt\n", "model.yaml:1:4", "RIGHT-TO-LEFT OVERRIDE", "Type it again"),
        ("t\u0430rget: x\n", "model.yaml:1:2", "CYRILLIC SMALL LETTER A", "ASCII"),
        ("a: x\u00a0y\n", "model.yaml:1:5", "NO-BREAK SPACE", "Type it again"),
        ("\ufeffa: 1\n", "model.yaml:1:1", "U+FEFF", "Type it again"),
    ],
)
def test_a_trap_is_refused_with_its_place_and_the_next_step(text, place, message, hint):
    caught = error(text)
    first = caught.errors[0] if isinstance(caught, Problems) else caught
    assert str(first.place) == place
    assert message in first.message
    assert hint in (first.hint or "")


def test_every_mistake_is_named_in_one_reading():
    caught = error("a: no\nb: yes\nc: 1\nc: 2\n")
    assert isinstance(caught, Problems)
    assert [str(one.place) for one in caught.errors] == ["model.yaml:1:4", "model.yaml:2:4", "model.yaml:4:1"]


def test_a_file_that_is_not_utf8_is_refused_with_the_place_of_the_byte():
    with pytest.raises(UserError) as caught:
        read_yaml(b"a: 1\nb: \xff\n", "model.yaml")
    assert str(caught.value.place) == "model.yaml:2:4"


@pytest.mark.parametrize(
    "text",
    ["a: 1\n" * 100_000, "[" * 5000, "{a: " * 5000, "a: [" + "1, " * 60_000 + "1]\n"],
    ids=["too long", "deep lists", "deep mappings", "too many values"],
)
def test_a_bomb_is_refused_within_a_second(text):
    with pytest.raises(UserError):
        read(text)


def test_the_place_of_every_key_and_value_is_known():
    document = read_yaml(b"a:\n  b: 1\n  c: [x, y]\n", "f.yaml")
    assert str(document.place(("a", "b"))) == "f.yaml:2:6"
    assert str(document.place(("a", "b"), key=True)) == "f.yaml:2:3"
    assert str(document.place(("a", "c", 1))) == "f.yaml:3:10"
    assert str(document.place(("a", "not there"))) == "f.yaml:2:3"


@given(st.binary(max_size=200))
def test_no_bytes_give_anything_but_data_or_an_error_for_people(data):
    try:
        read_yaml(data, "f.yaml")
    except MlbotError as caught:
        assert caught.exit_code == 1


_PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcdef", min_size=1), inner, max_size=3),
    max_leaves=8,
)


@given(_PLAIN)
def test_json_is_read_as_json(value):
    import json

    text = json.dumps(value, ensure_ascii=True)
    assert read_yaml(text.encode(), "f.yaml").value == value


@given(st.text(alphabet="ab:- []{}#&*!|>'\"%@`\n\t0123456789.,?no", max_size=60))
def test_what_is_accepted_equals_what_pyyaml_reads_where_both_read_it(text):
    import yaml

    try:
        ours = read_yaml(text.encode(), "f.yaml").value
    except UserError:
        return
    theirs = yaml.load(text, Loader=yaml.CBaseLoader)
    assert _texts(ours) == _texts(theirs)


def _texts(value):
    """The shape of a value, whatever its scalars were resolved to."""
    if isinstance(value, dict):
        return {key: _texts(inner) for key, inner in value.items()}
    return [_texts(inner) for inner in value] if isinstance(value, list) else "scalar"
