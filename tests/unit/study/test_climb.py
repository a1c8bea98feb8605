"""Which rung a rung is built on, in one session and in two."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smallvision.errors import RecordError
from smallvision.recipes import Rung, read_run_recipe
from smallvision.records.schema import RungRecord
from smallvision.study.climb import explain_base, place_rung, run_study
from smallvision.study.context import StudyContext
from smallvision.study.ladder import cut_ladder
from smallvision.study.plan import StudyPlan
from smallvision.study.study_record import StudyFile
from tests.support.comparisons import write_finished_run
from tests.support.images import make_dataset
from tests.support.records import make_rung_record, make_study_record
from tests.support.runs import make_job


@pytest.fixture
def context(tmp_path: Path) -> StudyContext:
    """A study in which `wrn` reached 80 % and `wrn-aug` 90 %."""
    plan = StudyPlan()
    context = StudyContext(make_job(make_dataset(), tmp_path), plan, cut_ladder(plan))
    recipes = {rung.slot: rung.recipe for rung in context.ladder.rungs}
    for name, right in (("wrn", 320), ("wrn-aug", 360)):
        write_finished_run(context.folder_of(name), np.arange(400) < right, recipes[name])
    return context


def place(context: StudyContext, slot: str, **entry: Any) -> tuple[Rung, RungRecord]:
    """A rung above those two, set on its base, and its new entry."""
    rungs = (make_rung_record("wrn"), make_rung_record("wrn-aug"), make_rung_record(slot, **entry))
    file = StudyFile(context.job.folder, make_study_record(*rungs))
    rung = next(rung for rung in context.ladder.rungs if rung.slot == slot)
    placed, changed = place_rung(rung, rungs[-1], context, file)
    assert changed.name == placed.name
    return placed, changed


def list_augmentations(rung: Rung) -> list[str]:
    return [settings.name for settings in rung.recipe.augment]


def test_a_new_rung_is_built_on_the_best(context: StudyContext) -> None:
    placed, entry = place(context, "wrn-cutmix", status="pending")
    assert placed.base == entry.builds_on == "wrn-aug"
    assert list_augmentations(placed) == ["flip", "crop", "cutmix"]


@pytest.mark.parametrize("state", ["running", "failed"])
def test_a_rung_that_was_begun_keeps_its_base(context: StudyContext, state: str) -> None:
    """`wrn-aug` failed at first, and was mended in a later session."""
    placed, entry = place(context, "wrn-cutmix", status=state, builds_on="wrn")
    assert placed.base == entry.builds_on == "wrn"
    assert list_augmentations(placed) == ["cutmix"]


def test_a_longer_run_says_so(context: StudyContext) -> None:
    placed, entry = place(context, "snapshot-ensemble", status="pending")
    base = next(rung for rung in context.ladder.rungs if rung.slot == "wrn-aug").recipe
    assert placed.recipe.epochs > base.epochs
    assert entry.note == f"It trains for {placed.recipe.epochs} epochs, wrn-aug for {base.epochs}."


def test_two_rungs_never_share_a_folder(context: StudyContext) -> None:
    """Without CutMix and without augmentations, `wrn-cutmix` is just another `wrn`."""
    wrn, augmented = make_rung_record("wrn"), make_rung_record("wrn-aug", status="failed")
    entry = make_rung_record("wrn-cutmix", status="pending")
    file = StudyFile(context.job.folder, make_study_record(wrn, augmented, entry))
    rung = next(rung for rung in context.ladder.rungs if rung.slot == "wrn-cutmix")
    unchanged = replace(rung, change=lambda base: base)
    assert context.ladder.place(unchanged, read_run_recipe(context.folder_of("wrn"))).name == "wrn"
    placed, changed = place_rung(unchanged, entry, context, file)
    assert changed.builds_on == "wrn"
    assert placed.name == changed.name == "wrn-cutmix"


def test_a_rung_says_which_ideas_its_base_had_left_out() -> None:
    below = ["wrn", "wrn-aug", "wrn-cutmix"]
    assert explain_base(below, "wrn-cutmix") is None
    assert explain_base(below, None) is None
    note = explain_base(below, "wrn-aug")
    assert note is not None
    assert note.startswith("Builds on wrn-aug, the best so far: wrn-cutmix did not raise")
    long = explain_base([*below, "wrn-se", "mish"], "wrn-aug")
    assert long is not None
    assert "none of the 3 rungs after it raised validation accuracy" in long


@pytest.mark.parametrize("rung", ["linear", "snapshot-ensemble"])
def test_a_study_with_a_rung_that_lacks_a_file_is_refused(tmp_path: Path, rung: str) -> None:
    """It may have been copied while that rung was trained."""
    settings = ("epochs=1", "compute.threads=1")
    plan = StudyPlan(rungs=("linear", "snapshot-ensemble"), settings=settings, folds=1)
    folder = tmp_path / "study"
    run_study(make_dataset(), folder, plan)
    run_study(make_dataset(), folder, plan, resume=True)
    (folder / "runs" / rung / "network.json").unlink()
    with pytest.raises(RecordError, match=r"network\.json is missing, though the run is finished"):
        run_study(make_dataset(), folder, plan, resume=True)
