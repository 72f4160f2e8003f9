"""A pull request's files are data: whatever they hold, nothing of them runs and nothing outside is read."""

import re
from pathlib import Path

import pytest

from bot.errors import UserError
from bot.specs.model import read_model_spec
from bot.specs.pointer import read_pointer
from bot.specs.tracked import read_tracked
from bot.specs.yaml import read_yaml

SPEC = next(Path(__file__).parent.parent.parent.glob("models/*/model.yaml"))
NAME = SPEC.parent.name


def refused(text: str, folder: str = NAME) -> UserError:
    with pytest.raises(UserError) as caught:
        read_model_spec(text.encode(), f"models/{folder}/model.yaml")
    return caught.value


def test_the_spec_that_is_attacked_is_a_good_one() -> None:
    assert read_model_spec(SPEC.read_bytes(), f"models/{NAME}/model.yaml").name == NAME


@pytest.mark.parametrize(
    "estimator",
    [
        "os.system",
        "subprocess.Popen",
        "builtins.eval",
        "__main__.x",
        "sklearn.utils._testing.ignore_warnings",
        "sklearn.preprocessing.FunctionTransformer",
        "../../evil.Estimator",
        "bot.train.step.train",
    ],
)
def test_a_spec_names_no_python(estimator: str) -> None:
    """Only estimators on the written list; a dotted path is no way round it."""
    block = re.compile(r"^estimator:.*\n(?: .*\n)*", re.MULTILINE)
    text = block.sub(f"estimator: {{{estimator}: {{}}}}\n", SPEC.read_text())
    error = refused(text)
    assert [str(one) for one in getattr(error, "errors", [error]) if estimator in str(one)], error


@pytest.mark.parametrize(
    "tail",
    [
        "x: !!python/object/apply:os.system ['true']",
        "x: !!python/name:os.system",
        "x: !include /etc/passwd",
        "x: &a [*a]",
        "a: &a [1,1]\nb: &b [*a,*a]\nc: [*b,*b]",
        "task: classification\ntask: regression",
        "---\ntask: classification",
        "<<: {task: classification}",
        "x: " + "[" * 5_000,
        "x\u202ey: 1",
        *(f'description: "a{escape}b"' for escape in (r"\u202e", r"\u200B", r"\0", r"\e", r"\_", r"\N", r"\L")),
        r'"targ\u0435t": 1',
        r'"x\u2066y": 1',
    ],
)
def test_yaml_tricks_are_refused_with_their_place(tail: str) -> None:
    """Tags, aliases and their bombs, duplicate keys, second documents, merge keys, depth, what hides."""
    error = refused(SPEC.read_text() + "\n" + tail + "\n")
    first = getattr(error, "errors", [error])[0]
    assert first.place is not None and first.place.line


@pytest.mark.parametrize(
    "name",
    ["x;id", "$(id)", "`id`", "x y", "x\ny", "::set-output name=a::b", "<img>", "[x](y)", "X", "-x", "é", "x" * 64],
)  # fmt: skip
def test_a_model_s_name_is_never_shell_markdown_or_a_workflow_command(name: str) -> None:
    assert refused(SPEC.read_text(), name)


POINTER = "outs:\n- md5: {md5}\n  size: 1\n  hash: md5\n  path: {path}\n"


@pytest.mark.parametrize(
    ("path", "extra"),
    [
        ("/etc/passwd", ""),
        ("../outside", ""),
        ("data/../../x", ""),
        ("data", "  remote: other\n"),
        ("data", "cmd: id\n"),
        ("data", "deps:\n- path: /etc/passwd\n  md5: x\n"),
    ],
)
def test_a_data_pointer_stays_inside_and_chooses_no_remote(path: str, extra: str) -> None:
    text = (POINTER.format(md5="a" * 32 + ".dir", path=path) + extra).encode()
    with pytest.raises(UserError):
        read_pointer(text, "data.dvc", path="data")
    try:
        found = read_tracked(text, "data.dvc")
    except UserError:
        return
    assert all(one.path == "data" and (one.refusal or one.is_import) for one in found), "it is refused or not followed"


HIDING = ["\u202e", "\u200b", "\u2066", "\u00a0", "\ufeff", "\U000e0041"]


@pytest.mark.parametrize("hides", HIDING, ids=ascii)
def test_what_hides_is_refused_as_itself_and_as_an_escape(hides: str) -> None:
    """For being hidden, whatever else may be wrong with the word."""
    escape = f"\\U{ord(hides):08x}"
    for text in (f"a: x{hides}y", f'a: "x{escape}y"', f"x{hides}y: 1", f'"x{escape}y": 1', f"a: [x, '{hides}']"):
        with pytest.raises(UserError, match="invisible character"):
            read_yaml(text.encode(), "model.yaml")


@pytest.mark.parametrize("escape", [r"\0", r"\e", r"\_", r"\N", r"\L", r"\P", r"\x07", r"\a", r"\uFEFF"])
def test_yaml_s_own_words_for_what_hides_are_refused(escape: str) -> None:
    with pytest.raises(UserError, match="invisible character"):
        read_yaml(f'a: "x{escape}y"'.encode(), "model.yaml")
