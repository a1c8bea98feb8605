"""Links and special files in every place of a folder of records, opened in every way there is."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from PIL import Image

from smallvision.api import (
    classify,
    compare,
    ensemble,
    evaluate,
    explain,
    report,
    run_study,
    train,
    tune,
)
from smallvision.errors import UserError
from smallvision.recipes import parse_recipe
from smallvision.records.files import append_text, hash_file
from smallvision.records.layout import find_runs
from smallvision.records.nofollow import find_mode, remove_file
from smallvision.runs.results import Run
from smallvision.study.plan import StudyPlan
from smallvision.training import Callback
from tests.battery.outcome import Outcome
from tests.battery.work import put_first

PROMISE = (
    "Nothing inside a folder of records is read, written or removed through a link, and no pipe, "
    "socket, device or hole in it is opened: one line names it, at once."
)
TOKEN = "a secret of somebody else"
SECONDS = 20  # after which an action hangs
RECIPE = parse_recipe(
    {
        "name": "small",
        "epochs": 4,
        "batch_size": 256,
        "stopping": {"patience": 0},
        "compute": {"threads": 1},
        "model": {"name": "mlp", "hidden": [16]},
        "schedule": {"name": "sgdr", "cycles": 2, "cycle_mult": 1},
        "checkpoints": "cycles",
    }
)
LINK, SPECIAL = "is a link", "is no regular file"
# What none of the actions below opens: the end of a finished run's training, and what tells of it.
UNUSED = (
    "run/refit/checkpoints*",
    "run/seeds/*/checkpoints*",
    "study/runs/*/checkpoints*",
    "run/*/environment.json",
    "study/runs/*/environment.json",
    *(
        f"search/trials/*/{name}*"
        for name in ("environment", "split", "schedule", "predictions", "recipe.diff", "network")
    ),
    "ensemble/averaged*",
    "ensemble/ensemble.json",
    "ensemble/.lock",
)


# Made or removed and never read: a page shows the errors of a study alone, and what was paused goes
# on from what was kept last.
WRITTEN_ALONE = (
    "*/.lock",
    "run/errors/*",
    "search/environment.json",
    "paused/checkpoints/00?/manifest.json",
)


class Pause(Callback):
    """Ends a run after its second epoch as Ctrl-C would."""

    def on_epoch(self, metrics: Any, state: Any) -> None:
        if metrics.epoch == 2:
            raise KeyboardInterrupt


def run(place: Path, trials: int, seed: int) -> Outcome:
    """Put something else in the place of one file or folder at a time, and open all."""
    outcome, draw = Outcome(PROMISE), random.Random(seed)
    home = place / "home"
    home.mkdir()
    build(home / "records")
    whole = home / "whole"
    (home / "records").rename(whole)
    entries = sorted(path.relative_to(whole) for path in whole.rglob("*"))
    entries = [path for path in entries if len(path.parts) > 1]
    draw.shuffle(entries)
    entries = put_first(entries, lambda path: path.name)
    others = [(draw.choice(entries), draw.choice(KINDS)) for _ in entries]
    pairs = zip([(path, link_to_copy) for path in entries], others, strict=True)
    plan = [*WRITTEN_IN_PLACE, *(trial for pair in pairs for trial in pair)]
    for path, put in plan[:trials]:
        outside, records = home / "outside", home / "records"
        outside.mkdir()
        (outside / "secret").write_text(TOKEN, encoding="utf-8")
        shutil.copytree(whole, records)
        reason = put(records / path, outside)
        if reason is None:  # this kind has no place here
            clear(outside, records)
            continue
        name = f"{put.__name__} for {path}"
        before = describe(outside)
        with outcome.trial(name):
            said = open_all(records, path.parts[0], name, outcome)
            unused = UNUSED + (WRITTEN_ALONE if put is hole else ())
            if put is not hard_link and not any(fnmatch(str(path), name) for name in unused):
                named = any(reason in each and path.name in each for each in said)
                outcome.expect(named, f"{name}: nothing refused it")
            outcome.expect(describe(outside) == before, f"{name}: what is outside was changed")
            leaked = [str(p) for p in list_files(records) if TOKEN.encode() in p.read_bytes()]
            leaked += [each for each in said if TOKEN in each]
            outcome.expect(not leaked, f"{name}: the secret stands in {leaked[:3]}")
        clear(outside, records)
    with outcome.trial("a folder where a file is to be removed", "cannot be removed"):
        remove_file(whole)
        outcome.expect(False, "a folder was removed as a file")
    with outcome.trial("a name of 300 characters", "cannot be read"):
        find_mode(home / ("a" * 300))
        outcome.expect(False, "a name of 300 characters was found")
    with outcome.trial("a line for a file of holes", "no file of ours is so empty"):
        (home / "holes.jsonl").touch()
        os.truncate(home / "holes.jsonl", 10**9)
        append_text(home / "holes.jsonl", lambda number: f"{number}\n")
        outcome.expect(False, "a file of holes was read to its end")
    return outcome


def build(records: Path) -> None:
    """A run with a refit, a repeat and a test; a paused one; a search, a study, an ensemble."""
    train("digits", RECIPE, out=records / "run", seeds=2, refit=True)
    evaluate(records / "run", "digits")
    explain(records / "run", "digits")
    with suppress(KeyboardInterrupt):
        train("digits", RECIPE, out=records / "paused", callbacks=[Pause()])
    tune("digits", RECIPE, trials=2, epochs=2, seeds=1, out=records / "search")
    run_study("digits", records / "study", PLAN)
    ensemble(records / "run", data="digits", select="last", out=records / "ensemble")
    Image.new("L", (8, 8), 99).save(records.parent / "picture.png")
    for folder in ("run", "study", "ensemble"):
        report(records / folder)


PLAN = StudyPlan(rungs=("mlp",), folds=1, settings=("epochs=2", "compute.threads=1"))


def list_actions(records: Path, kind: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """Every way to open a folder."""
    folder = records / kind
    yield "runs", lambda: list(find_runs(folder))
    yield "report", lambda: report(folder)
    if kind == "search":
        yield (
            "tune",
            lambda: tune("digits", RECIPE, trials=2, epochs=2, seeds=1, out=folder, resume=True),
        )
        return
    if kind == "study":
        yield "a run of it", lambda: read_run(folder / "runs" / "mlp")
        yield "classify", lambda: classify(folder, [records.parent / "picture.png"])
        yield "evaluate", lambda: evaluate(folder / "runs" / "mlp", "digits")
        yield "study", lambda: run_study("digits", folder, PLAN, resume=True)
        return
    yield "read", lambda: read_run(folder)
    if kind != "paused":
        for name in ("refit", "seeds/1"):
            if (folder / name).exists():
                yield f"read {name}", lambda name=name: read_run(folder / name)
        yield (
            "compare",
            lambda: compare([folder, records / "ensemble" if kind == "run" else records / "run"]),
        )
        yield "evaluate", lambda: evaluate(folder, "digits")
        yield "explain", lambda: explain(folder, "digits")
        yield "ensemble", lambda: ensemble(folder, data="digits", out=records / "new")
    if kind != "ensemble":
        seeds = 2 if kind == "run" else 1
        yield (
            "train",
            lambda: train(
                "digits", RECIPE, out=folder, resume=True, seeds=seeds, refit=kind == "run"
            ),
        )


def read_run(folder: Path) -> None:
    """All that a run says of itself, and its model."""
    found = Run(folder)
    for what in ("status", "metrics", "seeds"):
        getattr(found, what)
    found.load_model()


def open_all(records: Path, kind: str, name: str, outcome: Outcome) -> list[str]:
    """What each action says that is refused; one that hangs or ends otherwise is a failure."""
    said = []
    for action, act in list_actions(records, kind):
        began = time.perf_counter()
        try:
            with limit_time():
                act()
        except UserError as error:
            said.append(str(error))
            outcome.count("refused")
        except Exception as error:
            outcome.failures.append(f"{name}: {action}: {type(error).__name__}: {error}"[:300])
        outcome.most("slowest, seconds", round(time.perf_counter() - began, 1))
    return said


@contextmanager
def limit_time() -> Iterator[None]:
    """Raise where something takes so long that it waits for a pipe."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"it took more than {SECONDS} s")

    known = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, known)


def link_to_copy(path: Path, outside: Path) -> str | None:
    """A link to what was there, which is right but for being a link."""
    shutil.move(path, outside / "copy")
    path.symlink_to(outside / "copy")
    return LINK


def link_to_secret(path: Path, outside: Path) -> str | None:
    """A link to a file of somebody else, or to a folder with one."""
    folder = path.is_dir()
    remove(path)
    path.symlink_to(outside if folder else outside / "secret")
    return LINK


def link_to_nothing(path: Path, outside: Path) -> str | None:
    """A link through which a file would be made."""
    remove(path)
    path.symlink_to(outside / "new")
    return LINK


def link_to_device(path: Path, outside: Path) -> str | None:
    """A link to what never ends."""
    remove(path)
    path.symlink_to("/dev/zero")
    return LINK


def pipe(path: Path, outside: Path) -> str | None:
    """A pipe that nobody writes to."""
    remove(path)
    os.mkfifo(path)
    return SPECIAL


def unix_socket(path: Path, outside: Path) -> str | None:
    """A socket that nobody listens to."""
    remove(path)
    here = Path.cwd()
    os.chdir(path.parent)  # the path of a socket may be short only
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path.name)
    os.chdir(here)
    return SPECIAL


def hole(path: Path, outside: Path) -> str | None:
    """A file of ten terabytes that holds nothing."""
    if path.is_dir():
        return None
    with path.open("wb") as file:
        try:
            file.truncate(10**13)
        except OSError:  # this file system has no files of that size
            return None
    return "claims"


def hard_link(path: Path, outside: Path) -> str | None:
    """Another name of a file of somebody else."""
    if path.is_dir():
        return None
    shutil.move(path, outside / "copy")
    os.link(outside / "copy", path)
    return "hard links"


KINDS = (
    link_to_secret,
    link_to_nothing,
    link_to_device,
    pipe,
    unix_socket,
    hole,
    hard_link,
)


WRITTEN_IN_PLACE = [
    (Path(path), put)
    for path in ("run/ledger.jsonl", "paused/.lock")
    for put in (hard_link, hole, pipe, link_to_secret)
]


def remove(path: Path) -> None:
    """Make room for something else."""
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def clear(*folders: Path) -> None:
    """Remove what a trial left."""
    for folder in folders:
        shutil.rmtree(folder)


def list_files(folder: Path) -> list[Path]:
    """The regular files of a folder, links left out; a hole is not read."""
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and path.stat().st_size < 10**9
    ]


def describe(folder: Path) -> dict[str, Any]:
    """All that a change of a folder would change."""
    return {
        str(path): (path.lstat().st_mode, path.is_file() and hash_file(path))
        for path in folder.rglob("*")
    }
