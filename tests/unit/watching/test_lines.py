"""What the terminal shows of work under way, and what a pipe is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from smallvision.records import store
from smallvision.records.schema import RungRecord, StudyRecord
from smallvision.watching.lines import draw_lines, list_changes
from smallvision.watching.snapshot import Snapshot
from smallvision.watching.watcher import Watcher
from tests.gold.make_folders import FOLDERS
from tests.support.hostile_text import NAMES, find_acting
from tests.support.study_folder import build_whole_study
from tests.support.watched import UNDER_WAY, begin_study, lock, make_running, unlock


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return begin_study(tmp_path / "made-up-quick")


def draw(snapshot: Snapshot, width: int = 79) -> list[str]:
    return ["".join(text for text, _ in line).rstrip() for line in draw_lines(snapshot, width)]


def test_a_study_under_way(study: Path) -> None:
    lines = draw(Watcher(study).look())
    text = "\n".join(lines)
    assert lines[0] == "made-up-quick"
    assert lines[1] == "Running: 4 of 9 rungs done"
    assert "wrn-aug: Does augmentation help here too?" in text
    assert "budget 15 min" in text
    assert "Left out: tuned (it would take 6 min 40 s)" in text
    (row,) = [line for line in lines if line.startswith("vgg10 ")]
    assert row.split() == ["vgg10", "done", "86.1", "%", "(83.8–88.1", "%)", "2:02", "0:20"]
    (row,) = [line for line in lines if line.startswith("wrn-aug ")]
    assert row.split()[1:5] == ["epoch", "7", "of", "14"]
    curve = next(line for line in lines if line.strip().startswith("validation "))
    assert "▁" in curve
    assert "█" in next(line for line in lines if line.strip().startswith("training "))


@pytest.mark.parametrize("width", [40, 79, 119])
def test_no_line_is_wider_than_the_terminal(study: Path, width: int) -> None:
    unlock(study)
    (study / "runs/vgg10/status.json").write_text("{")
    found = draw(Watcher(study).look(), width)
    wide = [line for line in found if len(line) > max(width, 79)]
    assert wide == []
    texts = [line for line in found if not line.startswith(("rung ", "mlp ", "vgg", "wrn", "snap"))]
    assert [line for line in texts if len(line) > width and " " in line] == []


def test_an_interrupted_study_says_how_to_go_on(study: Path) -> None:
    unlock(study)
    text = " ".join(draw(Watcher(study).look()))
    assert "Interrupted: 4 of 9 rungs done" in text
    assert "Go on with: smallvision study made-up --preset quick --resume" in text


@pytest.mark.parametrize(
    "name", ["study", "folded", "run", "paused", "all-images", "student", "ensemble", "tuning"]
)
def test_every_kind_of_work_is_drawn(name: str) -> None:
    assert draw(Watcher(FOLDERS / name).look())


def test_nothing_of_a_record_acts(tmp_path: Path) -> None:
    names = tuple(name for name in NAMES if len(name) < 200)[:10]
    folder = begin_study(tmp_path / "study", (*names, *map(str, range(10 - len(names)))))
    record = store.read(folder / "study.json", StudyRecord)
    bad = "\x1b[2J\u202e <script>alert(1)</script> [red]x"
    rungs: tuple[RungRecord, ...] = tuple(
        rung.change(note=bad, question=bad) for rung in record.rungs
    )
    store.write(folder / "study.json", record.change(rungs=rungs, name=bad, command=bad))
    store.write(
        folder / "runs" / UNDER_WAY / "status.json",
        make_running(UNDER_WAY).change(status="failed", error=bad),
    )
    unlock(folder)
    snapshot = Watcher(folder).look()
    assert find_acting("\n".join(draw(snapshot))) == set()


def test_a_pipe_is_told_what_is_new(study: Path, tmp_path: Path) -> None:
    watcher = Watcher(study)
    first = watcher.look()
    told = list(list_changes(None, first))
    assert told[0] == "Running: 4 of 9 rungs done"
    assert "vgg10: done, validation 86.1 % (83.8–88.1 %)" in told
    assert not any(line.startswith("wrn-cutmix:") for line in told)
    assert list(list_changes(first, watcher.look())) == []

    whole = build_whole_study(tmp_path / "whole") / "runs" / UNDER_WAY
    lines = (whole / "metrics.jsonl").read_text().splitlines(keepends=True)
    (study / "runs" / UNDER_WAY / "metrics.jsonl").write_text("".join(lines[:9]))
    second = watcher.look()
    (line,) = list_changes(first, second)
    assert line.startswith("wrn-aug: epoch 9 of 14 done, training ")

    unlock(study)
    third = watcher.look()
    assert list(list_changes(second, third))[:2] == [
        "Interrupted: 4 of 9 rungs done. No process is at work there.",
        "Go on with: smallvision study made-up --preset quick --resume",
    ]
    lock(study)
    assert next(list_changes(third, watcher.look())).startswith("Running: 4 of 9 rungs done")


def test_a_lone_search_says_what_it_found_so_far() -> None:
    text = " ".join(draw(Watcher(FOLDERS / "tuning").look()))
    assert "Validation: 62.5 % in trial 0" in text
