"""HTML from Markdown with everything taken out that a comment may not hold."""

from __future__ import annotations

from html import escape
from html.parser import HTMLParser
from urllib.parse import urlsplit

# what GitHub lets through, https://github.com/gjtorikian/html-pipeline and https://github.github.com/gfm/
TAGS = frozenset(
    """
    a abbr b blockquote br caption cite code dd del details dfn div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i
    img input ins kbd li mark ol p picture pre q rp rt ruby s samp small source span strike strong sub summary sup table
    tbody td tfoot th thead time tr tt ul var wbr
    """.split()  # noqa: SIM905
)
VOID = frozenset({"br", "hr", "img", "input", "source", "wbr"})
ATTRIBUTES = {
    "*": {"title", "align", "lang", "dir"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "source": {"srcset", "media"},
    "input": {"type", "checked", "disabled"},
    "details": {"open"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "code": {"class"},
}
_SILENT = frozenset({"script", "style", "template", "iframe", "object", "embed", "svg", "math", "noscript", "textarea"})


class _Cleaner(HTMLParser):
    """Keeps what is allowed, closes what was left open, drops the rest with its meaning."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self._open: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        if self._silent or tag not in TAGS:
            return
        if tag == "input" and dict(attrs).get("type") != "checkbox":
            return
        kept = [_attribute(name, value) for name, value in attrs if _may(tag, name, value)]
        self.out.append(f"<{' '.join([tag, *kept])}>")
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif not self._silent and tag in self._open:
            while self._open[-1] != tag:
                self.out.append(f"</{self._open.pop()}>")
            self.out.append(f"</{self._open.pop()}>")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.out.append(escape(data, quote=False))

    def finish(self) -> str:
        self.close()
        while self._open:
            self.out.append(f"</{self._open.pop()}>")
        return "".join(self.out)


def _attribute(name: str, value: str | None) -> str:
    return name if value is None else f'{name}="{escape(value)}"'


def _may(tag: str, name: str, value: str | None) -> bool:
    if name not in ATTRIBUTES["*"] | ATTRIBUTES.get(tag, set()):
        return False
    if name in ("href", "src", "srcset"):
        return _harmless(value or "")
    return name != "class" or (value or "").startswith("language-")


def _harmless(url: str) -> bool:
    """Only web addresses, mail and places within the site."""
    try:
        return urlsplit(url.strip()).scheme.lower() in ("", "http", "https", "mailto")
    except ValueError:
        return False


def sanitise(html: str) -> str:
    """HTML fit for a page: no script, style, handler, form or foreign scheme, and every tag closed."""
    cleaner = _Cleaner()
    cleaner.feed(html)
    return cleaner.finish()
