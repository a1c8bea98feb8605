"""Copies and near copies are found; what only has the same mood is not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from smallvision.data import near_duplicates
from smallvision.data.near_duplicates import find_near_duplicates, match_images
from smallvision.shapes import Images


def draw_scenes(count: int, *, seed: int, side: int = 32) -> Images:
    """Coloured blots over a dark ground below and a bright one above, like many photographs."""
    draw = torch.Generator().manual_seed(seed)
    blots = F.interpolate(torch.randn(count, 3, 7, 7, generator=draw), size=side, mode="bicubic")
    ramp = torch.linspace(60, -60, side)[None, None, :, None]
    return (128 + ramp + 40 * blots).clamp(0, 255).byte().numpy()


TRAIN = draw_scenes(300, seed=0)
ALTERED: dict[str, Callable[[Images], Images]] = {
    "copied": lambda x: x,
    "mirrored": lambda x: x[..., ::-1],
    "shifted by half a pixel": lambda x: x // 2 + np.roll(x, 1, 3) // 2,
    "darker": lambda x: (x * 0.7).astype(np.uint8),
    "noisy": lambda x: (
        (x + np.random.default_rng(0).normal(0, 6, x.shape)).clip(0, 255).astype(np.uint8)
    ),
}


@pytest.mark.parametrize("way", ALTERED)
def test_an_altered_picture_is_found_where_it_is(way: str) -> None:
    images = ALTERED[way](TRAIN[40:60])
    likeness, places = match_images(images, [TRAIN[:50], TRAIN[50:]], mirror=True)
    assert places.tolist() == list(range(40, 60))
    found = find_near_duplicates(images, [TRAIN], mirror=True)
    assert found.alike is not None
    assert found.alike.all()
    assert found.copies.all() == (way == "copied")
    assert likeness.max() <= 1 + 1e-5


def test_a_mirror_image_counts_where_it_keeps_its_class() -> None:
    assert not find_near_duplicates(TRAIN[40:60, ..., ::-1], [TRAIN], mirror=False).seen.any()


def test_other_pictures_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not find_near_duplicates(draw_scenes(200, seed=1), [TRAIN], mirror=True).seen.any()
    monkeypatch.setattr(near_duplicates, "CHUNK", 7)
    mixed = np.concatenate([draw_scenes(20, seed=1), TRAIN[:5]])
    found = find_near_duplicates(mixed, [TRAIN], mirror=True)
    assert found.seen.tolist() == [False] * 20 + [True] * 5


def test_flat_pictures_are_like_nothing_but_themselves() -> None:
    flat = np.full((2, 3, 32, 32), 90, np.uint8)
    flat[1] = 91
    assert not find_near_duplicates(flat, [TRAIN], mirror=True).seen.any()
    found = find_near_duplicates(flat, [TRAIN, flat[:1]], mirror=True)
    assert found.seen.tolist() == found.copies.tolist() == [True, False]


def test_small_grey_or_many_images_are_looked_up_to_the_pixel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for images in (draw_scenes(30, seed=2, side=12), draw_scenes(30, seed=2)[:, :1]):
        nearly = images[:4].copy()
        nearly[2:] ^= 1
        found = find_near_duplicates(nearly, [images], mirror=True)
        assert found.alike is None
        assert found.seen.tolist() == [True, True, False, False]
    for name, value in (("MAX_PAIRS", 100), ("fits", lambda _size, _device: False)):
        with monkeypatch.context() as patch:
            patch.setattr(near_duplicates, name, value)
            found = find_near_duplicates(TRAIN[:20], [TRAIN], mirror=True)
        assert found.alike is None
        assert found.copies.all()


def test_a_search_that_runs_out_of_memory_leaves_the_copies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(near_duplicates, "match_part", fail)
    found = find_near_duplicates(TRAIN[:20], [TRAIN], mirror=True)
    assert found.alike is None
    assert found.copies.all()
