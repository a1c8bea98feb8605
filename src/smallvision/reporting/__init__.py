"""The report: one offline HTML page drawn from the records of a study, without torch."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path

from smallvision.records.files import write_text
from smallvision.reporting.page import render_page
from smallvision.reporting.reader import read_study

__all__ = ["Report", "draw_report", "write_report"]


@dataclass(frozen=True)
class Report:
    """A drawn report; a notebook shows it in a frame of its own."""

    html: str

    def save(self, path: Path) -> Path:
        """Write the page, whole or not at all.

        Raises:
            RecordError: the place is not writable.
        """
        write_text(path, self.html)
        return path

    def __repr__(self) -> str:
        return f"Report({len(self.html):,} characters)"

    def _repr_html_(self) -> str:
        # A frame keeps the page's styles and ids out of the notebook's.
        page = html.escape(self.html, quote=True)
        return f'<iframe srcdoc="{page}" width="100%" height="800" frameborder="0"></iframe>'


def draw_report(study: Path) -> Report:
    """Draw the report of a study folder.

    Raises:
        RecordError: the folder is no study, or a record is damaged.
    """
    return Report(render_page(read_study(study)))


def write_report(study: Path, out: Path | None = None) -> Path:
    """Draw the report of a study folder and write it, by default as `STUDY/report.html`.

    Raises:
        RecordError: the folder is no study, a record is damaged, or `out` is not writable.
    """
    return draw_report(study).save(out or study / "report.html")
