"""A run as trackers take it: a key that stays, settings, figures by epoch, and what came of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from smallvision.errors import RecordError
from smallvision.format import format_setting
from smallvision.recipes.keys import flatten
from smallvision.recipes.toml import read_run_recipe
from smallvision.records import store
from smallvision.records.files import hash_file
from smallvision.records.layout import (
    REFIT,
    STATUS,
    STUDY,
    TEST,
    find_runs,
    is_of_search,
    read_metrics,
    read_status,
    tell_state,
)
from smallvision.records.nofollow import exists, find_records, make_absolute
from smallvision.records.schema import (
    EpochMetrics,
    FinishedRun,
    Rate,
    RunStatus,
    StudyRecord,
    TestRecord,
    UnfinishedRun,
    ValidatedRun,
)
from smallvision.text import show_name, show_text

UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")  # in names that become parts of paths and addresses
MOST_NAME = 100
RUNNING = ("running", "stopped")


@dataclass(frozen=True)
class TrackedRun:
    """What a tracker is told of a run. All texts are fit to be shown.

    Attributes:
        key: the same whenever the same run is read, and of no other run.
        name: of the run, with its place in its study.
        place: name as a part of a path.
        project: what runs on the same data share.
        created: seconds since 1970 when its study began; 0 outside a study.
        params: settings of its recipe.
        tags: what it is and how it stands, which may change.
        epochs: figures of each finished epoch, by name.
        figures: what came of it, by name; empty until it is finished.
        state: `running`, `stopped`, `done`, `failed` or `pruned`.
    """

    key: str
    name: str
    place: str
    project: str
    created: float
    params: Mapping[str, str]
    tags: Mapping[str, str]
    epochs: Mapping[int, Mapping[str, float]]
    figures: Mapping[str, float]
    state: str

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state not in RUNNING


@dataclass(frozen=True)
class Origin:
    """The outermost folder of records that a run lies in.

    Attributes:
        folder: its path.
        study: its record, if it is a study.
    """

    folder: Path
    study: StudyRecord | None

    @property
    def identity(self) -> str:
        """What tells it from other studies and runs, wherever it is moved as a whole."""
        if self.study is not None:
            return f"{self.study.name} {self.study.created}"
        return self.folder.name


def find_tracked(folder: Path) -> list[Path]:
    """The runs of a study or of a run, but those of searches, which are many and short.

    Raises:
        RecordError: the folder holds neither a run nor a study.
    """
    if not (exists(folder / STATUS) or exists(folder / STUDY)):
        raise RecordError(
            f"{folder} is neither a study nor a run; name a folder that `smallvision study` or "
            "`smallvision train` wrote"
        )
    return [run for run, _ in find_runs(folder) if not is_of_search(run)]


def is_over(folder: Path) -> bool:
    """Whether a study, or a run, came to its end.

    Raises:
        RecordError: its record is damaged.
    """
    if exists(folder / STUDY):
        return store.read(folder / STUDY, StudyRecord).finished is not None
    status = read_status(folder)
    return not isinstance(status, UnfinishedRun) or status.status != "running"


def read_tracked(run: Path) -> TrackedRun:
    """Read a run.

    Raises:
        RecordError: a record is damaged.
        SettingError: its recipe is one that this version does not know.
    """
    status, origin = read_status(run), find_origin(run)
    inside = make_absolute(run).relative_to(origin.folder).as_posix()
    state = tell_state(run, status)
    test = find_test(run, origin)
    name = name_run(inside, origin)
    return TrackedRun(
        key=find_key(status, origin, inside),
        name=show_name(name),
        place=make_safe(name),
        project=make_safe(f"smallvision-{status.data}"),
        created=datetime.fromisoformat(origin.study.created).timestamp() if origin.study else 0.0,
        params=list_params(run),
        tags=dict(list_tags(run, status, origin, state)),
        epochs={line.epoch: dict(list_epoch(line)) for line in read_metrics(run)},
        figures=dict(list_figures(status, test)),
        state=state,
    )


def find_origin(run: Path) -> Origin:
    """The study, or the outermost run, that a run belongs to."""
    folder = find_records(run / STATUS)[0]
    return Origin(folder, store.read_if_there(folder / STUDY, StudyRecord))


def find_key(status: RunStatus, origin: Origin, inside: str) -> str:
    """The key of a run: what it is made by, of what kind, and where in its study it lies."""
    parts = (origin.identity, inside, status.kind, status.data, status.recipe_sum)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def name_run(inside: str, origin: Origin) -> str:
    """The name of a run: its place in its study, or its folder and its place in that."""
    if origin.study is not None:
        return f"{origin.study.name}/{inside.removeprefix('runs/')}"
    return origin.folder.name if inside == "." else f"{origin.folder.name}/{inside}"


def make_safe(name: str) -> str:
    """A name of plain letters, which neither climbs nor hides."""
    parts = (UNSAFE.sub("-", part).strip(".-") for part in name.split("/"))
    return "/".join(part for part in parts if part)[-MOST_NAME:].strip("/.-") or "run"


def list_params(run: Path) -> dict[str, str]:
    """The settings of a run's recipe, by dotted key."""
    flat = flatten(read_run_recipe(run).plain())
    return {key: show_text(spell_setting(value)) for key, value in flat.items()}


def spell_setting(value: object) -> str:
    """A setting as text; of a technique in a list, its name with its settings."""
    if isinstance(value, dict):
        rest = [f"{key}={spell_setting(one)}" for key, one in value.items() if key != "name"]
        return " ".join([*([str(value["name"])] if "name" in value else []), *rest])
    if isinstance(value, list):
        return ", ".join(map(spell_setting, value))
    return str(value) if isinstance(value, float) else format_setting(value)


def list_tags(
    run: Path, status: RunStatus, origin: Origin, state: str
) -> Iterator[tuple[str, str]]:
    """What a run is and how it stands."""
    yield "state", state
    yield "kind", status.kind
    yield "data", show_text(status.data)
    yield "recipe", status.recipe_sum
    if origin.study is not None:
        yield "study", show_text(origin.study.name)
        is_winner = run.name == origin.study.best and run.parent.name == "runs"
        yield "winner", "yes" if is_winner else "no"
    if isinstance(status, UnfinishedRun) and status.error:
        yield "error", show_text(status.error)
    if status.notes:
        yield "notes", show_text(" ".join(status.notes))


def list_epoch(line: EpochMetrics) -> Iterator[tuple[str, float]]:
    """The figures of an epoch by name."""
    yield "train/accuracy", line.train_accuracy
    yield "train/loss", line.train_loss
    yield "train/batch_loss", line.loss
    for name, value in (
        ("val/accuracy", line.val_accuracy),
        ("val/loss", line.val_loss),
        ("val/score", line.val_score),
    ):
        if value is not None:
            yield name, value
    yield "lr", line.lr
    yield "seconds", line.seconds
    yield "images_per_second", line.images_per_second


def find_test(run: Path, origin: Origin) -> TestRecord | None:
    """The test of a run, or of its refit, in its own folder or in that of its study."""
    tests = [
        store.read_if_there(place / TEST, TestRecord)
        for place in dict.fromkeys((run, origin.folder))
    ]
    manifests = [run / "model" / "manifest.json", run / REFIT / "model" / "manifest.json"]
    known = {hash_file(path) for path in manifests if exists(path)}
    return next((test for test in tests if test and test.weights in known), None)


def list_figures(status: RunStatus, test: TestRecord | None) -> Iterator[tuple[str, float]]:
    """What came of a run, by name."""
    if not isinstance(status, FinishedRun):
        return
    yield from list_rate("final/train", status.train)
    if isinstance(status, ValidatedRun):
        yield from list_rate("final/val", status.val)
        yield "final/gap", status.gap
        yield "final/temperature", status.calibration.temperature
        yield "final/calibration_error", status.calibration.after.ece
    yield "final/best_epoch", float(status.best_epoch)
    yield "final/seconds", status.seconds
    yield "final/parameters", float(status.parameters)
    yield "final/size_bytes", float(status.size_bytes)
    yield "final/latency_seconds", status.latency_seconds
    if test is not None:
        yield from list_rate("test", test.rate)
        yield "test/openings", float(test.openings)


def list_rate(name: str, rate: Rate) -> Iterator[tuple[str, float]]:
    """An accuracy with its interval, and what counts every class alike."""
    yield f"{name}/accuracy", rate.accuracy
    yield f"{name}/low", rate.interval[0]
    yield f"{name}/high", rate.interval[1]
    yield f"{name}/n", float(rate.n)
    yield f"{name}/loss", rate.loss
    if rate.by_class is not None:
        yield f"{name}/balanced_accuracy", rate.by_class.balanced_accuracy
        yield f"{name}/macro_f1", rate.by_class.macro_f1
