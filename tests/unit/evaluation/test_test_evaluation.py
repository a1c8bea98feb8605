"""The scorecard, and the one opening in which a refit and its twin are scored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from smallvision.data.dataset import DataSet
from smallvision.data.imageset import ImageSet
from smallvision.data.sealed_test import open_sealed_test, seal_test
from smallvision.errors import DataError
from smallvision.evaluation import evaluate_on_test, score
from smallvision.predict import SavedModel, load_model
from smallvision.records.ledger import read_openings
from smallvision.runs.results import TestResult, list_figures
from tests.support.images import make_dataset
from tests.unit.runs.test_train import run


@pytest.fixture
def model(dataset: DataSet, tmp_path: Path) -> SavedModel:
    run(dataset, tmp_path / "run", epochs=2, model={"name": "mlp"}, augment=[])
    return replace(load_model(tmp_path / "run"), temperature=2.0)


def judge(model: SavedModel, dataset: DataSet, folder: Path, **options: Any) -> dict[str, Any]:
    folder.mkdir()
    val = {"accuracy": 0.5, "interval": [0.3, 0.7], "n": 24, "loss": 1.0}
    return evaluate_on_test(model, dataset, folder, name="m", command="c", val=val, **options)


def test_a_class_without_images_is_no_part_of_a_mean() -> None:
    card = score(np.eye(3)[[0, 1]], np.array([0, 1]), ("a", "b", "c"))
    assert card["macro"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    assert card["per_class"][2]["support"] == 0


def test_figures_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    probabilities, labels = rng.dirichlet(np.ones(4), 90), rng.integers(0, 4, 90)
    card = score(probabilities, labels, ("a", "b", "c", "d"))
    expected = metrics.classification_report(
        labels, probabilities.argmax(axis=1), target_names=list("abcd"), output_dict=True
    )
    for line in card["per_class"]:
        for here, there in (("precision", "precision"), ("recall", "recall"), ("f1", "f1-score")):
            assert line[here] == pytest.approx(expected[line["name"]][there])
    assert card["macro"]["f1"] == pytest.approx(expected["macro avg"]["f1-score"])
    assert list(card["topk"]) == ["2"], "five of four classes would always be right"
    assert card["topk"]["2"] == pytest.approx(
        metrics.top_k_accuracy_score(labels, probabilities, k=2)
    )


def test_calibration_on_test_uses_the_models_own_temperature(
    model: SavedModel, dataset: DataSet, tmp_path: Path
) -> None:
    record = judge(model, dataset, tmp_path / "study")
    test = open_sealed_test(dataset.test)
    calibration = record["calibration"]
    assert calibration["temperature"] == 2.0
    assert calibration["after"]["nll"] == record["loss"]
    for part, temperature in (("before", 1.0), ("after", 2.0)):
        probabilities = replace(model, temperature=temperature).predict(test.images)
        expected = metrics.log_loss(test.labels, probabilities)
        assert calibration[part]["nll"] == pytest.approx(expected, rel=1e-4)


def test_a_refit_and_its_twin_share_one_opening(
    model: SavedModel, dataset: DataSet, tmp_path: Path
) -> None:
    alone = judge(model, dataset, tmp_path / "alone")
    flipped = replace(model, mean=tuple(-m for m in model.mean))
    record = judge(flipped, dataset, tmp_path / "study", twin=model)
    assert len(read_openings(tmp_path / "study")) == 1
    assert (record["refit"], record["openings"]) == (True, 1)
    assert "refit" not in alone
    twin = record["twin"]
    assert twin == {key: alone[key] for key in twin}
    of_both = {"schema", "model", "time", "openings", "openings_on_machine", "data_fingerprint"}
    assert set(twin) == set(alone) - of_both
    # The refit saw the validation images, so only its twin can be compared with validation.
    assert record["val"] is record["p_vs_val"] is record["differs_from_val"] is None
    assert 0 < twin["p_vs_val"] <= 1


def test_a_twin_of_other_classes_leaves_the_seal_closed(
    model: SavedModel, dataset: DataSet, tmp_path: Path
) -> None:
    other = replace(model, class_names=("x", "y", "z"))
    with pytest.raises(DataError, match="classes"):
        judge(model, dataset, tmp_path / "study", twin=other)
    assert not read_openings(tmp_path / "study")


def test_the_figures_are_told(model: SavedModel, tmp_path: Path) -> None:
    dataset = make_dataset(test_size=90)
    record = judge(model, dataset, tmp_path / "study")
    told = dict(list_figures(record))
    assert told["top-2"] == f"{record['topk']['2'] * 100:.1f} %"
    before, after = (record["calibration"][part]["ece"] for part in ("before", "after"))
    assert told["calibration error (ECE)"] == f"{before:.3f} -> {after:.3f} with temperature"
    assert record["differs_from_val"] is (record["p_vs_val"] < 0.05)
    assert ("more than chance" in told["against validation"]) is record["differs_from_val"]
    assert told["macro F1"] in TestResult(record)._repr_html_()


def test_the_record_of_an_earlier_version_is_told_too(
    model: SavedModel, dataset: DataSet, tmp_path: Path
) -> None:
    record = judge(model, dataset, tmp_path / "study")
    for new in ("topk", "calibration", "p_vs_val", "lookalikes"):
        del record[new]
    assert [name for name, _ in list_figures(record)] == ["macro F1", "against validation"]


def test_images_that_training_had_are_told_apart(
    model: SavedModel, dataset: DataSet, tmp_path: Path
) -> None:
    assert judge(model, dataset, tmp_path / "none")["lookalikes"]["sentence"] == (
        "No test image is a copy of a training image."
    )
    test = open_sealed_test(dataset.test)
    images = np.concatenate([test.images[:20], dataset.train.images[:10]])
    labels = np.concatenate([test.labels[:20], dataset.train.labels[:10]])
    leaked = replace(dataset, test=seal_test(ImageSet(images, labels, test.class_names)))
    record = judge(model, leaked, tmp_path / "leaked")
    found = record["lookalikes"]
    right = (model.predict(test.images[:20]).argmax(axis=1) == test.labels[:20]).sum()
    assert (found["copies"], found["alike"], found["n"]) == (10, None, 20)
    assert found["accuracy"] == right / 20
    assert found["sentence"].startswith("10 of 30 test images are copies of training images;")
    assert ("against training", found["sentence"]) in list_figures(record)

    nothing_else = dataset.train.take(np.arange(30))
    all_leaked = replace(dataset, test=seal_test(nothing_else))
    found = judge(model, all_leaked, tmp_path / "all")["lookalikes"]
    assert found["sentence"] == "30 of 30 test images are copies of training images."
    assert "accuracy" not in found
