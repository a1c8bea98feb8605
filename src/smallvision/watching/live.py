"""A watched folder in a notebook, or as lines where there is none."""

from __future__ import annotations

import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from smallvision.reporting.frame import frame_page
from smallvision.text import show_text
from smallvision.watching.lines import list_changes
from smallvision.watching.page import render_page
from smallvision.watching.snapshot import Snapshot
from smallvision.watching.watcher import Watcher


class Work(Protocol):
    """What lies in a folder of its own: a run, or a search."""

    @property
    def folder(self) -> Path:
        """The folder."""


class LiveView:
    """A snapshot that a notebook shows as the page of `smallvision watch`, in a frame of its own.

    Args:
        snapshot: what it shows.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.html = render_page(snapshot, is_served=False)

    def __repr__(self) -> str:
        return "LiveView()"

    def _repr_html_(self) -> str:
        return frame_page(self.html)


def watch(work: Work | str | Path, *, interval: float = 2.0) -> None:
    """Follow a study, a run or a search while another process writes it, until its end.

    In a notebook the page of `smallvision watch` is shown and renewed; elsewhere what is new is
    printed. An interrupt (Ctrl-C, or the stop button of a notebook) ends the watching and nothing
    else. Only records are read, and nothing is written.

    Args:
        work: its folder, which may be empty or not be there yet; or a run, or a search.
        interval: seconds from one look at the records to the next.

    Raises:
        RecordError: the folder holds something else.

    >>> import smallvision as sv
    >>> run = sv.train("digits", "linear", settings=["epochs=2"])
    >>> sv.watch(run)  # of finished work, what came of it
    Finished
    data set digits
    ...
    linear: done, validation ...
    """
    folder = Path(work) if isinstance(work, str | Path) else work.folder
    watcher = Watcher(folder)
    show = NotebookView() if is_notebook() else PrintedView()
    try:
        while True:
            snapshot = watcher.look()
            show(snapshot)
            if snapshot.is_over:
                return
            time.sleep(interval)
    except KeyboardInterrupt:
        return


def is_notebook() -> bool:
    """Whether this is the kernel of a notebook, which can show a page."""
    shell = sys.modules.get("IPython")
    current = shell.get_ipython() if shell is not None else None
    return getattr(current, "kernel", None) is not None


class NotebookView:
    """Shows snapshots in one place of a notebook."""

    def __init__(self) -> None:
        self.handle: Any = None
        self.shown = ""

    def __call__(self, snapshot: Snapshot) -> None:
        """Show a snapshot, unless it looks like the last one."""
        view = LiveView(snapshot)
        if view.html == self.shown:
            return
        self.shown = view.html
        if self.handle is None:
            show = import_module("IPython.display").display
            self.handle = show(view, display_id=True)
        else:
            self.handle.update(view)


class PrintedView:
    """Prints what is new."""

    def __init__(self) -> None:
        self.before: Snapshot | None = None

    def __call__(self, snapshot: Snapshot) -> None:
        """Print what has changed since the last snapshot."""
        for line in list_changes(self.before, snapshot):
            sys.stdout.write(f"{show_text(line)}\n")
        sys.stdout.flush()
        self.before = snapshot
