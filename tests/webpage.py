"""What the tests of pages share: a parser that insists on closed tags, and the check that nothing is loaded."""

from __future__ import annotations

import re
from html.parser import HTMLParser

VOID = {"meta", "br", "col", "link", "img", "hr", "input"}
#: Elements whose end HTML lets out: each ends where one of its kind begins, and with what holds it.
ENDED_BY = {
    "li": {"li"}, "dt": {"dt", "dd"}, "dd": {"dt", "dd"},
    "td": {"td", "th", "tr"}, "th": {"td", "th", "tr"}, "tr": {"tr"},
}  # fmt: skip


class Page(HTMLParser):
    """Checks that tags close in order and collects what matters."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.loads, self.ids = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        while self.open and tag in ENDED_BY.get(self.open[-1], ()):
            self.open.pop()
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "srcset", "xlink:href", "action"):
                self.loads.append(value)
            if name == "id":
                self.ids.append(value)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        while self.open and self.open[-1] in ENDED_BY and self.open[-1] != tag:
            self.open.pop()
        assert self.open, f"closed without being opened: {tag}"
        assert self.open.pop() == tag

    def named(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


def check_self_contained(text):
    """Nothing is loaded: addresses of sources stand in links, and a script stands in the page itself."""
    parsed = Page(text)
    links = [attrs.get("href", "") for attrs in parsed.named("a")]
    assert all(v.startswith(("#", "data:")) or v in links for v in parsed.loads), [v[:60] for v in parsed.loads]
    assert all(v.startswith(("#", "data:", "https://", "http://")) for v in links if v)
    assert not re.search(r"@import|url\((?!#)", text.partition("<script")[0])
    assert all("src" not in attrs for attrs in parsed.named("script"))
    inside = {v.removeprefix("#") for v in links if v.startswith("#")}
    assert inside <= set(parsed.ids), inside - set(parsed.ids)
    assert len(parsed.ids) == len(set(parsed.ids))
    return parsed
