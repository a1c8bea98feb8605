"""Pictures of several sizes and modes become one array."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from smallvision.data.decoding.resize import resize_pictures


def pictures(*sizes, mode="RGB"):
    return [Image.new(mode, size, "red" if mode == "RGB" else 90) for size in sizes]


def test_equal_sizes_in_range_stay_as_they_are():
    images, notes = resize_pictures(pictures((20, 12), (20, 12)))
    assert (images.shape, notes) == ((2, 3, 12, 20), ())


@pytest.mark.parametrize(
    ("sizes", "resized"),
    [([(20, 20), (24, 20)], 2), ([(32, 32), (97, 40)], 1), ([(7, 7)], 1), ([(300, 200)] * 3, 3)],
)
def test_other_sizes_become_32(sizes, resized):
    images, notes = resize_pictures(pictures(*sizes))
    assert images.shape == (len(sizes), 3, 32, 32)
    assert notes == (f"{resized} of {len(sizes)} images were resized and cropped to 32x32 pixels.",)


def test_image_size_is_obeyed(refuses):
    assert resize_pictures(pictures((20, 20), (99, 50)), image_size=16)[0].shape == (2, 3, 16, 16)
    with refuses("image_size is 97; expected 8 to 96"):
        resize_pictures(pictures((20, 20)), image_size=97)


def test_one_colored_picture_colors_all():
    images, notes = resize_pictures(pictures((8, 8), mode="L") + pictures((8, 8)))
    assert images[0, :, 0, 0].tolist() == [90, 90, 90]
    assert notes == ("1 of 2 grey images were stored as colour, like the rest.",)


def test_later_parts_take_the_shape_of_the_training_images():
    images, notes = resize_pictures(pictures((40, 20), (8, 8)), shape=(1, 8, 8))
    assert images.shape == (2, 1, 8, 8)
    assert notes == (
        "1 of 2 images were resized and cropped to 8x8 pixels.",
        "2 of 2 colour images were made grey, like the rest.",
    )


def test_resizing_is_antialiased_and_centered():
    stripes = np.zeros((64, 128), dtype=np.uint8)
    stripes[:, ::2] = 255
    stripes[:, :16] = stripes[:, -16:] = 0
    images, _ = resize_pictures([Image.fromarray(stripes)], image_size=16)
    assert np.abs(images.astype(int) - 127).max() <= 3  # sampling would give black or white


def test_no_pictures_at_all(refuses):
    with refuses("there are no images"):
        resize_pictures([])
