"""Which rung a rung is built on, in one sitting and in two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from smallvision.runs.progress import Silence

from smallvision.data.split import make_split
from smallvision.recipes.toml import write_toml
from smallvision.records.files import make_folder, read_json, write_json, write_text
from smallvision.study.climb import place_rung, read_finished
from smallvision.study.ladder import choose_best, cut_ladder
from smallvision.study.plan import Limits, StudyPlan
from smallvision.study.rungs import Site
from tests.support.images import make_dataset

RATE = {"interval": [0.0, 1.0], "n": 100, "loss": 1.0}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A study in which `wrn` reached 80 % and `wrn-aug` 90 %."""
    dataset, plan = make_dataset(), StudyPlan()
    site = Site(dataset, make_split(dataset.train), tmp_path, plan, cut_ladder(plan), Silence())
    for rung in site.ladder.rungs:
        if rung.slot in ("wrn", "wrn-aug"):
            accuracy = {"wrn": 0.8, "wrn-aug": 0.9}[rung.slot]
            rate = {**RATE, "accuracy": accuracy}
            figures = {"seconds": 1.0, "parameters": 1, "latency_seconds": 0.1, "gap": 0.0}
            epochs = {"best_epoch": 1, "epochs_done": 1, "stopped": "end", "notes": []}
            status = {"name": rung.slot, "status": "done", "val": rate, "train": rate}
            make_folder(site.run(rung.slot))
            write_text(site.run(rung.slot) / "recipe.toml", write_toml(rung.recipe.plain()))
            write_json(site.run(rung.slot) / "status.json", {**status, **figures, **epochs})
    return site


def record(**states: str) -> dict[str, Any]:
    names = ("wrn", "wrn-aug", "wrn-cutmix")
    return {
        "rungs": [
            {"slot": name, "name": name, "builds_on": None, "note": None, "status": states[name]}
            for name in names
        ]
    }


def place(site: Site, study: dict[str, Any]) -> tuple[str, list[str], dict[str, Any]]:
    rung = next(rung for rung in site.ladder.rungs if rung.slot == "wrn-cutmix")
    entry = study["rungs"][-1]
    placed = place_rung(rung, entry, site, study)
    return placed.base, [settings.name for settings in placed.recipe.augment], entry


def test_a_new_rung_is_built_on_the_best(site: Site) -> None:
    study = record(**{"wrn": "done", "wrn-aug": "done", "wrn-cutmix": "pending"})
    base, augment, entry = place(site, study)
    assert base == entry["builds_on"] == "wrn-aug"
    assert augment == ["flip", "crop", "cutmix"]


@pytest.mark.parametrize("state", ["running", "failed"])
def test_a_rung_that_was_begun_keeps_its_base(site: Site, state: str) -> None:
    """`wrn-aug` failed at first, and was mended in a later sitting."""
    study = record(**{"wrn": "done", "wrn-aug": "done", "wrn-cutmix": state})
    study["rungs"][-1] |= {"builds_on": "wrn"}
    base, augment, entry = place(site, study)
    assert base == entry["builds_on"] == "wrn"
    assert augment == ["cutmix"]


def test_means_over_seeds_decide_and_the_first_keeps_the_limits(site: Site) -> None:
    """The one that will be used is the first."""
    run = site.run("wrn")
    status = read_json(run / "status.json")
    write_json(make_folder(run / "seeds/1") / "status.json", {**status, "gap": 0.4})
    sums = {"seeds": [0, 1], "accuracies": [0.9, 1.0], "std": 0.07, "interval": [0.9, 1.0]}
    write_json(run / "seeds.json", {"mean": 0.95, "n": 100, "failed": [], **sums})
    finished = read_finished(site, record(**{"wrn": "done", "wrn-aug": "done", "wrn-cutmix": ""}))
    assert finished["wrn"]["val"]["accuracy"] == 0.95
    assert choose_best(finished, Limits(gap=0.1)) == "wrn"


def test_a_longer_run_says_so(site: Site) -> None:
    study = record(**{"wrn": "done", "wrn-aug": "done", "wrn-cutmix": "pending"})
    study["rungs"][-1] |= {"slot": "snapshot-ensemble", "name": "snapshot-ensemble"}
    rung = next(rung for rung in site.ladder.rungs if rung.work == "ensemble")
    placed = place_rung(rung, study["rungs"][-1], site, study)
    base = next(rung for rung in site.ladder.rungs if rung.slot == "wrn-aug").recipe
    assert placed.recipe.epochs > base.epochs
    note = f"It trains for {placed.recipe.epochs} epochs, wrn-aug for {base.epochs}."
    assert study["rungs"][-1]["note"] == note
