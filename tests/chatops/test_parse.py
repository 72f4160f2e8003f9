"""What is a command in a comment and what is not."""

from typing import Any

import cmarkgfm
import html5lib
import pytest
from cmarkgfm.cmark import Options
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chatops.grammar import FORMS, LOGIN, VERBS, Form, print_command, usage
from bot.chatops.parse import MAX_COMMANDS, parse
from bot.records.command import Command

E = "E-abcdefghijklmnop"
SHA = "0123456789abcdef0123456789abcdef01234567"


def one(body: str, prefix: str | None = None) -> Command:
    parsed = parse(body, prefix)
    assert not parsed.hints and len(parsed.commands) == 1, parsed
    return parsed.commands[0]


def code(body: str, prefix: str | None = None) -> str:
    parsed = parse(body, prefix)
    assert not parsed.commands and len(parsed.hints) == 1, parsed
    return parsed.hints[0].code


@pytest.mark.parametrize("form", FORMS, ids=lambda form: " ".join(form.words))
def test_every_example_of_the_help_is_a_command(form: Form) -> None:
    for prefix in (None, "ml"):
        line = ("/ml " if prefix else "/") + form.example.replace("E-…", E)
        command = one(line, prefix)
        assert command.verb == form.verb and one(print_command(command, prefix), prefix) == command


@pytest.mark.parametrize(
    ("body", "command"),
    [
        ("/status", Command(verb="status")),
        ("/STATUS", Command(verb="status")),
        ("Looks good.\n/approve\nThanks!", Command(verb="approve")),
        ("/approve\r\n", Command(verb="approve")),
        ("/approve\u00a0" + E, Command(verb="approve", target=E)),
        (f"/approve {E.upper()}", Command(verb="approve", target=E)),
        (
            f"/approve {SHA} churn delay-* to production",
            Command(verb="approve", target=SHA, models=("churn", "delay-*"), environment="production"),
        ),
        (f"/approve to production {SHA}", Command(verb="approve", target=SHA, environment="production")),
        ("/retrain e-commerce", Command(verb="retrain", models=("e-commerce",))),
        ("/retrain *a* seed=7", Command(verb="retrain", models=("*a*",), options={"seed": "7"})),
        ("/reject --reason no `--force` please", Command(verb="reject", options={"reason": "no --force please"})),
        (
            '/rollback production to="' + "a" * 64 + '" --reason x',
            Command(verb="rollback", environment="production", options={"to": "a" * 64, "reason": "x"}),
        ),
        ("/break-glass confirm b-ABCDEFGHIJ", Command(verb="break-glass", options={"confirm": "B-abcdefghij"})),
        (
            f"/break-glass promote {E} to production --reason x",
            Command(
                verb="break-glass", target=E, environment="production", options={"action": "promote", "reason": "x"}
            ),
        ),
        ("/simulate +approve=@rev +approve=ann", Command(verb="simulate", options={"approve": "rev,ann"})),
        ("/help /approve", Command(verb="help", options={"topic": "approve"})),
        ("<details>\n<summary>x</summary>\n\n/plan\n\n</details>\n\n/status", Command(verb="status")),
        ("a<br>\n/status", Command(verb="status")),
        ("\u200b/status\u200b", Command(verb="status")),
        ("> <details>\n\n/status", Command(verb="status")),
    ],
)
def test_commands(body: str, command: Command) -> None:
    assert one(body) == command


@pytest.mark.parametrize(
    "body",
    [
        "",
        "I can not /approve yet",
        "> /approve",
        "> quoted\n/approve",  # a lazy continuation of the quote
        "- /approve",
        "- item\n/approve",
        "1. /approve",
        "# /approve",
        "/approve\n===",
        "/approve\n---",
        "```\n/approve\n```",
        "```\n/approve",
        "~~~ sh\n/approve\n~~~",
        "    /approve",
        "\t/approve",
        " /approve",
        "text\n /approve",
        "text  \n /approve",
        "text\\\n /approve",
        "`/approve`",
        "`\n/approve\n`",
        "**/approve**",
        "<!-- /approve -->",
        "<!--\n/approve\n-->",
        "<!--\n\n/approve",
        "<div>/approve</div>",
        "<div>\n/approve\n</div>",
        "<details><summary>\n\n/approve\n\n</summary></details>",
        "<details>\n\n/approve",
        "<div\n\n/approve\n\n>",
        "<b>\n/approve\n</b>",
        "<b/>\n/approve",
        "text <i>\n\n/approve\n\n</i>",
        "<script>\n\n/approve\n\n</script>",
        "[/approve](https://x)",
        "[a\n/approve\nb](https://x)",
        "![/approve](https://x)",
        "<https://x>",
        "[/approve]: https://x",
        "[x]:\n/approve",
        "\\/approve",
        "&#47;approve",
        "&sol;approve",
        "/approve | b\n--- | ---\n1 | 2",
        "a | b\n--- | ---\n/approve | 2",
        "/etc/passwd",
        "/lgtm",
        "/ok-to-test",
        "/approve/me",
        "//approve",
        "/ approve",
        "／approve",
        "/аpprove",  # the first letter is Cyrillic
        "/a𝗉prove",
        "On Monday ann wrote:\n> /approve",
        # what GitHub shows elsewhere, or as something else, than a plain CommonMark parser thinks
        "[^1]: a note\n/approve",
        "see[^1]\n\n[^1]: note\n/approve",
        "/approve\n|-|",
        "/approve\n:-:\n1",
        "/approve\n|x\n---",
        "~~withdrawn\n/approve\nindeed~~",
        "it ~was\n/approve\nindeed~",
        "$$\n/approve\n$$",
        "> [a]: /x\n/approve",
        "- [a]: /x\n/approve",
        "1. [a]: /x[^1]\n/approve",
        "\ufeff- item\n/approve",
        "\ufeff<?\n/approve",
        "\u00a0/approve",
        "text\n\u00a0/approve",
    ],
)
def test_no_commands_and_no_answer(body: str) -> None:
    """Quotes, code, HTML, links, headings, look-alike letters and other bots' commands stay silent."""
    parsed = parse(body)
    assert parsed.commands == () and parsed.hints == ()


@pytest.mark.parametrize(
    ("body", "expected", "suggestion"),
    [
        ("/aprove", "unknown_verb", "/approve"),
        ("/approve,", "unknown_verb", "/approve"),
        ("/hlep", "unknown_verb", "/help"),
        ("/help aprove", "unknown_verb", "/help approve"),
        ("/app\u200brove", "invisible_character", "/approve"),
        ("/approve E-abc\u202edefghijklmnop", "invisible_character", None),
        ("/reject --reason \u3164", "invisible_character", None),
        ("/approve abc1234", "target_short", "/approve E-… churn to production"),
        ("/approve E-abc", "target_malformed", "/approve E-… churn to production"),
        ("/revoke abc1234def --reason x", "target_short", None),
        ("/revoke sha256:abc --reason x", "target_malformed", None),
        ("/revoke E-abcdefghijklmnop --reason x", "target_malformed", None),
        (f"/revoke {'a' * 64}", "reason_missing", None),
        ("/revoke --reason x", "target_missing", None),
        (f"/approve {E} {SHA}", "argument_repeated", "/approve E-… churn to production"),
        (f"/approve `{E}`", "markup_in_command", "/approve [E-id] [MODEL ...] [to ENV]"),
        ("/approve [x](y)", "markup_in_command", "/approve [E-id] [MODEL ...] [to ENV]"),
        ("/approve -- -x", "unknown_argument", "/approve E-… churn to production"),
        ("/approve --force", "unknown_argument", "/approve E-… churn to production"),
        ("/approve to", "environment_missing", "/approve E-… churn to production"),
        ("/approve to ../x", "environment_malformed", "/approve E-… churn to production"),
        ("/approve $(id)", "model_malformed", "/approve E-… churn to production"),
        ("/approve Churn", "model_malformed", "/approve E-… churn to production"),
        ("/approve churn;id", "model_malformed", "/approve E-… churn to production"),
        ("/approve @rev", "unknown_argument", "/approve E-… churn to production"),
        ("/retrain sead=7", "unknown_argument", "/retrain churn seed=7"),
        ("/retrain seed=x", "argument_malformed", "/retrain churn seed=7"),
        ("/retrain seed=1 seed=2", "argument_repeated", "/retrain churn seed=7"),
        ('/retrain seed="7', "quote_open", None),
        ("/reject", "reason_missing", "/reject --reason the test set leaks"),
        ("/reject --reason", "reason_missing", "/reject --reason the test set leaks"),
        ("/plan --reason x", "unknown_argument", "/plan"),
        ("/plan now", "unknown_argument", "/plan"),
        ("/promote to production", "target_missing", "/promote E-… to production"),
        (f"/promote {E}", "environment_missing", "/promote E-… to production"),
        ("/delegate @rev@acme role=model-owner for=1d --reason x", "argument_malformed", None),
        ("/delegate @rev role=model-owner --reason x", "argument_missing", None),
        ("/delegate @rev role=model-owner for=forever --reason x", "argument_malformed", None),
        ("/delegate role=model-owner for=1d --reason x", "user_missing", None),
        ("/break-glass", "argument_missing", None),
        ("/break-glass confirm", "request_missing", "/break-glass confirm B-abcdefghij"),
        ("/break-glass confirm B-abc", "unknown_argument", "/break-glass confirm B-abcdefghij"),
        ("/reject --reason " + "x" * 200, "too_long", None),
    ],
)
def test_hints(body: str, expected: str, suggestion: str | None) -> None:
    """Whatever looks like a command and is none says what is wrong, and mostly what to write instead."""
    parsed = parse(body)
    assert parsed.commands == () and [hint.code for hint in parsed.hints] == [expected]
    hint = parsed.hints[0]
    assert hint.message
    if suggestion is not None:
        assert hint.suggestion == suggestion
    assert "@rev" not in hint.message.replace("`@rev`", "")  # nobody is mentioned by an answer


def test_a_hint_names_the_line_of_the_comment() -> None:
    parsed = parse("Hi\n\n```\na\nb\n```\n\nfoo `x\ny` bar\n/aprove\n")
    assert [hint.line for hint in parsed.hints] == [10]


def test_all_or_nothing() -> None:
    """A wrong command stops the right ones beside it."""
    assert code("/status\n/approve abc1234") == "target_short"
    assert [command.verb for command in parse("/status\n/lgtm\n\n/plan").commands] == ["status", "plan"]


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("/approve\n/reject --reason no", 2), ("/reject --reason no\n\nor rather\n/approve", 4),
        (f"/approve {E}\n/unapprove", 2), ("/unapprove\n/reject --reason no", 2),
        ("/hold --reason wait\n/status\n/unhold", 3),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_refused_whole_in_one_answer(body: str, line: int) -> None:
    parsed = parse(body)
    assert parsed.commands == () and [(one.line, one.code) for one in parsed.hints] == [(line, "contradictory")]
    assert all(f"`/{word.split()[0]}`" in parsed.hints[0].message for word in body.split("/")[1:] if word[0] != "s")


@pytest.mark.parametrize(
    "body", ["/approve a\n/approve b", f"/approve {E}\n/hold --reason wait", "/lock a --reason x\n/unlock b"]
)
def test_what_can_both_be_meant_is_done(body: str) -> None:
    assert len(parse(body).commands) == 2


def test_at_most_five_commands() -> None:
    assert len(parse("\n".join(["/status"] * MAX_COMMANDS)).commands) == MAX_COMMANDS
    assert code("\n".join(["/status"] * (MAX_COMMANDS + 1))) == "too_many_commands"


def test_with_a_prefix_other_bots_commands_are_left_alone() -> None:
    assert one("/ml approve", "ml").verb == "approve"
    assert one("/ML  Approve", "ml").verb == "approve"
    assert parse("/approve\n/hold", "ml").commands == ()
    assert parse("/approve abc1234", "ml").hints == ()
    assert code("/ml aprove", "ml") == "unknown_verb"
    assert parse("/ml aprove", "ml").hints[0].suggestion == "/ml approve"
    assert parse("/ml frobnicate", "ml").hints[0].suggestion == "/ml help"
    assert parse("/ml", "ml").hints[0].suggestion == "/ml help"


# --- hostile text

commands_text = st.sampled_from(
    ["/approve", f"/approve {E} to production", "/merge", "/hold --reason x", f"/promote {E} to production"]
)
prose = st.text(alphabet=st.sampled_from("ab /`<>*_[]()!-#\n\t~>&;:\\|=\u200b\u00a0é"), max_size=40)
around = st.lists(prose | commands_text, max_size=6).map("\n".join)


def quoted(text: str) -> str:
    return "\n".join("> " + line for line in text.splitlines() or [""])


def fenced(text: str) -> str:
    longest = max((len(run) for line in text.splitlines() for run in line.split() if set(run) <= {"`"}), default=0)
    fence = "`" * max(3, longest + 40)
    return f"{fence}\n{text}\n{fence}"


def indented(text: str) -> str:
    return "\n".join("    " + line for line in text.splitlines())


def as_html(text: str) -> str:
    return "<pre><!--" + text.replace("-->", "") + "--></pre>"


def in_details(text: str) -> str:
    return "<details>\n\n" + text.replace("<", "") + "\n\n</details>"


def listed(text: str) -> str:
    return "\n".join("- " + line for line in text.splitlines() or [""])


@settings(max_examples=300)
@given(around, st.sampled_from([quoted, fenced, indented, as_html, in_details, listed]))
def test_wrapped_text_never_holds_a_command(text: str, wrap: object) -> None:
    """Any text in a quote, a fence, indented code, HTML or a list yields no command and no answer."""
    parsed = parse(wrap(text))  # type: ignore[operator]
    assert parsed.commands == () and parsed.hints == ()


@settings(max_examples=200)
@given(commands_text, st.text(max_size=20))
def test_inline_code_never_holds_a_command(command: str, text: str) -> None:
    inside = text.replace("`", "").replace("\n", " ").replace("\r", " ")
    parsed = parse(f"`` {inside} {command} ``")
    assert parsed.commands == () and parsed.hints == ()


@settings(max_examples=300)
@given(st.text(max_size=200) | around)
def test_no_comment_crashes_the_parser(body: str) -> None:
    parsed = parse(body)
    assert not (parsed.commands and parsed.hints)
    for command in parsed.commands:
        assert command.verb in VERBS


mixed = st.lists(
    st.sampled_from([
        "/hold --reason a", "/hold --reason b", "\n", "\n", "\n\n", "\n\n", "> ", "- ", "1. ", "    ", " ", "```",
        "~~~", "`", "<b>", "</b>", "<div>", "<!--", "-->", "<details>", "<p>", "<pre>", "[^1]: ", "[^1]", "[a]: /x",
        "[a]", "(b)", "[", "](", "|-|", "a | b", "---", "===", "***", "# ", "\\", "~", "~~", '<a href="', '">', "$$",
        "\r\n", "word ", "<?", "<x", "\u00a0", "\u200b", "\ufeff", "> [!NOTE]\n> ",
    ]),
    max_size=18,
).map("".join)  # fmt: skip


def shown(element: Any) -> str:
    """The text of an element; of markup that is more than a look a NUL is left."""
    text = element.text or ""
    for child in element:
        look = shown(child) if child.tag in ("em", "strong") else "\0"
        text += ("\n" if child.tag == "br" else look) + (child.tail or "")
    return text


@settings(max_examples=500, deadline=None)
@given(mixed)
def test_what_is_taken_for_a_command_is_seen_as_one_by_github_s_own_parser(body: str) -> None:
    """Whatever two parsers of Markdown may disagree about holds no command."""
    html = cmarkgfm.github_flavored_markdown_to_html(body, Options.CMARK_OPT_FOOTNOTES)
    paragraphs = html5lib.parse(html, namespaceHTMLElements=False).find("body").findall("p")
    lines = [line.lstrip("\u200b\ufeff") for one in paragraphs for line in shown(one).split("\n")]
    for reason in "ab":
        taken = [one for one in parse(body).commands if one.options["reason"].startswith(reason)]
        assert len(taken) <= sum(line.startswith(f"/hold --reason {reason}") for line in lines)


digests = st.from_regex(r"E-[a-z2-7]{16}|[0-9a-f]{40}|[0-9a-f]{64}", fullmatch=True)
patterns = st.from_regex(r"[a-z*][a-z-]{0,9}\*?", fullmatch=True).filter(
    lambda word: word != "to" and not word.startswith(("e-", "b-"))
)
names = st.from_regex(r"[a-z][a-z-]{0,9}", fullmatch=True)
reasons = st.text(st.characters(categories=["L", "N"], include_characters=" .,-"), min_size=1, max_size=40).map(
    lambda text: " ".join(text.split())
).filter(bool)  # fmt: skip


@st.composite
def commands(draw: st.DrawFn) -> Command:
    """Any command that the grammar can express."""
    form = draw(st.sampled_from(FORMS))
    options: dict[str, str] = {}
    if len(form.words) > 1 and not form.confirm:
        options["action"] = form.words[1]
    if form.confirm:
        options["confirm"] = draw(st.from_regex(r"B-[a-z2-7]{10}", fullmatch=True))
    if form.topic:
        options["topic"] = draw(st.sampled_from(VERBS))
    if form.user == "must":
        options["user"] = draw(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,9}", fullmatch=True))
    for option in form.options:
        if option.required or draw(st.booleans()):
            value = st.from_regex(option.pattern, fullmatch=True)
            value = value.map(lambda text: text.removeprefix("@")) if option.pattern is LOGIN else value
            value = value.map(str.lower) if option.name == "to" else value
            options[option.name] = draw(value)
    if form.reason == "must" or (form.reason == "may" and draw(st.booleans())):
        options["reason"] = draw(reasons)
    place = form.environment
    has_place = place in ("first", "must_to") or (place == "to" and draw(st.booleans()))
    has_target = form.artifact or form.target == "must" or (form.target == "may" and draw(st.booleans()))
    return Command(
        verb=form.verb,
        target=draw(st.from_regex(r"[0-9a-f]{64}", fullmatch=True) if form.artifact else digests)
        if has_target
        else None,
        models=tuple(draw(st.lists(patterns, max_size=2))) if form.models != "no" else (),
        environment=draw(names.filter(lambda word: word != "to")) if has_place else None,
        options=options,
    )


@settings(max_examples=400)
@given(commands(), st.sampled_from([None, "ml"]))
def test_what_is_printed_is_read_back_the_same(command: Command, prefix: str | None) -> None:
    line = print_command(command, prefix)
    if len(line) <= 200:
        assert one(line, prefix) == command


def test_usage_lines_are_distinct_and_start_with_their_verb() -> None:
    lines = [usage(form) for form in FORMS]
    assert len(set(lines)) == len(lines)
    assert all(line.startswith("/" + form.verb) for line, form in zip(lines, FORMS, strict=True))
