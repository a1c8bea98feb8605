"""The measurement of unlike images, on a small set that stands for CIFAR-10."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import Result

import smallvision as sv
from benchmarks.training import unlike as module
from benchmarks.training.foreign_images import DRAWN, draw_textures, leave_out
from benchmarks.training.unlike import HELD_OUT, Subject, UnlikeMeasurement
from smallvision.data.dataset import DataSet
from smallvision.data.split import make_split
from smallvision.errors import DataError
from smallvision.predict import load_model
from smallvision.records import store

NAMES = ("red", "green", "blue", "grey")


def make_colours(count: int = 400) -> DataSet:
    """Noise of 16 pixels a side around four colours."""
    rng = np.random.default_rng(0)
    labels = np.arange(count) % 4
    centres = np.array([[200, 60, 60], [60, 200, 60], [60, 60, 200], [128, 128, 128]])
    noise = rng.integers(-40, 40, (count, 3, 16, 16))
    images = (centres[labels][:, :, None, None] + noise).astype(np.uint8)
    return sv.from_arrays(images, labels, class_names=NAMES, name="colours")


def test_a_class_that_is_left_out_is_in_no_part() -> None:
    data = make_colours()
    rest, images = leave_out(data, ["green", "grey"])
    assert rest.train.class_names == ("red", "blue")
    assert len(rest.train) + len(rest.test) + len(images) == len(data.train)
    grey = data.train.images[np.isin(data.train.labels, [1, 3])]
    assert np.array_equal(images, grey)
    brightest = rest.train.images.mean(axis=(2, 3)).argmax(axis=1)
    assert np.array_equal(brightest, np.array([0, 2])[rest.train.labels]), "labels moved along"


@pytest.mark.parametrize("kind", DRAWN)
def test_images_are_drawn_again_to_the_byte(kind: str) -> None:
    first, again = (DRAWN[kind](20, 32, np.random.default_rng(0)) for _ in range(2))
    assert (first.shape, first.dtype) == ((20, 3, 32, 32), np.uint8)
    assert np.array_equal(first, again)
    assert len(np.unique(first, axis=0)) == 20
    assert first.std(axis=(1, 2, 3)).min() > 1, "none is flat"


def test_textures_have_two_colours() -> None:
    images = draw_textures(10, 32, np.random.default_rng(1)).reshape(10, 3, -1)
    for image in images:
        centred = image - image.mean(axis=1, keepdims=True)
        _, strengths, _ = np.linalg.svd(centred)
        assert strengths[1] < 0.5 * 32 < strengths[0], "on a line, but for rounding to bytes"


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, benchmarks: Callable[..., Result]
) -> None:
    monkeypatch.chdir(tmp_path)
    data = make_colours()
    settings = ["epochs=2", "model.widths=[8,8,8]", "compute.threads=1", "batch_size=64"]
    train, trained = sv.train, []

    def train_small(rest: Any, recipe: str, **options: Any) -> Any:
        trained.append(options["out"])
        return train(rest, recipe, **{**options, "settings": settings})

    def load(name: str, **options: Any) -> DataSet:
        if name == "cifar100":
            assert "data_dir" in options, "without it the images are downloaded"
            raise DataError("there is none")
        return digits if name == "digits" else data

    digits = sv.load_data("digits")
    monkeypatch.setenv("SMALLVISION_DATA", str(tmp_path))
    monkeypatch.setattr(sv, "load_data", load)
    monkeypatch.setattr(sv, "train", train_small)
    train(data, "speednet", settings=settings, out="whole")
    split = make_split(data.train)
    included = Subject(load_model("whole"), data, split)
    monkeypatch.setattr(module, "find_included", lambda _: included)
    call = ("unlike", "--pairs", 1, "--count", 60, "--out", "out")
    for _ in range(2):
        told = benchmarks(*call)
        assert told.exit_code == 0, (told.output, told.exception)
    assert len(trained) == 1, "a finished model is kept"
    assert "CIFAR-100 is not in the data folder" in told.output
    record = store.read(Path("out/unlike.json"), UnlikeMeasurement)
    whole, without = record.models
    assert (whole.name, whole.left_out, whole.val_n) == ("cifar10", (), len(split.val))
    assert (len(without.left_out), without.val_n) == (2, 26)
    assert [one.kind for one in without.images] == [*DRAWN, HELD_OUT]
    held_out = without.images[-1]
    assert held_out.n == 60
    for score in held_out.scores.values():
        assert score.interval[0] <= score.area <= score.interval[1]
        assert score.caught_interval[0] <= score.caught <= score.caught_interval[1] + 1e-9
    assert [row[:2] for row in record.tables[1].rows[-2:]] == [(HELD_OUT, "60"), ("mean", "")]


def test_scores_that_tell_nothing_have_half_the_area() -> None:
    rng = np.random.default_rng(2)
    found = module.compare({"any": rng.random(5_000)}, {"any": rng.random(5_000)})["any"]
    assert found.interval[0] < 0.5 < found.interval[1]
    assert found.caught == pytest.approx(0.05, abs=0.01)


def test_the_included_model_is_measured_on_its_own_validation_images(dataset: DataSet) -> None:
    with pytest.raises(sv.UserError, match="validated on other images"):
        module.find_included(dataset)
