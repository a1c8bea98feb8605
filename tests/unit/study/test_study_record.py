"""`study.json`: opened, checked on resumption, changed rung by rung, and summed up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smallvision.data.split import make_split
from smallvision.errors import RecordError
from smallvision.recipes import parse_recipe
from smallvision.records import store
from smallvision.records.layout import STUDY
from smallvision.records.schema import Limits, StudyRecord
from smallvision.study.context import StudyContext
from smallvision.study.ladder import cut_ladder
from smallvision.study.plan import StudyPlan
from smallvision.study.study_record import open_study, reopen_study, summarize_study
from tests.support.comparisons import write_finished_run
from tests.support.images import make_dataset
from tests.support.runs import make_job

PLAN = StudyPlan(rungs=("mlp", "wrn"), settings=("epochs=2",), seeds=2, repeat=("wrn",))


def make_context(folder: Path, plan: StudyPlan = PLAN) -> StudyContext:
    return StudyContext(make_job(make_dataset(), folder), plan, cut_ladder(plan))


def test_what_is_asked_for_is_written_first(tmp_path: Path) -> None:
    context = make_context(tmp_path)
    file = open_study(context)
    record = store.read(tmp_path / STUDY, StudyRecord)
    assert record == file.record
    assert (record.settings, record.seeds, record.repeat) == (("epochs=2",), 2, ("wrn",))
    assert (record.best, record.finished) == (None, None)
    states = {rung.slot: rung.status for rung in record.rungs}
    assert {slot for slot, state in states.items() if state == "pending"} == {"mlp", "wrn"}
    assert set(states.values()) == {"pending", "skipped"}
    assert record.data.train_fingerprint == context.job.dataset.train.fingerprint
    files = {"study.json", "split.json", "split.npz", "environment.json"}
    assert files <= {path.name for path in tmp_path.iterdir()}


def test_every_change_is_on_disk(tmp_path: Path) -> None:
    file = open_study(make_context(tmp_path))
    entry = file.update_rung(file.find_rung("mlp"), status="done", name="mlp-2")
    assert (entry.slot, entry.name) == ("mlp", "mlp-2")
    file.update(best="mlp-2")
    record = store.read(tmp_path / STUDY, StudyRecord)
    assert record == file.record
    assert (record.best, [rung for rung in record.rungs if rung.is_done]) == ("mlp-2", [entry])
    assert file.finished_rungs() == [entry]


def test_the_same_study_goes_on(tmp_path: Path) -> None:
    file = open_study(make_context(tmp_path))
    file.update_rung(file.find_rung("mlp"), status="done")
    (tmp_path / "environment.json").unlink()  # a kill came before it was written
    again = reopen_study(make_context(tmp_path))
    assert again.record == file.record
    assert (tmp_path / "environment.json").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"preset": "laptop"}, "preset quick"),
        ({"settings": ("epochs=2", "seed=1")}, "seed 0"),
        ({"limits": Limits(gap=0.2)}, "other limits"),
        ({"rungs": ("mlp", "wrn", "vgg10")}, "other --rungs"),
        ({"settings": ("epochs=3",)}, "another --set"),
        ({"seeds": 3}, "another --seeds"),
        ({"repeat": ("mlp",)}, "another --repeat"),
        ({"refit": True}, "another --refit"),
    ],
)
def test_a_study_goes_on_as_it_began(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    open_study(make_context(tmp_path))
    before = (tmp_path / STUDY).read_bytes()
    with pytest.raises(RecordError, match=said):
        reopen_study(make_context(tmp_path, replace(PLAN, **change)))
    assert (tmp_path / STUDY).read_bytes() == before


def test_a_study_goes_on_with_its_own_images(tmp_path: Path) -> None:
    context = make_context(tmp_path)
    open_study(context)
    dataset = context.job.dataset
    mirrored = replace(context.job, dataset=replace(dataset, mirror_safe=not dataset.mirror_safe))
    with pytest.raises(RecordError, match="same --no-mirror"):
        reopen_study(replace(context, job=mirrored))
    other_split = replace(context.job, split=make_split(dataset.train, seed=5))
    with pytest.raises(RecordError, match="another split"):
        reopen_study(replace(context, job=other_split))


def test_the_summary_tells_finished_rungs_from_others(tmp_path: Path) -> None:
    context = make_context(tmp_path)
    file = open_study(context)
    write_finished_run(
        context.folder_of("mlp"), np.arange(400) < 300, parse_recipe({"name": "mlp"})
    )
    file.update_rung(file.find_rung("mlp"), status="done")
    file.update_rung(file.find_rung("wrn"), status="failed", error="it diverged")
    summary = summarize_study(tmp_path, file.record)
    rungs = {rung.slot: rung for rung in summary.rungs}
    assert rungs["mlp"].val_accuracy == 0.75
    assert (rungs["wrn"].status, rungs["wrn"].error) == ("failed", "it diverged")
    assert rungs["wrn"].val_accuracy is None
    assert (summary.study, summary.best, summary.test) == (str(tmp_path), None, None)
