"""Check a built site: links lead to pages and anchors, and nothing is loaded from elsewhere.

`python docs/check_site.py FOLDER` prints what is wrong and returns 1, or 0 where nothing is.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# What a browser loads by itself; a link that a reader follows may lead anywhere.
LOADED = {("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src"), ("source", "src")}


class Page(HTMLParser):
    """The anchors, links and loaded addresses of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what an element names, links to or loads."""
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.anchors.add(value)
            if tag == "a" and name == "href" and value:
                self.links.append(value)
            if (tag, name) in LOADED and value:
                self.loaded.append(value)


def find_faults(site: Path) -> list[str]:
    """What is wrong with the pages of a site, a line each."""
    pages = {path: Page(path) for path in sorted(site.rglob("*.html"))}
    faults = []
    for path, page in pages.items():
        here = path.relative_to(site)
        for address in page.links + page.loaded:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                if address in page.loaded and parts.scheme != "data":
                    faults.append(f"{here} loads {address}")
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
            if not target.is_file():
                faults.append(f"{here} links to {address}, which is not there")
            elif target in pages and unquote(parts.fragment) not in {"", *pages[target].anchors}:
                faults.append(f"{here} links to {address}, which has no such anchor")
    return faults


def main() -> int:
    """Check the site that is named; returns the exit code."""
    faults = find_faults(Path(sys.argv[1]).resolve())
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
