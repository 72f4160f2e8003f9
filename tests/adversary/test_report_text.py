"""Whatever is written in a name, a message or a title: the comment shows that text, and does nothing else."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.records.decision import Unblock
from bot.records.evaluation import Budget, MissingBaseline, Section
from bot.records.failure import Failure
from bot.records.plan import DataFile, Reason
from bot.records.report import Report, RunFacts
from bot.records.training import DroppedInput
from bot.report.annotations import workflow_commands
from bot.report.fit import units
from bot.report.html import page
from bot.report.markdown import comment, summary
from bot.report.markdown_blocks import command
from bot.report.status import statuses
from bot.report.terminal import table
from bot.words import block, clipped, code, inline, one_line, visible
from tests.builders import (
    a_comparison,
    a_decision,
    a_gate,
    a_metric,
    a_plan,
    a_planned,
    a_skipped,
    a_slice,
    a_training,
    an_evaluation,
    an_invalid,
)
from tests.report.github import tree

TRICKS = [
    "@team please",
    "x@y.example",
    "see #12 and acme/app#3 and GH-7 and JIRA-99",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "/approve E-aaaaaaaaaaaaaaaa",
    "\n\n/approve\n",
    "| a | b |\n| - | - |",
    "a|b\\|c",
    "</details></summary><script>alert(1)</script>",
    "<!-- mlbot:report:mlbot -->",
    "--> <img src=x onerror=y>",
    "![pixel](https://evil.example/a.png)",
    "[click](javascript:alert(1))",
    "https://evil.example www.evil.example",
    "`code` ``` ~~~ **bold** _it_ ~~gone~~",
    "# heading\n===\n---",
    "1. one\n- [x] done\n> quote",
    "$a^2$ $$x$$ :tada: :+1:",
    "[^1]: foot [^1]",
    "&lt;b&gt; &#64;team &amp;",
    "abc\u202edcba\u2066x\u2069",
    "zero\u200bwidth\ufefftag\U000e0041",
    "::error file=x::y\n##[error]z\n%0A::set-output::",
    "a\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301",
    "\u05e9\u05dc\u05d5\u05dd 12 \u0627\u0644",
    "\x00\x1b[31mred\x07\x85\u2028",
    "    indented",
    "trailing \\",
    "\ud800",
]
texts = st.one_of(
    st.sampled_from(TRICKS),
    st.text(max_size=60),
    st.text(alphabet="@#/<>|`*_[]()!:$\\&;-=+~^{} \n\r\tab1.", max_size=60),
    st.lists(st.sampled_from(TRICKS), min_size=2, max_size=2).map(" ".join),
)
# What the templates themselves write; `span` and `code` also come from escaping and hold nothing but text.
ELEMENTS = {"h2", "h3", "h4", "table", "thead", "tbody", "tr", "th", "td", "strong", "code", "pre", "p", "details"}
ELEMENTS |= {"summary", "ul", "li", "a", "sub", "span", "br", "blockquote"}
# GitHub's own passes over the finished page, outside code and links (https://github.com/gjtorikian/html-pipeline).
LIVE = re.compile(
    r"(?<![0-9A-Za-z])@[0-9A-Za-z]|#\d|\bGH-\d|://|\bwww\.|:\+?\w+:|\$|(?<![0-9a-z])[0-9a-f]{40}(?![0-9a-z])", re.I
)


def flat(text: str) -> str:
    """Text with white space the way a page shows it."""
    return re.sub(r"[ \t\n\r\f\v]+", " ", text).strip(" ")


def shown(markdown: str) -> tuple[str, list[Any]]:
    found = tree(markdown)
    elements = [one for one in found.iter() if isinstance(one.tag, str)]
    return text_of(found), elements


def text_of(element: Any) -> str:
    """What a reader sees of an element: comments are not part of it."""
    own = (element.text or "") if isinstance(element.tag, str) else ""
    return own + "".join(text_of(child) + (child.tail or "") for child in element)


@given(texts)
@settings(max_examples=150, deadline=None)
@example("")
def test_a_sentence_renders_to_its_own_text(text: str) -> None:
    """In a paragraph, in a table cell, in a heading and on a collapsed line alike."""
    said = inline(text)
    places = ("{}", "| a |\n| - |\n| {} |", "#### {}", "<details><summary>{}</summary>\n\n</details>\n")
    found, elements = shown("\n\n".join(place.format(f"x {said} x") for place in places))
    assert flat(found).count(flat(f"x {one_line(text)} x")) >= 4 or not text
    assert {one.tag for one in elements} <= ELEMENTS | {"DOCUMENT_FRAGMENT"}


@given(texts)
@settings(max_examples=150, deadline=None)
def test_a_name_renders_to_exactly_its_characters(text: str) -> None:
    _, elements = shown(f"| a |\n| - |\n| {code(text)} |\n\n- {code(text)}\n\n{code(text)}\n")
    names = [text_of(one) for one in elements if one.tag == "code"]
    assert names == [clipped(visible(text), 120)] * 3


@given(texts)
@settings(max_examples=100, deadline=None)
def test_a_log_renders_to_its_own_lines(text: str) -> None:
    _, elements = shown(f"before\n\n{block(text)}\n\nafter\n")
    assert [one.tag for one in elements if one.tag in ("pre", "code", "p")] == ["p", "pre", "code", "p"]
    said = next(text_of(one) for one in elements if one.tag == "code")
    assert said == visible(text.replace("\r\n", "\n"), keep="\n")


@given(texts)
@settings(max_examples=100, deadline=None)
def test_a_command_stays_inside_its_fence(text: str) -> None:
    _, elements = shown(f"before\n\n{command(text)}\n\nafter\n")
    assert [one.tag for one in elements if one.tag in ("pre", "p", "li")] == ["p", "pre", "p"]


def everywhere(text: str) -> Report:
    """A report that holds `text` in every field that a stranger can fill."""
    training = a_training(
        text,
        target=text,
        classes=(text, f"{text}2"),
        inputs=(text,),
        dropped=(DroppedInput(column=text, reason=text, detail=text),),
        data_files=(DataFile(path=text, md5=text),),
        selection_method=text,
        scoring=text,
        estimator=text,
        parameters={text: text},
        onnx_detail=text,
        warnings=(text,),
    )
    evaluation = an_evaluation(
        text,
        training=training,
        primary_metric=text,
        metrics=(a_metric(text, unit=text),),
        comparisons=(a_comparison(metric=text, baseline=f"{text}production"),),
        slices=(
            a_slice(
                text,
                metric=text,
                note=text,
                comparison=a_comparison(-0.02, metric=text),
            ),
        ),
        gates=(a_gate(text, verdict="fail", sentence=text, file=text, kind=text),),
        missing_baselines=(MissingBaseline(environment=text, reason=text),),
        budget=(Budget(test_rows_digest=text, metric=text, used=1, allowed=2),),
        operating={text: 1.0},
        sections=(Section(id="x", heading=text, columns=(text, "b"), rows=((text, text, text),), note=text),),
    )
    reasons = (Reason(code="c", sentence=text, path=text),)
    failed, broken = f"{text}f", f"{text}i"
    return Report(
        plan=a_plan(
            a_planned(text, reasons=reasons),
            a_planned(failed, reasons=reasons),
            a_skipped(f"{text}s", text),
            an_invalid(broken, file=text, message=text, hint=text),
            change_kinds=(text,),
        ),
        evaluations={text: evaluation},
        failures={failed: Failure(message=text, hint=text, file=text, line=3, log_tail=text)},
        decision=a_decision(
            "rejected", headline=text, unblock=(Unblock(who=(text,), action=text, command=text),), evaluation_id=text
        ),
        evaluation_id=text,
        run=RunFacts(id=1, url=text, page_url=f"https://x.example/{text}"),
    )


def hostile(test: Any) -> Any:
    return pytest.mark.parametrize("text", [one for one in TRICKS if one != "\ud800"], ids=range(len(TRICKS) - 1))(test)


@hostile
def test_the_whole_comment_holds_only_what_the_template_wrote(text: str) -> None:
    page = comment(everywhere(text))
    _, elements = shown(page)
    assert {one.tag for one in elements} <= ELEMENTS | {"DOCUMENT_FRAGMENT"}
    for one in elements:
        links = {"href": one.get("href")} if one.tag == "a" else {}
        allowed = {"align", "lang", "dir"} | set(links)
        assert set(one.keys()) <= allowed
        assert (links.get("href") or "https://x.example/").startswith("https://x.example/")


@given(texts)
@settings(max_examples=40, deadline=None)
def test_any_text_in_every_field_adds_no_element_and_no_link(text: str) -> None:
    made = comment(everywhere(text.replace("\ud800", "")))
    elements = [one for one in tree(made).iter() if isinstance(one.tag, str)]
    assert {one.tag for one in elements} <= ELEMENTS | {"DOCUMENT_FRAGMENT"}
    links = [one.get("href") for one in elements if one.tag == "a"]
    assert all(link.startswith("https://x.example/") for link in links)
    assert [found for found in _live_texts(tree(made)) if LIVE.search(found)] == []


@hostile
def test_the_whole_comment_mentions_nobody_and_links_nothing(text: str) -> None:
    """Outside code and our own links, no text is left that GitHub would act on."""
    assert [found for found in _live_texts(tree(comment(everywhere(text)))) if LIVE.search(found)] == []


def _live_texts(element: Any, inside: bool = False) -> list[str]:
    within = inside or element.tag in ("code", "pre", "a")
    found = [element.text or ""] if not within and isinstance(element.tag, str) else []
    for child in element:
        found += _live_texts(child, within)
        found += [] if within else [child.tail or ""]
    return found


@hostile
def test_no_line_of_the_comment_is_a_command_or_a_workflow_command(text: str) -> None:
    fence = ""
    for line in comment(everywhere(text)).split("\n"):
        found = re.match(r"`{3,}", line)
        if found and (not fence or line == fence):
            fence = "" if fence else found.group()
        assert fence or not re.match(r"\s*(/|::)", line)
        assert fence or "##[" not in line


@hostile
def test_the_marker_stands_once_and_first(text: str) -> None:
    page = comment(everywhere(text))
    assert page.startswith("<!-- mlbot:report:mlbot -->\n")
    found = [one for one in tree(page).iter() if not isinstance(one.tag, str) and one.text.strip()]
    assert [one.text for one in found] == [" mlbot:report:mlbot "]


@hostile
def test_the_html_page_holds_only_what_its_template_wrote(text: str) -> None:
    import html5lib

    found = html5lib.parse(page(everywhere(text)), namespaceHTMLElements=False)
    tags = {one.tag for one in found.iter() if isinstance(one.tag, str)}
    assert not tags & {"img", "iframe", "object", "embed", "form", "base", "link", "svg", "math", "template"}
    scripts = [one for one in found.iter("script") if one.get("type") != "application/json"]
    assert len(scripts) == 2
    assert all(not name.startswith("on") for one in found.iter() if isinstance(one.tag, str) for name in one.attrib)
    assert all((one.get("href") or "").startswith(("#", "https://x.example/")) for one in found.iter("a"))


@hostile
def test_statuses_annotations_and_the_terminal_stay_on_their_lines(text: str) -> None:
    made = everywhere(text)
    assert all(len(one.description) <= 140 and "\n" not in one.description for one in statuses(made))
    for line in workflow_commands(made):
        assert re.match(r"::(error|warning) [^\n\r]*$", line)
        assert line.split("::", 2)[0] == "" and "##[" not in line
    for line in table(made, details_of=True).split("\n"):
        assert not line.strip().startswith("::") and "##[" not in line
        assert all(char == "\t" or ord(char) >= 32 for char in line)


@given(st.text(min_size=1, max_size=4000), st.integers(3_000, 20_000))
@settings(max_examples=25, deadline=None)
def test_however_long_the_texts_the_limit_holds(text: str, limit: int) -> None:
    made = everywhere(text.replace("\ud800", ""))
    assert units(comment(made)) <= 65_536
    assert len(summary(made).encode("utf-8", "replace")) <= 1024 * 1024
