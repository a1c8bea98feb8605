"""Images that fit the memory, and images that do not."""

import numpy as np
import pytest
import torch

from smallvision.data import placement
from smallvision.data.imageset import ImageSet
from smallvision.data.placement import fetch_rows, gather, place_images
from smallvision.data.storage import stored_images
from smallvision.data.storage.stored_images import StoredImages
from smallvision.errors import DataError


def make_images(count: int) -> ImageSet:
    pixels = np.random.default_rng(count).integers(0, 256, (count, 3, 8, 8), dtype=np.uint8)
    return ImageSet(pixels, np.arange(count) % 2, ("a", "b"))


def store(images: ImageSet) -> ImageSet:
    stored = StoredImages.create(images.images.shape)
    stored[:] = images.images[:]
    return ImageSet(stored, images.labels, images.class_names)


@pytest.mark.parametrize("memory", ["1.5GB", "0.001MB"])
def test_parts_follow_each_other_wherever_they_lie(
    monkeypatch: pytest.MonkeyPatch, memory: str
) -> None:
    monkeypatch.setenv("SMALLVISION_WORKING_SET", memory)
    first, second = make_images(10), make_images(5)
    images, labels = place_images([(first, np.array([7, 1, 4, 2])), (second, np.array([3]))], "cpu")
    expected = np.concatenate([first.images[[7, 1, 4, 2]], second.images[[3]]])
    assert np.array_equal(fetch_rows(images), expected)
    assert torch.equal(gather(images, torch.tensor([4, 0]), "cpu"), torch.tensor(expected[[4, 0]]))
    assert labels.tolist() == [1, 1, 0, 0, 1]
    assert isinstance(images, StoredImages) == (memory != "1.5GB")


def test_what_lies_in_a_file_is_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMALLVISION_WORKING_SET", "1kB")
    images = store(make_images(10))
    rest = images.take(np.array([9, 8, 2, 1, 0]))
    monkeypatch.setattr(StoredImages, "create", None)
    placed, _ = place_images([(rest, np.array([0, 3])), (images, np.array([5]))], "cpu")
    assert np.array_equal(fetch_rows(placed), images.images[[9, 1, 5]])


def test_a_small_device_leaves_images_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement, "measure_memory", lambda _device: 1000)
    assert placement.choose_place(501, "cpu") is None
    assert placement.choose_place(500, "cpu") == "cpu"


def test_a_full_disk_is_said_before_a_byte_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    free = stored_images.shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr(stored_images.shutil, "disk_usage", lambda _: free)
    monkeypatch.setenv("SMALLVISION_WORKING_SET", "1kB")
    with pytest.raises(DataError, match=r"take 2 kB and.*where 1 kB are free: .*SMALLVISION_CACHE"):
        place_images([(make_images(10), np.arange(10))], "cpu")
