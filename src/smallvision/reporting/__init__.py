"""The report: one offline HTML page drawn from the records of a study or run, without torch."""

from __future__ import annotations

import html
from dataclasses import dataclass, replace
from pathlib import Path

from smallvision.errors import RecordError
from smallvision.records.layout import STUDY
from smallvision.records.locks import sweep
from smallvision.records.nofollow import exists
from smallvision.reporting.page import DRAWING_ERRORS, render_run, render_study, write_page
from smallvision.reporting.reader import read_run, read_study

__all__ = ["Report", "draw_report", "write_report"]


@dataclass(frozen=True)
class Report:
    """A drawn report; a notebook shows it in a frame of its own.

    Attributes:
        html: the whole page.
        path: where it was written, or None.
    """

    html: str
    path: Path | None = None

    def __repr__(self) -> str:
        return f"Report({str(self.path) if self.path else f'{len(self.html):,} characters'})"

    def _repr_html_(self) -> str:
        # A frame keeps the page's styles and ids out of the notebook's.
        page = html.escape(self.html, quote=True)
        return f'<iframe srcdoc="{page}" width="100%" height="800" frameborder="0"></iframe>'


def draw_report(folder: str | Path) -> Report:
    """Draw the report of a study, or the page of a lone run: its curves, figures and recipe.

    Raises:
        RecordError: the folder is neither, or a record is damaged.
    """
    folder = Path(folder)
    try:
        of_study = exists(folder / STUDY)
        page = render_study(read_study(folder)) if of_study else render_run(read_run(folder))
    except DRAWING_ERRORS as error:
        raise RecordError(
            f"{folder} holds a record with figures that no run has ({error!r}); restore it"
        ) from error
    return Report(page)


def write_report(folder: str | Path, out: str | Path | None = None) -> Report:
    """Draw the report of a study or run and write it, by default as `FOLDER/report.html`.

    Raises:
        RecordError: the folder is neither, a record is damaged, or `out` is not writable or is
            there and no page.
    """
    path = Path(out) if out is not None else Path(folder) / "report.html"
    report = draw_report(folder)
    write_page(path, report.html)
    if out is None:
        sweep(Path(folder))  # of what a kill left of an earlier page
    return replace(report, path=path)
