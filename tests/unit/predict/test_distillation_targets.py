"""What a teacher does to targets."""

import pytest
import torch
from torch import Generator

from smallvision.predict import build_distillation_targets
from tests.support.models import CONVOLUTIONAL, make_model


def test_targets_lean_towards_what_the_teacher_says_of_these_very_images() -> None:
    model = make_model(3, CONVOLUTIONAL)
    images = torch.randint(0, 256, (6, 1, 8, 8), dtype=torch.uint8)
    targets = torch.eye(3).repeat(2, 1)
    teach = build_distillation_targets(model, share=0.75, temperature=2.0)
    seen, mixed = teach(images, targets, Generator())
    assert seen is images
    said = torch.from_numpy(model.predict_logits(images.numpy()))
    assert mixed == pytest.approx(0.25 * targets + 0.75 * (said / 2).softmax(dim=1), abs=1e-6)
    assert not mixed.is_inference(), "a loss must be able to keep them for its backward pass"

    _, untouched = build_distillation_targets(model, share=0.0, temperature=1.0)(
        images, targets, Generator()
    )
    assert torch.equal(untouched, targets)


def test_calibration_is_no_part_of_teaching() -> None:
    model = make_model(3, CONVOLUTIONAL)
    cooled = make_model(3, CONVOLUTIONAL)
    object.__setattr__(cooled, "temperature", 5.0)
    images = torch.randint(0, 256, (6, 1, 8, 8), dtype=torch.uint8)
    both = [
        build_distillation_targets(one, share=1.0, temperature=1.0)(
            images, torch.eye(3).repeat(2, 1), None
        )[1]
        for one in (model, cooled)
    ]
    assert torch.equal(*both)
