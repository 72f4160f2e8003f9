"""GitHub's way from Markdown to a page, as far as it can be had locally: cmark-gfm with GitHub's extensions."""

from __future__ import annotations

from typing import Any

import cmarkgfm
import html5lib
from cmarkgfm.cmark import Options

# Comments keep line ends, files do not; `pre lang` is how GitHub marks Mermaid.
SETTINGS = (
    Options.CMARK_OPT_UNSAFE
    | Options.CMARK_OPT_FOOTNOTES
    | Options.CMARK_OPT_GITHUB_PRE_LANG
    | Options.CMARK_OPT_HARDBREAKS
)

# What a comment may be made of; all of it is on the published list of what GitHub's sanitizer lets through:
# https://github.com/gjtorikian/html-pipeline/blob/main/lib/html_pipeline/sanitization_filter.rb
ELEMENTS = frozenset({
    "a", "blockquote", "br", "code", "details", "h2", "h3", "h4", "li", "p", "pre", "strong", "sub", "summary", "table",
    "tbody", "td", "th", "thead", "tr", "ul",
})  # fmt: skip
ATTRIBUTES = frozenset({"align", "href", "lang", "open"})


def rendered(markdown: str) -> str:
    """HTML before GitHub's sanitizer, so that whatever it would have to take out is still seen."""
    return str(cmarkgfm.github_flavored_markdown_to_html(markdown, SETTINGS))


def tree(markdown: str) -> Any:
    """The element tree of the rendered Markdown."""
    return html5lib.parseFragment(rendered(markdown), namespaceHTMLElements=False)
