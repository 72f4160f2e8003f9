"""The HTML report in a real browser: accessible, keyboard-usable, without a request, whole on paper."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.report.html import page as render
from tests.browser import Page, browser, chromium
from tests.report.situations import SITUATIONS

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium() is None, reason="no chromium on PATH: install it (Debian: apt-get install chromium)"),
]
AXE = Path(__file__).parent.parent / "vendor" / "axe.min.js.gz"  # axe-core 4.14.1, MPL-2.0


@pytest.fixture(scope="module")
def tab() -> Iterator[Page]:
    with browser() as page:
        page.size(1100, 900)
        yield page


def opened(tab: Page, folder: Path, name: str) -> Page:
    file = folder / "report.html"
    file.write_text(render(SITUATIONS[name]()), encoding="utf-8")
    tab.emulate()
    tab.events.clear()
    tab.open(file)
    return tab


def violations(tab: Page) -> list[dict[str, Any]]:
    tab.evaluate(gzip.decompress(AXE.read_bytes()).decode() + "; 0")
    found = tab.evaluate(
        "axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map(v => "
        "({id: v.id, help: v.help, nodes: v.nodes.map(n => n.html.slice(0, 200))})))"
    )
    return list(found)


@pytest.mark.parametrize("name", ["all-good", "worse-on-one-slice", "data-change", "training-failed"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_no_violation_with_everything_open(tab: Page, tmp_path: Path, name: str, dark: bool) -> None:
    opened(tab, tmp_path, name)
    tab.emulate(dark=dark)
    tab.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    tab.evaluate("new Promise(done => setTimeout(done, 200))")
    assert violations(tab) == []


def test_nothing_is_asked_of_any_network_and_nothing_goes_wrong(tab: Page, tmp_path: Path) -> None:
    opened(tab, tmp_path, "all-good")
    asked = [one["params"]["request"]["url"] for one in tab.events if one["method"] == "Network.requestWillBeSent"]
    assert [url for url in asked if not url.startswith("file:")] == []
    assert [one for one in tab.events if one["method"] in ("Runtime.exceptionThrown", "Log.entryAdded")] == []
    assert tab.evaluate("document.querySelectorAll('figure.chart canvas').length") == 2


def test_the_keyboard_alone_opens_a_section_and_sorts_a_table(tab: Page, tmp_path: Path) -> None:
    opened(tab, tmp_path, "data-change")
    tab.evaluate("document.querySelectorAll('details').forEach(one => { one.open = false; })")
    for _ in range(40):
        tab.key("Tab", 9)
        if tab.evaluate("document.activeElement.tagName") == "SUMMARY":
            break
    tab.key("Enter", 13)
    assert tab.evaluate("document.activeElement.parentElement.open") is True
    tab.evaluate("document.querySelector('details[open] .scroll > table th button').focus()")
    tab.key("Enter", 13)
    assert tab.evaluate("document.activeElement.parentElement.getAttribute('aria-sort')") == "ascending"


def test_every_chart_says_its_numbers_in_a_table_too(tab: Page, tmp_path: Path) -> None:
    opened(tab, tmp_path, "all-good")
    found = "[...document.querySelectorAll('figure.chart')].map(one => !!one.parentElement.querySelector('.scroll'))"
    assert tab.evaluate(found) == [True, True]


def test_paper_shows_the_closed_sections_and_no_buttons(tab: Page, tmp_path: Path) -> None:
    opened(tab, tmp_path, "data-change")
    tab.evaluate("document.querySelectorAll('details').forEach(one => { one.open = false; })")
    tab.emulate(print_=True)
    shown = tab.evaluate(
        "[...document.querySelectorAll('details h4')].every(one => one.getBoundingClientRect().height > 0)"
    )
    buttons = tab.evaluate("[...document.querySelectorAll('.bar button')].every(one => one.offsetParent === null)")
    assert shown is True
    assert buttons is True


def test_a_hostile_script_does_not_run_even_if_it_got_in(tab: Page, tmp_path: Path) -> None:
    """The page's own policy names the hashes of its two scripts; an inline script that is neither is refused."""
    file = tmp_path / "report.html"
    text = render(SITUATIONS["all-good"]())
    file.write_text(
        text.replace(
            "</main>", "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"></main>"
        )
    )
    tab.open(file)
    assert tab.evaluate("document.title") != "owned"
