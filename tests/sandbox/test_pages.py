"""The pages: what they show, what their forms do, and what a hostile comment cannot do to them."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import html5lib
import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sandbox.http import MAX_BODY
from bot.sandbox.pages import diff, markdown
from bot.sandbox.pages.sanitise import ATTRIBUTES, TAGS, sanitise
from bot.sandbox.world import Sandbox

MODEL = "models/churn/model.yaml"


class Text(HTMLParser):
    """The words of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self._skip = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self._skip += tag in ("style", "script")

    def handle_endtag(self, tag: str) -> None:
        self._skip -= tag in ("style", "script")

    def handle_data(self, data: str) -> None:
        if not self._skip:
            self.words += data.split()

    def __str__(self) -> str:
        return " ".join(self.words)


def key(world: Sandbox) -> dict[str, str]:
    return {"key": world.hub.data.key}


def page(world: Sandbox, path: str = "") -> str:
    answer = requests.get(f"{world.url}/{world.repository}{path}", timeout=30, cookies=key(world))
    assert answer.status_code == 200, answer.text
    return str(Text(answer.text))


def press(world: Sandbox, number: int, do: str, who: str, body: str = "", **headers: str) -> requests.Response:
    form = {"as": who, "do": do, "body": body}
    return requests.post(
        f"{world.url}/{world.repository}/pull/{number}",
        data=form,
        headers=headers,
        timeout=30,
        cookies=key(world),
    )


@pytest.fixture
def number(world: Sandbox) -> int:
    return world.propose("dana", "deeper", {MODEL: b"depth: 4\n"}, "Deeper <b>trees</b>", "More *depth*, @owen.")


def test_a_pull_request_can_be_read(world: Sandbox, number: int, call: Any) -> None:
    """Title, people, what was said and done, checks, files: in one page."""
    head = world.hub.bare(world.repo).branch("deeper")
    call("rhea")(
        "POST", f"/statuses/{head}", {"state": "pending", "context": "mlbot", "description": "2 approvals missing"}
    )
    call("owen")("POST", f"/pulls/{number}/reviews", {"event": "REQUEST_CHANGES", "body": "Too deep."})
    comment = call("vera")("POST", f"/issues/{number}/comments", {"body": "/approve"})[1]
    call("rhea")("POST", f"/issues/comments/{comment['id']}/reactions", {"content": "rocket"})
    world.commit("dana", "deeper", {MODEL: b"depth: 5\n"}, "Even deeper")
    text = page(world, f"/pull/{number}")
    for words in (
        "Deeper <b>trees</b> #1",
        "dana wants to merge deeper",
        "More depth , @owen .",
        "owen model owner requested changes",
        "Too deep.",
        "vera model validator commented",
        "🚀 rhea",
        "pushed 1 commit",
        "Even deeper",
        "depth: 3",
        "+depth: 5",
        "No conflicts with the base branch.",
    ):
        assert words in text, words
    assert "2 approvals missing" not in text, "a status of an older head is not this head's"


@pytest.mark.parametrize("path", ["", "/pulls", "/actions", "/deployments", "/tree/main", f"/blob/main/{MODEL}"])
def test_every_page_of_the_bar_can_be_opened(standing: Sandbox, path: str) -> None:
    assert standing.repository in page(standing, path)


def test_the_root_leads_to_the_repository(world: Sandbox) -> None:
    assert "Push a branch as somebody" in str(Text(requests.get(world.url, timeout=30, cookies=key(world)).text))


def test_a_person_talks_reviews_and_merges(world: Sandbox, number: int) -> None:
    """All that the demo's people do can be done by hand, as anybody."""
    assert "Nice." in press(world, number, "comment", "owen", "Nice.").text
    assert "approved these changes" in press(world, number, "approve", "owen").text
    refused = press(world, number, "approve", "dana", "my own")
    assert (refused.status_code, "Can not approve your own pull request" in refused.text) == (422, True)
    assert "my own" in refused.text, "what was written is not lost"
    assert press(world, number, "merge", "rita").status_code == 403
    assert ">Merged<" in press(world, number, "merge", "rhea", "Well done.").text
    remote = world.github("dana").get_repo(world.repository).get_pull(number)
    assert (remote.merged, remote.merged_by.login) == (True, "rhea")
    assert [comment.body for comment in remote.get_issue_comments()] == ["Nice.", "Well done."]


def test_a_branch_becomes_a_pull_request(world: Sandbox) -> None:
    world.commit("dana", "idea", {MODEL: b"depth: 7\n"}, "idea", base="main")
    form = {"as": "dana", "head": "idea", "title": "An idea"}
    answer = requests.post(f"{world.url}/{world.repository}/pulls", data=form, timeout=30, cookies=key(world))
    assert answer.url.endswith("/pull/1")
    assert "An idea" in answer.text


def test_drafts_are_made_ready_and_closed_ones_reopened(world: Sandbox) -> None:
    number = world.propose("dana", "draft", {MODEL: b"depth: 8\n"}, "Draft", draft=True)
    assert "This is a draft." in page(world, f"/pull/{number}")
    assert ">Open<" in press(world, number, "ready", "dana").text
    assert ">Closed<" in press(world, number, "close", "dana").text
    assert ">Open<" in press(world, number, "reopen", "dana").text


def test_no_other_site_may_press_a_button(world: Sandbox, number: int) -> None:
    """A page on the internet cannot act through the reader's browser, neither by origin nor by a name for 127.0.0.1."""
    assert press(world, number, "merge", "rhea", Origin="https://evil.example").status_code == 403
    assert press(world, number, "merge", "rhea", Host="evil.example:80").status_code == 403
    assert not world.github("dana").get_repo(world.repository).get_pull(number).merged
    assert press(world, number, "merge", "rhea", Origin=world.url).status_code == 200


def test_an_exported_pull_request_stands_alone(world: Sandbox, number: int, tmp_path: Path) -> None:
    """One file: nothing to load, nothing to press, no link to a server that is gone but those that people wrote."""
    press(world, number, "comment", "owen", "See `README.md`.")
    path = world.export_pull_request(number, tmp_path / "pr.html")
    html = path.read_text()
    assert "Deeper &lt;b&gt;trees&lt;/b&gt;" in html
    assert not re.findall(r"<(?:form|script|link|iframe)\b", html)
    assert all(source.startswith("data:") for source in re.findall(r'src="([^"]*)"', html))
    html5lib.HTMLParser(strict=True).parse(html)


ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    '<a href="java\tscript:alert(1)">x</a>',
    '<a href=" javascript:alert(1)">x</a>',
    "<svg/onload=alert(1)>",
    "<style>body{display:none}</style>",
    "<form action=/ ><button>x</button></form>",
    "<iframe src=//evil.example></iframe>",
    "</div></article></main><h1>fake</h1>",
    "<details open ontoggle=alert(1)><summary>x</summary>",
    "<img src='data:text/html,<script>alert(1)</script>'>",
    "<base href=//evil.example>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "<input type=text name=as value=rhea>",
    "@<img src=x onerror=alert(1)> #1<script>",
]


def harmless(html: str) -> None:
    """No element, attribute or address in what a browser would build that may not be there."""
    tree = html5lib.parseFragment(html, namespaceHTMLElements=False)
    for element in tree.iter():
        if not isinstance(element.tag, str) or element.tag == "DOCUMENT_FRAGMENT":
            continue
        assert element.tag in TAGS | {"tbody"}, element.tag
        for name, value in element.attrib.items():
            assert name in ATTRIBUTES["*"] | ATTRIBUTES.get(element.tag, set()) | {"class"}, name
            if name in ("href", "src", "srcset"):
                scheme = re.match(r"[\s\x00-\x1f]*([a-zA-Z][\w+.-]*):", re.sub(r"[\t\n\r]", "", value))
                assert scheme is None or scheme[1].lower() in ("http", "https", "mailto"), value


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_hostile_comment_stays_words(attack: str) -> None:
    harmless(markdown.render(attack, "http://127.0.0.1:1/acme/models"))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from([*ATTACKS, *"<>\"'&/=@#: \n`*", "<b>", "</b>", "<table>", "<td>", "a" * 40])).map("".join)
)
def test_no_mixture_of_attacks_gets_through(text: str) -> None:
    harmless(markdown.render(text, "http://127.0.0.1:1/acme/models"))
    harmless(sanitise(text))


def test_a_hostile_title_branch_and_file_name_stay_words(world: Sandbox) -> None:
    evil = "<img src=x onerror=alert(1)>"
    number = world.propose("dana", "b/<i>", {f"models/{evil.replace('/', '')}.yaml": b"x\n"}, evil, evil)
    html = requests.get(f"{world.url}/{world.repository}/pull/{number}", timeout=30, cookies=key(world)).text
    assert "<img src=x" not in html
    assert "<i>" not in html


def test_time_to_show_a_comment_grows_with_its_length_and_not_with_its_square(
    world: Sandbox, number: int, call: Any
) -> None:
    from time import process_time

    def least_s(rows: int) -> float:
        body = ("| a | b |\n|---|---|\n" + "| @owen #1 `x` | **y** |\n" * rows)[:MAX_BODY]
        made = call("owen")("POST", f"/issues/{number}/comments", {"body": body})[1]
        took = []
        for _ in range(2):
            begin = process_time()
            page(world, f"/pull/{number}")
            took.append(process_time() - begin)
        call("owen")("DELETE", f"/issues/comments/{made['id']}")
        return min(took)

    assert least_s(2_400) < 30 * least_s(300), "eight times as long: 8, and 64 if it were the square"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("~~gone~~", "<s>gone</s>"),
        ("- [x] done", 'type="checkbox" disabled checked'),
        ("> [!WARNING]\n> careful", '<blockquote class="alert warning"><p><b>Warning</b><br>careful'),
        ("see #7", '<a href="/h/pull/7">#7</a>'),
        ("`#7 @owen`", "<code>#7 @owen</code>"),
        ("a@b.example", "a@b.example"),
        ("hello @owen", '<b class="mention">@owen</b>'),
        ("1f2e3d4c5b6a79880123456789abcdef01234567", "<code>1f2e3d4</code>"),
        ("<details><summary>More</summary>\n\n**x**\n\n</details>", "<details><summary>More</summary>"),
        ("<!-- mlbot:report -->\nhi", "<p>hi</p>"),
        (":rocket:", "🚀"),
    ],
)
def test_markdown_reads_as_on_github(text: str, html: str) -> None:
    assert html in markdown.render(text, "/h")


def test_a_patch_is_numbered_on_both_sides() -> None:
    rows = diff.rows("@@ -3,3 +3,4 @@ here\n a\n-b\n+c\n+d\n e\n\\ No newline at end of file")
    assert [(row.kind, row.old, row.new, row.text) for row in rows] == [
        ("hunk", None, None, "@@ -3,3 +3,4 @@ here"),
        ("same", 3, 3, "a"),
        ("del", 4, None, "b"),
        ("add", None, 4, "c"),
        ("add", None, 5, "d"),
        ("same", 5, 6, "e"),
        ("hunk", None, None, "No newline at end of file"),
    ]
