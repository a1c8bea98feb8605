"""A student and its teacher: what is learnt, what is kept, what is refused."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smallvision.api import distill, train, tune
from smallvision.data.dataset import DataSet
from smallvision.data.split import make_split
from smallvision.ensembles.distillation import distill_run, name_teacher
from smallvision.errors import RecordError, UserError
from smallvision.predict import load_model
from smallvision.recipes import Recipe
from smallvision.records import store
from smallvision.records.layout import DISTILLED
from smallvision.records.model_folders import find_model, fingerprint_model
from smallvision.records.schema import Distillation, ModelRecord
from smallvision.records.weights import load_tensors, save_tensors
from smallvision.runs.finished_run import find_validated
from smallvision.runs.job import Job
from smallvision.runs.results import Run
from smallvision.runs.train import run_recipe
from smallvision.training import Callback
from tests.support.images import make_dataset
from tests.support.models import edit_model
from tests.support.runs import Interrupt, make_job, make_recipe, read_bits, train_tiny

FEW: dict[str, Any] = {"epochs": 2, "model": {"name": "mlp", "hidden": [8]}}


@pytest.fixture(scope="module")
def teacher(rows: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("teacher") / "run"
    train_tiny(rows, folder, name="teacher")
    return folder


def make_student(teacher: Path, /, **changes: Any) -> Recipe:
    return name_teacher(make_recipe(name="student", **{**FEW, **changes}), teacher)


def learn(rows: DataSet, teacher: Path, folder: Path, *callbacks: Callback) -> Distillation:
    return distill_run(teacher, make_student(teacher), make_job(rows, folder, *callbacks))


def test_a_whole_share_leaves_no_word_to_the_labels(
    rows: DataSet, teacher: Path, tmp_path: Path
) -> None:
    split = make_split(rows.train)
    turned = replace(rows.train, labels=(rows.train.labels + 1) % 3)
    mislabelled = replace(rows, train=turned)

    def weights(share: float, data: DataSet, name: str) -> list[Any]:
        student = make_student(teacher, teacher={"share": share})
        # Straight into the loop: labels that are all wrong would choose another epoch as the best.
        student = student.model_copy(update={"epochs": 1})
        job = Job(data, split, tmp_path / name, models=(find_model(teacher),))
        run_recipe(student, job)
        return list(load_model(tmp_path / name).network.state_dict().values())

    alone, blind = weights(1.0, rows, "right"), weights(1.0, mislabelled, "wrong")
    assert all(np.array_equal(a, b) for a, b in zip(alone, blind, strict=True))
    half = weights(0.5, rows, "half"), weights(0.5, mislabelled, "half wrong")
    assert not all(np.array_equal(a, b) for a, b in zip(*half, strict=True))


def test_the_record_compares_both(rows: DataSet, teacher: Path, tmp_path: Path) -> None:
    record = learn(rows, teacher, tmp_path / "run")
    known, status = find_validated(teacher)[1], find_validated(tmp_path / "run")[1]
    assert status.name == "student-distilled"
    assert record.teacher.name == "teacher"
    assert record.teacher.model == fingerprint_model(teacher)
    assert record.teacher.accuracy == known.val.accuracy
    difference = status.val.accuracy - known.val.accuracy
    assert record.against_teacher.difference == pytest.approx(difference)
    assert record.against_teacher.latency_ratio == record.cost.latency_ratio
    assert record.cost.size_ratio == status.size_bytes / known.size_bytes
    assert store.read(tmp_path / "run" / DISTILLED, Distillation) == record


def without_clock(record: Distillation) -> Distillation:
    return record.change(
        teacher=record.teacher.change(latency_seconds=1.0),
        against_teacher=record.against_teacher.change(latency_ratio=1.0),
        cost=record.cost.change(latency_ratio=1.0),
    )


def test_what_is_finished_is_left_as_it_is(rows: DataSet, teacher: Path, tmp_path: Path) -> None:
    record = learn(rows, teacher, tmp_path)
    assert learn(rows, teacher, tmp_path) == record
    (tmp_path / DISTILLED).unlink()  # a kill came between the last two writes
    assert without_clock(learn(rows, teacher, tmp_path)) == without_clock(record)


def test_a_student_is_resumed_without_its_teacher_s_folder(
    rows: DataSet, teacher: Path, tmp_path: Path
) -> None:
    learn(rows, teacher, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        learn(rows, teacher, tmp_path / "torn", Interrupt(1))
    run_recipe(make_student(teacher), make_job(rows, tmp_path / "torn"))
    assert read_bits(tmp_path / "torn") == read_bits(tmp_path / "whole")


def test_repeats_and_refits_learn_from_the_same_teacher(
    rows: DataSet, teacher: Path, tmp_path: Path
) -> None:
    learn(rows, teacher, tmp_path / "run")
    copy = tmp_path / "run" / "recipe.toml"
    train(rows, copy, out=tmp_path / "run", resume=True, seeds=2, refit=True)
    for place in ("seeds/1", "refit"):
        run = tmp_path / "run" / place
        assert fingerprint_model(run / "teacher") == fingerprint_model(teacher)
        assert find_validated(run)[1].is_done


def test_another_teacher_is_refused(rows: DataSet, teacher: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    train_tiny(rows, other, name="other", seed=1, **FEW)
    learn(rows, teacher, tmp_path / "run")
    with pytest.raises(RecordError, match="other settings"):
        learn(rows, other, tmp_path / "run")
    student = make_student(teacher)
    with pytest.raises(RecordError, match="is not the teacher"):
        run_recipe(student, make_job(rows, tmp_path / "new").offering([find_model(other)]))
    with pytest.raises(RecordError, match="is not the teacher"):
        run_recipe(student, make_job(rows, tmp_path / "none"))


def test_no_other_work_takes_a_recipe_that_names_a_teacher(
    rows: DataSet, teacher: Path, tmp_path: Path
) -> None:
    for work in (train, tune):
        with pytest.raises(UserError, match="smallvision distill"):
            work(rows, make_student(teacher), out=tmp_path / "refused")
    assert not (tmp_path / "refused").exists()


def test_a_damaged_copy_is_refused(rows: DataSet, teacher: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        learn(rows, teacher, tmp_path / "run", Interrupt(1))
    weights = tmp_path / "run" / "teacher" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(RecordError, match="damaged"):
        run_recipe(make_student(teacher), make_job(rows, tmp_path / "run"))


def test_a_teacher_without_an_answer_is_refused(
    rows: DataSet, teacher: Path, tmp_path: Path
) -> None:
    """Its weights are finite, and what they make of an image is not."""
    changed = shutil.copytree(teacher, tmp_path / "teacher")
    tensors = load_tensors(changed / "model", "model")
    tensors["head.weight"].fill_(3e38)
    tensors["head.weight"][0] = -3e38
    about = store.read(changed / "model" / "model.json", ModelRecord)
    save_tensors(changed / "model", {"model": tensors}, {"model": about})
    with pytest.raises(RecordError, match="teacher answers with numbers that are not finite"):
        learn(rows, changed, tmp_path / "run")


def test_a_teacher_of_other_classes_is_refused(
    rows: DataSet, teacher: Path, tmp_path: Path
) -> None:
    changed = shutil.copytree(teacher, tmp_path / "teacher")
    edit_model(changed / "model", class_names=["a", "b", "c"])
    with pytest.raises(RecordError, match="knows other classes than those of rows"):
        learn(rows, changed, tmp_path / "run")


def test_who_may_not_teach(rows: DataSet, tmp_path: Path) -> None:
    settings = ["epochs=1", "model.hidden=[8]", "compute.threads=1"]
    run = train(rows, "mlp", settings=settings, out=tmp_path / "run", refit=True)
    with pytest.raises(RecordError, match="validation images too"):
        distill(tmp_path / "run" / "refit", data=rows, out=tmp_path / "student")
    shutil.rmtree(tmp_path / "run" / "model")
    with pytest.raises(UserError):
        distill(run, data=rows, out=tmp_path / "student")
    assert not (tmp_path / "student").exists()


def test_a_teacher_that_cannot_look_at_windows_is_found_out_before_training(
    tmp_path: Path,
) -> None:
    larger = make_dataset(60, side=12)
    settings = ["epochs=1", "compute.threads=1"]
    run = train(larger, "mlp", settings=settings, out=tmp_path / "run")
    crops = "random_crop_phase=[{until=0.5, side=8}]"
    with pytest.raises(UserError, match="takes images of one size"):
        distill(run, "wrn", data=larger, out=tmp_path / "student", settings=[crops])
    assert not (tmp_path / "student").exists()


def test_from_the_library(rows: DataSet, teacher: Path, tmp_path: Path) -> None:
    student = distill(
        Run(teacher), "mlp", data=rows, out=tmp_path / "run", preset="quick",
        settings=["epochs=1", "teacher.share=0.5", "compute.threads=1"],
    )  # fmt: skip
    assert student.status.name == "mlp-distilled"
    assert (tmp_path / "run" / DISTILLED).exists()
