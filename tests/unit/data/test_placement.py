"""Images that fit the memory, and images that do not."""

import numpy as np
import pytest
import torch

from smallvision.data import placement
from smallvision.data.imageset import ImageSet
from smallvision.data.placement import place_images
from smallvision.shapes import Images


def make_images(count: int) -> ImageSet:
    pixels = np.random.default_rng(count).integers(0, 256, (count, 3, 8, 8), dtype=np.uint8)
    return ImageSet(pixels, np.arange(count) % 2, ("a", "b"))


@pytest.mark.parametrize("memory", [2**40, 1000])
def test_parts_follow_each_other_wherever_they_lie(
    monkeypatch: pytest.MonkeyPatch, memory: int
) -> None:
    monkeypatch.setattr(placement, "measure_memory", lambda _device: memory)
    monkeypatch.setattr(placement, "CHUNK", 3)
    mapped: list[tuple[int, ...]] = []

    def map_file(shape: tuple[int, ...], dtype: type[np.uint8]) -> Images:
        mapped.append(shape)
        return original(shape, dtype)

    original = placement.map_file
    monkeypatch.setattr(placement, "map_file", map_file)
    first, second = make_images(10), make_images(5)
    images, labels = place_images([(first, np.array([7, 1, 4, 2])), (second, np.array([3]))], "cpu")
    expected = np.concatenate([first.images[[7, 1, 4, 2]], second.images[[3]]])
    assert torch.equal(images, torch.from_numpy(expected))
    assert labels.tolist() == [1, 1, 0, 0, 1]
    assert mapped == ([(5, 3, 8, 8)] if memory == 1000 else [])


def test_a_full_disk_is_said_before_a_byte_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Amid a write to a mapped file it would end the process."""

    def fail(*_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(placement, "measure_memory", lambda _device: 1000)
    monkeypatch.setattr(placement.os, "posix_fallocate", fail, raising=False)
    with pytest.raises(OSError, match="No space left"):
        place_images([(make_images(10), np.arange(10))], "cpu")
