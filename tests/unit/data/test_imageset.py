"""What an image set refuses of the names of its classes."""

import numpy as np
import pytest

from smallvision.data.imageset import ImageSet
from smallvision.errors import DataError


@pytest.mark.parametrize("name", ["", "x" * 256])
def test_names_that_no_record_could_hold_are_refused(name: str) -> None:
    images, labels = np.zeros((2, 1, 8, 8), np.uint8), np.array([0, 1])
    ImageSet(images, labels, ("a", "x" * 255))
    with pytest.raises(DataError, match="empty or beyond 255 characters"):
        ImageSet(images, labels, ("a", name))


def test_each_image_has_a_name_or_none_has() -> None:
    images, labels = np.zeros((2, 1, 8, 8), np.uint8), np.array([0, 1])
    assert ImageSet(images, labels, ("a", "b")).name_file(1) is None
    assert ImageSet(images, labels, ("a", "b"), ("x.png", "y.png")).name_file(1) == "y.png"
    with pytest.raises(DataError, match="1 names of files for 2 images"):
        ImageSet(images, labels, ("a", "b"), ("x.png",))
