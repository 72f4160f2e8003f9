"""A team can write its own page; a mistake in it is found by `validate` and never costs the report."""

import pytest

from bot.errors import Problems, UserError
from bot.report.markdown import comment
from bot.report.override import read_templates
from tests.report.situations import all_good, hundred_models

OWN = "{{ headline }}\n\n{% for label, said in facts %}\n- {{ label }}: {{ said }}\n{% endfor %}\n{{ 'to @team' }}\n"


def read(text: str, name: str = "comment.md.j2") -> dict[str, str]:
    return read_templates({f"policies/templates/{name}": text.encode(), "policies/gates.yaml": b"x"})


def test_the_teams_own_page_is_used_and_escapes_whatever_is_not_finished() -> None:
    made = comment(all_good(), templates=read(OWN))
    assert made.startswith("<!-- mlbot:report:mlbot -->\n<code>flights</code> is better")
    assert "to <code>&#64;<!-- -->team</code>" in made
    assert "#### Gates" not in made


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("a\n{% for x in facts %}\n", "Unexpected end of template", 2),
        ("{{ nobody }}", "the variable nobody does not exist", None),
        ("{{ headline|safe }}", "No filter named 'safe'", 1),
        ("{{ headline.__class__.__mro__[1].__subclasses__() }}", "is unsafe", None),
        ("{{ 1 // 0 }}", "ZeroDivisionError", None),
        ("{% for x in range(10 ** 9) %}{% endfor %}", "OverflowError", None),
        ("x" * 100_001, "100,000 characters", None),
    ],
)
def test_a_mistake_is_found_with_its_place(text: str, said: str, line: int | None) -> None:
    with pytest.raises(UserError) as caught:
        read(text)
    assert said in str(caught.value)
    assert caught.value.place is not None
    assert caught.value.place.file == "policies/templates/comment.md.j2"
    assert caught.value.place.line == line


def test_unknown_names_are_all_reported() -> None:
    with pytest.raises(Problems) as caught:
        read_templates({"policies/templates/a.md": b"", "policies/templates/b.md": b""})
    assert [error.code for error in caught.value.errors] == ["template_unknown"] * 2


@pytest.mark.parametrize("text", ["{{ 1 // 0 }}", "{{ nobody }}", "{% for x in range(90000) %}a{% endfor %}"])
def test_a_template_that_fails_or_writes_too_much_never_costs_the_report(text: str) -> None:
    made = comment(hundred_models(), templates={"comment.md.j2": text})
    assert "11 worse" in made
    assert "own template could not be used" in made
    assert len(made) <= 65_536


def test_no_templates_are_fine() -> None:
    assert read_templates({"policies/roles.yaml": b"x"}) == {}
