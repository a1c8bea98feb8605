"""The text of the page of the gold study, line by line, without times: `python -m tests.gold.page`.

It is committed, so that what a change of templates or wording does to the page is seen.
"""

from __future__ import annotations

import re
from pathlib import Path

from smallvision.reporting import draw_report
from tests.support.page import Page

STUDY = Path(__file__).with_name("folders") / "study"
STORED = Path(__file__).with_name("page.txt")
# Folders that are made anew took other times, at another hour and on another machine.
TIMES = (
    (r"\d+ h \d+ min|\d+ min \d+ s|\d[\d.,]* (?:ms|s|min|h)\b", "TIME"),
    (r"\d+ [A-Z][a-z]+ 20\d\d(?:, \d\d:\d\d UTC)?", "DAY"),
)


def list_lines(study: Path) -> str:
    """What people read of the page of a study, each text on a line of its own."""
    lines = (" ".join(text.split()) for text in Page(draw_report(study).html).seen)
    text = "".join(f"{line}\n" for line in lines if line)
    for pattern, word in TIMES:
        text = re.sub(pattern, word, text)
    return text


if __name__ == "__main__":
    STORED.write_text(list_lines(STUDY), encoding="utf-8")
