"""The report: one offline HTML page drawn from the records of a study or run, without torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from smallvision.records.layout import STUDY
from smallvision.records.locks import sweep
from smallvision.records.nofollow import exists
from smallvision.records.schema import ExplorationRecord
from smallvision.reporting.frame import frame_page
from smallvision.reporting.page import (
    check_page,
    guard_drawing,
    render_exploration,
    render_run,
    render_study,
    write_page,
)
from smallvision.reporting.pictures import embed
from smallvision.reporting.reader import read_run, read_study
from smallvision.reporting.view import ExplorationView, Pictured

__all__ = [
    "Report",
    "check_page",
    "draw_exploration",
    "draw_report",
    "write_page",
    "write_report",
]


@dataclass(frozen=True)
class Report:
    """A drawn report; a notebook shows it in a frame of its own.

    Attributes:
        html: the whole page.
        path: where it was written, or None.
        folder: of the records it was drawn from, or None.
    """

    html: str
    path: Path | None = None
    folder: Path | None = None

    def __repr__(self) -> str:
        return f"Report({str(self.path) if self.path else f'{len(self.html):,} characters'})"

    def _repr_html_(self) -> str:
        return frame_page(self.html)

    def section(self, *names: str) -> Report:
        """Sections of this report alone, such as `ladder`, `ensemble` or `errors`.

        Args:
            names: of the sections; `summary` is the first screen.

        Raises:
            SettingError: the report has no section of that name.
        """
        assert self.folder is not None, "it was drawn from records"
        return draw_report(self.folder, names)


def draw_report(folder: str | Path, parts: Sequence[str] = ()) -> Report:
    """Draw the report of a study, or the page of a lone run: its curves, figures and recipe.

    Args:
        folder: of the records.
        parts: names of sections that are drawn alone; none for the whole page.

    Raises:
        RecordError: the folder is neither, or a record is damaged.
        SettingError: the report has no section of a name.
    """
    folder = Path(folder)
    with guard_drawing(folder):
        if exists(folder / STUDY):
            page = render_study(read_study(folder), parts)
        else:
            page = render_run(read_run(folder), parts)
    return Report(page, folder=folder)


def draw_exploration(
    record: ExplorationRecord, pictures: Mapping[str, npt.NDArray[np.uint8]]
) -> str:
    """Draw the page of an exploration that looked closer.

    Args:
        record: with its closer look.
        pictures: RGBA `(height, width, 4)`, all that the record names, by file name.

    Returns: the page in HTML.

    Raises:
        ValueError: nobody looked closer.
    """
    if record.closer is None:
        raise ValueError("the exploration has no closer look, which a page shows")
    embedded = {name: embed(pictures[name]) for name in record.list_files() if name in pictures}
    return render_exploration(ExplorationView(Pictured(record, embedded), record.closer))


def write_report(folder: str | Path, out: str | Path | None = None) -> Report:
    """Draw the report of a study or run and write it, by default as `FOLDER/report.html`.

    Raises:
        RecordError: the folder is neither, a record is damaged, or `out` is not writable or is
            there and no page.

    >>> import smallvision as sv
    >>> run = sv.train("digits", "mlp", settings=["epochs=1"], out="runs/told")
    >>> sv.report(run.folder)
    Report(runs/told/report.html)
    """
    path = Path(out) if out is not None else Path(folder) / "report.html"
    report = draw_report(folder)
    write_page(path, report.html)
    if out is None:
        sweep(Path(folder))  # of what a kill left of an earlier page
    return replace(report, path=path)
