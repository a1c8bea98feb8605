"""What a finished run says of itself is what its saved model does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from smallvision.data.dataset import DataSet
from smallvision.data.imageset import ImageSet
from smallvision.data.split import make_split
from smallvision.predict import load_model
from smallvision.predict.layers import describe_network
from smallvision.records import store
from smallvision.records.files import read_npz
from smallvision.records.predictions import read_predictions
from smallvision.records.schema import NetworkRecord
from smallvision.records.schema.measures import Rate
from smallvision.runs import measure
from smallvision.runs.finished_run import find_validated
from smallvision.runs.job import AllImages
from smallvision.runs.measure import fit_sets
from smallvision.runs.refit import refit_run
from smallvision.runs.train import run_recipe
from smallvision.stats.course import judge_course
from smallvision.stats.intervals import estimate_gap, wilson_interval
from smallvision.stats.probabilities.calibration import fit_temperature
from smallvision.stats.probabilities.coverage import measure_coverage
from smallvision.stats.probabilities.prediction_sets import ERROR_RATES
from smallvision.stats.probabilities.unlike import fit_limit
from tests.support.runs import make_job, make_recipe, read_metrics, train_tiny


def test_training_accuracy_is_measured_on_clean_images(dataset: DataSet, tmp_path: Path) -> None:
    mixed = ["trivial_augment", "cutmix", "mixup", "random_erasing"]
    status = train_tiny(dataset, tmp_path, augment=mixed, label_smoothing=0.1)
    split, model = make_split(dataset.train), load_model(tmp_path)
    probabilities = model.predict(dataset.train.images[split.train])
    right = (probabilities.argmax(axis=1) == dataset.train.labels[split.train]).mean()
    assert status.train.accuracy == pytest.approx(right)
    best = read_metrics(tmp_path)[status.best_epoch - 1]
    assert best.train_accuracy == pytest.approx(right)
    assert status.course == judge_course(read_metrics(tmp_path), status.train, status.val)
    assert (status.gap, status.gap_interval) == estimate_gap(status.train, status.val)


def test_a_run_keeps_the_layers_of_its_model(dataset: DataSet, tmp_path: Path) -> None:
    status = train_tiny(dataset, tmp_path, epochs=2)
    kept = store.read(tmp_path / "network.json", NetworkRecord)
    model = load_model(tmp_path)
    assert kept == describe_network(model.network, model.shape)
    assert kept.parameters == status.parameters


def test_a_model_predicts_with_the_temperature_of_validation(
    dataset: DataSet, tmp_path: Path
) -> None:
    images = dataset.train
    labels = np.array(images.labels)
    labels[::7] = (labels[::7] + 1) % 3  # without mistakes there is nothing to calibrate
    noisy = replace(dataset, train=ImageSet(images.images, labels, images.class_names))
    status = train_tiny(
        noisy,
        tmp_path,
        epochs=8,
        optimizer={"name": "sgd", "lr": 0.2},
        model={"name": "mlp"},
        compute={"precision": "fp32"},  # as a saved model answers
    )
    model = load_model(tmp_path)
    found = status.calibration
    assert model.temperature == found.temperature != 1.0
    indices, labels, probabilities = read_npz(
        tmp_path / "predictions" / "val.npz", "indices", "labels", "probabilities"
    )
    pixels = noisy.train.images[indices]
    assert model.predict(pixels) == pytest.approx(probabilities, abs=1e-6)
    logits = model.predict_logits(pixels)
    assert fit_temperature(logits, labels) == pytest.approx(model.temperature, rel=1e-3)
    assert np.array_equal(logits.argmax(axis=1), probabilities.argmax(axis=1))
    assert status.val.loss == found.after.nll < found.before.nll
    assert replace(model, temperature=1.0).predict(pixels) != pytest.approx(probabilities, abs=1e-3)


def test_a_model_keeps_a_limit_and_sets_of_its_validation_images(
    dataset: DataSet, tmp_path: Path
) -> None:
    status = train_tiny(dataset, tmp_path, epochs=2, model={"name": "mlp"})
    model = load_model(tmp_path)
    indices, labels, probabilities = read_predictions(tmp_path, 3)
    found = model.answer(dataset.train.images[indices])
    assert model.unlike is not None
    assert model.unlike.n == 24
    assert model.unlike.limit == pytest.approx(fit_limit(found.energies), rel=1e-2)  # bf16, perhaps
    assert model.sets == fit_sets(probabilities, labels)
    assert status.sets == measure_coverage(probabilities, labels, model.sets)
    assert [one.error_rate for one in status.sets] == list(ERROR_RATES)
    assert all(one.coverage >= 1 - one.error_rate and one.n == 24 for one in status.sets)
    assert status.sets[0].mean_size == 3, "24 images are too few for an error rate of 1 %"


def test_a_refit_keeps_the_limit_and_the_sets_of_the_run_before_it(
    dataset: DataSet, tmp_path: Path
) -> None:
    status = train_tiny(dataset, tmp_path, epochs=1, model={"name": "mlp"})
    refit_run(tmp_path, make_job(dataset, tmp_path))
    before, after = load_model(tmp_path), load_model(tmp_path / "refit")
    assert before.unlike is not None
    assert (after.unlike, after.sets) == (before.unlike, before.sets)
    assert find_validated(tmp_path / "refit")[1].sets == status.sets


def test_a_model_of_all_images_has_neither(dataset: DataSet, tmp_path: Path) -> None:
    recipe = make_recipe(epochs=1, model={"name": "mlp"})
    run_recipe(recipe, make_job(dataset, tmp_path), AllImages())
    model = load_model(tmp_path)
    assert (model.unlike, model.sets) == (None, None)


@pytest.mark.parametrize(("mirror", "sides"), [(True, True), (True, False), (False, True)])
def test_means_over_mirror_images_that_confuse_classes_are_told(
    mirror: bool, sides: bool, dataset: DataSet, tmp_path: Path
) -> None:
    """As with the road signs of GTSRB, of which these means took 13 points."""
    if sides:
        pixels, labels = np.array(dataset.train.images) // 2, np.arange(120) % 2
        pixels[labels == 0, :, :, :3] += 120
        pixels[labels == 1, :, :, 5:] += 120
        dataset = replace(dataset, train=ImageSet(pixels, labels, ("left", "right")))
    model = {"name": "mlp", "hidden": [32]}
    status = train_tiny(
        dataset, tmp_path, epochs=8, model=model, augment=[], tta={"mirror": mirror}
    )
    told = [note for note in status.notes if "mirror images seem to change the class" in note]
    assert len(told) == (mirror and sides)
    if told:
        best = read_metrics(tmp_path)[status.best_epoch - 1].val_accuracy
        assert f"{100 * status.val.accuracy:.1f} % of the validation images are right" in told[0]
        assert f"but {100 * best:.1f} % by the images alone" in told[0]


def test_a_few_images_are_no_reason_to_tell_of_mirror_images(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """17 of 18 against all 18 are one image, although beyond the interval."""
    train_tiny(dataset, tmp_path, epochs=1, model={"name": "mlp"}, tta={"mirror": True})
    model = load_model(tmp_path)
    (epoch,) = read_metrics(tmp_path)
    for n, told in ((18, 0), (1800, 1)):
        hits = 17 * n // 18
        val = Rate(accuracy=hits / n, interval=wilson_interval(hits, n), n=n, loss=1.0)
        monkeypatch.setattr(
            measure, "read_metrics", lambda _: [epoch.change(epoch=model.epoch, val_accuracy=1.0)]
        )
        assert len(measure.tell_mirrored(tmp_path, model, val)) == told
