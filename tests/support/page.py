"""A page taken apart: its elements and the text that people see."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "img", "input", "br", "hr", "link"}
UNSEEN = {"script", "style", "title"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    line: int


@dataclass
class Page(HTMLParser):
    """Parses on construction; `problems` lists tags that do not pair up."""

    html: str
    elements: list[Element] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    stack: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.html)
        self.close()
        self.problems += [f"<{tag}> is never closed" for tag in self.stack]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.elements.append(Element(tag, values, self.getpos()[0]))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.stack or self.stack.pop() != tag:
            self.problems.append(f"</{tag}> in line {self.getpos()[0]} closes nothing")

    def handle_data(self, data: str) -> None:
        if not UNSEEN & set(self.stack):
            self.seen.append(data)

    @property
    def text(self) -> str:
        """What people read, with single spaces."""
        return " ".join("".join(self.seen).split())

    def find(self, tag: str) -> list[Element]:
        return [element for element in self.elements if element.tag == tag]
