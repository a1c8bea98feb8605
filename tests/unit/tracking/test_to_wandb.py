"""What Weights & Biases is told, by a stand-in of its library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smallvision.tracking import to_wandb
from smallvision.tracking.track import track
from tests.support.records import edit_json
from tests.support.tracked import begin_run, end_run, train_on


class StandIn:
    """The part of wandb that is used; `opened` holds each run that was begun."""

    def __init__(self) -> None:
        self.opened: list[StandInRun] = []

    def Settings(self, **settings: Any) -> dict[str, Any]:
        return settings

    def init(self, **options: Any) -> StandInRun:
        run = StandInRun(options)
        self.opened.append(run)
        return run


class StandInRun:
    """A run that keeps what it is told."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self.logged: list[tuple[int, dict[str, float]]] = []
        self.summary: dict[str, float] = {}
        self.config = self
        self.ended: list[int | None] = []

    def log(self, figures: dict[str, float], step: int) -> None:
        self.logged.append((step, figures))

    def update(self, values: dict[str, Any], *, allow_val_change: bool) -> None:
        assert allow_val_change

    def finish(self, exit_code: int | None = None) -> None:
        self.ended.append(exit_code)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    library = StandIn()
    monkeypatch.setattr(to_wandb, "import_library", lambda *_: library)
    return library


def test_each_epoch_is_told_once(library: StandIn, tmp_path: Path) -> None:
    run, out = begin_run(tmp_path / "run", epochs=1), tmp_path / "out"
    track(run, "wandb", out=out)
    track(run, "wandb", out=out)
    assert len(library.opened) == 1, "nothing was new"
    train_on(run, 3)
    end_run(run)
    track(run, "wandb", out=out)
    first, second = library.opened
    assert [step for step, _ in first.logged] == [1]
    assert [step for step, _ in second.logged] == [2, 3]
    assert first.options["id"] == second.options["id"]
    assert (first.ended, second.ended) == ([None], [0])
    assert second.summary["final/val/accuracy"] == 0.9
    assert second.logged[0][1]["train/accuracy"] == 0.52


def test_without_an_address_nothing_is_sent(library: StandIn, tmp_path: Path) -> None:
    run = begin_run(tmp_path / "run")
    done = track(run, "wandb", out=tmp_path / "out")
    options = library.opened[0].options
    assert (options["mode"], options["dir"]) == ("offline", str(tmp_path / "out"))
    assert "base_url" not in options["settings"]
    assert done.hint.startswith("wandb sync --append ")


def test_an_address_is_gone_on_with(
    library: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = track(begin_run(tmp_path / "run"), "wandb", uri="https://me:hunter2@host")
    options = library.opened[0].options
    assert (options["mode"], options["resume"]) == ("online", "allow")
    assert options["settings"]["base_url"] == "https://me:hunter2@host"
    assert "hunter2" not in done.hint + done.place


def test_a_run_that_failed_ends_with_another_code(library: StandIn, tmp_path: Path) -> None:
    run = begin_run(tmp_path / "run")
    edit_json(run / "status.json", status="failed", error="the loss became NaN")
    track(run, "wandb", out=tmp_path / "out")
    assert library.opened[0].ended == [1]


def test_a_changed_figure_is_told_without_new_epochs(library: StandIn, tmp_path: Path) -> None:
    run, out = begin_run(tmp_path / "run"), tmp_path / "out"
    end_run(run, gap=0.05)
    track(run, "wandb", out=out)
    end_run(run, gap=0.06)
    track(run, "wandb", out=out)
    assert library.opened[1].logged == []
    assert library.opened[1].summary["final/gap"] == 0.06


def test_the_library_itself_takes_a_run(tmp_path: Path) -> None:
    pytest.importorskip("wandb", reason="pip install 'smallvision[wandb]' brings it")
    run, out = begin_run(tmp_path / "run", epochs=2), tmp_path / "out"
    end_run(run)
    track(run, "wandb", out=out)
    track(run, "wandb", out=out)
    [kept] = out.rglob("*.wandb")
    assert b"train/accuracy" in kept.read_bytes()
