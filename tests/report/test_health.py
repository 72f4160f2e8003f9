"""The health page and the issue of an alarm: nothing asked of a network, accessible, no caller's text that acts."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from bot.records.health import Check, Health, Joined, Note
from bot.report.health import issue, page, retraining, sentence, summary
from tests.browser import browser, chromium
from tests.builders import a_release
from tests.monitor.test_follow import a_health
from tests.report.test_page_in_browser import AXE

EVIL = "<img src=x onerror=alert(1)> @everyone [x](http://evil) </script>\n/approve"


def a_record(day: int = 0, *causes: str) -> Health:
    """With every part, and a caller's worst words in it."""
    check = Check(cause="inputs", code="unseen_category", column=EVIL, sentence=f"new: {EVIL!r}", alarm=True, value=0.2)
    labels = Joined(rows=9, labelled=8, late=1, duplicates=2, corrected=0, conflicting=1, orphans=3, unknown_class=0)
    return a_health(*causes, at=day, better=True).model_copy(
        update={
            "checks": (check,), "labels": labels, "notes": (Note(code="file_broken", sentence=f"{EVIL}: cut"),),
            "since": "2026-11-22T12:00:00Z", "until": "2026-11-23T12:00:00Z",
            "judged_at": f"2026-11-{1 + day:02d}T12:00:00Z",
        }
    )  # fmt: skip


def a_page() -> str:
    records = [a_record(day, *(("performance", "drift") if day > 4 else ())) for day in range(9)]
    return page(records, [a_release(reason=EVIL), a_release(version="v2.0.0", counter=2)])


def test_a_line_says_what_is_live_and_what_alarms() -> None:
    assert sentence(a_health("performance")).startswith("churn v2.0.0 in production, 2026-11-23 12:00")
    assert sentence(a_health("performance")).endswith("alarm, it does worse than on its test rows.")
    assert sentence(a_health()).endswith("healthy, nothing alarms.")


@pytest.mark.parametrize("text", ["issue", "summary", "retraining"])
def test_words_of_callers_stay_words_in_markdown(text: str) -> None:
    record = a_record(0, "inputs", "performance")
    made = {
        "issue": lambda: issue(record, "inputs"),
        "summary": lambda: summary(record),
        "retraining": lambda: retraining(record, 5, EVIL, (("data.where", EVIL, EVIL),))[1],
    }[text]()
    assert not re.search(r"<img|<script|</script|\]\(http|@everyone", made)
    assert not any(line.lstrip().startswith("/approve") for line in made.splitlines())


def test_a_record_of_nothing_but_no_traffic_makes_a_page() -> None:
    record = a_health("traffic", judged=False).model_copy(update={"versions": (), "notes": ()})
    assert "nobody asks it" in page([record])


def test_one_page_holds_everything_and_asks_nobody() -> None:
    made = a_page()
    assert "http://" not in re.sub(r"http://(www\.w3\.org|evil)", "", made.split("</style>")[-1].split("<script>")[0])
    assert "default-src 'none'" in made and "<img src=x" not in made
    for part in ("Every look, newest first", "Every release here", "better than what is live", "with a label"):
        assert part in made


@pytest.mark.browser
@pytest.mark.skipif(chromium() is None, reason="no chromium on PATH: install it (Debian: apt-get install chromium)")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_page_draws_its_charts_and_axe_finds_nothing(tmp_path: Path, dark: bool) -> None:
    file = tmp_path / "health.html"
    file.write_text(a_page(), encoding="utf-8")
    with browser() as tab:
        tab.size(1100, 900)
        tab.emulate(dark=dark)
        tab.open(file)
        tab.evaluate("new Promise(done => setTimeout(done, 200))")
        assert tab.evaluate("document.querySelectorAll('figure.chart canvas').length") == 2
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth") is True
        tab.evaluate(gzip.decompress(AXE.read_bytes()).decode() + "; 0")
        found = tab.evaluate("axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map(v => v.id))")
        assert found == []
        asked = [one["params"]["request"]["url"] for one in tab.events if one["method"] == "Network.requestWillBeSent"]
        assert asked == [file.resolve().as_uri()]
