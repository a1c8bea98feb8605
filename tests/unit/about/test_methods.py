"""The paragraph: each figure is that of a record, and what no record tells is left out."""

from __future__ import annotations

from typing import Any

import pytest

from smallvision.about.facts import ModelFacts
from smallvision.about.methods import write_methods
from smallvision.recipes import parse_recipe
from smallvision.records import store
from smallvision.records.schema import AllImagesRun, ClassMeans, TestRecord, TtaRecord
from smallvision.records.schema.settings.networks import EnsembleSettings, MlpSettings
from tests.gold.make_folders import FOLDERS
from tests.support.ensembles import read_ensemble
from tests.support.records import (
    make_rate,
    make_rung_record,
    make_split_record,
    make_status,
    make_study_record,
)
from tests.unit.about.test_facts import FOLDS, MODEL

RECIPE = parse_recipe({"epochs": 30, "batch_size": 128, "augment": ["flip"]})
SPLIT = make_split_record(train_n=4_000, val_n=1_000, seed=5)


def tell(**facts: Any) -> str:
    known = {"model": MODEL, "status": make_status(epochs_done=30), "recipe": RECIPE}
    return " ".join(write_methods(ModelFacts(**{**known, "split": SPLIT, **facts})))


def test_a_run_is_told_with_its_figures() -> None:
    said = tell()
    for words in (
        "The final model is a fully connected network with a hidden layer of 4 units.",
        "grey images of 8 × 8 pixels into 2 classes.",
        "trained on 4,000 images of rows and validated on 1,000 others, drawn class by class "
        "with seed 5",
        "Training took 30 epochs in batches of 128 images, by SGD with Nesterov momentum 0.9",
        "Images were mirrored left to right with probability 0.5.",
        "The weights are those of epoch 3 of 30, the best by validation accuracy.",
        "It classifies 90.0 % of 400 validation images correctly (95 % interval 87.0–93.0 %).",
    ):
        assert words in said
    for absent in ("ensemble", "temperature", "mirror image", "once more", "rungs", "test"):
        assert absent not in said


def test_a_saved_model_is_told_without_its_training() -> None:
    said = write_methods(ModelFacts(model=MODEL))
    assert len(said) == 1
    assert "2 classes" in said[0]


def test_a_run_that_ended_early_says_why() -> None:
    status = make_status(epochs_done=12, stopped="no better epoch in a whole cycle")
    assert "ended after 12 epochs: no better epoch in a whole cycle" in tell(status=status)
    assert "Training was planned for 30 epochs" in tell(status=status)
    assert "ended after" not in tell()


def test_a_refit_says_what_its_validation_figures_are_of() -> None:
    said = tell(is_refit=True)
    assert "trained once more in the same way on all 5,000 training and validation images" in said
    assert "Trained without the validation images, it classifies 90.0 %" in said


def test_a_run_on_all_images_was_not_validated() -> None:
    status = make_status().extend(AllImagesRun, kind="all_images")
    said = tell(status=status)
    assert "on all 5,000 labelled images of rows, without any to validate" in said
    assert "The weights are those at the end." in said
    assert "validation images correctly" not in said


def test_folds_are_told_in_place_of_a_split() -> None:
    said = tell(folds=FOLDS)
    assert "cross-validated on 150 images of rows in 3 stratified folds, drawn with seed 5" in said
    assert "80.0 % of 150 images that folds left out" in said


def test_what_is_asked_of_an_image_is_told() -> None:
    model = MODEL.change(temperature=1.2345, tta=TtaRecord(mirror=True, shift=1))
    said = tell(model=model)
    assert "averaged with those of its mirror image and copies shifted by 1 pixel" in said
    assert "divided by a temperature of 1.23, fitted on validation images" in said


def test_the_rungs_that_it_was_chosen_among_are_those_that_were_finished() -> None:
    rungs = [make_rung_record("a"), make_rung_record("b"), make_rung_record("c", status="failed")]
    study = make_study_record(*rungs, best="a", best_reason="highest validation accuracy")
    assert "It was chosen among 2 rungs: highest validation accuracy." in tell(study=study)
    alone = make_study_record(rungs[0], best="a", best_reason="highest validation accuracy")
    assert "chosen" not in tell(study=alone)


def test_uneven_classes_are_told_by_class() -> None:
    means = ClassMeans(balanced_accuracy=0.7, macro_f1=0.65, imbalance=9.0)
    assert "balanced" not in tell()
    uneven = make_rate().change(by_class=means)
    assert "balanced accuracy 70.0 %, macro F1 65.0 %" in tell(status=make_status(val=uneven))


@pytest.mark.parametrize(
    ("select", "said"),
    [
        ("greedy", "chosen one by one among 3 networks on validation images, while one helped"),
        ("last", "the last of 3 networks"),
        ("all", "all of 3 networks"),
    ],
)
def test_members_are_told_with_their_choice(select: Any, said: str) -> None:
    record = read_ensemble(FOLDERS / "ensemble").change(select=select)
    one = MlpSettings(hidden=(4,))
    model = MODEL.change(model=EnsembleSettings(members=(one, one, MlpSettings(hidden=(8,)))))
    words = tell(model=model, ensemble=record)
    assert f"weights of one run after epochs 3, 2 and 1, {said}." in words
    assert "is an ensemble of 3 networks: 2 times a fully connected network with a hidden" in words
    assert "whose probabilities are averaged" in words


def test_openings_by_other_work_are_told_beside_the_test_result() -> None:
    test = store.read(FOLDERS / "study" / "test.json", TestRecord)
    others = "other work on that machine had opened the same images"
    assert others in tell(test=test.change(openings_on_machine=3), openings=1)
    assert others not in tell(test=test.change(openings_on_machine=1), openings=1)
