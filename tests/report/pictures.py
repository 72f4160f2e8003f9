"""Pictures of the comment as GitHub shows it: `python -m tests.report.pictures OUT [docs | SITUATION ...]`.

Needs chromium and npm (for GitHub's Markdown style sheet and Mermaid, which GitHub itself brings along).
"""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bot.report.markdown import comment
from tests.browser import Page, browser
from tests.report.github import rendered
from tests.report.situations import SITUATIONS

STYLE, MERMAID = "github-markdown-css@5.9.0", "mermaid@11.17.2"
DRAW = """mermaid.initialize({startOnLoad: false});
mermaid.run().then(() => { document.title = "drawn"; }, (error) => { document.title = "failed " + error; })"""
FRAME = """
body {{ margin: 0; background: #fff; }}
.frame {{ width: {width}px; box-sizing: border-box; padding: 16px; }}
.comment {{ border: 1px solid #d0d7de; border-radius: 6px; }}
.who {{ background: #f6f8fa; border-bottom: 1px solid #d0d7de; padding: 8px 16px; border-radius: 6px 6px 0 0;
  font: 14px -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; color: #59636e; }}
.who b {{ color: #1f2328; }} .markdown-body {{ padding: 16px; font-size: 14px; }} summary {{ cursor: pointer; }}
"""


def unpacked(package: str, folder: Path) -> Path:
    """The npm package's folder."""
    target = folder / re.sub(r"\W", "_", package)
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        name = subprocess.run(
            ["npm", "pack", "--silent", package], cwd=folder, check=True, capture_output=True, text=True
        ).stdout.split()[-1]
        with tarfile.open(folder / name) as archive:
            archive.extractall(target, filter="data")
    return target / "package"


def document(markdown: str, tools: Path, *, width: int, opened: Sequence[str]) -> str:
    """The comment in a frame like GitHub's; the collapsible parts whose line holds one of `opened` are open."""
    style = (unpacked(STYLE, tools) / "github-markdown-light.css").read_text()
    body = rendered(markdown)
    for words in opened:
        body = re.sub(rf"<details>(<summary>[^\n]*{re.escape(words)})", r"<details open>\1", body, count=1)
    drawn = re.sub(
        r'<pre><code class="language-mermaid">(.*?)</code></pre>', r'<pre class="mermaid">\1</pre>', body, flags=re.S
    )
    drawn = re.sub(r'<pre lang="mermaid"><code>(.*?)</code></pre>', r'<pre class="mermaid">\1</pre>', drawn, flags=re.S)
    script = unpacked(MERMAID, tools) / "dist" / "mermaid.min.js"
    return (
        f"<!doctype html><meta charset=utf-8><style>{style}{FRAME.format(width=width)}</style>"
        f"<div class=frame><div class=comment><div class=who><b>github-actions</b> bot commented now</div>"
        f"<div class=markdown-body>{drawn}</div></div></div>"
        f'<script src="{script.resolve().as_uri()}"></script><script>{DRAW}</script>'
    )


def take(
    page: Page, markdown: str, out: Path, tools: Path, *, width: int = 900, height: int = 0, opened: Sequence[str] = ()
) -> None:
    """One picture; `height` 0 means the whole comment."""
    source = out.with_suffix(".html")
    source.write_text(document(markdown, tools, width=width, opened=opened))
    page.size(width, 1000)
    page.open(source)
    while not str(title := page.evaluate("document.title")):
        time.sleep(0.1)
    assert title == "drawn", title
    whole = int(page.evaluate("document.querySelector('.frame').offsetHeight"))
    page.size(width, min(height or whole, whole), scale=1.5)
    out.write_bytes(page.picture())
    source.unlink()


# docs/images: name -> situation, what is open, height in CSS pixels (0: all)
DOCS: dict[str, tuple[str, tuple[str, ...], int]] = {
    "report": ("worse-within-margin", (), 0),
    "report-details": ("all-good", ("<strong>", "Inputs kept", "Calibration"), 0),
    "report-blocked": ("worse-on-one-slice", (), 0),
    "report-hundred-models": ("hundred-models", (), 1000),
}


def main(out: Path, names: list[str]) -> None:
    """`docs` makes the pictures of docs/images; else a picture a situation, closed and with the first model open."""
    out.mkdir(parents=True, exist_ok=True)
    with browser() as page, tempfile.TemporaryDirectory() as folder:
        tools = Path(folder)
        if names == ["docs"]:
            for name, (situation, opened, height) in DOCS.items():
                markdown = comment(SITUATIONS[situation]())
                take(page, markdown, out / f"{name}.png", tools, height=height, opened=opened)
            return
        for name in names or list(SITUATIONS):
            markdown = comment(SITUATIONS[name]())
            take(page, markdown, out / f"{name}.png", tools)
            take(page, markdown, out / f"{name}-open.png", tools, opened=["<strong>"])


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
