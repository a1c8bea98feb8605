"""Runs told to a tracker, once or as long as they are trained."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from smallvision.errors import RecordError, SettingError, nearest
from smallvision.records.nofollow import find_records
from smallvision.tracking.readings import TrackedRun, find_tracked, is_over, read_tracked
from smallvision.tracking.table import TRACKERS
from smallvision.tracking.tracker import Tracker, TrackerPlace, explain_failures, split_uri


@dataclass(frozen=True)
class Tracking:
    """What a tracker was told.

    Attributes:
        runs: as they were read last.
        place: where the tracker keeps them, without secrets.
        hint: how to look at them.
    """

    runs: tuple[TrackedRun, ...]
    place: str
    hint: str


def track(
    folder: str | Path,
    to: str,
    *,
    out: str | Path | None = None,
    uri: str | None = None,
    follow: float | None = None,
    tell: Callable[[TrackedRun], None] = lambda _: None,
) -> Tracking:
    """Tell a tracker of a run, or of all runs of a study, from their records alone.

    It can be repeated: what the tracker has is not told again.

    Args:
        folder: of the run or the study.
        to: `mlflow`, `tensorboard` or `wandb`.
        out: the folder that the tracker keeps its runs in; by default `mlruns`, `tensorboard` or
            `wandb-runs`.
        uri: address of a server, or of a database for MLflow, instead of the folder.
        follow: seconds between looks at the records, until the run or study has come to its end;
            None for one look.
        tell: called with each run that has changed.

    Raises:
        SettingError: there is no such tracker, or it is not installed, or cannot be reached so.
        RecordError: the folder is no run or study, or has no run yet, or a record is damaged.
        UserError: the tracker failed; nothing of the runs was touched.

    >>> import smallvision as sv
    >>> run = sv.train("digits", "mlp", settings=["epochs=1"], out="runs/tracked")
    >>> sv.track(run.folder, "tensorboard").place
    'tensorboard'
    """
    folder = Path(folder)
    find_tracked(folder)  # is it anything to track, before a library is loaded
    place = choose_place(to, out, uri)
    last: dict[str, TrackedRun] = {}
    with open_tracker(to, place) as tracker:
        while True:
            over = is_over(folder)  # before the runs are read, so that nothing is missed
            for run in map(read_tracked, find_tracked(folder)):
                if last.get(run.key) != run:
                    with explain_failures(to, place):
                        tracker.write(run)
                    last[run.key] = run
                    tell(run)
            if follow is None or over:
                break
            time.sleep(follow)
    if not last:
        raise RecordError(f"{folder} has no run yet; wait for the first, or add --follow")
    return Tracking(tuple(last.values()), place.shown, tracker.hint)


@contextmanager
def open_tracker(to: str, place: TrackerPlace) -> Iterator[Tracker]:
    """Reach a tracker, and let it finish what is under way, whatever comes.

    Raises:
        SettingError: its library is not installed.
        UserError: it failed.
    """
    with explain_failures(to, place):
        tracker = TRACKERS[to].reach(place)
    try:
        yield tracker
    finally:
        with explain_failures(to, place):
            tracker.close()


def choose_place(to: str, out: str | Path | None, uri: str | None) -> TrackerPlace:
    """Where a tracker keeps its runs.

    Raises:
        SettingError: there is no such tracker, it has no server, or the folder lies in one of
            records.
    """
    if to not in TRACKERS:
        raise SettingError(f"there is no tracker '{to}'{nearest(to, TRACKERS)}")
    entry = TRACKERS[to]
    if uri is not None:
        if not entry.has_server:
            raise SettingError(f"{to} writes files and has no server; name a folder with --dir")
        if out is not None:
            raise SettingError("--dir and --uri both say where runs are kept; name one of them")
        if not split_uri(uri).scheme:
            raise SettingError("--uri has no scheme; write it like http://host:5000")
    place = TrackerPlace(entry.folder if out is None else Path(out), uri)
    for folder in list_folders(place):
        if around := find_records(folder / "x"):
            raise SettingError(
                f"{folder} lies inside {around[0]}, which holds records; name another place"
            )
    return place


def list_folders(place: TrackerPlace) -> Iterator[Path]:
    """The files and folders on this machine that a tracker would write to."""
    parts = split_uri(place.uri or "")
    if place.uri is None or place.uri.startswith(("http:", "https:")):
        yield place.folder
    if parts.scheme == "file":
        yield Path(parts.path)
    if parts.scheme.startswith("sqlite"):
        yield Path(parts.path.removeprefix("/"))  # of three slashes, or of four before a root
