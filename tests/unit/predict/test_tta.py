"""Test-time augmentation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from smallvision.predict import Tta, load_model
from smallvision.predict.tta import UNCERTAIN
from smallvision.records import store
from smallvision.records.schema import ModelRecord
from tests.support.images import make_images
from tests.support.models import FP32, NORMED, make_model

IMAGES = torch.arange(2 * 3 * 6 * 5).remainder(251).to(torch.uint8).view(2, 3, 6, 5)
SURE, UNSURE = [2 * UNCERTAIN, 0.0], [0.5 * UNCERTAIN, 0.0]


class Listener:
    """Answers from a list, and remembers what it was asked."""

    def __init__(self, *answers: list[list[float]]) -> None:
        self.answers = [torch.tensor(answer) for answer in answers]
        self.asked: list[Tensor] = []

    def __call__(self, images: Tensor) -> Tensor:
        self.asked.append(images)
        return self.answers[len(self.asked) - 1]


def test_by_default_the_image_alone_is_classified() -> None:
    listener = Listener([UNSURE, SURE])
    assert Tta().infer(listener, IMAGES).tolist() == [UNSURE, SURE]
    assert [asked is IMAGES for asked in listener.asked] == [True]


def test_the_mirror_image_counts_as_much() -> None:
    listener = Listener([[4.0, 0.0], [1.0, 1.0]], [[0.0, 2.0], [3.0, 1.0]])
    logits = Tta(mirror=True).infer(listener, IMAGES)
    assert logits.tolist() == [[2.0, 1.0], [2.0, 1.0]]
    assert torch.equal(listener.asked[1], IMAGES.flip(-1))


def test_uncertain_images_are_shifted() -> None:
    """The first image is sure; of the second, a shift counts a quarter, the image a half."""
    listener = Listener([SURE, UNSURE], [[0.0, 4.0]], [[0.0, 8.0]])
    logits = Tta(shift=1).infer(listener, IMAGES)
    assert logits.tolist() == [SURE, [0.25 * UNCERTAIN, 3.0]]
    uncertain = IMAGES[1:]
    down, up = listener.asked[1:]
    assert torch.equal(down[:, :, 1:, 1:], uncertain[:, :, :-1, :-1])
    assert torch.equal(up[:, :, :-1, :-1], uncertain[:, :, 1:, 1:])
    assert torch.equal(down[:, :, 0, 1:], uncertain[:, :, 1, :-1]), "the border is mirrored"
    assert down.dtype == torch.uint8


def test_an_uncertain_image_has_six_copies() -> None:
    listener = Listener(*[[UNSURE, UNSURE]] * 6)
    Tta(mirror=True, shift=1).infer(listener, IMAGES)
    assert len(listener.asked) == 6
    assert torch.equal(listener.asked[3], listener.asked[2].flip(-1))


def test_certain_images_are_not_shifted() -> None:
    listener = Listener([SURE, SURE])
    Tta(shift=1).infer(listener, IMAGES)
    assert len(listener.asked) == 1


@pytest.mark.parametrize("tta", [Tta(), Tta(mirror=True), Tta(shift=1), Tta(mirror=True, shift=2)])
def test_a_saved_model_keeps_its_test_time_augmentation(tta: Tta, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = replace(make_model(0, NORMED), tta=tta)
    model.save(tmp_path)
    assert store.read(tmp_path / "model.json", ModelRecord).tta == tta.record()
    again = load_model(tmp_path, FP32)
    assert again.tta == tta
    images = make_images(5).images
    assert np.array_equal(again.predict_logits(images), model.predict_logits(images))
