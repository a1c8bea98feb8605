from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Generator

from smallvision.augment import AUGMENTATIONS
from smallvision.errors import SettingError
from smallvision.optim import SCHEDULES
from smallvision.recipes import parse_recipe
from smallvision.recipes.builders import check_fit, schedule_augmentations

ANY = torch.zeros(0, dtype=torch.int64)


def names_at(step: int, cycle_ends: tuple[int, ...], **values: Any) -> list[str]:
    """Which augmentations a recipe applies in a step."""
    by_function = {entry.apply: name for name, entry in AUGMENTATIONS.items()}
    found = schedule_augmentations(parse_recipe(values), cycle_ends, 10)(step, ANY)
    return [by_function.get(getattr(augment, "func", None), "smooth") for augment in found]


def test_images_are_not_mixed_at_the_end_of_each_cycle() -> None:
    """Cycles of 10 and 20 steps and a tail of a fifth: the last 2 and the last 4 steps."""
    values = {
        "augment": ["mixup", "flip", "cutmix"],
        "unmixed_fraction": 0.2,
        "label_smoothing": 0.1,
    }
    clean = [step for step in range(30) if names_at(step, (9, 29), **values) == ["flip", "smooth"]]
    assert clean == [8, 9, 26, 27, 28, 29]
    others = set(range(30)) - set(clean)
    expected = ["mixup", "flip", "cutmix", "smooth"]
    assert all(names_at(step, (9, 29), **values) == expected for step in others)


def test_a_network_that_is_too_large_is_refused_with_its_size() -> None:
    check_fit(parse_recipe({"model": {"name": "vgg10", "width": 256}}), (3, 32, 32))
    recipe = parse_recipe({"model": {"name": "mlp", "hidden": [65_536, 65_536]}})
    with pytest.raises(SettingError, match="mlp of these settings has 4,496,687,106 parameters"):
        check_fit(recipe, (3, 32, 32))
    with pytest.raises(SettingError, match="at most 64 entries"):
        parse_recipe({"model": {"name": "mlp", "hidden": [1] * 65}})


def test_by_default_every_step_mixes() -> None:
    assert all(names_at(step, (9,), augment=["cutmix"]) == ["cutmix"] for step in range(10))
    assert not any(names_at(s, (9,), augment=["cutmix"], unmixed_fraction=1.0) for s in range(10))


@given(epochs=st.integers(1, 20), steps=st.integers(1, 9), tail=st.floats(0, 1))
def test_clean_steps_end_every_cycle(epochs: int, steps: int, tail: float) -> None:
    ends = SCHEDULES["sgdr"](epochs, steps).cycle_ends
    recipe = parse_recipe({"augment": ["cutmix"], "unmixed_fraction": tail})
    find = schedule_augmentations(recipe, ends, steps)
    start = 0
    for end in ends:
        mixing = [bool(find(step, ANY)) for step in range(start, end + 1)]
        assert mixing == sorted(mixing, reverse=True)
        assert abs(mixing.count(False) - tail * len(mixing)) <= 0.5
        start = end + 1


@pytest.mark.parametrize("augment", [["cutmix", "mixup"], ["mixup", "cutmix"], []])
def test_label_smoothing_comes_last(augment: list[str]) -> None:
    images = torch.zeros(6, 1, 8, 8, dtype=torch.uint8)
    targets = torch.eye(3)[torch.arange(6) % 3]

    def apply(smoothing: float) -> torch.Tensor:
        recipe = parse_recipe({"augment": augment, "label_smoothing": smoothing})
        pixels, soft, generator = images, targets, Generator().manual_seed(0)
        for step in schedule_augmentations(recipe, (9,), 10)(0, torch.arange(6)):
            pixels, soft = step(pixels, soft, generator)
        return soft

    assert torch.allclose(apply(0.3), 0.7 * apply(0.0) + 0.3 / 3, atol=1e-6)


def test_targets_are_mixed_by_the_pixels_of_the_random_crop() -> None:
    """Each image has a number for its pixels, so that what was pasted can be counted."""
    values = {"augment": ["flip", {"name": "cutmix", "probability": 1.0}]}
    recipe = parse_recipe({**values, "random_crop_phase": [{"until": 1.0, "side": 16}]})
    images = torch.arange(8, dtype=torch.uint8).view(8, 1, 1, 1).expand(8, 1, 32, 32).contiguous()
    targets, generator = torch.eye(8), Generator().manual_seed(0)
    for augment in schedule_augmentations(recipe, (9,), 10)(0, torch.arange(8)):
        images, targets = augment(images, targets, generator)
    assert images.shape[2:] == (16, 16)
    shares = torch.stack([torch.bincount(i.flatten().long(), minlength=8) / 256 for i in images])
    assert torch.allclose(shares, targets, atol=1e-6)
    assert (targets.max(dim=1).values < 1).any()
