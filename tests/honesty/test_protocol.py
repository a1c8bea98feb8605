"""The promises that make a result worth believing."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import smallvision
from smallvision.api import evaluate, train
from smallvision.data.dataset import DataSet
from smallvision.data.imageset import ImageSet
from smallvision.data.sealed_test import SealedTest, open_sealed_test, seal_test
from smallvision.data.split import make_split
from smallvision.records import store
from smallvision.records.layout import STUDY
from smallvision.records.ledger import read_openings
from smallvision.records.schema import StudyRecord
from smallvision.runs import measure
from smallvision.runs.explain import explain
from smallvision.study.climb import run_study
from smallvision.study.plan import StudyPlan
from tests.support.images import make_dataset, make_images
from tests.support.records import HASH
from tests.support.runs import make_recipe, read_bits, train_tiny

SOURCE = Path(smallvision.__file__).parent


def changed(images: ImageSet, where: np.ndarray) -> ImageSet:
    pixels = np.array(images.images)
    pixels[where] = 255 - pixels[where]
    return ImageSet(pixels, images.labels, images.class_names)


def statistics(folder: Path) -> tuple[list[float], list[float]]:
    model = smallvision.load_model(folder)
    return list(model.mean), list(model.std)


def test_changing_validation_pixels_changes_no_training_bit(tmp_path: Path) -> None:
    dataset = make_dataset()
    split = make_split(dataset.train)
    train_tiny(dataset, tmp_path / "a")
    other = replace(dataset, train=changed(dataset.train, split.val))
    # The same split by hand: a changed set would hash to another fingerprint, not other indices.
    assert np.array_equal(make_split(other.train).train, split.train)
    train_tiny(other, tmp_path / "b")
    assert statistics(tmp_path / "a") == statistics(tmp_path / "b")
    first, second = (read_bits(tmp_path / name) for name in "ab")
    final = "checkpoints/004/model.safetensors"
    assert first["files"][final] == second["files"][final]
    losses = [[line["loss"] for line in found["metrics"]] for found in (first, second)]
    assert losses[0] == losses[1]


def test_changing_test_pixels_and_labels_changes_no_bit(tmp_path: Path) -> None:
    dataset = make_dataset()
    test = make_images(30, seed=5)
    noise = np.random.default_rng(0).permutation(test.labels)
    other = replace(
        dataset, test=seal_test(ImageSet(255 - np.array(test.images), noise, test.class_names))
    )
    train_tiny(dataset, tmp_path / "a")
    train_tiny(other, tmp_path / "b")
    assert read_bits(tmp_path / "a") == read_bits(tmp_path / "b")


def test_changing_training_pixels_changes_the_statistics(tmp_path: Path) -> None:
    """The test above can fail: pixels that are trained on do matter."""
    dataset = make_dataset()
    split = make_split(dataset.train)
    train_tiny(dataset, tmp_path / "a")
    train_tiny(replace(dataset, train=changed(dataset.train, split.train[:20])), tmp_path / "b")
    assert statistics(tmp_path / "a") != statistics(tmp_path / "b")


def test_shuffled_labels_give_chance_on_validation(tmp_path: Path) -> None:
    images = make_images(900)
    labels = np.random.default_rng(0).permutation(images.labels)
    dataset = replace(
        make_dataset(), train=ImageSet(np.array(images.images), labels, images.class_names)
    )
    status = train_tiny(dataset, tmp_path, epochs=6, model={"name": "mlp"}, augment=[])
    low, high = status.val.interval
    assert low < 1 / 3 < high or status.val.accuracy < 0.45


def test_true_labels_are_learned(tmp_path: Path) -> None:
    """The test above can fail: the same run on the true labels is far from chance."""
    dataset = replace(make_dataset(), train=make_images(900))
    status = train_tiny(dataset, tmp_path, epochs=6, model={"name": "mlp"}, augment=[])
    assert status.val.accuracy > 0.9


def test_a_sealed_test_set_shows_nothing() -> None:
    test = make_dataset().test
    assert isinstance(test, SealedTest)
    shown = {name: getattr(test, name) for name in dir(test) if not name.startswith("__")}
    assert set(shown) == {"size", "fingerprint", "origin"}
    assert not hasattr(test, "images")


def test_the_seal_is_broken_in_one_place() -> None:
    callers = []
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            name = getattr(node, "func", None)
            called = getattr(name, "id", getattr(name, "attr", ""))
            if isinstance(node, ast.Call) and called == "open_sealed_test":
                callers.append(path.relative_to(SOURCE).as_posix())
    assert callers == ["evaluation/open_test.py"]


def test_openings_are_logged_counted_and_announced(dataset: DataSet, tmp_path: Path) -> None:
    result = train(dataset, make_recipe(), out=tmp_path / "run")
    assert read_openings(tmp_path / "run") == []
    first = evaluate(result, dataset)
    second = evaluate(result, dataset)
    assert (first.record.openings, second.record.openings) == (1, 2)
    openings = read_openings(tmp_path / "run")
    assert [entry.opening for entry in openings] == [1, 2]
    assert openings[0].data_fingerprint == dataset.test.fingerprint
    assert openings[0].n == 30


def test_openings_of_other_models_are_counted_too(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [train(dataset, make_recipe(seed=seed), out=tmp_path / str(seed)) for seed in range(2)]
    found = [evaluate(run, dataset).record for run in runs]
    assert [record.openings for record in found] == [1, 1]
    assert [record.openings_on_machine for record in found] == [1, 2]
    nowhere = tmp_path / "a file"
    nowhere.write_text("no place for a cache")
    monkeypatch.setenv("SMALLVISION_CACHE", str(nowhere))
    assert evaluate(runs[0], dataset).record.openings_on_machine is None


def test_changing_test_labels_changes_no_byte_of_the_model(tmp_path: Path) -> None:
    """Neither training nor the evaluation itself lets a test label into what is saved."""
    dataset = make_dataset()
    test = make_images(30, seed=5)
    wrong = ImageSet(test.images, (test.labels + 1) % 3, test.class_names)
    scores = []
    for name, images in (("a", test), ("b", wrong)):
        sealed = replace(dataset, test=seal_test(images))
        result = train(sealed, make_recipe(), out=tmp_path / name)
        saved = model_bytes(tmp_path / name)
        scores.append(evaluate(result, sealed).accuracy)
        assert model_bytes(tmp_path / name) == saved
    assert model_bytes(tmp_path / "a") == model_bytes(tmp_path / "b")
    assert scores[0] != scores[1], "the labels do reach the score"


def model_bytes(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((run / "model").iterdir())}


def test_the_temperature_is_fitted_on_validation_and_nothing_else(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def watch(logits: np.ndarray, labels: np.ndarray) -> float:
        seen.append(labels)
        return 1.5

    monkeypatch.setattr(measure, "fit_temperature", watch)
    result = train(dataset, make_recipe(), out=tmp_path / "run")
    record = evaluate(result, dataset).record
    assert [labels.tolist() for labels in seen] == [
        dataset.train.labels[make_split(dataset.train).val].tolist()
    ]
    assert record.calibration.temperature == 1.5


def test_no_room_that_sees_test_images_fits_a_temperature() -> None:
    naming = {
        path.relative_to(SOURCE).parts[0]
        for path in SOURCE.rglob("*.py")
        if "fit_temperature" in path.read_text()
    }
    assert naming == {"stats", "runs"}


def test_a_seal_that_cannot_be_logged_stays_closed(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = train(dataset, make_recipe(), out=tmp_path / "run")
    opened = []
    locked = SealedTest(lambda: opened.append(1) or make_images(30), size=30, fingerprint=HASH)
    (tmp_path / "run" / "ledger.jsonl").mkdir()
    with pytest.raises(smallvision.UserError):
        evaluate(result, replace(dataset, test=locked))
    assert not opened


def test_a_dry_run_leaves_the_seal_closed(tmp_path: Path) -> None:
    opened = []
    locked = SealedTest(lambda: opened.append(1) or make_images(30), size=30, fingerprint=HASH)
    dataset = replace(make_dataset(600), test=locked)
    # A rung of each kind of work: trained, tuned first, and made an ensemble.
    slots = ("mlp", "tuned", "snapshot-ensemble")
    settings = ("compute.threads=1",)
    plan = StudyPlan(rungs=slots, settings=settings, folds=2, dry_run=True)
    summary = run_study(dataset, tmp_path / "study", plan)
    assert summary.test is not None
    assert summary.test.openings == 1
    assert not opened


def test_looking_at_errors_leaves_the_seal_closed(dataset: DataSet, tmp_path: Path) -> None:
    opened = []
    locked = SealedTest(
        lambda: opened.append(1) or make_images(30),
        size=30,
        fingerprint=dataset.test.fingerprint,
    )
    result = train(dataset, make_recipe(), out=tmp_path / "run")
    explain(result, replace(dataset, test=locked))
    assert not opened
    assert read_openings(tmp_path / "run") == []
    assert not (tmp_path / "run" / "ledger.jsonl").exists()
    evaluate(result, replace(dataset, test=locked))
    assert opened, "the lock above can be opened"
    ledger = (tmp_path / "run" / "ledger.jsonl").read_bytes()
    explain(result, replace(dataset, test=locked))
    assert opened == [1]
    assert (tmp_path / "run" / "ledger.jsonl").read_bytes() == ledger


def test_a_model_of_other_classes_cannot_open_the_seal(dataset: DataSet, tmp_path: Path) -> None:
    result = train(dataset, make_recipe(), out=tmp_path / "run")
    other = make_dataset(num_classes=4)
    with pytest.raises(smallvision.UserError, match="other images"):
        evaluate(result, other)
    assert read_openings(tmp_path / "run") == []


def test_breaking_the_seal_gives_the_images() -> None:
    images = make_images(30)
    assert open_sealed_test(seal_test(images)) is images


def test_choosing_settings_members_and_winner_leaves_the_seal_closed(tmp_path: Path) -> None:
    """All choices of a study are on disk before the test set is opened."""
    choices = []

    def open_late() -> ImageSet:
        study = store.read(tmp_path / "study" / STUDY, StudyRecord)
        choices.append((study.best, [rung.status for rung in study.rungs]))
        return make_images(30, seed=5)

    dataset = make_dataset(150)
    locked = SealedTest(open_late, size=30, fingerprint=HASH)
    slots = ("mlp", "tuned", "snapshot-ensemble")
    plan = StudyPlan(rungs=slots, settings=("epochs=2", "compute.threads=1"), seeds=2, refit=True)
    summary = run_study(replace(dataset, test=locked), tmp_path / "study", plan)
    assert choices == [(summary.best, ["skipped", "done", *["skipped"] * 8, "done", "done"])]
    assert (tmp_path / "study" / "runs" / "tuned" / "tune" / "tune.json").exists()
    assert (tmp_path / "study" / "runs" / "snapshot-ensemble" / "ensemble.json").exists()
